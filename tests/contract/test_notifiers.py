"""What every notifier must do, asked of each one; and what Slack's does when Slack says no, over the wire."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from rich.console import Console

from bot.errors import Permanent, Retryable
from bot.notify.config import SlackConfig
from bot.notify.console import ConsoleNotifier
from bot.notify.directory import Directory
from bot.notify.message import Message
from bot.notify.notifier import ChannelClosed, MessageGone, Notifier, Outgoing, Picture
from bot.notify.plain import readable
from bot.notify.slack import EVENT_TYPE, SlackNotifier, slack_client
from bot.sandbox import identities
from bot.sandbox.local_slack import BOT_SCOPES, LocalSlack, SlackOptions
from bot.sandbox.local_slack.faults import Outage

ALERTS, FALLBACK, CLOSED = identities.AUTH_ALERTS.id, identities.RELIABILITY.id, identities.RANDOM.id


def message(text: str = "It broke") -> Message:
    section = {"type": "section", "block_id": "what", "text": {"type": "mrkdwn", "text": f"*{text}* since 14:03"}}
    return Message(text, (section,))


def outgoing(**fields: Any) -> Outgoing:
    base = Outgoing("inc-1", ALERTS, message(), since=datetime.now(UTC))
    return replace(base, **fields)


PICTURE = Picture("errors-0a1b2c.png", b"\x89PNG not really", "Errors of auth-service", "12 errors since 14:03")


@dataclass
class Reader:
    """A notifier and what people can read because of it, in order."""

    notifier: Notifier
    read: Callable[[], list[str]]


@dataclass
class Slack:
    """A local Slack behind HTTP, and a notifier that talks to it."""

    local: LocalSlack
    url: str

    def config(self, **fields: Any) -> SlackConfig:
        token = SecretStr(self.local.bot_token)
        return SlackConfig(**{"bot_token": token, "api_url": self.url, "timeout": timedelta(seconds=2), **fields})

    def notifier(self, **fields: Any) -> SlackNotifier:
        config = self.config(**fields)
        return SlackNotifier(slack_client(config), config)

    def messages(self, channel: str = ALERTS) -> list[dict[str, Any]]:
        workspace = self.local.workspace
        return [
            workspace.message_json(each, with_metadata=True)
            for each in workspace.channel(channel).messages.values()
            if (each.draft.metadata or {}).get("event_type") == EVENT_TYPE
        ]

    def pictures(self, channel: str = ALERTS) -> list[dict[str, Any]]:
        workspace = self.local.workspace
        return [
            workspace.message_json(each) for each in workspace.channel(channel).messages.values() if each.draft.files
        ]

    def texts(self, channel: str = ALERTS) -> list[str]:
        return [each["text"] for each in self.messages(channel)]


@asynccontextmanager
async def answering(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """The address of a Web API whose every method answers so."""
    app = web.Application()
    app.router.add_route("*", "/api/{method}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/api/"))


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    local = LocalSlack()
    app = web.Application()
    app.add_routes(local.routes())
    async with TestServer(app) as server:
        yield Slack(local, str(server.make_url("/api/")))
        await local.close()


@pytest.fixture(params=["slack", "console"])
def reader(request: pytest.FixtureRequest, slack: Slack) -> Reader:
    if request.param == "slack":
        return Reader(
            slack.notifier(),
            lambda: [
                *(readable(Message(each["text"], tuple(each["blocks"]))) for each in slack.messages()),
                *(file["alt_txt"] for each in slack.pictures() for file in each["files"]),
            ],
        )
    screen = io.StringIO()
    notifier = ConsoleNotifier(Console(file=screen, width=200, force_terminal=False))
    return Reader(notifier, lambda: [line for line in screen.getvalue().splitlines() if "since" in line])


# --- every notifier ----------------------------------------------------------------------------------------------


async def test_a_message_can_be_read_after_it_was_notified(reader: Reader) -> None:
    receipt = await reader.notifier.notify(outgoing())

    assert reader.read() == ["It broke since 14:03"]
    assert receipt.channel == ALERTS
    assert receipt.ts
    assert receipt.fell_back == ""


async def test_an_edit_shows_the_new_version_under_the_same_receipt(reader: Reader) -> None:
    first = await reader.notifier.notify(outgoing())

    second = await reader.notifier.notify(outgoing(edit_ts=first.ts, message=message("It is over"), version=2))

    assert second == first
    assert reader.read()[-1] == "It is over since 14:03"


async def test_a_message_whose_receipt_was_lost_is_not_said_twice(reader: Reader) -> None:
    await reader.notifier.notify(outgoing())

    await reader.notifier.notify(outgoing(search_first=True))

    assert len(reader.read()) == 1


async def test_two_messages_are_two_messages(reader: Reader) -> None:
    await reader.notifier.notify(outgoing())

    await reader.notifier.notify(outgoing(card_id="inc-2", message=message("Another")))

    assert reader.read() == ["It broke since 14:03", "Another since 14:03"]


async def test_a_picture_is_shown_with_its_words_and_described_for_those_who_cannot_see_it(reader: Reader) -> None:
    await reader.notifier.notify(outgoing(picture=PICTURE))

    assert "12 errors since 14:03" in reader.read()[-1]


async def test_a_picture_whose_receipt_was_lost_is_not_shown_twice(reader: Reader) -> None:
    await reader.notifier.notify(outgoing(picture=PICTURE))
    shown = reader.read()

    await reader.notifier.notify(outgoing(picture=PICTURE, search_first=True))

    assert reader.read() == shown


# --- Slack: exactly once -------------------------------------------------------------------------------------------


async def test_the_metadata_names_the_card_and_its_version(slack: Slack) -> None:
    await slack.notifier().notify(outgoing(version=3))

    (shown,) = slack.messages()
    assert shown["metadata"] == {"event_type": EVENT_TYPE, "event_payload": {"card_id": "inc-1", "version": 3}}


async def test_after_a_lost_answer_the_message_is_found_and_brought_up_to_date(slack: Slack) -> None:
    slack.local.lose_answer("chat.postMessage")
    with pytest.raises(Retryable):
        await slack.notifier().notify(outgoing())

    receipt = await slack.notifier().notify(outgoing(search_first=True, message=message("It is over"), version=2))

    assert slack.texts() == ["It is over"]
    assert receipt.ts == slack.messages()[0]["ts"]


async def test_a_lost_note_is_found_in_its_thread(slack: Slack) -> None:
    card = await slack.notifier().notify(outgoing())
    note = outgoing(card_id="inc-1:opened", thread_ts=card.ts, message=message("Opened"))
    await slack.notifier().notify(note)

    await slack.notifier().notify(replace(note, search_first=True))

    assert slack.texts() == ["It broke", "Opened"]
    assert slack.messages()[1]["thread_ts"] == card.ts


async def test_it_is_found_among_many_other_messages(slack: Slack) -> None:
    await slack.notifier().notify(outgoing())
    for number in range(120):
        await slack.local.say(user=identities.RESPONDER.id, channel=ALERTS, text=f"chatter {number}")

    await slack.notifier().notify(outgoing(search_first=True))

    assert slack.texts() == ["It broke"]


async def test_a_history_that_may_not_be_read_does_not_keep_a_card_from_being_posted(slack: Slack) -> None:
    slack.local.fail_next("conversations.history", "missing_scope")

    await slack.notifier().notify(outgoing(search_first=True))

    assert slack.texts() == ["It broke"]


async def test_a_deleted_message_may_be_posted_anew(slack: Slack) -> None:
    with pytest.raises(MessageGone):
        await slack.notifier().notify(outgoing(edit_ts="1700000000.000001"))


# --- Slack: try again ----------------------------------------------------------------------------------------------


async def test_a_rate_limit_says_how_long_to_wait(slack: Slack) -> None:
    slack.local.fail_next("chat.postMessage", "ratelimited", retry_after=7)

    with pytest.raises(Retryable) as refused:
        await slack.notifier().notify(outgoing())

    assert refused.value.retry_after == 7


@pytest.mark.parametrize("error", ["internal_error", "fatal_error", "service_unavailable", "request_timeout"])
async def test_trouble_on_slacks_side_is_tried_again(slack: Slack, error: str) -> None:
    slack.local.fail_next("chat.postMessage", error)

    with pytest.raises(Retryable):
        await slack.notifier().notify(outgoing())


@pytest.mark.parametrize("outage", Outage)
async def test_a_slack_that_is_down_is_tried_again(slack: Slack, outage: Outage) -> None:
    slack.local.down = outage

    with pytest.raises(Retryable):
        await slack.notifier().notify(outgoing())

    assert slack.texts() == []


async def test_a_slack_that_does_not_listen_is_tried_again() -> None:
    config = SlackConfig(bot_token=SecretStr("xoxb-obviously-fake"), api_url="http://127.0.0.1:1/api/")

    with pytest.raises(Retryable):
        await SlackNotifier(slack_client(config), config).notify(outgoing())


async def test_a_slack_that_never_answers_is_given_up_in_time() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def silent(request: web.Request) -> web.Response:
        asked.set()
        await answer.wait()
        return web.Response()

    async with answering(silent) as url:
        config = SlackConfig(bot_token=SecretStr("xoxb-obviously-fake"), api_url=url, timeout=timedelta(seconds=0.1))
        with pytest.raises(Retryable, match="TimeoutError"):
            await SlackNotifier(slack_client(config), config).notify(outgoing())
        answer.set()

    assert asked.is_set()


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/json"])
async def test_a_proxys_error_page_instead_of_an_answer_is_tried_again(kind: str) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<html>Please wait</html>", content_type=kind)

    async with answering(page) as url:
        config = SlackConfig(bot_token=SecretStr("xoxb-obviously-fake"), api_url=url)
        with pytest.raises(Retryable):
            await SlackNotifier(slack_client(config), config).notify(outgoing())


# --- Slack: fall back ----------------------------------------------------------------------------------------------


async def test_a_refused_layout_is_told_in_plain_text_and_says_so(slack: Slack) -> None:
    slack.local.fail_next("chat.postMessage", "invalid_blocks")

    receipt = await slack.notifier().notify(outgoing())

    assert "invalid_blocks" in receipt.fell_back
    (shown,) = slack.messages()
    assert "*It broke* since 14:03" in shown["text"]
    assert "buttons are missing" in shown["text"]


async def test_a_layout_that_slack_really_refuses_is_told_in_plain_text(slack: Slack) -> None:
    broken = Message(
        "It broke", ({"type": "section", "block_id": "x", "text": {"type": "mrkdwn", "text": "y" * 3_001}},)
    )

    receipt = await slack.notifier().notify(outgoing(message=broken))

    assert receipt.fell_back
    assert len(slack.messages()) == 1


async def test_an_edit_with_a_refused_layout_replaces_the_old_blocks(slack: Slack) -> None:
    first = await slack.notifier().notify(outgoing())
    slack.local.fail_next("chat.update", "msg_blocks_too_long")

    await slack.notifier().notify(outgoing(edit_ts=first.ts, message=message("It is over")))

    (shown,) = slack.messages()
    assert "It is over" in shown["text"]
    assert not any(block.get("block_id") == "what" for block in shown.get("blocks") or ())


async def test_a_closed_channel_sends_the_message_to_the_fallback_channel(slack: Slack) -> None:
    receipt = await slack.notifier(fallback_channel=FALLBACK).notify(outgoing(channel=CLOSED))

    assert receipt.channel == FALLBACK
    assert "/invite @reliability" in receipt.fell_back
    assert slack.texts(FALLBACK) == [f"Meant for <#{CLOSED}>, which does not take it: It broke"]


async def test_a_message_that_fell_back_before_its_receipt_was_lost_is_found_there(slack: Slack) -> None:
    notifier = slack.notifier(fallback_channel=FALLBACK)
    await notifier.notify(outgoing(channel=CLOSED))

    receipt = await notifier.notify(outgoing(channel=CLOSED, search_first=True))

    assert receipt.channel == FALLBACK
    assert len(slack.messages(FALLBACK)) == 1


@pytest.mark.parametrize("error", ["channel_not_found", "not_in_channel", "is_archived", "restricted_action"])
async def test_without_a_fallback_channel_a_person_is_told_what_to_mend(slack: Slack, error: str) -> None:
    slack.local.fail_next("chat.postMessage", error)

    with pytest.raises(Permanent, match=rf"{error}; .*(invite|catalog)"):
        await slack.notifier().notify(outgoing())


async def test_a_card_in_a_channel_that_was_archived_may_be_posted_anew(slack: Slack) -> None:
    first = await slack.notifier().notify(outgoing())
    slack.local.fail_next("chat.update", "is_archived")

    with pytest.raises(MessageGone):
        await slack.notifier().notify(outgoing(edit_ts=first.ts))


# --- Slack: a person has to change something -----------------------------------------------------------------------


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "account_inactive", "not_authed"])
async def test_a_refused_token_is_permanent_and_names_the_variable(slack: Slack, error: str) -> None:
    slack.local.fail_next("chat.postMessage", error)

    with pytest.raises(Permanent, match="SLACK_BOT_TOKEN"):
        await slack.notifier().notify(outgoing())


@pytest.mark.parametrize(
    "error",
    ["invalid_auth", "channel_not_found", "internal_error", "ratelimited", "invalid_arguments", "message_not_found"],
)
async def test_the_token_is_in_no_error(slack: Slack, error: str) -> None:
    slack.local.fail_next("*", error)

    with pytest.raises((Retryable, Permanent)) as failed:
        await slack.notifier().notify(outgoing())

    chain: list[BaseException] = []
    link: BaseException | None = failed.value
    while link is not None:
        chain.append(link)
        link = link.__cause__
    assert not any(slack.local.bot_token in f"{each!s} {each!r}" for each in chain)


async def test_a_log_line_cannot_mention_or_link_anything_by_itself(slack: Slack) -> None:
    await slack.notifier().notify(outgoing(message=Message("@channel #general https://evil.example", ())))

    (shown,) = slack.messages()
    assert "<" not in shown["text"]


# --- Slack: pictures -----------------------------------------------------------------------------------------------


async def test_a_picture_joins_the_thread_of_its_card(slack: Slack) -> None:
    card = await slack.notifier().notify(outgoing())

    await slack.notifier().notify(outgoing(card_id="inc-1:chart", picture=PICTURE, thread_ts=card.ts))

    (shown,) = slack.pictures()
    assert shown["thread_ts"] == card.ts
    assert shown["text"] == "It broke"
    (file,) = shown["files"]
    assert (file["name"], file["title"], file["size"]) == (PICTURE.filename, PICTURE.title, len(PICTURE.png))


@pytest.mark.parametrize("in_thread", [True, False])
async def test_a_completion_whose_answer_was_lost_is_found_by_the_files_name(slack: Slack, in_thread: bool) -> None:
    card = await slack.notifier().notify(outgoing())
    chart = outgoing(card_id="inc-1:chart", picture=PICTURE, thread_ts=card.ts if in_thread else None)
    slack.local.lose_answer("files.completeUploadExternal")
    with pytest.raises(Retryable):
        await slack.notifier().notify(chart)

    receipt = await slack.notifier().notify(replace(chart, search_first=True))

    assert len(slack.pictures()) == 1
    assert receipt.ts == slack.pictures()[0]["ts"]


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "upload"])
async def test_what_is_lost_before_the_completion_was_seen_by_nobody(slack: Slack, method: str) -> None:
    slack.local.fail_next(method, "internal_error", status=500)
    with pytest.raises(Retryable):
        await slack.notifier().notify(outgoing(picture=PICTURE))
    assert slack.pictures() == []

    await slack.notifier().notify(outgoing(picture=PICTURE, search_first=True))

    assert len(slack.pictures()) == 1


async def test_a_picture_that_cannot_be_looked_for_is_rather_not_shown_than_shown_twice(slack: Slack) -> None:
    slack.local.fail_next("conversations.history", "missing_scope")

    with pytest.raises(Permanent):
        await slack.notifier().notify(outgoing(picture=PICTURE, search_first=True))

    assert slack.pictures() == []


async def test_a_rate_limit_on_pictures_says_how_long_to_wait(slack: Slack) -> None:
    slack.local.fail_next("files.completeUploadExternal", "ratelimited", retry_after=9)

    with pytest.raises(Retryable) as refused:
        await slack.notifier().notify(outgoing(picture=PICTURE))

    assert refused.value.retry_after == 9


async def test_without_the_scope_for_pictures_the_refusal_names_it() -> None:
    local = LocalSlack(options=SlackOptions(bot_scopes=BOT_SCOPES - {"files:write"}))
    app = web.Application()
    app.add_routes(local.routes())
    async with TestServer(app) as server:
        slack = Slack(local, str(server.make_url("/api/")))
        with pytest.raises(Permanent, match="add the scope files:write to the Slack app and install it again"):
            await slack.notifier().notify(outgoing(picture=PICTURE))
        await local.close()


async def test_a_picture_goes_to_no_other_channel(slack: Slack) -> None:
    with pytest.raises(ChannelClosed, match="/invite @reliability"):
        await slack.notifier(fallback_channel=FALLBACK).notify(outgoing(channel=CLOSED, picture=PICTURE))

    assert slack.pictures(FALLBACK) == []


async def test_the_token_is_not_sent_to_the_upload_address() -> None:
    seen: list[str] = []

    async def api(request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "upload_url": f"{request.url.origin()}/upload", "file_id": "F0FAKE00001"})

    async def upload(request: web.Request) -> web.Response:
        seen.append(str(dict(request.headers)) + str(request.url) + (await request.read()).decode(errors="replace"))
        return web.Response(text="OK")

    app = web.Application()
    app.router.add_route("*", "/api/{method}", api)
    app.router.add_route("*", "/upload", upload)
    async with TestServer(app) as server:
        config = SlackConfig(bot_token=SecretStr("xoxb-obviously-fake"), api_url=str(server.make_url("/api/")))
        await SlackNotifier(slack_client(config), config).notify(outgoing(picture=PICTURE))

    assert len(seen) == 1
    assert "xoxb" not in seen[0]


# --- who is in a group ---------------------------------------------------------------------------------------------


async def test_the_members_of_a_group_are_known(slack: Slack) -> None:
    directory = Directory(slack_client(slack.config()))

    assert await directory.members(identities.APPROVERS.id) == set(identities.APPROVERS.members)


async def test_members_are_remembered_for_a_minute_and_then_asked_again(slack: Slack) -> None:
    now = [0.0]
    directory = Directory(slack_client(slack.config()), clock=lambda: now[0])
    known = await directory.members(identities.APPROVERS.id)
    slack.local.down = True

    now[0] = 59.0
    assert await directory.members(identities.APPROVERS.id) == known
    now[0] = 61.0
    with pytest.raises(Retryable):
        await directory.members(identities.APPROVERS.id)


async def test_a_group_that_does_not_exist_has_no_members_to_act_on(slack: Slack) -> None:
    with pytest.raises(Permanent):
        await Directory(slack_client(slack.config())).members("S0NOSUCH001")


# --- the console ---------------------------------------------------------------------------------------------------


async def test_the_terminal_obeys_nothing_that_a_log_line_says() -> None:
    screen = io.StringIO()
    notifier = ConsoleNotifier(Console(file=screen, width=200, force_terminal=True, color_system=None))

    await notifier.notify(outgoing(message=Message("[/red] \x1b[2J &lt;!channel&gt;", ())))

    assert "[/red]" in screen.getvalue()
    assert "\x1b[2J" not in screen.getvalue()
    assert "<!channel>" in screen.getvalue()


async def test_the_terminal_shows_a_refused_message_once_however_often_it_is_tried() -> None:
    screen = io.StringIO()
    notifier = ConsoleNotifier(Console(file=screen, width=200))

    await notifier.notify(outgoing())
    await notifier.notify(outgoing())

    assert screen.getvalue().count("It broke") == 1
