"""People, groups, channels, reactions, files, App Home, by Slack's own client over loopback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from support.local_slack import ALERTS, AVERY, OSCAR, QUICK, RANDOM, RILEY, Desk, Hands, desk, error_of, refusal

from bot.sandbox import identities
from bot.sandbox.local_slack import BOT_SCOPES, ChangeKind

BOT = identities.APP.bot_user
APPROVERS = identities.APPROVERS.id


@pytest.fixture
async def slack() -> AsyncIterator[Desk]:
    async with desk(clock=Hands()) as opened:
        yield opened


@pytest.fixture
def bot(slack: Desk) -> AsyncWebClient:
    return slack.client()


@pytest.fixture
def riley(slack: Desk) -> AsyncWebClient:
    return slack.client(slack.slack.user_tokens["responder"])


# --- who am I ----------------------------------------------------------------------------------------------------


async def test_each_token_learns_whose_it_is(slack: Desk, bot: AsyncWebClient, riley: AsyncWebClient) -> None:
    as_bot, as_riley = await bot.auth_test(), await riley.auth_test()

    assert (as_bot["team"], as_bot["user_id"], as_bot["bot_id"]) == ("acme", BOT, identities.APP.bot_id)
    assert (as_riley["user"], as_riley.get("bot_id")) == ("riley", None)
    assert (await slack.client(slack.slack.app_token).auth_test())["app_id"] == identities.APP.id


async def test_the_scopes_of_a_token_are_in_the_headers_of_every_answer(bot: AsyncWebClient) -> None:
    assert "chat:write" in (await bot.auth_test()).headers["X-OAuth-Scopes"].split(",")


async def test_api_test_echoes_and_needs_no_token(slack: Desk) -> None:
    nobody = slack.client(token="")

    assert (await nobody.api_test(foo="bar"))["args"] == {"foo": "bar"}
    assert await error_of(nobody.api_test(error="my_error")) == "my_error"


# --- people ------------------------------------------------------------------------------------------------------


async def test_a_person_has_a_name_and_a_time_zone(bot: AsyncWebClient) -> None:
    user = (await bot.users_info(user=AVERY))["user"]

    assert (user["name"], user["real_name"]) == ("avery", "Avery Lindqvist")
    assert (user["tz"], user["tz_label"], user["tz_offset"]) == ("Europe/Berlin", "CET", 3600)
    assert (user["is_bot"], user["profile"]["display_name"]) == (False, "avery")


async def test_a_person_is_found_by_e_mail(bot: AsyncWebClient) -> None:
    assert (await bot.users_lookupByEmail(email="Oscar@acme.example"))["user"]["id"] == OSCAR
    assert await error_of(bot.users_lookupByEmail(email="nobody@acme.example")) == "users_not_found"


async def test_e_mail_addresses_are_only_for_those_with_the_scope() -> None:
    async with desk(replace(QUICK, bot_scopes=BOT_SCOPES | {"users:read"})) as slack:
        bot = slack.client()

        assert "email" not in (await bot.users_info(user=RILEY))["user"]["profile"]
        assert (await refusal(bot.users_lookupByEmail(email="riley@acme.example")))["needed"] == "users:read.email"


async def test_everybody_is_listed_page_by_page(bot: AsyncWebClient) -> None:
    names: list[str] = []
    async for page in await bot.users_list(limit=3):
        names += [user["name"] for user in page["members"]]

    assert names == ["riley", "avery", "oscar", "olive", "dana", "reliability", "slackbot"]


async def test_somebody_unknown_is_not_found(bot: AsyncWebClient) -> None:
    assert await error_of(bot.users_info(user="U0NOBODY001")) == "user_not_found"


async def test_presence_is_what_a_person_said_last(bot: AsyncWebClient, riley: AsyncWebClient) -> None:
    await riley.users_setPresence(presence="away")

    assert (await bot.users_getPresence(user=RILEY))["presence"] == "away"


# --- groups ------------------------------------------------------------------------------------------------------


async def test_a_group_has_its_members(bot: AsyncWebClient) -> None:
    assert (await bot.usergroups_users_list(usergroup=APPROVERS))["users"] == [AVERY, identities.OWNER.id]
    assert await error_of(bot.usergroups_users_list(usergroup="S0NOWHERE01")) == "no_such_subteam"


async def test_groups_are_listed_with_their_people_on_request(bot: AsyncWebClient) -> None:
    plain = (await bot.usergroups_list())["usergroups"][0]
    full = (await bot.usergroups_list(include_users=True))["usergroups"][0]

    assert (plain["handle"], "users" in plain) == ("rollback-approvers", False)
    assert (full["users"], full["user_count"]) == ([AVERY, identities.OWNER.id], 2)


async def test_the_members_of_a_group_can_be_changed(bot: AsyncWebClient) -> None:
    await bot.usergroups_users_update(usergroup=APPROVERS, users=[RILEY])

    assert (await bot.usergroups_users_list(usergroup=APPROVERS))["users"] == [RILEY]


async def test_a_disabled_group_is_hidden_from_those_who_do_not_ask_for_it(bot: AsyncWebClient) -> None:
    await bot.usergroups_disable(usergroup=APPROVERS)

    assert await error_of(bot.usergroups_users_list(usergroup=APPROVERS)) == "no_such_subteam"
    assert (await bot.usergroups_users_list(usergroup=APPROVERS, include_disabled=True))["ok"]
    assert await error_of(bot.usergroups_disable(usergroup=APPROVERS)) == "already_disabled"


async def test_two_groups_do_not_share_a_handle(bot: AsyncWebClient) -> None:
    answer = bot.usergroups_create(name="Others", handle="rollback-approvers")

    assert await error_of(answer) == "handle_already_exists"


# --- channels ----------------------------------------------------------------------------------------------------


async def test_channels_say_whether_the_caller_is_in_them(bot: AsyncWebClient) -> None:
    channels = (await bot.conversations_list())["channels"]

    assert {channel["name"]: channel["is_member"] for channel in channels} == {
        "auth-alerts": True,
        "backend-alerts": True,
        "reliability": True,
        "general": True,
        "random": False,
    }


async def test_the_channels_of_a_person_come_in_pages(bot: AsyncWebClient) -> None:
    names: list[str] = []
    async for page in await bot.users_conversations(limit=2):
        names += [channel["name"] for channel in page["channels"]]

    assert names == ["auth-alerts", "backend-alerts", "reliability", "general"]


async def test_a_channel_is_shown_with_its_topic_and_members(bot: AsyncWebClient) -> None:
    channel = (await bot.conversations_info(channel=ALERTS, include_num_members=True))["channel"]

    assert (channel["name"], channel["num_members"]) == ("auth-alerts", 6)
    assert channel["topic"]["value"] == "Deploys and incidents of auth-service"
    assert BOT in (await bot.conversations_members(channel=ALERTS))["members"]


async def test_a_bot_joins_and_leaves_a_public_channel(slack: Desk, bot: AsyncWebClient) -> None:
    await bot.conversations_join(channel=RANDOM)
    again = await bot.conversations_join(channel=RANDOM)
    await bot.conversations_leave(channel=RANDOM)

    assert again["warning"] == "already_in_channel"
    assert len(slack.told(ChangeKind.MEMBER_JOINED)) == 1
    assert BOT not in slack.slack.workspace.channel(RANDOM).members


async def test_a_private_channel_does_not_exist_for_those_outside(bot: AsyncWebClient, riley: AsyncWebClient) -> None:
    private = (await riley.conversations_create(name="war-room", is_private=True))["channel"]["id"]

    assert await error_of(bot.conversations_info(channel=private)) == "channel_not_found"
    await riley.conversations_invite(channel=private, users=[BOT])
    assert (await bot.conversations_info(channel=private))["channel"]["is_private"] is True
    assert await error_of(riley.conversations_invite(channel=private, users=[BOT])) == "already_in_channel"


async def test_a_channel_is_created_renamed_archived_and_opened_again(riley: AsyncWebClient) -> None:
    channel = (await riley.conversations_create(name="incident-42"))["channel"]["id"]
    await riley.conversations_rename(channel=channel, name="incident-42-done")
    await riley.conversations_archive(channel=channel)

    shown = (await riley.conversations_info(channel=channel))["channel"]
    assert (shown["name"], shown["previous_names"], shown["is_archived"]) == (
        "incident-42-done",
        ["incident-42"],
        True,
    )
    assert await error_of(riley.conversations_archive(channel=channel)) == "already_archived"
    assert await error_of(riley.conversations_setTopic(channel=channel, topic="Over")) == "is_archived"
    await riley.conversations_unarchive(channel=channel)
    assert (await riley.conversations_setTopic(channel=channel, topic="Over"))["channel"]["topic"]["value"] == "Over"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("general", "name_taken"),
        ("War Room", "invalid_name_specials"),
        ("x" * 81, "invalid_name_maxlength"),
        ("", "invalid_name_required"),
    ],
)
async def test_a_channel_needs_a_name_that_slack_takes(riley: AsyncWebClient, name: str, error: str) -> None:
    assert await error_of(riley.conversations_create(name=name)) == error


async def test_a_direct_conversation_is_opened_once(bot: AsyncWebClient) -> None:
    first = await bot.conversations_open(users=[RILEY])
    second = await bot.conversations_open(users=[RILEY], return_im=True)

    assert second["channel"]["id"] == first["channel"]["id"]
    assert (second["already_open"], second["channel"]["user"]) == (True, RILEY)


# --- reactions ---------------------------------------------------------------------------------------------------


async def test_a_reaction_is_added_shown_and_removed(bot: AsyncWebClient) -> None:
    ts = (await bot.chat_postMessage(channel=ALERTS, text="It broke"))["ts"]

    await bot.reactions_add(channel=ALERTS, timestamp=ts, name="eyes")
    shown = await bot.reactions_get(channel=ALERTS, timestamp=ts)
    listed = await bot.reactions_list()

    assert shown["message"]["reactions"] == [{"name": "eyes", "users": [BOT], "count": 1}]
    assert listed["items"][0]["message"]["ts"] == ts
    assert await error_of(bot.reactions_add(channel=ALERTS, timestamp=ts, name="eyes")) == "already_reacted"
    await bot.reactions_remove(channel=ALERTS, timestamp=ts, name="eyes")
    assert await error_of(bot.reactions_remove(channel=ALERTS, timestamp=ts, name="eyes")) == "no_reaction"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": ALERTS, "timestamp": "1.000001", "name": "eyes"}, "message_not_found"),
        ({"channel": ALERTS, "name": "eyes"}, "no_item_specified"),
        ({"channel": ALERTS, "timestamp": "1.000001", "name": "two eyes"}, "invalid_name"),
    ],
)
async def test_a_reaction_to_nothing_is_refused(bot: AsyncWebClient, arguments: dict[str, str], error: str) -> None:
    assert await error_of(bot.api_call("reactions.add", json=arguments)) == error


# --- files -------------------------------------------------------------------------------------------------------


async def upload(bot: AsyncWebClient, **more: Any) -> dict[str, Any]:
    answer = await bot.files_upload_v2(filename="chart.png", content=b"\x89PNG", title="Errors", channel=ALERTS, **more)
    return dict(answer["file"])


async def test_a_file_is_uploaded_in_three_steps_and_shared(slack: Desk, bot: AsyncWebClient) -> None:
    file = await upload(bot, initial_comment="Since 14:03")

    (message,) = (await bot.conversations_history(channel=ALERTS))["messages"]
    assert (message["text"], message["user"]) == ("Since 14:03", BOT)
    assert [each["id"] for each in message["files"]] == [file["id"]]
    info = (await bot.files_info(file=file["id"]))["file"]
    assert (info["title"], info["mimetype"], info["size"]) == ("Errors", "image/png", 4)
    assert info["shares"]["public"][ALERTS][0]["ts"] == message["ts"]
    assert slack.told(ChangeKind.FILE_SHARED)


async def test_a_picture_says_how_large_it_is_and_what_it_shows(bot: AsyncWebClient) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (1600).to_bytes(4, "big") + (800).to_bytes(4, "big")
    await bot.files_upload_v2(filename="chart.png", content=png, alt_txt="12 errors", channel=ALERTS)

    (message,) = (await bot.conversations_history(channel=ALERTS))["messages"]
    (file,) = message["files"]
    assert (file["original_w"], file["original_h"], file["alt_txt"]) == (1600, 800, "12 errors")


async def test_a_file_joins_a_thread(bot: AsyncWebClient) -> None:
    parent = (await bot.chat_postMessage(channel=ALERTS, text="It broke"))["ts"]

    await upload(bot, thread_ts=parent)

    thread = (await bot.conversations_replies(channel=ALERTS, ts=parent))["messages"]
    assert thread[1]["files"][0]["name"] == "chart.png"


async def test_a_files_bytes_are_for_those_who_may_read_files(slack: Desk, bot: AsyncWebClient) -> None:
    address = (await upload(bot))["url_private"]

    async with aiohttp.ClientSession() as session:
        nobody = await session.get(address)
        reader = await session.get(address, headers={"Authorization": f"Bearer {slack.slack.bot_token}"})

        assert (nobody.status, reader.status) == (403, 200)
        assert await reader.read() == b"\x89PNG"
        assert reader.content_type == "image/png"


async def test_the_scope_to_write_files_is_not_the_one_to_read_them() -> None:
    async with (
        desk(replace(QUICK, bot_scopes=BOT_SCOPES | {"files:write"})) as slack,
        aiohttp.ClientSession() as session,
    ):
        address = (await upload(slack.client()))["url_private"]

        answer = await session.get(address, headers={"Authorization": f"Bearer {slack.slack.bot_token}"})

        assert (answer.status, await answer.text()) == (403, "missing_scope")


async def test_beside_a_comment_the_blocks_of_an_upload_are_ignored(bot: AsyncWebClient) -> None:
    blocks = json.dumps([{"type": "section", "text": {"type": "mrkdwn", "text": "Since 14:03"}}])

    await upload(bot, blocks=blocks)
    await upload(bot, blocks=blocks, initial_comment="Since noon")

    newer, older = (await bot.conversations_history(channel=ALERTS))["messages"]
    assert ("blocks" in newer, "blocks" in older) == (False, True)


async def test_a_file_can_be_deleted_by_its_owner(bot: AsyncWebClient, riley: AsyncWebClient) -> None:
    file = (await upload(bot))["id"]

    assert await error_of(riley.files_delete(file=file)) == "cant_delete_file"
    await bot.files_delete(file=file)
    assert await error_of(bot.files_info(file=file)) == "file_not_found"


async def test_a_file_is_not_shared_where_the_bot_is_not(bot: AsyncWebClient) -> None:
    ticket = await bot.files_getUploadURLExternal(filename="chart.png", length=4)
    async with aiohttp.ClientSession() as session:
        await session.post(ticket["upload_url"], data=b"\x89PNG")

    files = [{"id": ticket["file_id"]}]

    assert await error_of(bot.files_completeUploadExternal(files=files, channel_id=RANDOM)) == "not_in_channel"
    assert (await bot.files_completeUploadExternal(files=files))["files"][0]["channels"] == []


async def test_an_upload_of_another_length_than_announced_is_refused(bot: AsyncWebClient) -> None:
    ticket = await bot.files_getUploadURLExternal(filename="chart.png", length=4)

    async with aiohttp.ClientSession() as session:
        answer = await session.post(ticket["upload_url"], data=b"\x89PNG and more")

        assert answer.status == 400
    assert await error_of(bot.files_completeUploadExternal(files=[{"id": ticket["file_id"]}])) == "file_not_found"


async def test_files_are_listed_newest_first(bot: AsyncWebClient) -> None:
    first, second = await upload(bot), await upload(bot)

    listed = await bot.files_list(channel=ALERTS, count=1)

    assert [file["id"] for file in listed["files"]] == [second["id"]]
    assert listed["paging"] == {"count": 1, "total": 2, "page": 1, "pages": 2}
    assert first["id"] != second["id"]


# --- App Home ----------------------------------------------------------------------------------------------------


async def test_the_home_tab_is_published_and_refuses_what_is_no_home(slack: Desk, bot: AsyncWebClient) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "Nothing is at risk"}}]

    view = (await bot.views_publish(user_id=RILEY, view={"type": "home", "blocks": blocks}))["view"]

    assert (view["type"], view["blocks"][0]["text"]["text"]) == ("home", "Nothing is at risk")
    assert slack.told(ChangeKind.HOME_PUBLISHED)[0].user == RILEY
    modal = {"type": "modal", "title": {"type": "plain_text", "text": "No"}, "blocks": blocks}
    answer = await refusal(bot.views_publish(user_id=RILEY, view=modal))
    assert answer["response_metadata"]["messages"] == ["[ERROR] unsupported type: modal [json-pointer:/view/type]"]


async def test_a_modal_is_opened_by_somebody_who_just_did_something(slack: Desk, bot: AsyncWebClient) -> None:
    modal = {"type": "modal", "title": {"type": "plain_text", "text": "Silence"}, "blocks": []}
    trigger = slack.slack.state.triggers.issue(RILEY)

    opened = (await bot.views_open(trigger_id=trigger, view=modal))["view"]
    changed = (await bot.views_update(view_id=opened["id"], hash=opened["hash"], view=modal))["view"]

    assert changed["id"] == opened["id"]
    assert await error_of(bot.views_open(trigger_id=trigger, view=modal)) == "exchanged_trigger_id"
    assert await error_of(bot.views_open(trigger_id="1.2.abc", view=modal)) == "invalid_trigger_id"
    assert await error_of(bot.views_update(view_id=opened["id"], hash=opened["hash"], view=modal)) == "hash_conflict"
    assert await error_of(bot.views_update(view_id="V0NOWHERE01", view=modal)) == "not_found"
