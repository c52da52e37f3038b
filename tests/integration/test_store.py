"""The books on both databases: once is once, the database picks the winner."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from support.values import NOON, catalog, incident, plan

from bot.errors import Conflict
from bot.model.event import DeployEvent, EventKind
from bot.model.incident import IncidentState, PlanState
from bot.model.judgement import Impact, ImpactInput, JourneyImpact, Range
from bot.store import inbox, incidents, messages
from bot.store.database import Database
from bot.store.migrations.filters import include_name
from bot.store.tables import Base


def event(number: int = 1, service: str = "auth-service") -> DeployEvent:
    return DeployEvent(
        id=f"webhook:d{number}",
        source="webhook",
        kind=EventKind.DEPLOY,
        project="acme-staging",
        region="us-central1",
        service=service,
        revision=None,
        at=NOON,
        received_at=NOON,
    )


async def test_the_same_delivery_is_stored_once_even_when_it_arrives_many_times_at_once(db: Database) -> None:
    box = inbox.DatabaseInbox(db, catalog(), lambda: NOON)

    answers = await asyncio.gather(*(box.take("webhook", "d1", b"{}", [event()]) for _ in range(8)))

    assert sorted(answers) == [False] * 7 + [True]
    async with db.read() as session:
        assert await inbox.untaken(session) == ["webhook:d1"]


async def test_an_event_of_an_unknown_service_is_kept_and_shown_but_waits_for_nobody(db: Database) -> None:
    box = inbox.DatabaseInbox(db, catalog(), lambda: NOON)

    await box.take("webhook", "d1", b"{}", [event(service="billing")])

    async with db.read() as session:
        assert await inbox.untaken(session) == []
        assert await inbox.unknown(session, NOON - timedelta(days=1)) == [("acme-staging", "billing")]


async def test_a_parked_delivery_is_kept_once_with_its_reason(db: Database) -> None:
    box = inbox.DatabaseInbox(db, catalog(), lambda: NOON)

    first = await box.park("pubsub", "m1", b"\xff", "not JSON")
    again = await box.park("pubsub", "m1", b"\xff", "not JSON")

    assert (first, again) == (True, False)
    async with db.read() as session:
        assert [row.parked_why for row in await inbox.parked(session, NOON - timedelta(days=1))] == ["not JSON"]


async def test_one_incident_is_open_per_place_and_kind_until_it_is_resolved(db: Database) -> None:
    async with db.begin() as session:
        first = await incidents.add(session, incident())
    with pytest.raises(Conflict):
        async with db.begin() as session:
            await incidents.add(session, incident(id="inc-2"))

    async with db.begin() as session:
        await incidents.save(session, _resolved(first))
        second = await incidents.add(session, incident(id="inc-2"))

    assert (first.number, second.number) == (1, 2)


def _resolved(which):
    from dataclasses import replace

    return replace(which, state=IncidentState.RESOLVED)


async def test_a_stale_copy_of_an_incident_cannot_overwrite_a_newer_one(db: Database) -> None:
    async with db.begin() as session:
        stale = await incidents.add(session, incident())
        await incidents.save(session, stale)

    with pytest.raises(Conflict):
        async with db.begin() as session:
            await incidents.save(session, stale)


async def test_of_many_who_advance_a_plan_at_once_exactly_one_wins(db: Database) -> None:
    async with db.begin() as session:
        await incidents.add(session, incident(plan=plan()))

    async def approve() -> bool:
        async with db.begin() as session:
            return await incidents.advance_plan(session, plan(state=PlanState.APPROVED), expecting=PlanState.PROPOSED)

    won = await asyncio.gather(*(approve() for _ in range(6)))

    assert sorted(won) == [False] * 5 + [True]


async def test_one_person_decides_once_on_a_plan(db: Database) -> None:
    async with db.begin() as session:
        await incidents.add(session, incident(plan=plan()))
        first = await incidents.decide(session, "plan-1-1", "U1", "approve_rollback", NOON)
        again = await incidents.decide(session, "plan-1-1", "U1", "approve_rollback", NOON)

    assert (first, again) == (True, False)


async def test_a_note_waits_until_its_card_is_in_slack(db: Database) -> None:
    async with db.begin() as session:
        stored = await incidents.add(session, incident())
        await messages.want_card(session, stored, "C1", NOON)
        await messages.add_note(session, stored, "opened", {}, "C1", NOON)
    assert await _due(db, NOON) == ["inc-1"]

    async with db.begin() as session:
        await messages.sent(session, "inc-1", version=1, ts="1.1", channel="C1", now=NOON, fell_back="")

    assert await _due(db, NOON) == ["inc-1:opened"]


async def test_a_newer_version_of_a_card_is_sent_after_the_older_one_and_edits_in_between_are_coalesced(
    db: Database,
) -> None:
    async with db.begin() as session:
        stored = await incidents.add(session, incident())
        await messages.want_card(session, stored, "C1", NOON)
        for _ in range(3):
            stored = await incidents.save(session, stored)
            await messages.want_card(session, stored, "C1", NOON)
        await messages.sent(session, "inc-1", version=1, ts="1.1", channel="C1", now=NOON, fell_back="")
    assert await _due(db, NOON) == ["inc-1"]

    async with db.begin() as session:
        await messages.sent(session, "inc-1", version=stored.version, ts="1.1", channel="C1", now=NOON, fell_back="")

    assert await _due(db, NOON) == []


async def test_a_message_is_claimed_by_one_sender_and_offered_again_when_the_lease_ends(db: Database) -> None:
    async with db.begin() as session:
        stored = await incidents.add(session, incident())
        await messages.want_card(session, stored, "C1", NOON)
    async with db.read() as session:
        (row,) = await messages.due(session, NOON)

    async def claim() -> bool:
        async with db.begin() as session:
            return await messages.claim(session, row, NOON, timedelta(seconds=30)) is not None

    assert sorted(await asyncio.gather(claim(), claim())) == [False, True]
    assert await _due(db, NOON + timedelta(seconds=29)) == []
    assert await _due(db, NOON + timedelta(seconds=30)) == ["inc-1"]


async def _due(db: Database, now: datetime) -> list[str]:
    async with db.read() as session:
        return [row.id for row in await messages.due(session, now)]


async def test_naive_datetimes_are_refused(db: Database) -> None:
    with pytest.raises(Exception, match="naive"):
        async with db.begin() as session:
            await incidents.decide(session, "plan-1-1", "U1", "x", datetime(2026, 1, 1))  # noqa: DTZ001


async def test_the_migrations_make_exactly_the_tables_of_the_code(db: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_name": include_name, "compare_type": False})
        return compare_metadata(context, Base.metadata)

    async with db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_what_was_stored_is_read_back_equal(db: Database) -> None:
    async with db.begin() as session:
        stored = await incidents.add(session, incident(plan=plan(), impact=_impact()))
    async with db.read() as session:
        assert await incidents.read(session, stored.id) == stored


def _impact() -> Impact:
    inputs = (ImpactInput("ARR", "500,000 USD", "catalog", as_of=NOON.date()), ImpactInput("x", "1", "log", NOON))
    journey = JourneyImpact("golden-path", "Sign in", Range(0.1, 0.2, 0.3), None, "arr_share")
    return Impact(True, (journey,), "USD", Range(1, 2, 3), inputs=inputs)
