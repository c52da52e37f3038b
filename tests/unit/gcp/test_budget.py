"""The read quota of Cloud Logging; no I/O, no waiting."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Retryable
from bot.gcp.budget import PER_MINUTE, RESERVE, URGENT, Bucket, Rate, ReadBudget, refill, take


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def budget(time: Time) -> ReadBudget:
    return ReadBudget(patience=timedelta(seconds=5), clock=lambda: time.now, sleep=time.sleep)


@given(st.lists(st.floats(0, 5), max_size=300))
def test_no_minute_sees_more_reads_than_the_quota(pauses: list[float]):
    rate, bucket, now = Rate(), Bucket(Rate().burst, 0.0), 0.0
    used_at: list[float] = []
    for pause in pauses:
        now += pause
        bucket, wait = take(bucket, rate, now)
        used_at.append(now + wait)

    for end, moment in enumerate(used_at):
        assert sum(moment - 60 < other <= moment for other in used_at[: end + 1]) <= PER_MINUTE + 1


@given(st.floats(-100, 100), st.floats(-100, 1e6), st.floats(-100, 1e6))
def test_a_bucket_never_overflows_and_never_leaks(tokens: float, at: float, now: float):
    rate = Rate()

    filled = refill(Bucket(min(tokens, rate.burst), at), rate, now)

    assert min(tokens, rate.burst) <= filled.tokens <= rate.burst
    assert filled.at >= at


async def test_a_burst_of_urgent_reads_is_spent_without_waiting(budget: ReadBudget, time: Time):
    for _ in range(Rate().burst):
        await budget.spend("acme-staging", urgent=True)

    assert time.slept == []


async def test_after_the_burst_the_urgent_wait_for_the_next_token(budget: ReadBudget, time: Time):
    for _ in range(Rate().burst + 1):
        await budget.spend("acme-staging", urgent=True)

    assert time.slept == [pytest.approx(1 / Rate().per_second)]


async def test_routine_reads_leave_the_last_tokens_to_the_urgent(budget: ReadBudget, time: Time):
    for _ in range(Rate().burst - URGENT):
        await budget.spend("acme-staging")
    routine_waited = list(time.slept)

    for _ in range(URGENT):
        await budget.spend("acme-staging", urgent=True)

    assert (routine_waited, time.slept) == ([], [])


async def test_a_routine_read_waits_until_more_is_there_than_the_urgent_may_need(budget: ReadBudget, time: Time):
    for _ in range(Rate().burst - URGENT + 1):
        await budget.spend("acme-staging")

    assert sum(time.slept) == pytest.approx(1 / Rate().per_second, abs=1e-3)


async def test_an_urgent_read_passes_a_routine_one_that_is_waiting(time: Time):
    order: list[str] = []

    async def sleep(seconds: float) -> None:
        time.now += seconds
        if len(order) < 2:
            await budget.spend("acme-staging", urgent=True)
            order.append("urgent")

    budget = ReadBudget(patience=timedelta(seconds=5), clock=lambda: time.now, sleep=sleep)
    for _ in range(Rate().burst - URGENT):
        await budget.spend("acme-staging")

    await budget.spend("acme-staging")
    order.append("routine")

    assert order == ["urgent", "urgent", "routine"]


async def test_a_routine_read_that_is_passed_again_and_again_gives_up_in_the_end(time: Time):
    async def sleep(seconds: float) -> None:
        time.now += seconds
        await budget.spend("acme-staging", urgent=True)

    budget = ReadBudget(patience=timedelta(seconds=5), clock=lambda: time.now, sleep=sleep)
    for _ in range(Rate().burst - URGENT):
        await budget.spend("acme-staging")

    with pytest.raises(Retryable, match=r"Cloud Logging's read quota is used up"):
        await budget.spend("acme-staging")
    assert time.now <= 1000 + 5


async def test_routine_reads_are_served_in_the_order_in_which_they_came():
    order: list[int] = []
    budget = ReadBudget(Rate(per_minute=60_000, burst=URGENT + 1))

    async def read(number: int) -> None:
        await budget.spend("acme-staging")
        order.append(number)

    async with asyncio.TaskGroup() as tasks:
        for number in range(5):
            tasks.create_task(read(number))

    assert order == [0, 1, 2, 3, 4]


async def test_a_line_that_is_too_long_is_refused_at_once():
    budget = ReadBudget(patience=timedelta(seconds=2.5))
    for _ in range(Rate().burst - URGENT):
        await budget.spend("acme-staging")
    waiting = asyncio.create_task(budget.spend("acme-staging"))
    await asyncio.sleep(0)

    with pytest.raises(Retryable) as refused:
        await budget.spend("acme-staging")

    waiting.cancel()
    assert refused.value.retry_after == pytest.approx(2 / Rate().per_second, abs=0.1)


async def test_a_wait_beyond_patience_is_refused_and_costs_nothing(budget: ReadBudget, time: Time):
    budget.empty("acme-staging")
    hurried = ReadBudget(patience=timedelta(0), clock=lambda: time.now, sleep=time.sleep)
    hurried.empty("acme-staging")

    with pytest.raises(Retryable, match=r"Cloud Logging's read quota is used up") as refused:
        await hurried.spend("acme-staging")
    with pytest.raises(Retryable) as again:
        await hurried.spend("acme-staging")

    until_spare = (URGENT + 1) / Rate().per_second
    assert refused.value.retry_after == again.value.retry_after == pytest.approx(until_spare, abs=1e-3)


async def test_projects_have_quotas_of_their_own(budget: ReadBudget, time: Time):
    budget.empty("acme-staging")

    await budget.spend("acme-prod")

    assert time.slept == []


async def test_a_reserve_is_left_for_those_who_have_not_read_anything(budget: ReadBudget):
    spare = 0
    while budget.spend_spare("acme-staging"):
        spare += 1

    assert spare == Rate().burst - RESERVE


async def test_what_trickles_in_can_be_spent_again(budget: ReadBudget, time: Time):
    budget.empty("acme-staging")
    time.now += 60

    await budget.spend("acme-staging")

    assert time.slept == []
