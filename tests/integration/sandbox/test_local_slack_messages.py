"""Messages, by Slack's own client over loopback: posted, edited, deleted, whispered, linked, read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from support.local_slack import ALERTS, AVERY, QUICK, RANDOM, RILEY, Desk, Hands, desk, error_of, refusal

from bot.sandbox import identities
from bot.sandbox.local_slack import BOT_SCOPES

BOT = identities.APP.bot_user
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*It broke*"}}
METADATA = {"event_type": "card", "event_payload": {"incident": 42}}
NOWHERE = "1700000000.000001"


@pytest.fixture
async def slack() -> AsyncIterator[Desk]:
    async with desk() as opened:
        yield opened


@pytest.fixture
def bot(slack: Desk) -> AsyncWebClient:
    return slack.client()


@pytest.fixture
def riley(slack: Desk) -> AsyncWebClient:
    return slack.client(slack.slack.user_tokens["responder"])


async def posted(bot: AsyncWebClient, text: str = "It broke", **more: Any) -> str:
    return str((await bot.chat_postMessage(channel=ALERTS, text=text, **more))["ts"])


async def history(bot: AsyncWebClient, **more: Any) -> list[dict[str, Any]]:
    return list((await bot.conversations_history(channel=ALERTS, **more))["messages"])


async def only_message(bot: AsyncWebClient, **more: Any) -> dict[str, Any]:
    (message,) = await history(bot, **more)
    return message


# --- chat.postMessage --------------------------------------------------------------------------------------------


async def test_a_posted_message_can_be_read_in_the_channel(bot: AsyncWebClient) -> None:
    answer = await bot.chat_postMessage(channel=ALERTS, text="It broke", blocks=[SECTION], metadata=METADATA)

    message = await only_message(bot)
    assert (message["ts"], message["text"], message["user"]) == (answer["ts"], "It broke", BOT)
    assert message["blocks"][0]["text"]["text"] == "*It broke*"
    assert answer["channel"] == ALERTS
    assert answer["message"]["metadata"] == METADATA


async def test_a_channel_may_be_named_instead_of_its_id(bot: AsyncWebClient) -> None:
    answer = await bot.chat_postMessage(channel="#auth-alerts", text="It broke")

    assert answer["channel"] == ALERTS


async def test_a_message_to_a_person_opens_the_direct_conversation(bot: AsyncWebClient) -> None:
    first = await bot.chat_postMessage(channel=RILEY, text="Hello")
    second = await bot.chat_postMessage(channel=RILEY, text="Again")

    assert first["channel"] == second["channel"]
    assert str(first["channel"]).startswith("D")


async def test_a_reply_joins_the_thread(bot: AsyncWebClient) -> None:
    parent = await posted(bot)
    reply = await posted(bot, "Looking", thread_ts=parent)

    thread = (await bot.conversations_replies(channel=ALERTS, ts=parent))["messages"]
    assert [message["ts"] for message in thread] == [parent, reply]
    assert (thread[0]["reply_count"], thread[1]["parent_user_id"]) == (1, BOT)
    assert len(await history(bot)) == 1


async def test_a_broadcast_reply_is_in_the_channel_too(bot: AsyncWebClient) -> None:
    parent = await posted(bot)
    await posted(bot, "It is over", thread_ts=parent, reply_broadcast=True)

    assert [message.get("subtype") for message in await history(bot)] == ["thread_broadcast", None]


async def test_a_reply_to_a_message_that_is_gone_lands_in_the_channel(bot: AsyncWebClient) -> None:
    parent = await posted(bot)
    await bot.chat_delete(channel=ALERTS, ts=parent)

    answer = await bot.chat_postMessage(channel=ALERTS, text="Looking", thread_ts=parent)

    assert "thread_ts" not in answer["message"]
    assert [message["text"] for message in await history(bot)] == ["Looking"]


async def test_a_reply_to_a_reply_or_to_a_made_up_ts_is_refused(bot: AsyncWebClient) -> None:
    reply = await posted(bot, thread_ts=await posted(bot))

    assert await error_of(bot.chat_postMessage(channel=ALERTS, text="a", thread_ts=reply)) == "cannot_reply_to_message"
    assert await error_of(bot.chat_postMessage(channel=ALERTS, text="a", thread_ts="soon")) == "invalid_thread_ts"


async def test_a_name_and_icon_of_ones_own_make_a_bot_message(bot: AsyncWebClient) -> None:
    await posted(bot, username="Deploys", icon_emoji=":rocket:")

    message = await only_message(bot)
    assert (message["subtype"], message["username"], message["icons"]) == (
        "bot_message",
        "Deploys",
        {"emoji": ":rocket:"},
    )
    assert "user" not in message


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE01", "text": "a"}, "channel_not_found"),
        ({"channel": "#nowhere", "text": "a"}, "channel_not_found"),
        ({"channel": ALERTS, "text": ""}, "no_text"),
        ({"channel": ALERTS, "text": "  "}, "no_text"),
        ({"channel": ALERTS, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": ALERTS, "text": "a", "blocks": [SECTION] * 51}, "invalid_blocks"),
        ({"channel": ALERTS, "text": "a", "blocks": "[{"}, "invalid_blocks_format"),
        ({"channel": ALERTS, "text": "a", "metadata": {"event_type": "card"}}, "invalid_metadata_schema"),
        ({"channel": ALERTS, "text": "a", "parse": "full"}, "invalid_arguments"),
    ],
)
async def test_what_slack_does_not_post_is_refused(bot: AsyncWebClient, arguments: dict[str, Any], error: str) -> None:
    assert await error_of(bot.api_call("chat.postMessage", json=arguments)) == error
    assert await history(bot) == []


async def test_invalid_blocks_come_with_the_place_of_each_problem(bot: AsyncWebClient) -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}

    answer = await refusal(bot.chat_postMessage(channel=ALERTS, text="a", blocks=[SECTION, header]))

    assert answer["error"] == "invalid_blocks"
    (message,) = answer["response_metadata"]["messages"]
    assert message.startswith("[ERROR] must be less than 151 characters")
    assert "[json-pointer:/blocks/1/text/text]" in message


async def test_an_argument_whose_effect_is_not_imitated_is_refused_by_name(bot: AsyncWebClient) -> None:
    answer = await refusal(bot.chat_postMessage(channel=ALERTS, markdown_text="**It broke**"))

    assert answer["response_metadata"]["messages"] == ["[ERROR] unsupported argument: markdown_text"]


async def test_the_bot_cannot_post_where_it_was_not_invited() -> None:
    async with desk(replace(QUICK, bot_scopes=BOT_SCOPES)) as slack:
        assert await error_of(slack.client().chat_postMessage(channel=RANDOM, text="a")) == "not_in_channel"


async def test_with_the_scope_for_it_the_bot_posts_in_any_public_channel(bot: AsyncWebClient) -> None:
    assert (await bot.chat_postMessage(channel=RANDOM, text="a"))["ok"]


async def test_nobody_posts_in_an_archived_channel(bot: AsyncWebClient, riley: AsyncWebClient) -> None:
    ts = await posted(bot)
    await riley.conversations_archive(channel=ALERTS)

    assert await error_of(bot.chat_postMessage(channel=ALERTS, text="a")) == "is_archived"
    assert await error_of(bot.chat_update(channel=ALERTS, ts=ts, text="a")) == "is_inactive"


# --- chat.update -------------------------------------------------------------------------------------------------


async def test_an_edit_with_blocks_replaces_them_and_leaves_no_mark(bot: AsyncWebClient) -> None:
    ts = await posted(bot, blocks=[SECTION], metadata=METADATA)
    over = {"type": "section", "text": {"type": "mrkdwn", "text": "*It is over*"}}

    answer = await bot.chat_update(channel=ALERTS, ts=ts, text="It is over", blocks=[over])

    message = await only_message(bot, include_all_metadata=True)
    assert (answer["ts"], answer["text"]) == (ts, "It is over")
    assert message["blocks"][0]["text"]["text"] == "*It is over*"
    assert message["metadata"] == METADATA
    assert "edited" not in message


async def test_an_edit_with_text_only_takes_the_blocks_away_and_is_marked(bot: AsyncWebClient) -> None:
    ts = await posted(bot, blocks=[SECTION])

    await bot.chat_update(channel=ALERTS, ts=ts, text="It is over")

    message = await only_message(bot)
    assert "blocks" not in message
    assert message["edited"]["user"] == BOT


async def test_an_edit_of_the_metadata_alone_keeps_the_message(bot: AsyncWebClient) -> None:
    ts = await posted(bot, blocks=[SECTION], metadata=METADATA)

    await bot.api_call("chat.update", json={"channel": ALERTS, "ts": ts, "metadata": {}})

    message = await only_message(bot, include_all_metadata=True)
    assert (message["text"], len(message["blocks"])) == ("It broke", 1)
    assert "metadata" not in message


async def test_an_edit_to_nothing_is_refused(bot: AsyncWebClient) -> None:
    ts = await posted(bot, blocks=[SECTION])

    assert await error_of(bot.api_call("chat.update", json={"channel": ALERTS, "ts": ts})) == "no_text"
    assert await error_of(bot.api_call("chat.update", json={"channel": ALERTS, "ts": ts, "text": ""})) == "no_text"


async def test_an_edited_text_may_be_a_tenth_as_long_as_a_posted_one(bot: AsyncWebClient) -> None:
    ts = await posted(bot, "x" * 40_000)

    assert await error_of(bot.chat_update(channel=ALERTS, ts=ts, text="x" * 4_001)) == "msg_too_long"
    await bot.chat_update(channel=ALERTS, ts=ts, text="x" * 4_000)


async def test_nobody_edits_or_deletes_what_another_said(bot: AsyncWebClient, riley: AsyncWebClient) -> None:
    ts = (await riley.chat_postMessage(channel=ALERTS, text="Mine"))["ts"]

    assert await error_of(bot.chat_update(channel=ALERTS, ts=ts, text="a")) == "cant_update_message"
    assert await error_of(bot.chat_delete(channel=ALERTS, ts=ts)) == "cant_delete_message"


async def test_nobody_edits_that_somebody_joined(bot: AsyncWebClient) -> None:
    await bot.conversations_join(channel=RANDOM)
    joined = (await bot.conversations_history(channel=RANDOM))["messages"][0]

    assert joined["subtype"] == "channel_join"
    assert await error_of(bot.chat_update(channel=RANDOM, ts=joined["ts"], text="a")) == "cant_update_message"
    assert await error_of(bot.chat_postMessage(channel=RANDOM, text="a", thread_ts=joined["ts"])) == (
        "cannot_reply_to_message"
    )


async def test_a_message_that_is_not_there_cannot_be_edited_deleted_or_linked(bot: AsyncWebClient) -> None:
    assert await error_of(bot.chat_update(channel=ALERTS, ts=NOWHERE, text="a")) == "message_not_found"
    assert await error_of(bot.chat_delete(channel=ALERTS, ts=NOWHERE)) == "message_not_found"
    assert await error_of(bot.chat_getPermalink(channel=ALERTS, message_ts=NOWHERE)) == "message_not_found"


async def test_a_workspace_may_limit_how_long_messages_can_be_edited() -> None:
    clock = Hands()
    async with desk(replace(QUICK, edit_window=timedelta(minutes=5)), clock=clock) as slack:
        bot = slack.client()
        ts = await posted(bot)
        clock.advance(minutes=5)
        await bot.chat_update(channel=ALERTS, ts=ts, text="In time")
        clock.advance(seconds=1)

        assert await error_of(bot.chat_update(channel=ALERTS, ts=ts, text="Late")) == "edit_window_closed"


# --- chat.delete, chat.postEphemeral, chat.getPermalink ----------------------------------------------------------


async def test_a_deleted_message_is_gone_and_one_with_replies_leaves_a_tombstone(bot: AsyncWebClient) -> None:
    alone, parent = await posted(bot), await posted(bot)
    await posted(bot, thread_ts=parent)

    await bot.chat_delete(channel=ALERTS, ts=alone)
    await bot.chat_delete(channel=ALERTS, ts=parent)

    message = await only_message(bot)
    assert (message["ts"], message["subtype"]) == (parent, "tombstone")


async def test_an_ephemeral_message_is_for_one_person_and_in_no_history(slack: Desk, bot: AsyncWebClient) -> None:
    answer = await bot.chat_postEphemeral(channel=ALERTS, user=RILEY, text="Only you")

    assert answer["message_ts"]
    assert (slack.whispers(RILEY), slack.whispers(AVERY)) == (["Only you"], [])
    assert await history(bot) == []
    assert await error_of(bot.chat_update(channel=ALERTS, ts=answer["message_ts"], text="a")) == "message_not_found"


async def test_an_ephemeral_message_needs_a_reader_in_the_channel(slack: Desk, bot: AsyncWebClient) -> None:
    slack.slack.workspace.leave(slack.slack.workspace.channel(ALERTS), RILEY)

    assert await error_of(bot.chat_postEphemeral(channel=ALERTS, user=RILEY, text="a")) == "user_not_in_channel"
    assert await error_of(bot.chat_postEphemeral(channel=ALERTS, user="U0NOBODY001", text="a")) == "user_not_found"


async def test_a_permalink_leads_to_the_message_and_to_its_thread(bot: AsyncWebClient) -> None:
    parent = await posted(bot)
    reply = await posted(bot, thread_ts=parent)

    link = (await bot.chat_getPermalink(channel=ALERTS, message_ts=parent))["permalink"]
    in_thread = (await bot.chat_getPermalink(channel=ALERTS, message_ts=reply))["permalink"]

    assert link == f"https://acme.slack.com/archives/{ALERTS}/p{parent.replace('.', '')}"
    assert in_thread.endswith(f"/p{reply.replace('.', '')}?thread_ts={parent}&cid={ALERTS}")


# --- conversations.history and conversations.replies -------------------------------------------------------------


async def test_history_is_newest_first_and_shows_metadata_on_request(bot: AsyncWebClient) -> None:
    await posted(bot, "First", metadata=METADATA)
    await posted(bot, "Second")

    plain, full = await history(bot), await history(bot, include_all_metadata=True)

    assert [message["text"] for message in plain] == ["Second", "First"]
    assert "metadata" not in plain[1]
    assert full[1]["metadata"] == METADATA


async def test_history_comes_in_pages_that_new_messages_do_not_shift(bot: AsyncWebClient) -> None:
    stamps = [await posted(bot, f"Message {number}") for number in range(5)]
    pages = []

    async for page in await bot.conversations_history(channel=ALERTS, limit=2):
        pages.append([message["ts"] for message in page["messages"]])
        await posted(bot, "Chatter")

    assert pages == [[stamps[4], stamps[3]], [stamps[2], stamps[1]], [stamps[0]]]


async def test_history_says_whether_there_is_more(bot: AsyncWebClient) -> None:
    await posted(bot)
    await posted(bot)

    assert (await bot.conversations_history(channel=ALERTS, limit=1))["has_more"] is True
    assert (await bot.conversations_history(channel=ALERTS, limit=2))["has_more"] is False


async def test_history_between_two_moments_leaves_the_ends_out_unless_asked(bot: AsyncWebClient) -> None:
    first, second, third = [await posted(bot) for _ in range(3)]

    between = await history(bot, oldest=first, latest=third)
    inclusive = await history(bot, oldest=first, latest=third, inclusive=True)

    assert [message["ts"] for message in between] == [second]
    assert [message["ts"] for message in inclusive] == [third, second, first]


async def test_a_thread_comes_in_pages_with_the_parent_on_the_first(bot: AsyncWebClient) -> None:
    parent = await posted(bot)
    replies = [await posted(bot, thread_ts=parent) for _ in range(2)]

    first = await bot.conversations_replies(channel=ALERTS, ts=parent, limit=2)
    cursor = first["response_metadata"]["next_cursor"]
    second = await bot.conversations_replies(channel=ALERTS, ts=parent, limit=2, cursor=cursor)

    assert [message["ts"] for message in first["messages"]] == [parent, replies[0]]
    assert [message["ts"] for message in second["messages"]] == [replies[1]]


async def test_a_thread_may_be_asked_for_by_one_of_its_replies(bot: AsyncWebClient) -> None:
    parent = await posted(bot)
    reply = await posted(bot, thread_ts=parent)

    thread = (await bot.conversations_replies(channel=ALERTS, ts=reply))["messages"]

    assert [message["ts"] for message in thread] == [parent, reply]


async def test_reading_what_is_not_there_or_not_ones_own_is_refused(bot: AsyncWebClient) -> None:
    assert await error_of(bot.conversations_replies(channel=ALERTS, ts=NOWHERE)) == "thread_not_found"
    assert await error_of(bot.conversations_history(channel=RANDOM)) == "not_in_channel"
    assert await error_of(bot.conversations_history(channel=ALERTS, oldest="noon")) == "invalid_ts_oldest"
    assert await error_of(bot.conversations_history(channel=ALERTS, cursor="made-up")) == "invalid_cursor"


async def test_a_person_reads_any_public_channel(riley: AsyncWebClient) -> None:
    await riley.conversations_leave(channel=RANDOM)

    assert (await riley.conversations_history(channel=RANDOM))["messages"][0]["subtype"] == "channel_leave"


async def test_each_type_of_channel_needs_its_own_scope_to_be_read() -> None:
    async with desk(replace(QUICK, bot_scopes=BOT_SCOPES)) as slack:
        bot = slack.client()
        direct = (await bot.chat_postMessage(channel=RILEY, text="Hello"))["channel"]

        answer = await refusal(bot.conversations_history(channel=direct))

    assert (answer["error"], answer["needed"]) == ("missing_scope", "im:history")
