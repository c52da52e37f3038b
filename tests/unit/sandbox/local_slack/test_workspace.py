"""What a workspace holds and what can happen to it, whoever asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.local_slack import ALERTS, AVERY, RANDOM, RILEY, Hands

from bot.sandbox import identities
from bot.sandbox.local_slack.changes import Change, ChangeKind
from bot.sandbox.local_slack.entities import SlackFile
from bot.sandbox.local_slack.messages import Draft, Message
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.seed import seeded_workspace
from bot.sandbox.local_slack.workspace import MOST_REACTIONS, Workspace

BOT = identities.APP.bot_user


@pytest.fixture
def workspace() -> Workspace:
    return seeded_workspace(Hands())


def post(workspace: Workspace, text: str = "It broke", **more: Any) -> Message:
    return workspace.post(Draft(ALERTS, text, more.pop("user", RILEY), **more))


def shown(workspace: Workspace, message: Message) -> dict[str, Any]:
    return workspace.message_json(workspace.message(ALERTS, message.ts))


def heard(workspace: Workspace) -> list[Change]:
    changes: list[Change] = []
    workspace.changes.listen(changes.append)
    return changes


# --- what is there from the start --------------------------------------------------------------------------------


def test_the_seeded_company_has_its_people_groups_and_channels_by_fixed_ids(workspace: Workspace) -> None:
    assert {person.id for person in identities.PEOPLE} <= set(workspace.users)
    assert workspace.groups["S0APPROVERS"].members == ["U0AVERY0001", "U0OLIVE0001"]
    assert workspace.channel("C0AUTHOPS01").name == "auth-alerts"


def test_the_bot_is_in_every_seeded_channel_but_random(workspace: Workspace) -> None:
    assert [channel.name for channel in workspace.channels.values() if BOT not in channel.members] == ["random"]


def test_what_is_not_there_is_refused_by_slacks_codes(workspace: Workspace) -> None:
    with pytest.raises(Refused, match="user_not_found"):
        workspace.user("U0NOBODY001")
    with pytest.raises(Refused, match="channel_not_found"):
        workspace.channel("C0NOWHERE01")
    with pytest.raises(Refused, match="message_not_found"):
        workspace.message(ALERTS, "1.000001")


# --- time stamps -------------------------------------------------------------------------------------------------


def test_a_ts_is_the_time_with_six_decimals(workspace: Workspace) -> None:
    assert post(workspace).ts == "1772452800.000000"


def test_messages_of_the_same_instant_get_increasing_ts(workspace: Workspace) -> None:
    stamps = [post(workspace).ts for _ in range(3)]

    assert stamps == ["1772452800.000000", "1772452800.000001", "1772452800.000002"]


def test_a_clock_that_is_set_back_does_not_give_a_ts_twice(workspace: Workspace) -> None:
    before = post(workspace).ts
    workspace.clock.advance(hours=-1)  # type: ignore[attr-defined]

    assert post(workspace).ts > before


# --- threads -----------------------------------------------------------------------------------------------------


def test_a_message_without_replies_shows_nothing_of_threads(workspace: Workspace) -> None:
    assert "thread_ts" not in shown(workspace, post(workspace))
    assert "reply_count" not in shown(workspace, post(workspace))


def test_a_parent_counts_its_replies_and_who_wrote_them(workspace: Workspace) -> None:
    parent = post(workspace)
    for author in (RILEY, AVERY, RILEY):
        last = post(workspace, user=author, thread_ts=parent.ts)

    thread = shown(workspace, parent)

    assert (thread["thread_ts"], thread["reply_count"], thread["latest_reply"]) == (parent.ts, 3, last.ts)
    assert (thread["reply_users"], thread["reply_users_count"]) == ([RILEY, AVERY], 2)


def test_a_reply_names_its_thread_and_the_author_of_its_parent(workspace: Workspace) -> None:
    parent = post(workspace, user=AVERY)
    reply = post(workspace, thread_ts=parent.ts)

    assert shown(workspace, reply)["thread_ts"] == parent.ts
    assert shown(workspace, reply)["parent_user_id"] == AVERY


def test_a_reply_is_in_the_channel_only_when_it_is_broadcast(workspace: Workspace) -> None:
    parent = post(workspace)
    quiet = post(workspace, thread_ts=parent.ts)
    loud = post(workspace, thread_ts=parent.ts, broadcast=True)

    assert (quiet.in_channel, loud.in_channel) == (False, True)
    assert shown(workspace, loud)["subtype"] == "thread_broadcast"
    assert shown(workspace, parent)["reply_count"] == 2


def test_deleting_a_reply_counts_it_out(workspace: Workspace) -> None:
    parent = post(workspace)
    first = post(workspace, thread_ts=parent.ts)
    second = post(workspace, thread_ts=parent.ts)

    workspace.delete(second)

    assert shown(workspace, parent)["reply_count"] == 1
    assert shown(workspace, parent)["latest_reply"] == first.ts


def test_a_deleted_message_with_replies_leaves_a_tombstone(workspace: Workspace) -> None:
    parent = post(workspace)
    post(workspace, thread_ts=parent.ts)

    workspace.delete(parent)

    left = workspace.message_json(workspace.channel(ALERTS).messages[parent.ts])
    assert (left["subtype"], left["hidden"], left["user"]) == ("tombstone", True, "USLACKBOT")
    assert left["reply_count"] == 1
    with pytest.raises(Refused, match="message_not_found"):
        workspace.message(ALERTS, parent.ts)


def test_the_tombstone_goes_with_the_last_reply(workspace: Workspace) -> None:
    parent = post(workspace)
    reply = post(workspace, thread_ts=parent.ts)
    workspace.delete(parent)

    workspace.delete(reply)

    assert not workspace.channel(ALERTS).messages


# --- how messages are shown --------------------------------------------------------------------------------------


def test_what_an_app_says_shows_which_app(workspace: Workspace) -> None:
    said = shown(workspace, post(workspace, user=BOT, via_app=True))

    assert (said["bot_id"], said["app_id"], said["user"]) == (identities.APP.bot_id, identities.APP.id, BOT)
    assert said["bot_profile"]["name"] == "reliability"


def test_metadata_is_shown_only_to_those_who_ask(workspace: Workspace) -> None:
    metadata = {"event_type": "card", "event_payload": {"id": 1}}
    message = post(workspace, metadata=metadata)

    assert "metadata" not in workspace.message_json(message)
    assert workspace.message_json(message, with_metadata=True)["metadata"] == metadata


def test_an_edit_by_somebody_shows_who_and_when(workspace: Workspace) -> None:
    message = post(workspace)

    workspace.edit(message, lambda draft: replace(draft, text="It is over"), by=RILEY)

    assert shown(workspace, message)["text"] == "It is over"
    assert shown(workspace, message)["edited"] == {"user": RILEY, "ts": "1772452800.000001"}


# --- telling -----------------------------------------------------------------------------------------------------


def test_an_edit_tells_the_message_before_and_after(workspace: Workspace) -> None:
    message = post(workspace)
    changes = heard(workspace)

    workspace.edit(message, lambda draft: replace(draft, text="It is over"), by=None)

    (change,) = changes
    assert change.kind is ChangeKind.MESSAGE_EDITED
    assert (change.body["text"], change.body["previous_message"]["text"]) == ("It is over", "It broke")


def test_an_ephemeral_message_is_told_for_its_reader_and_is_not_in_the_channel(workspace: Workspace) -> None:
    changes = heard(workspace)

    workspace.post_ephemeral(Draft(ALERTS, "Only you", BOT, only_for=AVERY))

    (change,) = changes
    assert (change.kind, change.user) == (ChangeKind.EPHEMERAL_POSTED, AVERY)
    assert change.body["is_ephemeral"] is True
    assert not workspace.channel(ALERTS).messages


def test_a_listener_that_fails_does_not_keep_the_others_from_hearing(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(change: Change) -> None:
        raise ValueError(change.kind)

    workspace.changes.listen(fails)
    changes = heard(workspace)

    post(workspace)

    assert [change.kind for change in changes] == [ChangeKind.MESSAGE_POSTED]
    assert "A listener failed" in caplog.text


def test_a_listener_that_was_removed_hears_no_more(workspace: Workspace) -> None:
    changes: list[Change] = []
    remove = workspace.changes.listen(changes.append)
    remove()
    remove()

    post(workspace)

    assert changes == []


# --- membership --------------------------------------------------------------------------------------------------


def test_joining_adds_a_member_and_says_so_in_the_channel(workspace: Workspace) -> None:
    room = workspace.channel(RANDOM)
    changes = heard(workspace)

    workspace.join(room, BOT, inviter=RILEY)

    assert BOT in room.members
    (said,) = room.messages.values()
    assert (said.draft.subtype, said.draft.inviter, said.is_about_membership) == ("channel_join", RILEY, True)
    assert changes[-1] == Change(ChangeKind.MEMBER_JOINED, {"inviter": RILEY}, RANDOM, BOT)


def test_leaving_takes_the_member_away(workspace: Workspace) -> None:
    room = workspace.channel(ALERTS)

    workspace.leave(room, RILEY)

    assert RILEY not in room.members
    assert [message.draft.subtype for message in room.messages.values()] == ["channel_leave"]


def test_two_people_have_one_direct_conversation(workspace: Workspace) -> None:
    first = workspace.direct_with((RILEY, BOT))

    assert workspace.direct_with((BOT, RILEY)) is first
    assert first.as_json(RILEY)["user"] == BOT
    assert first.id.startswith("D")


def test_three_people_get_a_group_conversation_named_after_them(workspace: Workspace) -> None:
    group = workspace.direct_with((RILEY, AVERY, BOT))

    assert group.as_json(RILEY)["is_mpim"] is True
    assert group.name == "mpdm-riley--avery--reliability-1"


# --- reactions ---------------------------------------------------------------------------------------------------


def test_reactions_count_each_person_once(workspace: Workspace) -> None:
    message = post(workspace)
    workspace.react(message, "eyes", RILEY)
    workspace.react(workspace.message(ALERTS, message.ts), "eyes", AVERY)

    assert shown(workspace, message)["reactions"] == [{"name": "eyes", "users": [RILEY, AVERY], "count": 2}]
    with pytest.raises(Refused, match="already_reacted"):
        workspace.react(workspace.message(ALERTS, message.ts), "eyes", RILEY)


def test_the_last_person_to_take_a_reaction_back_removes_it(workspace: Workspace) -> None:
    message = post(workspace)
    workspace.react(message, "eyes", RILEY)

    workspace.unreact(workspace.message(ALERTS, message.ts), "eyes", RILEY)

    assert "reactions" not in shown(workspace, message)
    with pytest.raises(Refused, match="no_reaction"):
        workspace.unreact(workspace.message(ALERTS, message.ts), "eyes", RILEY)


def test_a_message_takes_no_more_than_so_many_different_reactions(workspace: Workspace) -> None:
    full = tuple((f"emoji{number}", (RILEY,)) for number in range(MOST_REACTIONS))
    message = replace(post(workspace), reactions=full)

    workspace.react(message, "emoji0", AVERY)
    with pytest.raises(Refused, match="too_many_emoji"):
        workspace.react(message, "another", AVERY)


# --- files -------------------------------------------------------------------------------------------------------


def chart() -> SlackFile:
    return SlackFile("F0CHART", "chart.png", "Errors", RILEY, 1, b"PNG", "image/png", "png", "http://slack.example")


def test_a_file_knows_where_it_was_shared(workspace: Workspace) -> None:
    workspace.files["F0CHART"] = chart()

    message = post(workspace, files=("F0CHART",))

    file = shown(workspace, message)["files"][0]
    assert (file["channels"], file["shares"]["public"][ALERTS][0]["ts"]) == ([ALERTS], message.ts)
    assert (file["size"], file["url_private"]) == (3, "http://slack.example/files/F0CHART/chart.png")


def test_a_deleted_file_is_gone_from_its_messages(workspace: Workspace) -> None:
    workspace.files["F0CHART"] = chart()
    message = post(workspace, files=("F0CHART",))

    workspace.delete_file("F0CHART")

    assert "files" not in shown(workspace, message)
    with pytest.raises(Refused, match="file_not_found"):
        workspace.file("F0CHART")
