"""Services that ask each other and need the same database: real requests, one trace, real failures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.sandbox.local_google import Answer, Call, Failure, Image, Line, LocalGoogle, Need, Pace, Past

AT_ONCE = timedelta(milliseconds=1)
DANA = "dana@acme.example"
QUICK = (0.0, 0.001)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HANDED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


def says(text: str, status: int = 500) -> Failure:
    return Failure(status, QUICK, (Line(text, severity="ERROR"),))


SHOP = Image(
    latency=QUICK,
    needs=(Need("postgres", ("/buy",), says("shop: 10.20.0.5 refused")),),
    calls=(
        Call("stock", "/internal/left", ("/buy",), ("left",), says("stock said {answer}", 502), says("no key 'left'")),
    ),
)
STOCK = Image(
    latency=QUICK,
    needs=(Need("postgres", ("/internal/left",), says("stock: 10.20.0.5 refused")),),
    answers={"/internal/left": (Answer('{"left": 3}', (Line("counted"), Line("counted", severity="INFO"))),)},
)


@pytest.fixture
async def google() -> AsyncIterator[LocalGoogle]:
    pace = Pace(provision=AT_ONCE, startup_limit=AT_ONCE, traffic_shift=AT_ONCE)
    local = LocalGoogle(project="acme-staging", region="us-central1", pace=pace, seed=1)
    local.images |= {"shop:1": SHOP, "stock:1": STOCK}
    await local.start()
    ago = datetime.now(UTC) - timedelta(days=6)
    await local.remember("shop", Past(1, "abc", ago, DANA, "shop:1"))
    await local.remember("stock", Past(1, "abc", ago, DANA, "stock:1"))
    yield local
    await local.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def buy(google: LocalGoogle, http: aiohttp.ClientSession, **headers: str) -> int:
    async with http.get(f"{google.uri('shop')}/buy", headers=headers) as answer:
        return answer.status


def of(google: LocalGoogle, service: str, log: str = "") -> list[Any]:
    return [
        entry
        for entry in google.logs.entries("acme-staging")
        if entry.resource.labels["service_name"] == service and entry.log_name.endswith(log)
    ]


def messages(google: LocalGoogle, service: str) -> list[str]:
    return [entry.json_payload["message"] for entry in of(google, service, "stderr") if entry.HasField("json_payload")]


async def test_an_inner_request_has_a_line_of_its_own_in_the_callees_log(
    google: LocalGoogle, http: aiohttp.ClientSession
):
    assert await buy(google, http) == 200

    (outer,), (inner,) = of(google, "shop", "requests"), of(google, "stock", "requests")
    assert inner.http_request.request_url == f"{google.uri('stock')}/internal/left"
    assert inner.http_request.user_agent.startswith("python-httpx/")
    assert inner.http_request.latency.ToTimedelta() < outer.http_request.latency.ToTimedelta()
    assert inner.timestamp.ToNanoseconds() < outer.timestamp.ToNanoseconds()


@pytest.mark.parametrize("headers", [{}, HANDED])
async def test_caller_and_callee_share_the_trace_and_have_spans_of_their_own(
    google: LocalGoogle, http: aiohttp.ClientSession, headers: dict[str, str]
):
    await buy(google, http, **headers)

    (outer,), (inner,) = of(google, "shop", "requests"), of(google, "stock", "requests")
    assert outer.trace == inner.trace
    assert outer.trace.startswith(f"projects/acme-staging/traces/{TRACE if headers else ''}")
    assert len({outer.span_id, inner.span_id, "00f067aa0ba902b7"}) == 3
    assert outer.trace_sampled


async def test_what_an_app_logs_as_json_carries_the_requests_trace_and_plain_lines_none(
    google: LocalGoogle, http: aiohttp.ClientSession
):
    await buy(google, http, **HANDED)

    plain, logged = of(google, "stock", "stderr")
    (request,) = of(google, "stock", "requests")
    assert (plain.trace, plain.span_id) == ("", "")
    assert (logged.trace, logged.span_id) == (request.trace, request.span_id)


async def test_whoever_needs_a_dependency_fails_while_it_is_down(google: LocalGoogle, http: aiohttp.ClientSession):
    google.dependencies.take_down("postgres")
    during = await buy(google, http)
    async with http.get(f"{google.uri('shop')}/about") as answer:
        elsewhere = answer.status
    google.dependencies.bring_up("postgres")

    assert (during, elsewhere, await buy(google, http)) == (500, 200, 200)
    assert messages(google, "shop") == ["shop: 10.20.0.5 refused"]


async def test_a_caller_that_does_not_need_what_is_down_fails_by_its_callee(
    google: LocalGoogle, http: aiohttp.ClientSession
):
    google.images["shop:2"] = replace(SHOP, needs=())
    await google.deploy("shop", image="shop:2", by=DANA, wait=True)
    google.dependencies.take_down("postgres")

    assert await buy(google, http) == 502
    assert messages(google, "stock") == ["stock: 10.20.0.5 refused"]
    assert messages(google, "shop") == ["stock said 500 Internal Server Error"]


@pytest.mark.parametrize("body", ['{"remaining": 3}', "[3]", "3 left", ""])
async def test_a_callee_that_answers_200_with_something_else_fails_only_in_its_caller(
    google: LocalGoogle, http: aiohttp.ClientSession, body: str
):
    google.images["stock:2"] = replace(STOCK, answers={"/internal/left": (Answer(body),)})
    await google.deploy("stock", image="stock:2", by=DANA, wait=True)

    assert await buy(google, http) == 500
    assert [entry.http_request.status for entry in of(google, "stock", "requests")] == [200]
    assert messages(google, "shop") == ["no key 'left'"]


async def test_a_callee_that_is_not_there_gives_no_answer(google: LocalGoogle, http: aiohttp.ClientSession):
    lost = replace(SHOP, calls=tuple(replace(call, service="nowhere") for call in SHOP.calls))
    google.images["shop:2"] = lost
    await google.deploy("shop", image="shop:2", by=DANA, wait=True)

    assert await buy(google, http) == 502
    assert messages(google, "shop") == ["stock said no answer"]


async def test_a_request_that_fails_by_itself_asks_nobody(google: LocalGoogle, http: aiohttp.ClientSession):
    google.images["shop:2"] = replace(SHOP, fail_ratio=1.0, failure=says("own"))
    await google.deploy("shop", image="shop:2", by=DANA, wait=True)

    assert await buy(google, http) == 500
    assert of(google, "stock", "requests") == []
