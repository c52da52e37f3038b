"""The console's HTTP interface, as end-to-end tests use it; the app is nowhere to be reached."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox import identities
from bot.sandbox.console import Console
from bot.sandbox.console.guard import add_headers, guard
from bot.sandbox.console.player import Player
from bot.sandbox.local_slack import LocalSlack
from bot.sandbox.local_slack.messages import Draft, with_ids

CHANNEL = identities.AUTH_ALERTS.id
RILEY = identities.RESPONDER.id


@dataclass(frozen=True)
class Endless:
    name: str = "drill"
    title: str = "A drill"
    story: str = "Nothing burns."

    async def play(self, _: Any) -> None:
        raise AssertionError("nobody runs the player here")


@dataclass
class Api:
    slack: LocalSlack
    console: Console
    client: TestClient[Any, Any]

    async def post(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        async with self.client.post(f"/console/{path}", json=body) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> Any:
        async with self.client.get(f"/console/{path}") as response:
            return await response.json()

    def post_card(self, *action_ids: str) -> str:
        elements = [
            {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": action_id}}
            for action_id in action_ids
        ]
        blocks = with_ids([{"type": "actions", "elements": [element]} for element in elements])
        return self.slack.workspace.post(Draft(CHANNEL, "card", identities.APP.bot_user, blocks=blocks)).ts


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    slack = LocalSlack()
    console = Console(slack, Player([Endless()], lambda tell: tell), lambda: {"project": "p", "services": []})
    app = web.Application(middlewares=[guard])
    app.on_response_prepare.append(add_headers)
    app.add_routes(console.routes())
    async with TestClient(TestServer(app)) as client:
        yield Api(slack, console, client)
        console.close()
        await slack.close()


async def test_the_state_names_people_channels_messages_and_cloud(api: Api) -> None:
    ts = api.post_card("approve")

    state = await api.get("state")

    assert {person["role"] for person in state["people"]} == {"responder", "approver", "outsider"}
    alerts = next(channel for channel in state["channels"] if channel["id"] == CHANNEL)
    assert [message["ts"] for message in alerts["messages"]] == [ts]
    assert state["cloud"] == {"project": "p", "services": []}
    assert state["bot"]["state"] == "absent"


async def test_an_ephemeral_message_is_in_the_state_with_its_only_reader(api: Api) -> None:
    api.slack.workspace.post_ephemeral(Draft(CHANNEL, "psst", identities.APP.bot_user, only_for=RILEY))

    alerts = next(channel for channel in (await api.get("state"))["channels"] if channel["id"] == CHANNEL)

    assert [(entry["user"], entry["message"]["text"]) for entry in alerts["ephemerals"]] == [(RILEY, "psst")]


async def test_what_is_typed_is_stored_as_slack_would_store_it(api: Api) -> None:
    status, answer = await api.post("say", user=RILEY, channel=CHANNEL, text="<b> @avery")

    assert status == 200
    stored = api.slack.workspace.message(CHANNEL, answer["ts"])
    assert stored.draft.text == "&lt;b&gt; <@U0AVERY0001>"


async def test_a_click_needs_no_block_id_when_only_one_button_has_that_name(api: Api) -> None:
    ts = api.post_card("approve", "reject")

    status, _ = await api.post("click", user=RILEY, channel=CHANNEL, message_ts=ts, action_id="reject")

    assert status == 200


async def test_a_click_on_one_of_two_equal_buttons_needs_the_block_id(api: Api) -> None:
    ts = api.post_card("approve", "approve")

    status, answer = await api.post("click", user=RILEY, channel=CHANNEL, message_ts=ts, action_id="approve")

    assert status == 400
    assert answer == {"error": "2 elements have the action_id 'approve'", "hint": "Give its block_id"}


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("click", {"channel": CHANNEL, "message_ts": "1.1", "action_id": "a"}, 400, "message_not_found"),
        ("click", {"channel": "C0NOWHERE00", "message_ts": "1.1", "action_id": "a"}, 400, "channel_not_found"),
        ("click", {"channel": CHANNEL, "message_ts": "1.1"}, 400, "`action_id` is missing"),
        ("click", {"view_id": "V0", "action_id": "a"}, 400, "not_found"),
        ("say", {"channel": CHANNEL, "text": 7}, 400, "`text` is missing or not text"),
        ("say", {"channel": CHANNEL, "text": "x", "thread_ts": "1.1"}, 404, "no message 1.1"),
        ("slash", {"channel": CHANNEL, "command": "/reliability", "thread_ts": "1.1"}, 400, "do not work in threads"),
        ("view/submit", {"view_id": "V0", "values": []}, 404, "no view V0"),
        ("view/submit", {"view_id": "V0", "values": 3}, 400, "not an object"),
        ("view/close", {"view_id": "V0"}, 404, "no view V0"),
        ("scenarios/dril/play", {}, 404, "did you mean drill?"),
        ("bot/restart", {}, 409, "not down"),
    ],
)
async def test_what_cannot_be_done_is_said_in_words(
    api: Api, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    answered, answer = await api.post(path, user=RILEY, **body)

    assert answered == status
    assert words in answer["error"]
    assert answer["hint"]


async def test_a_stranger_cannot_do_anything(api: Api) -> None:
    for path in ("say", "slash", "scenarios/drill/play", "bot/restart"):
        status, answer = await api.post(path, user="U0NOBODY000", channel=CHANNEL, text="hi", command="/reliability")
        assert (status, answer["error"]) == (400, "Nobody here has the id 'U0NOBODY000'")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
async def test_a_body_that_is_not_an_object_is_refused(api: Api, body: bytes) -> None:
    async with api.client.post("/console/say", data=body, headers={"Content-Type": "application/json"}) as response:
        assert response.status == 400
        assert set(await response.json()) == {"error", "hint"}


async def test_a_second_scenario_waits_for_the_first_one_to_end(api: Api) -> None:
    first, _ = await api.post("scenarios/drill/play", user=RILEY)
    second, answer = await api.post("scenarios/drill/play", user=RILEY)

    assert (first, second) == (200, 409)
    assert answer["error"] == "drill is still playing"


async def test_a_change_in_slack_is_streamed_to_the_page(api: Api) -> None:
    position = (await api.get("state"))["position"]

    async with api.client.get(f"/console/stream?after={position}") as stream:
        await api.post("say", user=RILEY, channel=CHANNEL, text="hello")
        lines = [(await stream.content.readline()).decode() for _ in range(5)]

    assert lines[3] == "event: slack\n"
    assert '"kind": "message_posted"' in lines[4]


async def test_the_page_is_served_with_its_files(api: Api) -> None:
    async with api.client.get("/") as response:
        page = await response.text()
    assert response.content_type == "text/html"
    for address in ("/console/static/app.js", "/console/static/base.css", "/console/static/icon.svg"):
        assert address in page
        async with api.client.get(address) as response:
            assert response.status == 200


async def upload(api: Api, name: str, mimetype: str) -> str:
    from bot.sandbox.local_slack.entities import SlackFile

    file = SlackFile("F0123456789", name, name, RILEY, 0, b"content", mimetype, "x", "")
    api.slack.workspace.files[file.id] = file
    return f"/console/files/{file.id}"


@pytest.mark.parametrize("mimetype", ["text/html", "image/svg+xml", "application/pdf"])
async def test_an_uploaded_file_that_could_run_something_is_only_saved(api: Api, mimetype: str) -> None:
    address = await upload(api, 'a\r\n"é.html', mimetype)

    async with api.client.get(address) as response:
        assert response.content_type == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''a%0D%0A%22%C3%A9")


async def test_an_uploaded_picture_is_shown(api: Api) -> None:
    address = await upload(api, "chart.png", "image/png")

    async with api.client.get(address) as response:
        assert response.content_type == "image/png"
        assert response.headers["Content-Disposition"] == "inline"


async def test_a_file_that_is_not_there_is_said_to_be_gone(api: Api) -> None:
    async with api.client.get("/console/files/F0") as response:
        assert response.status == 404
