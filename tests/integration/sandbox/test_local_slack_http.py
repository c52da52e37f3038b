"""Signed HTTP: what only this way to the app has. The rest is in test_local_slack_bolt.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from support.bolt_app import over_http
from support.local_slack import ALERTS, IMPATIENT, RILEY, Desk, Hands, desk, serving

from bot.sandbox.local_slack import ChangeKind

MENTION = "<@U0RELIABOT1> status?"


@dataclass
class Endpoint:
    """A request URL that answers as told, one after the other; 200 when it was told nothing."""

    answers: list[web.Response] = field(default_factory=list)
    received: list[tuple[str, str]] = field(default_factory=list)  # (X-Slack-Retry-Num, X-Slack-Retry-Reason)
    slow: asyncio.Event | None = None

    async def receive(self, request: web.Request) -> web.Response:
        headers = request.headers
        self.received.append((headers.get("X-Slack-Retry-Num", ""), headers.get("X-Slack-Retry-Reason", "")))
        if self.slow:
            await self.slow.wait()
        return self.answers.pop(0) if self.answers else web.Response()


@pytest.fixture
async def slack() -> AsyncIterator[Desk]:
    async with desk(IMPATIENT) as opened:
        yield opened


@pytest.fixture
async def endpoint(slack: Desk) -> AsyncIterator[Endpoint]:
    here = Endpoint()
    async with serving([web.post("/", here.receive)]) as url:
        slack.slack.request_url = f"{url}/"
        yield here
        await slack.slack.close()


async def mention(slack: Desk) -> None:
    await slack.slack.say(user=RILEY, channel=ALERTS, text=MENTION)
    await slack.slack.settle()


async def command(slack: Desk) -> list[str]:
    await slack.slack.slash(user=RILEY, channel=ALERTS, command="/reliability", text="status")
    return slack.whispers()


def failed(status: int = 500, **headers: str) -> web.Response:
    return web.Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


# --- signatures --------------------------------------------------------------------------------------------------


async def test_bolt_refuses_what_was_signed_with_another_secret(slack: Desk) -> None:
    async with over_http(slack, signing_secret="another"):
        assert await command(slack) == ['/reliability failed with the error "dispatch_failed"']


@pytest.mark.parametrize(("minutes", "taken"), [(4, True), (6, False)])
async def test_bolt_refuses_what_was_signed_too_long_ago(minutes: int, taken: bool) -> None:
    clock = Hands(datetime.now(UTC) - timedelta(minutes=minutes))
    async with desk(clock=clock) as slack, over_http(slack) as line:

        @line.app.command("/reliability")
        async def run(ack: Any) -> None:
            await ack("All is well")

        assert (await command(slack) == ["All is well"]) is taken


# --- events are sent again ---------------------------------------------------------------------------------------


async def test_an_event_that_fails_is_sent_again_three_times_with_its_number_and_reason(
    slack: Desk, endpoint: Endpoint
) -> None:
    endpoint.answers = [failed() for _ in range(9)]

    await mention(slack)

    assert endpoint.received == [("", ""), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]


async def test_an_event_that_is_taken_is_not_sent_again(slack: Desk, endpoint: Endpoint) -> None:
    endpoint.answers = [failed(), web.Response(status=204)]

    await mention(slack)

    assert len(endpoint.received) == 2


async def test_an_event_that_takes_too_long_says_so_when_it_comes_again(slack: Desk, endpoint: Endpoint) -> None:
    endpoint.slow = asyncio.Event()
    await slack.slack.say(user=RILEY, channel=ALERTS, text=MENTION)
    async with asyncio.timeout(3):
        while len(endpoint.received) < 2:
            await asyncio.sleep(0.01)
    endpoint.slow.set()
    await slack.slack.settle()

    assert endpoint.received == [("", ""), ("1", "http_timeout")]


async def test_an_app_can_ask_not_to_be_sent_an_event_again(slack: Desk, endpoint: Endpoint) -> None:
    endpoint.answers = [failed(X_Slack_No_Retry="1")]

    await mention(slack)

    assert len(endpoint.received) == 1


async def test_a_redirect_is_a_failure(slack: Desk, endpoint: Endpoint) -> None:
    endpoint.answers = [failed(302, Location="/elsewhere")]

    assert await command(slack) == ['/reliability failed with the error "dispatch_failed"']


async def test_commands_and_clicks_are_not_sent_again(slack: Desk, endpoint: Endpoint) -> None:
    endpoint.answers = [failed(), failed()]
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    blocks = [{"type": "actions", "block_id": "do", "elements": [button]}]
    ts = (await slack.client().chat_postMessage(channel=ALERTS, text="a", blocks=blocks))["ts"]

    await command(slack)
    await slack.slack.click(user=RILEY, channel=ALERTS, message_ts=ts, block_id="do", action_id="go")
    await slack.slack.settle()

    assert endpoint.received == [("", ""), ("", "")]
    (notice,) = slack.told(ChangeKind.NOTICE)
    assert notice.body["error"] == "dispatch_failed"


async def test_that_a_modal_was_closed_is_sent_once(slack: Desk, endpoint: Endpoint) -> None:
    endpoint.answers = [failed()]
    title = {"type": "plain_text", "text": "Silence"}
    view = slack.slack.state.views.open(RILEY, {"type": "modal", "title": title, "notify_on_close": True, "blocks": []})

    await slack.slack.close_view(user=RILEY, view_id=view.id)
    await slack.slack.settle()

    assert endpoint.received == [("", "")]


async def test_bolt_sees_which_attempt_an_event_is(slack: Desk) -> None:
    async with over_http(slack) as line:

        @line.app.event("app_mention")
        async def answer() -> None:
            """Bolt acknowledges by itself."""

        line.app.use(_refuse_the_first)
        await mention(slack)

    assert [headers.get("X-Slack-Retry-Num") for headers in line.deliveries] == [None, "1"]


async def _refuse_the_first(req: Any, resp: Any, next_: Any) -> Any:
    if "x-slack-retry-num" not in req.headers:
        resp.status = 500
        return resp
    return await next_()


# --- the request URL ---------------------------------------------------------------------------------------------


async def test_an_app_proves_that_the_request_url_is_its_own(slack: Desk) -> None:
    async with over_http(slack):
        assert await slack.slack.verify_request_url()


async def test_a_request_url_that_does_not_know_the_challenge_is_not_the_apps(slack: Desk, endpoint: Endpoint) -> None:
    endpoint.answers = [web.Response(text="hello"), web.json_response({"challenge": "another"})]

    assert not await slack.slack.verify_request_url()
    assert not await slack.slack.verify_request_url()


async def test_where_nobody_listens_a_command_fails_at_once_and_the_app_counts_as_gone(slack: Desk) -> None:
    slack.slack.request_url = "http://127.0.0.1:1/nobody"

    assert await command(slack) == ['/reliability failed with the error "dispatch_failed"']

    assert slack.slack.connected is None
    (change,) = slack.told(ChangeKind.CONNECTION)
    assert change.body["connected"] is None


async def test_an_app_that_answers_again_counts_as_connected_again(slack: Desk, endpoint: Endpoint) -> None:
    there, slack.slack.request_url = slack.slack.request_url, "http://127.0.0.1:1/nobody"
    await command(slack)

    slack.slack.request_url = there
    await command(slack)

    assert [change.body["connected"] for change in slack.told(ChangeKind.CONNECTION)] == [None, "http"]


async def test_without_a_url_and_without_a_connection_there_is_no_app(slack: Desk) -> None:
    assert slack.slack.connected is None
    assert await command(slack) == ['/reliability failed with the error "dispatch_failed"']
