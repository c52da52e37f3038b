"""Moving traffic when the wire or other people get in the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import grpc
import pytest
from support import values

from bot.act.cloud_run import CloudRun
from bot.act.plan import plan_split
from bot.act.target import ShiftResult
from bot.errors import Conflict, Permanent, Retryable
from bot.gcp.clients import open_clients
from bot.gcp.config import GoogleConfig
from bot.gcp.run import write_traffic
from bot.model.cloud_run import TrafficSplit, TrafficTarget
from bot.sandbox.local_google import Image, LocalGoogle, Pace, Past

PLACE, GOOD, BAD = values.place(), values.GOOD, values.BAD
NAME, DANA = PLACE.deployment.cloud_run, "dana@acme.example"
TO_GOOD, ALL_BAD = values.split(good=100), values.split(bad=100)
PACE = Pace(provision=timedelta(milliseconds=1), traffic_shift=timedelta(milliseconds=20))


@pytest.fixture
async def google() -> AsyncIterator[LocalGoogle]:
    local = LocalGoogle(project=PLACE.deployment.project, region=PLACE.deployment.region, pace=PACE, seed=1)
    for number in (283, 284):
        local.images[f"acme/auth:{number}"] = Image(boot=(), startup_seconds=0.001)
    await local.start()
    await local.remember(NAME, Past(281, "kzq", values.NOON - timedelta(days=6), DANA, "acme/auth:281"))
    await local.deploy(NAME, image="acme/auth:283", by=DANA, suffix="qab", number=283, wait=True)
    yield local
    await local.stop()


@pytest.fixture
async def target(google: LocalGoogle) -> AsyncIterator[CloudRun]:
    clients = await open_clients(GoogleConfig(endpoint=google.grpc_address, timeout=timedelta(milliseconds=400)))
    yield CloudRun(clients)
    await clients.close()


def updates(google: LocalGoogle) -> int:
    """How many changes the bot's calls have begun, by the audit log."""
    return sum(
        b"google.cloud.run.v2.Services.UpdateService" in entry.proto_payload.value and entry.operation.first
        for entry in google.logs.entries(PLACE.deployment.project)
    )


async def settled(target: CloudRun) -> Any:
    async with asyncio.timeout(5):
        while (state := await target.state(PLACE)).reconciling:
            await asyncio.sleep(0.01)
    return state


class BeforeEachWrite:
    """Somebody else is faster: after the bot has read, before it writes."""

    def __init__(self, target: CloudRun, disturb: Callable[[], Awaitable[None]]) -> None:
        self._services = target.clients.services
        self._disturb = disturb

    async def update_service(self, *args: Any, **kwargs: Any) -> Any:
        await self._disturb()
        return await self._services.update_service(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._services, name)


def disturbed(target: CloudRun, disturb: Callable[[], Awaitable[None]]) -> CloudRun:
    return CloudRun(replace(target.clients, services=BeforeEachWrite(target, disturb)))


async def test_an_answer_lost_after_the_change_took_place_is_not_sent_again(google: LocalGoogle, target: CloudRun):
    google.fail("UpdateService", times=1, after_effect=True)
    sent: list[str] = []

    async def count() -> None:
        sent.append("once")

    result = await disturbed(target, count).shift(PLACE, TO_GOOD, expecting=ALL_BAD)

    assert result is ShiftResult.SENT
    assert str((await settled(target)).fact) == f"{GOOD} 100 %"
    assert sent == ["once"]


async def test_a_request_that_never_arrived_is_sent_again(google: LocalGoogle, target: CloudRun):
    google.fail("UpdateService", times=1)

    result = await target.shift(PLACE, TO_GOOD, expecting=ALL_BAD)

    assert result is ShiftResult.SENT
    assert str((await settled(target)).fact) == f"{GOOD} 100 %"


async def test_a_service_that_cannot_be_changed_now_is_retryable_after_three_attempts(
    google: LocalGoogle, target: CloudRun
):
    google.fail("UpdateService", times=3)

    with pytest.raises(Retryable, match=r"Cloud Run is not available"):
        await target.shift(PLACE, TO_GOOD, expecting=ALL_BAD)

    assert (await settled(target)).wish.follows_latest


async def test_a_stale_etag_is_read_again_and_decided_again(google: LocalGoogle, target: CloudRun):
    once = iter([True])

    async def pin_what_serves() -> None:
        if next(once, False):
            await google.set_traffic(NAME, {BAD: 100}, by=DANA, wait=True)

    result = await disturbed(target, pin_what_serves).shift(PLACE, TO_GOOD, expecting=ALL_BAD)

    assert result is ShiftResult.SENT
    assert str((await settled(target)).fact) == f"{GOOD} 100 %"


async def test_a_stale_etag_from_somebody_elses_shift_is_a_conflict(google: LocalGoogle, target: CloudRun):
    async def half_and_half() -> None:
        await google.set_traffic(NAME, {GOOD: 50, BAD: 50}, by=DANA, wait=True)

    with pytest.raises(Conflict, match=r"now auth-service-00281-kzq 50 %, auth-service-00283-qab 50 %"):
        await disturbed(target, half_and_half).shift(PLACE, TO_GOOD, expecting=ALL_BAD)

    assert updates(google) == 0


async def test_somebody_who_rolled_back_first_leaves_nothing_to_do(google: LocalGoogle, target: CloudRun):
    async def roll_back() -> None:
        await google.set_traffic(NAME, {GOOD: 100}, by=DANA, wait=True)

    assert await disturbed(target, roll_back).shift(PLACE, TO_GOOD, expecting=ALL_BAD) is ShiftResult.ALREADY
    assert updates(google) == 0


async def test_a_service_that_changes_all_the_time_is_given_up(google: LocalGoogle, target: CloudRun):
    pins = iter([{BAD: 100}, {"LATEST": 100}, {BAD: 100}])

    async def pin_or_release() -> None:
        await google.set_traffic(NAME, next(pins), by=DANA, wait=True)

    with pytest.raises(Conflict, match=r"version '.*' was specified but current version is"):
        await disturbed(target, pin_or_release).shift(PLACE, TO_GOOD, expecting=ALL_BAD)


async def test_a_shift_begun_before_a_crash_is_not_begun_again(google: LocalGoogle, target: CloudRun):
    await target.shift(PLACE, TO_GOOD, expecting=ALL_BAD)

    result = await target.shift(PLACE, TO_GOOD, expecting=ALL_BAD)

    assert result is ShiftResult.ALREADY
    assert updates(google) == 1


async def test_two_at_once_make_one_shift(google: LocalGoogle, target: CloudRun):
    results = await asyncio.gather(*(target.shift(PLACE, TO_GOOD, expecting=ALL_BAD) for _ in range(2)))

    assert sorted(results) == [ShiftResult.ALREADY, ShiftResult.SENT]
    assert updates(google) == 1


async def test_tags_set_after_the_plan_was_made_are_kept(google: LocalGoogle, target: CloudRun):
    plan = plan_split(await target.state(PLACE), GOOD)
    preview = await google.deploy(NAME, image="acme/auth:284", by=DANA, suffix="prv", traffic="tag:preview", wait=True)

    await target.shift(PLACE, plan, expecting=ALL_BAD)

    state = await settled(target)
    assert state.wish.tags == (TrafficTarget(preview, 0, "preview"),)
    assert str(state.fact) == f"{GOOD} 100 %"


async def test_the_shift_writes_nothing_but_traffic(google: LocalGoogle, target: CloudRun):
    before = await target.state(PLACE)

    await target.shift(PLACE, TO_GOOD, expecting=ALL_BAD)

    after = await settled(target)
    assert [r.name for r in after.revisions] == [r.name for r in before.revisions]
    assert after.latest_created == before.latest_created


async def test_without_permission_nothing_moves_and_the_needed_role_is_named(google: LocalGoogle, target: CloudRun):
    google.fail("UpdateService", grpc.StatusCode.PERMISSION_DENIED)

    with pytest.raises(Permanent, match=r"--role=roles/run.developer"):
        await target.shift(PLACE, TO_GOOD, expecting=ALL_BAD)


async def test_a_change_that_cloud_run_accepts_and_cannot_make_leaves_users_where_they_were(
    google: LocalGoogle, target: CloudRun
):
    gone = TrafficSplit((TrafficTarget("auth-service-00001-abc", 100),))
    state = await target.state(PLACE)

    await write_traffic(target.clients, PLACE, gone, etag=state.etag)

    state = await settled(target)
    assert str(state.fact) == f"{BAD} 100 %"
    assert state.failed
    assert "auth-service-00001-abc" in state.message
