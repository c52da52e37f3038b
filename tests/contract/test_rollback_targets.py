"""What every rollback target must do, asked of each one over the wire against the local Google."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import grpc
import pytest
from support import values

from bot.act.cloud_run import CloudRun
from bot.act.dry_run import DryRun
from bot.act.plan import plan_split, served_equals
from bot.act.target import RollbackTarget, ShiftResult
from bot.errors import Conflict, Permanent, Retryable
from bot.gcp.clients import open_clients
from bot.gcp.config import GoogleConfig
from bot.model.cloud_run import TrafficSplit, TrafficTarget
from bot.sandbox.local_google import Image, LocalGoogle, Pace, Past

PLACE, GOOD = values.place(), values.GOOD
NAME, DANA = PLACE.deployment.cloud_run, "dana@acme.example"
FAST = Pace(
    provision=timedelta(milliseconds=1),
    startup_limit=timedelta(milliseconds=30),
    traffic_shift=timedelta(milliseconds=20),
)


@pytest.fixture
async def google() -> AsyncIterator[LocalGoogle]:
    """Revision 281 has served for days; 283 was deployed a moment ago and serves everything."""
    local = LocalGoogle(project=PLACE.deployment.project, region=PLACE.deployment.region, pace=FAST, seed=1)
    for number in (283, 284):
        local.images[f"acme/auth:{number}"] = Image(boot=(), startup_seconds=0.001)
    local.images["acme/auth:broken"] = Image(port=8081, startup_seconds=0.001)
    await local.start()
    await local.remember(NAME, Past(281, "kzq", values.NOON - timedelta(days=6), DANA, "acme/auth:281"))
    await local.deploy(NAME, image="acme/auth:283", by=DANA, suffix="qab", number=283, wait=True)
    yield local
    await local.stop()


@pytest.fixture(params=[CloudRun, DryRun])
async def target(request: pytest.FixtureRequest, google: LocalGoogle) -> AsyncIterator[RollbackTarget]:
    clients = await open_clients(GoogleConfig(endpoint=google.grpc_address, timeout=timedelta(milliseconds=400)))
    yield request.param(clients)
    await clients.close()


async def served(target: RollbackTarget) -> str:
    """Who serves when Cloud Run is done with whatever it was asked for."""
    async with asyncio.timeout(5):
        while (state := await target.state(PLACE)).reconciling:
            await asyncio.sleep(0.01)
    return str(state.fact)


def moves(target: RollbackTarget) -> bool:
    return isinstance(target, CloudRun)


def split_of(**shares: int) -> TrafficSplit:
    return values.split(**shares)


async def test_state_tells_the_split_that_is_served(target: RollbackTarget):
    state = await target.state(PLACE)

    assert served_equals(state.fact, split_of(bad=100))
    assert state.wish.follows_latest


async def test_a_shift_moves_traffic_unless_it_is_dry(target: RollbackTarget):
    state = await target.state(PLACE)

    result = await target.shift(PLACE, plan_split(state, GOOD), expecting=state.fact)

    assert result is (ShiftResult.SENT if moves(target) else ShiftResult.DRY_RUN)
    assert await served(target) == str(split_of(good=100) if moves(target) else split_of(bad=100))


async def test_a_shift_that_was_made_before_is_not_made_again(target: RollbackTarget, google: LocalGoogle):
    await google.set_traffic(NAME, {GOOD: 100}, by=DANA, wait=True)
    before = (await target.state(PLACE)).etag

    result = await target.shift(PLACE, split_of(good=100), expecting=split_of(bad=100))

    assert result is ShiftResult.ALREADY
    assert (await target.state(PLACE)).etag == before


async def test_traffic_that_drifted_is_a_conflict_that_names_both_splits(target: RollbackTarget, google: LocalGoogle):
    await google.set_traffic(NAME, {GOOD: 5, values.BAD: 95}, by=DANA, wait=True)

    with pytest.raises(Conflict, match=rf"then {values.BAD} 100 %; now {values.BAD} 95 %, {GOOD} 5 %"):
        await target.shift(PLACE, split_of(good=100), expecting=split_of(bad=100))

    assert await served(target) == f"{values.BAD} 95 %, {GOOD} 5 %"


async def test_another_revision_that_took_traffic_after_approval_is_a_conflict(
    target: RollbackTarget, google: LocalGoogle
):
    newer = await google.deploy(NAME, image="acme/auth:284", by=DANA, wait=True)

    with pytest.raises(Conflict, match=newer):
        await target.shift(PLACE, split_of(good=100), expecting=split_of(bad=100))

    assert await served(target) == f"{newer} 100 %"


async def test_a_revision_that_is_not_ready_never_gets_traffic(target: RollbackTarget, google: LocalGoogle):
    broken = await google.deploy(NAME, image="acme/auth:broken", by=DANA, wait=True)
    to = TrafficSplit((TrafficTarget(broken, 100),))

    with pytest.raises(Conflict, match=rf"{broken} is not ready \(HEALTH_CHECK_CONTAINER_ERROR\)"):
        await target.shift(PLACE, to, expecting=split_of(bad=100))


async def test_a_revision_that_is_gone_is_a_conflict(target: RollbackTarget):
    to = TrafficSplit((TrafficTarget("auth-service-00001-abc", 100),))

    with pytest.raises(Conflict, match=r"auth-service-00001-abc is not there any more"):
        await target.shift(PLACE, to, expecting=split_of(bad=100))


async def test_a_split_that_does_not_sum_to_100_is_never_sent(target: RollbackTarget):
    with pytest.raises(Permanent, match=r"does not give 100 %"):
        await target.shift(PLACE, split_of(good=40), expecting=split_of(bad=100))


async def test_google_down_is_retryable_and_moves_nothing(target: RollbackTarget, google: LocalGoogle):
    google.fail("run")

    with pytest.raises(Retryable, match=r"Cloud Run did not answer"):
        await target.shift(PLACE, split_of(good=100), expecting=split_of(bad=100))

    google.heal()
    assert await served(target) == str(split_of(bad=100))


async def test_no_permission_to_read_is_permanent(target: RollbackTarget, google: LocalGoogle):
    google.fail("Services", grpc.StatusCode.PERMISSION_DENIED)

    with pytest.raises(Permanent, match=r"--role=roles/run"):
        await target.state(PLACE)
