"""Approve, Reject, Acknowledge: who may, what becomes of it, and what a press too late is told. On both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from support.desk import desk, local_google
from support.values import catalog, incident, plan

from bot.decide.digest import plan_digest
from bot.deps import Deps
from bot.errors import Retryable, UserError
from bot.model.catalog import RollbackPolicy
from bot.model.incident import IncidentState, PlanState, RollbackPlan
from bot.store import audit, incidents, messages
from bot.store.database import Database
from commands import acknowledge, approve_rollback, reject_rollback
from commands.command import Ask, Desk

AVERY, OLIVE, OSCAR = "U0AVERY0001", "U0OLIVE0001", "U0OSCAR0001"


@dataclass
class Counter:
    """A desk whose rollbacks are counted instead of carried out."""

    deps: Deps
    started: list[str] = field(default_factory=list)

    @property
    def desk(self) -> Desk:
        return Desk(self.deps, self._start, self._start)

    async def _start(self, plan_id: str) -> None:
        self.started.append(plan_id)

    def with_rule(self, **rule) -> Counter:
        return Counter(replace(self.deps, catalog=catalog(**rule)))

    async def plan(self) -> RollbackPlan:
        async with self.deps.db.read() as session:
            found = await incidents.read_plan(session, "plan-1-1")
        assert found is not None
        return found


@pytest.fixture
async def counter(db: Database) -> AsyncIterator[Counter]:
    async with local_google() as google, desk(db, google) as deps:
        yield Counter(deps)


async def propose(counter: Counter, **fields) -> None:
    now = counter.deps.now()
    draft = plan(created_at=now, expires_at=now + timedelta(minutes=30), **fields)
    shown = replace(draft, digest=plan_digest(draft))
    async with counter.deps.db.begin() as session:
        opened = await incidents.add(session, incident(plan=shown))
        await messages.want_card(session, opened, "C0AUTHOPS01", now)


def by(user: str) -> Ask:
    return Ask(user, "C0AUTHOPS01")


async def test_an_approver_starts_the_rollback_once(counter: Counter) -> None:
    await propose(counter)

    await approve_rollback.run(by(AVERY), "plan-1-1", counter.desk)

    assert counter.started == ["plan-1-1"]
    assert (await counter.plan()).state is PlanState.APPROVED


async def test_two_presses_at_once_start_one_rollback_and_the_loser_is_told_who_decided(counter: Counter) -> None:
    await propose(counter)

    answers = await asyncio.gather(
        *(approve_rollback.run(by(AVERY), "plan-1-1", counter.desk) for _ in range(2)), return_exceptions=True
    )

    assert counter.started == ["plan-1-1"]
    (told,) = [str(answer) for answer in answers if isinstance(answer, UserError)]
    assert f"<@{AVERY}> approved it" in told


async def test_an_outsider_is_refused_and_it_is_on_record(counter: Counter) -> None:
    await propose(counter)

    with pytest.raises(UserError, match="Nothing was done"):
        await approve_rollback.run(by(OSCAR), "plan-1-1", counter.desk)

    assert counter.started == []
    async with counter.deps.db.read() as session:
        (row,) = await audit.of_object(session, "plan-1-1")
    assert (row.actor, row.action, row.outcome) == (OSCAR, "approve_rollback", "refused: not an approver")


async def test_nobody_listed_is_nobody(counter: Counter) -> None:
    await propose(counter)

    with pytest.raises(UserError, match="Nobody may"):
        await approve_rollback.run(by(AVERY), "plan-1-1", counter.with_rule(approvers=()).desk)


async def test_a_member_of_a_listed_group_may_approve(counter: Counter) -> None:
    await propose(counter)
    grouped = counter.with_rule(approvers=("S0APPROVERS",))

    async def members(group: str) -> frozenset[str]:
        return frozenset({OLIVE}) if group == "S0APPROVERS" else frozenset()

    knowing = Counter(replace(grouped.deps, members=members))
    await approve_rollback.run(by(OLIVE), "plan-1-1", knowing.desk)

    assert knowing.started == ["plan-1-1"]


async def test_a_slack_that_does_not_say_who_is_in_the_group_means_no(counter: Counter) -> None:
    await propose(counter)
    grouped = counter.with_rule(approvers=("S0APPROVERS",))

    async def silent(group: str) -> frozenset[str]:
        raise Retryable(f"no answer about {group}")

    unsure = Counter(replace(grouped.deps, members=silent))
    with pytest.raises(UserError, match="Nothing was done"):
        await approve_rollback.run(by(OLIVE), "plan-1-1", unsure.desk)

    assert unsure.started == []


async def test_two_approvers_means_two_different_people(counter: Counter) -> None:
    await propose(counter, policy=RollbackPolicy.TWO_APPROVERS)
    pair = counter.with_rule(policy=RollbackPolicy.TWO_APPROVERS, approvers=(AVERY, OLIVE))

    await approve_rollback.run(by(AVERY), "plan-1-1", pair.desk)
    with pytest.raises(UserError, match="somebody else"):
        await approve_rollback.run(by(AVERY), "plan-1-1", pair.desk)
    assert pair.started == []

    await approve_rollback.run(by(OLIVE), "plan-1-1", pair.desk)
    assert pair.started == ["plan-1-1"]


async def test_a_rejected_plan_cannot_be_approved_and_the_press_is_told_who_said_no(counter: Counter) -> None:
    await propose(counter)
    await reject_rollback.run(by(AVERY), "plan-1-1", counter.desk)

    with pytest.raises(UserError, match=f"<@{AVERY}> rejected"):
        await approve_rollback.run(by(AVERY), "plan-1-1", counter.desk)

    assert counter.started == []
    assert (await counter.plan()).state is PlanState.REJECTED


async def test_a_press_after_the_proposal_expired_moves_nothing(counter: Counter) -> None:
    await propose(counter)
    later = replace(counter.deps, now=lambda: counter.deps.now() + timedelta(hours=1))

    with pytest.raises(UserError, match="expired"):
        await approve_rollback.run(by(AVERY), "plan-1-1", Counter(later).desk)


async def test_a_button_of_an_unknown_plan_is_answered_kindly(counter: Counter) -> None:
    with pytest.raises(UserError, match="newest card"):
        await approve_rollback.run(by(AVERY), "'; DROP TABLE plans; --", counter.desk)


async def test_anybody_may_acknowledge_and_the_second_is_told_who_was_first(counter: Counter) -> None:
    await propose(counter)

    await acknowledge.run(by(OSCAR), "inc-1", counter.desk)
    with pytest.raises(UserError, match=f"<@{OSCAR}> acknowledged"):
        await acknowledge.run(by(AVERY), "inc-1", counter.desk)

    async with counter.deps.db.read() as session:
        found = await incidents.read(session, "inc-1")
    assert found is not None
    assert found.state is IncidentState.ACKNOWLEDGED
