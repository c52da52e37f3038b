"""Deliveries over the wire: a real server, real tokens checked against a real key server, a real inbox."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import shutil
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select
from support.deliveries import ACCOUNT, AUDIENCE, SECRET, Config, Pipeline, PubSub, envelope, private_key
from support.values import catalog

from bot.ingest import http as ingest_http
from bot.ingest.config import PubSubConfig, WebhookConfig
from bot.ingest.http import LARGEST_BODY, routes
from bot.ingest.keys import SigningKeys
from bot.model.event import DeployEvent
from bot.store.database import Database
from bot.store.inbox import DatabaseInbox
from bot.store.tables import DeliveryRow, EventRow
from bot.store.upgrade import upgrade

DEPLOY = {"project": "acme-staging", "region": "us-central1", "service": "auth-service"}
BODY = json.dumps(DEPLOY).encode()
ENTRY = json.loads((Path(__file__).parents[1] / "cases/events/pubsub/replace_service.json").read_text())["entry"]


@dataclass
class KeyServer:
    """Plays the token issuer's key server; `document` None = broken."""

    document: dict[str, Any] | None
    asked: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        del request
        self.asked += 1
        if self.document is None:
            return web.Response(status=500)
        return web.json_response(self.document, headers={"Cache-Control": "public, max-age=3600"})


@dataclass
class Bot:
    """The bot's routes behind a real server, as tests see them."""

    client: aiohttp.ClientSession
    address: str
    db: Database
    keys: SigningKeys
    key_server: KeyServer
    started: list[str] = field(default_factory=list)

    async def push(self, body: bytes, sender: PubSub | None = None, **headers: str) -> tuple[int, Any]:
        sender = sender or PubSub(now=datetime.now(UTC))
        return await self.send("/events/pubsub", body, sender.headers() | headers)

    async def deploy(self, body: bytes, delivery_id: str = "msg_1", **headers: str) -> tuple[int, Any]:
        signed = Pipeline(now=datetime.now(UTC)).headers(body, delivery_id)
        return await self.send("/events/deploy", body, signed | headers)

    async def send(self, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        """(status, JSON of the answer or None)."""
        data = io.BytesIO(body) if isinstance(body, bytes) else body
        async with self.client.post(self.address + path, data=data, headers=headers) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else None

    async def stored(self) -> list[tuple[str, str, str | None]]:
        """(source, delivery id, why it was parked) of every row."""
        async with self.db.read() as session:
            rows = await session.execute(
                select(DeliveryRow.source, DeliveryRow.delivery_id, DeliveryRow.parked_why).order_by(
                    DeliveryRow.delivery_id
                )
            )
            return [tuple(row) for row in rows]

    async def events(self) -> list[str]:
        async with self.db.read() as session:
            return list(await session.scalars(select(EventRow.id).order_by(EventRow.id)))


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to copy: migrating takes longer than most tests here."""
    path = tmp_path_factory.mktemp("empty") / "empty.sqlite3"

    async def migrate() -> None:
        db = Database(f"sqlite+aiosqlite:///{path}")
        await upgrade(db)
        await db.close()

    asyncio.run(migrate())
    return path


@asynccontextmanager
async def running(database: Path, *, enabled: bool = True) -> AsyncIterator[Bot]:
    db = Database(f"sqlite+aiosqlite:///{database}")
    key_server = KeyServer(PubSub().jwks)
    keys_app = web.Application()
    keys_app.router.add_get("/certs", key_server.answer)
    async with TestServer(keys_app) as keys_server, aiohttp.ClientSession() as client:
        certs_url = str(keys_server.make_url("/certs"))
        pubsub = PubSubConfig(audience=AUDIENCE, service_account=ACCOUNT, certs_url=certs_url)
        config = Config(pubsub=pubsub) if enabled else Config(PubSubConfig(), WebhookConfig())
        started: list[str] = []

        async def start(events: list[DeployEvent]) -> None:
            started.extend(event.id for event in events)

        app = web.Application()
        keys = SigningKeys(client, certs_url)
        app.add_routes(routes(config, DatabaseInbox(db, catalog(), _now), start, _now, keys))
        async with TestServer(app) as server:
            yield Bot(client, str(server.make_url("")).rstrip("/"), db, keys, key_server, started)
    await db.close()


@pytest.fixture
async def bot(empty_database: Path, tmp_path: Path) -> AsyncIterator[Bot]:
    async with running(Path(shutil.copy(empty_database, tmp_path / "test.sqlite3"))) as bot:
        yield bot


async def test_a_signed_deploy_is_stored_then_answered_then_started(bot: Bot) -> None:
    assert await bot.deploy(BODY) == (202, None)

    assert await bot.stored() == [("webhook", "msg_1", None)]
    assert await bot.events() == bot.started == ["webhook:msg_1"]


async def test_a_push_is_stored_then_answered_then_started(bot: Bot) -> None:
    assert await bot.push(PubSub().body(ENTRY, "42")) == (204, None)

    assert await bot.stored() == [("pubsub", "42", None)]
    assert await bot.events() == bot.started == ["pubsub:42"]


async def test_a_push_about_something_else_is_acknowledged_without_an_event(bot: Bot) -> None:
    other = ENTRY | {"resource": {"type": "gce_instance", "labels": {}}}

    assert await bot.push(PubSub().body(other, "43")) == (204, None)

    assert await bot.stored() == [("pubsub", "43", None)]
    assert bot.started == []


async def test_the_same_delivery_again_gets_the_same_answer_and_no_second_row(bot: Bot) -> None:
    push = PubSub().body(ENTRY, "42")

    answers = [await bot.deploy(BODY), await bot.deploy(BODY), await bot.push(push), await bot.push(push)]

    assert [status for status, _ in answers] == [202, 202, 204, 204]
    assert len(await bot.stored()) == 2
    assert bot.started == ["webhook:msg_1", "pubsub:42"]


async def test_eight_at_once_are_one(bot: Bot) -> None:
    answers = await asyncio.gather(*(bot.deploy(BODY) for _ in range(8)))

    assert [status for status, _ in answers] == [202] * 8
    assert len(await bot.stored()) == 1
    assert bot.started == ["webhook:msg_1"]


async def test_unsigned_stale_and_forged_webhooks_are_refused_and_nothing_is_stored(bot: Bot) -> None:
    now = datetime.now(UTC)
    unsigned = {"Content-Type": "application/json"}
    stale = Pipeline(now=now - timedelta(minutes=6)).headers(BODY)
    forged = Pipeline(now=now).headers(b"{}")

    answers = [await bot.send("/events/deploy", BODY, headers) for headers in (unsigned, stale, forged)]

    assert [status for status, _ in answers] == [401, 401, 401]
    assert [answer["error"] for _, answer in answers] == ["unauthorized"] * 3
    assert "RELIABILITY_WEBHOOK_SECRET" in answers[2][1]["hint"]
    assert await bot.stored() == []
    assert bot.started == []


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.example/"},
        {"iss": "https://stranger.example"},
        {"email": "somebody@acme.example"},
        {"email_verified": False},
        {"exp": 1},
    ],
    ids=lambda claims: next(iter(claims)),
)
async def test_a_push_whose_token_is_not_ours_is_refused_and_nothing_is_stored(
    bot: Bot, claims: dict[str, Any]
) -> None:
    token = PubSub(now=datetime.now(UTC)).token(**claims)

    status, answer = await bot.push(PubSub().body(ENTRY), Authorization=f"Bearer {token}")

    assert (status, answer["error"]) == (401, "unauthorized")
    assert token not in json.dumps(answer)
    assert await bot.stored() == []


async def test_a_push_signed_by_a_stranger_is_refused_and_nothing_is_stored(bot: Bot) -> None:
    stranger = PubSub(now=datetime.now(UTC), key=private_key("stranger"))

    status, _ = await bot.push(PubSub().body(ENTRY), stranger)

    assert status == 401
    assert await bot.stored() == []


async def test_a_push_without_a_token_asks_nobody_for_keys(bot: Bot) -> None:
    status, _ = await bot.push(PubSub().body(ENTRY), Authorization="")

    assert status == 401
    assert bot.key_server.asked == 0


async def test_a_malformed_webhook_is_parked_and_told_what_is_wrong_and_again_the_same(bot: Bot) -> None:
    body = json.dumps({**DEPLOY, "service": 7}).encode()

    answers = [await bot.deploy(body), await bot.deploy(body)]

    assert answers[0] == answers[1]
    status, answer = answers[0]
    assert (status, answer["error"]) == (400, "malformed")
    assert "`service`" in answer["hint"]
    assert await bot.stored() == [("webhook", "msg_1", answer["hint"])]
    assert await bot.events() == []


async def test_a_malformed_push_is_parked_and_acknowledged_or_it_would_come_back_for_days(bot: Bot) -> None:
    body = envelope(b"not an entry", "44")

    assert [await bot.push(body), await bot.push(body)] == [(204, None), (204, None)]

    [(source, delivery_id, why)] = await bot.stored()
    assert (source, delivery_id) == ("pubsub", "44")
    assert why
    assert why.startswith("the log entry: ")


async def test_a_push_with_nothing_readable_in_it_is_parked_under_its_digest(bot: Bot) -> None:
    assert await bot.push(b"\xff\xfe") == (204, None)

    [(_, delivery_id, _)] = await bot.stored()
    assert delivery_id.startswith("sha256-")


async def test_a_body_over_the_limit_is_refused_whether_or_not_it_says_so(bot: Bot) -> None:
    async def dribble() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY // 65_536 + 1):
            yield b" " * 65_536

    said = await bot.deploy(b" " * (LARGEST_BODY + 1))
    signed = Pipeline(now=datetime.now(UTC)).headers(b"")
    unsaid = await bot.send("/events/deploy", dribble(), signed)

    assert (said[0], unsaid[0]) == (413, 413)
    assert said[1]["error"] == "too_large"
    assert await bot.stored() == []


async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(bot: Bot) -> None:
    bomb = gzip.compress(b" " * (8 * LARGEST_BODY))

    status, _ = await bot.deploy(bomb, **{"Content-Encoding": "gzip"})

    assert len(bomb) < 10_000
    assert status == 413


async def test_a_packed_body_is_signed_as_it_reads(bot: Bot) -> None:
    signed = Pipeline(now=datetime.now(UTC)).headers(BODY) | {"Content-Encoding": "deflate"}

    assert (await bot.send("/events/deploy", zlib.compress(BODY), signed))[0] == 202


async def test_a_body_that_cannot_be_unpacked_is_the_senders_mistake(bot: Bot) -> None:
    status, _ = await bot.deploy(b"this is no gzip", **{"Content-Encoding": "gzip"})

    assert status == 400
    assert await bot.stored() == []


async def test_a_form_is_refused_before_it_is_read(bot: Bot) -> None:
    status, answer = await bot.deploy(BODY, **{"Content-Type": "application/x-www-form-urlencoded"})

    assert (status, answer["error"]) == (415, "not_json")
    assert await bot.stored() == []


async def test_while_the_store_is_down_the_sender_is_asked_to_send_it_again(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sqlite3"
    broken.write_text("This is no database. " * 100)
    async with running(broken) as bot:
        deploy = await bot.deploy(BODY)
        push = await bot.push(PubSub().body(ENTRY))
        malformed = await bot.deploy(b"{}")

    assert [status for status, _ in (deploy, push, malformed)] == [503, 503, 503]
    assert deploy[1] == {"error": "try_again", "hint": "cannot take it now, send it again"}
    assert bot.started == []


async def test_an_answer_comes_before_pubsub_gives_up_even_when_the_key_server_hangs(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_http, "_DEADLINE_S", 0.25)  # waiting for the real eight seconds proves nothing more
    hanging = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        del request
        await hanging.wait()
        return web.Response()

    app = web.Application()
    app.router.add_get("/certs", hang)
    async with TestServer(app) as server:
        keys = SigningKeys(bot.client, str(server.make_url("/certs")))
        slow = web.Application()
        slow.add_routes(routes(Config(), DatabaseInbox(bot.db, catalog(), _now), _nothing, _now, keys))
        async with TestServer(slow) as slow_server:
            bot.address = str(slow_server.make_url("")).rstrip("/")
            async with asyncio.timeout(2):
                status, _ = await bot.push(PubSub().body(ENTRY))
        hanging.set()

    assert status == 503


async def test_a_key_server_that_is_down_loses_no_push(bot: Bot) -> None:
    bot.key_server.document = None

    down, _ = await bot.push(PubSub().body(ENTRY))

    assert down == 503
    assert await bot.stored() == []


async def test_a_start_that_fails_is_left_to_the_sweep_because_the_event_is_stored(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(events: list[DeployEvent]) -> None:
        del events
        raise RuntimeError("the engine is not up")

    app = web.Application()
    inbox = DatabaseInbox(bot.db, catalog(), _now)
    app.add_routes(routes(Config(), inbox, fails, _now, bot.keys))
    async with TestServer(app) as server:
        bot.address = str(server.make_url("")).rstrip("/")
        status, _ = await bot.deploy(BODY)

    assert status == 202
    assert await bot.events() == ["webhook:msg_1"]
    assert "events.not_started" in caplog.messages


async def test_a_source_that_is_not_set_up_says_which_settings_are_missing(
    empty_database: Path, tmp_path: Path
) -> None:
    async with running(Path(shutil.copy(empty_database, tmp_path / "off.sqlite3")), enabled=False) as bot:
        deploy, push = await bot.deploy(BODY), await bot.push(PubSub().body(ENTRY))

    assert [status for status, _ in (deploy, push)] == [404, 404]
    assert "RELIABILITY_WEBHOOK_SECRET" in deploy[1]["hint"]
    assert "RELIABILITY_PUBSUB__AUDIENCE and RELIABILITY_PUBSUB__SERVICE_ACCOUNT" in push[1]["hint"]


async def test_neither_log_nor_answer_repeats_a_secret(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="bot")
    token = PubSub(now=datetime.now(UTC)).token(email="somebody@acme.example")

    refused = await bot.push(PubSub().body(ENTRY), Authorization=f"Bearer {token}")
    forged = await bot.send("/events/deploy", BODY, Pipeline(now=datetime.now(UTC)).headers(b"{}"))

    said = "\n".join([json.dumps([refused, forged]), *(str(vars(record)) for record in caplog.records)])
    assert token not in said
    assert SECRET not in said


def _now() -> datetime:
    return datetime.now(UTC)


async def _nothing(events: list[DeployEvent]) -> None:
    del events
