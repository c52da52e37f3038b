"""Socket Mode: what only this way to the app has. The rest is in test_local_slack_bolt.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from support.bolt_app import Line, over_http, over_socket
from support.local_slack import ALERTS, IMPATIENT, RILEY, Desk, desk, error_of

from bot.sandbox.local_slack import ChangeKind
from bot.sandbox.local_slack.socket_mode import MOST_CONNECTIONS


@pytest.fixture
async def slack() -> AsyncIterator[Desk]:
    async with desk(IMPATIENT) as opened:
        yield opened


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def link(slack: Desk) -> str:
    answer = await slack.client().apps_connections_open(app_token=slack.slack.app_token)
    return str(answer["url"])


async def connected(slack: Desk, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """A connection by hand, after its hello."""
    socket = await session.ws_connect(await link(slack))
    await socket.receive_json()
    return socket


async def command(slack: Desk) -> None:
    await slack.slack.slash(user=RILEY, channel=ALERTS, command="/reliability", text="status")


def acknowledging(line: Line) -> list[str]:
    """Let the app acknowledge commands; the envelopes' texts."""
    taken: list[str] = []

    @line.app.command("/reliability")
    async def run(ack: Any, body: dict[str, Any]) -> None:
        taken.append(body["text"])
        await ack("All is well")

    return taken


# --- connections -------------------------------------------------------------------------------------------------


async def test_a_connection_begins_with_hello(slack: Desk, session: aiohttp.ClientSession) -> None:
    async with session.ws_connect(await link(slack)) as socket:
        hello = await socket.receive_json()

    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"] == {"app_id": "A0RELIABLE1"}


async def test_each_link_is_good_for_one_connection(slack: Desk, session: aiohttp.ClientSession) -> None:
    address = await link(slack)
    async with session.ws_connect(address):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
            await session.ws_connect(address)


async def test_only_the_app_itself_gets_a_link(slack: Desk) -> None:
    client = slack.client()

    assert await error_of(client.apps_connections_open(app_token="xapp-made-up")) == "invalid_auth"


async def test_an_app_has_no_more_than_ten_connections(slack: Desk, session: aiohttp.ClientSession) -> None:
    _open = [await connected(slack, session) for _ in range(MOST_CONNECTIONS)]

    async with session.ws_connect(await link(slack)) as one_more:
        farewell = await one_more.receive_json()

    assert (farewell["type"], farewell["reason"]) == ("disconnect", "too_many_websockets")
    assert slack.slack.socket.connections == MOST_CONNECTIONS


async def test_the_app_counts_as_connected_while_a_connection_is_open(
    slack: Desk, session: aiohttp.ClientSession
) -> None:
    socket = await connected(slack, session)
    assert slack.slack.connected == "socket"

    await socket.close()
    await slack.until(lambda: slack.slack.connected is None)

    assert [change.body for change in slack.told(ChangeKind.CONNECTION)] == [
        {"connected": "socket", "connections": 1},
        {"connected": None, "connections": 0},
    ]


async def test_an_open_connection_goes_before_the_request_url(slack: Desk) -> None:
    async with over_http(slack) as by_http, over_socket(slack) as by_socket:
        acknowledging(by_socket)

        await command(slack)

        assert slack.whispers() == ["All is well"]
        assert by_http.deliveries == []


# --- envelopes ---------------------------------------------------------------------------------------------------


async def test_envelopes_go_to_the_connections_in_turn(slack: Desk, session: aiohttp.ClientSession) -> None:
    first, second = await connected(slack, session), await connected(slack, session)

    await asyncio.gather(command(slack), command(slack))

    envelopes = [await first.receive_json(), await second.receive_json()]
    assert [envelope["type"] for envelope in envelopes] == ["slash_commands", "slash_commands"]
    assert envelopes[0]["envelope_id"] != envelopes[1]["envelope_id"]
    assert envelopes[0]["accepts_response_payload"] is True


async def test_an_acknowledgement_is_taken_from_another_connection_too(
    slack: Desk, session: aiohttp.ClientSession
) -> None:
    old = await connected(slack, session)
    running = asyncio.create_task(command(slack))
    envelope = await old.receive_json()
    new = await connected(slack, session)
    await old.close()

    await new.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "All is well"}})
    await running

    assert slack.whispers() == ["All is well"]


async def test_an_event_that_is_not_acknowledged_comes_again_with_its_number(
    slack: Desk, session: aiohttp.ClientSession
) -> None:
    socket = await connected(slack, session)
    await slack.slack.say(user=RILEY, channel=ALERTS, text="<@U0RELIABOT1> status?")

    first, second = await socket.receive_json(), await socket.receive_json()
    await socket.send_json({"envelope_id": second["envelope_id"]})
    await slack.slack.settle()

    assert (first["type"], first["retry_attempt"], first["retry_reason"]) == ("events_api", 0, "")
    assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
    assert first["payload"]["event_id"] == second["payload"]["event_id"]


@pytest.mark.parametrize("nonsense", ["hello", "[]", '{"envelope_id": "made-up"}', '{"payload": {}}'])
async def test_what_is_no_acknowledgement_is_ignored(
    slack: Desk, session: aiohttp.ClientSession, nonsense: str
) -> None:
    socket = await connected(slack, session)
    running = asyncio.create_task(command(slack))
    envelope = await socket.receive_json()

    await socket.send_str(nonsense)
    await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "All is well"}})
    await running

    assert slack.whispers() == ["All is well"]


# --- Slack's own client ------------------------------------------------------------------------------------------


async def test_two_connections_of_bolt_share_the_work(slack: Desk) -> None:
    async with over_socket(slack, connections=2) as line:
        taken = acknowledging(line)

        await asyncio.gather(*(command(slack) for _ in range(4)))

        assert len(taken) == 4
        assert slack.whispers() == ["All is well"] * 4


async def test_bolt_comes_back_when_slack_renews_its_connections(slack: Desk) -> None:
    async with over_socket(slack, connections=2) as line:
        acknowledging(line)

        await slack.slack.disconnect_sockets()
        await slack.until(lambda: slack.slack.socket.connections == 2)
        await command(slack)

        assert slack.whispers() == ["All is well"]


async def test_bolt_answers_what_was_sent_before_its_connection_was_renewed() -> None:
    async with desk() as slack, over_socket(slack) as line:
        received, renewed = asyncio.Event(), asyncio.Event()

        @line.app.command("/reliability")
        async def run(ack: Any) -> None:
            received.set()
            await renewed.wait()
            await ack("All is well")

        running = asyncio.create_task(command(slack))
        await received.wait()
        await slack.slack.disconnect_sockets()
        await slack.until(lambda: slack.slack.socket.connections == 1)
        renewed.set()
        await running

        assert slack.whispers() == ["All is well"]


async def test_closing_says_farewell_to_every_connection(slack: Desk, session: aiohttp.ClientSession) -> None:
    socket = await connected(slack, session)

    closing = asyncio.create_task(slack.slack.close())
    farewell = await socket.receive_json()
    end = await socket.receive()
    await closing

    assert (farewell["reason"], end.type) == ("link_disabled", aiohttp.WSMsgType.CLOSE)
    assert slack.slack.connected is None
