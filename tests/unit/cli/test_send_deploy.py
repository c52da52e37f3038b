"""`reliability send deploy` against real servers on the loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook
from support.deliveries import SECRET, Config
from typer.testing import Result

from bot.cli.send import Letter, post
from bot.errors import Permanent, Rejected
from bot.ingest.http import routes
from bot.model.event import DeployEvent

DEPLOYED = ("--service", "auth-service", "--project", "acme-staging")


@dataclass
class Receiver:
    """A server that gives these answers one after the other, the last one for ever."""

    answers: list[web.Response] = field(default_factory=lambda: [web.Response(status=202)])
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.received.append(({key.lower(): value for key, value in request.headers.items()}, await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/events/deploy", receiver.take)
    app.router.add_post("/events/config", receiver.take)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/"))
        yield receiver


@pytest.fixture
def send(run, receiver: Receiver) -> Callable[..., Awaitable[Result]]:
    """The command in a thread of its own, while the server answers in this one."""

    async def invoke(*arguments: str, **environment: str) -> Result:
        given = {"RELIABILITY_WEBHOOK_SECRET": SECRET} | environment
        return await asyncio.to_thread(run, "send", "deploy", "--url", receiver.url, *arguments, **given)

    return invoke


def letter(receiver: Receiver) -> Letter:
    return Letter(f"{receiver.url}events/deploy", "deploy_1", b"{}", SECRET)


@dataclass
class Sleep:
    """Remembers instead of sleeping."""

    slept: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_it_is_signed_so_that_the_reference_library_believes_it(send, receiver: Receiver) -> None:
    result = await send(*DEPLOYED, "--region", "us-central1", "--revision", "auth-service-00283-qab")

    [(headers, body)] = receiver.received
    Webhook(SECRET).verify(body, headers)
    assert result.exit_code == 0
    assert result.stdout.startswith("delivered: auth-service in acme-staging (deploy_")
    assert headers["content-type"] == "application/json"


async def test_the_files_that_a_commit_changed_are_told(send, receiver: Receiver) -> None:
    await send(*DEPLOYED, "--file", "app/login.py", "--file", "app/tokens.py")

    assert receiver.bodies[0]["files"] == ["app/login.py", "app/tokens.py"]


async def test_a_changed_setting_is_told_to_its_own_address(run, receiver: Receiver) -> None:
    told = ("--url", receiver.url, *DEPLOYED, "--name", "JWT_TTL")

    result = await asyncio.to_thread(run, "send", "config", *told, RELIABILITY_WEBHOOK_SECRET=SECRET)

    [(headers, body)] = receiver.received
    Webhook(SECRET).verify(body, headers)
    assert result.exit_code == 0
    assert json.loads(body)["name"] == "JWT_TTL"
    assert headers["webhook-id"].startswith("config_")


async def test_the_bot_itself_takes_it(run) -> None:
    events: list[DeployEvent] = []

    class Inbox:
        async def take(self, source: str, delivery_id: str, body: bytes, events: list[DeployEvent]) -> bool:
            return True

        async def park(self, source: str, delivery_id: str, body: bytes, why: str) -> bool:
            raise AssertionError(why)

    class NoKeys:
        async def get(self, kid: str) -> dict[str, Any]:
            return {}

    async def start(new: list[DeployEvent]) -> None:
        events.extend(new)

    app = web.Application()
    app.add_routes(routes(Config(), Inbox(), start, lambda: datetime.now(UTC), NoKeys()))
    async with TestServer(app) as server:
        url = str(server.make_url("/events/deploy"))
        arguments = ("send", "deploy", "--url", url, *DEPLOYED, "--author", "Zoë", "--commit", "A1B2C3D")
        result = await asyncio.to_thread(run, *arguments, RELIABILITY_WEBHOOK_SECRET=SECRET)

    assert result.exit_code == 0
    assert [(e.service, e.author, e.commit) for e in events] == [("auth-service", "Zoë", "a1b2c3d")]


async def test_what_ci_knows_need_not_be_typed_and_what_is_typed_wins(send, receiver: Receiver) -> None:
    github = {"GITHUB_SHA": "a" * 40, "GITHUB_ACTOR": "dana", "GOOGLE_CLOUD_PROJECT": "acme-staging"}

    await send("--service", "auth-service", **github)
    await send("--service", "auth-service", "--commit", "b" * 40, **github)

    assert [body["commit"][0] for body in receiver.bodies] == ["a", "b"]
    assert receiver.bodies[0]["author"] == "dana"
    assert receiver.bodies[0]["project"] == "acme-staging"


async def test_the_time_is_now_unless_it_is_given(send, receiver: Receiver) -> None:
    given = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")

    await send(*DEPLOYED)
    await send(*DEPLOYED, "--at", given)

    at = datetime.fromisoformat(receiver.bodies[0]["at"])
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert receiver.bodies[1]["at"] == given


async def test_it_tries_again_under_the_same_id_until_it_is_taken(receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=status) for status in (503, 429, 500, 202)]
    sleep = Sleep()

    assert await post(letter(receiver), timedelta(minutes=1), sleep) == ""

    assert [headers["webhook-id"] for headers, _ in receiver.received] == ["deploy_1"] * 4
    assert sleep.slept == [0.5, 1.0, 2.0]


async def test_it_waits_as_long_as_it_is_asked_to(receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=429, headers={"Retry-After": "7"}), web.Response(status=202)]
    sleep = Sleep()

    assert await post(letter(receiver), timedelta(minutes=1), sleep) == ""

    assert sleep.slept == [7.0]


async def test_it_gives_up_with_a_failing_exit_code_when_nobody_answers(run) -> None:
    result = await asyncio.to_thread(
        run,
        *("send", "deploy", "--url", "http://127.0.0.1:1", *DEPLOYED, "--retry-for", "0.1s"),
        RELIABILITY_WEBHOOK_SECRET=SECRET,
    )

    assert result.exit_code == 1
    assert "Error: not delivered within 0.1s: no answer (ClientConnectorError)" in result.stderr


async def test_it_gives_up_when_the_bot_asks_for_more_patience_than_there_is(receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=503, headers={"Retry-After": "9" * 300})]

    assert await post(letter(receiver), timedelta(seconds=5), Sleep()) == "the bot answered 503"
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            web.json_response({"error": "unauthorized", "hint": "compare the secrets"}, status=401),
            "compare the secrets",
        ),
        (web.json_response(["what"], status=404), "the bot answered 404; is --url right?"),
        (web.Response(status=403, text="<html>no</html>"), "the bot answered 403; is --url right?"),
        (web.Response(status=302, headers={"Location": "https://elsewhere.example"}), "that it redirects to"),
    ],
    ids=["401", "404", "403", "302"],
)
async def test_a_refusal_is_final_and_says_why(receiver: Receiver, answer: web.Response, said: str) -> None:
    receiver.answers = [answer]

    with pytest.raises(Permanent, match=r"not delivered: ") as refusal:
        await post(letter(receiver), timedelta(minutes=1), Sleep())

    assert said in str(refusal.value)
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ("--service", "auth service", "--project", "acme-staging"),
        (*DEPLOYED, "--commit", "main"),
        (*DEPLOYED, "--at", "yesterday"),
        (*DEPLOYED, "--at", "2026-03-02T12:00:00"),
        (*DEPLOYED, "--author", "a\nb"),
        (*DEPLOYED, "--region", "\udcff"),
    ],
)
async def test_what_the_bot_would_park_is_not_even_sent(send, receiver: Receiver, wrong: tuple[str, ...]) -> None:
    result = await send(*wrong)

    assert isinstance(result.exception, Rejected)
    assert str(result.exception).startswith("the deploy: ")
    assert receiver.received == []


@pytest.mark.parametrize(
    "wrong",
    [
        ("--service", "auth-service"),
        (*DEPLOYED, "--url", "bot.example"),
        (*DEPLOYED, "--url", "ftp://bot.example"),
        (*DEPLOYED, "--retry-for", "a while"),
    ],
)
async def test_what_cannot_be_typed_so_is_refused(send, receiver: Receiver, wrong: tuple[str, ...]) -> None:
    assert (await send(*wrong)).exit_code == 2
    assert receiver.received == []


async def test_without_a_secret_nothing_is_sent(send, receiver: Receiver) -> None:
    result = await send(*DEPLOYED, RELIABILITY_WEBHOOK_SECRET="")

    assert "RELIABILITY_WEBHOOK_SECRET is not set" in str(result.exception)
    assert receiver.received == []


async def test_the_secret_is_neither_sent_nor_said(send, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=503), web.Response(status=202)]

    result = await send(*DEPLOYED)

    assert SECRET not in str(receiver.received) + result.stdout + result.stderr
