"""The issuer's keys, fetched from a real server: when it is asked, what is kept, when too old is too old."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.deliveries import NOW, PubSub

from bot.errors import Retryable
from bot.ingest.keys import SigningKeys


@dataclass
class Issuer:
    """A key server, and the clock of who asks it."""

    answer: Callable[[], web.Response]
    keys: SigningKeys = field(init=False)
    asked: int = 0
    now: datetime = NOW

    async def certs(self, request: web.Request) -> web.Response:
        del request
        self.asked += 1
        return self.answer()


def publishes(*kids: str, max_age: int = 3600) -> Callable[[], web.Response]:
    document = {"keys": [key for kid in kids for key in PubSub(kid=kid).jwks["keys"]]}
    return lambda: web.json_response(document, headers={"Cache-Control": f"public, max-age={max_age}"})


def broken() -> web.Response:
    return web.Response(status=502)


async def elsewhere(request: web.Request) -> web.Response:
    del request
    return publishes("key-1")()


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer(publishes("key-1"))
    app = web.Application()
    app.router.add_get("/certs", issuer.certs)
    app.router.add_get("/elsewhere", elsewhere)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        issuer.keys = SigningKeys(session, str(server.make_url("/certs")), lambda: issuer.now)
        yield issuer


async def test_keys_are_asked_for_once_while_they_are_fresh(issuer: Issuer) -> None:
    await issuer.keys.get("key-1")
    issuer.now += timedelta(minutes=59)

    assert list(await issuer.keys.get("key-1")) == ["key-1"]
    assert issuer.asked == 1


async def test_keys_are_asked_for_again_when_they_are_no_longer_fresh(issuer: Issuer) -> None:
    await issuer.keys.get("key-1")
    issuer.now += timedelta(minutes=61)

    await issuer.keys.get("key-1")

    assert issuer.asked == 2


async def test_a_new_key_is_found_as_soon_as_a_token_names_it(issuer: Issuer) -> None:
    await issuer.keys.get("key-1")
    issuer.answer = publishes("key-1", "key-2")
    issuer.now += timedelta(seconds=31)

    assert "key-2" in await issuer.keys.get("key-2")


async def test_forged_key_ids_do_not_make_us_hammer_the_issuer(issuer: Issuer) -> None:
    for number in range(50):
        await issuer.keys.get(f"forged-{number}")

    assert issuer.asked == 1


async def test_the_old_keys_are_kept_while_the_issuer_is_down_but_not_for_ever(issuer: Issuer) -> None:
    await issuer.keys.get("key-1")
    issuer.answer = broken

    issuer.now += timedelta(hours=24)
    assert "key-1" in await issuer.keys.get("key-1")
    issuer.now += timedelta(hours=2)
    with pytest.raises(Retryable):
        await issuer.keys.get("key-1")


async def test_a_revoked_key_is_forgotten_at_the_next_refresh(issuer: Issuer) -> None:
    await issuer.keys.get("key-1")
    issuer.answer = publishes("key-2")
    issuer.now += timedelta(hours=2)

    assert list(await issuer.keys.get("key-1")) == ["key-2"]


async def test_without_any_key_it_asks_again_after_a_second(issuer: Issuer) -> None:
    issuer.answer = broken
    with pytest.raises(Retryable) as first:
        await issuer.keys.get("key-1")
    with pytest.raises(Retryable):
        await issuer.keys.get("key-1")
    issuer.answer = publishes("key-1")
    issuer.now += timedelta(seconds=1)

    assert "key-1" in await issuer.keys.get("key-1")
    assert first.value.retry_after == 1.0
    assert issuer.asked == 2


@pytest.mark.parametrize(("max_age", "fresh_for"), [(0, timedelta(minutes=1)), (10**8, timedelta(days=1))])
async def test_how_long_keys_are_fresh_is_the_issuers_word_within_reason(
    issuer: Issuer, max_age: int, fresh_for: timedelta
) -> None:
    issuer.answer = publishes("key-1", max_age=max_age)
    await issuer.keys.get("key-1")

    issuer.now += fresh_for - timedelta(seconds=1)
    await issuer.keys.get("key-1")
    assert issuer.asked == 1
    issuer.now += timedelta(seconds=1)
    await issuer.keys.get("key-1")
    assert issuer.asked == 2


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(text="<html>"),
        lambda: web.Response(body=b" " * 300_000),
        lambda: web.Response(status=302, headers={"Location": "/elsewhere"}),
        lambda: web.json_response({"keys": []}),
    ],
    ids=["a page", "endless", "elsewhere", "no keys"],
)
async def test_what_is_no_key_set_is_taken_for_no_answer(issuer: Issuer, answer: Callable[[], web.Response]) -> None:
    issuer.answer = answer

    with pytest.raises(Retryable):
        await issuer.keys.get("key-1")
