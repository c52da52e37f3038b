"""What is known of suites, and their alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Conflict
from bot.model.suite import AlarmKind, SuiteAlarm, SuiteState
from bot.store.documents import dump, load
from bot.store.once import insert_once
from bot.store.tables import AlarmRow, SuiteRow


async def read(session: AsyncSession, suite: str, branch: str) -> tuple[SuiteState, bytes]:
    """(state without its tests, the tests for `packing.unpack_tests`); version 0 and b"" where nothing is known."""
    row = await session.get(SuiteRow, (suite, branch))
    if row is None:
        return SuiteState(suite, branch), b""
    return load(row.document, SuiteState), row.tests


async def save(session: AsyncSession, state: SuiteState, tests: bytes, *, expecting: int) -> None:
    """Args: expecting: the version that was read before. Raises Conflict: another run was recorded meanwhile."""
    known = replace(state, tests={})
    values: dict[str, object] = {
        "version": state.version,
        "latest_at": state.latest.at if state.latest else None,
        "document": dump(known),
        "tests": tests,
    }
    key = {"suite": state.suite, "branch": state.branch}
    if expecting == 0:
        done = await insert_once(session, SuiteRow, key | values)
    else:
        changed = await session.execute(
            update(SuiteRow)
            .where(SuiteRow.suite == state.suite, SuiteRow.branch == state.branch, SuiteRow.version == expecting)
            .values(**values)
            .returning(SuiteRow.suite)
        )
        done = changed.first() is not None
    if not done:
        raise Conflict(f"another run of {state.suite} on {state.branch} was recorded meanwhile")


async def branches(session: AsyncSession) -> Sequence[SuiteState]:
    """Every suite and branch that ever had a run, without their tests, those with the newest run first."""
    rows = await session.scalars(select(SuiteRow.document).order_by(SuiteRow.latest_at.desc()).limit(200))
    return [load(document, SuiteState) for document in rows]


async def open_alarms(session: AsyncSession, suite: str, branch: str) -> Mapping[AlarmKind, SuiteAlarm]:
    rows = await session.scalars(
        select(AlarmRow.document).where(
            AlarmRow.suite == suite, AlarmRow.branch == branch, AlarmRow.open_key.is_not(None)
        )
    )
    alarms = [load(document, SuiteAlarm) for document in rows]
    return {alarm.kind: alarm for alarm in alarms}


async def all_open(session: AsyncSession) -> tuple[SuiteAlarm, ...]:
    """Open alarms, the loudest and oldest first."""
    rows = await session.scalars(select(AlarmRow.document).where(AlarmRow.open_key.is_not(None)))
    alarms = [load(document, SuiteAlarm) for document in rows]
    return tuple(sorted(alarms, key=lambda alarm: (alarm.severity, alarm.opened_at, alarm.id)))


async def read_alarm(session: AsyncSession, alarm_id: str) -> SuiteAlarm | None:
    document = await session.scalar(select(AlarmRow.document).where(AlarmRow.id == alarm_id))
    return load(document, SuiteAlarm) if document else None


async def add_alarm(session: AsyncSession, alarm: SuiteAlarm) -> None:
    """Raises Conflict: one of this suite, branch and kind is open already."""
    session.add(
        AlarmRow(
            id=alarm.id,
            open_key=f"{alarm.suite}:{alarm.branch}:{alarm.kind}",
            suite=alarm.suite,
            branch=alarm.branch,
            opened_at=alarm.opened_at,
            version=alarm.version,
            document=dump(alarm),
        )
    )
    try:
        await session.flush()
    except IntegrityError as exc:
        raise Conflict(f"an alarm of {alarm.suite} on {alarm.branch} ({alarm.kind}) is open already") from exc


async def save_alarm(session: AsyncSession, alarm: SuiteAlarm) -> SuiteAlarm:
    """Write a changed alarm; its version grows by one. Raises Conflict: it was changed meanwhile."""
    saved = replace(alarm, version=alarm.version + 1)
    values: dict[str, object] = {"version": saved.version, "document": dump(saved)}
    if not saved.is_open:
        values["open_key"] = None
    changed = await session.execute(
        update(AlarmRow)
        .where(AlarmRow.id == alarm.id, AlarmRow.version == alarm.version)
        .values(**values)
        .returning(AlarmRow.id)
    )
    if changed.first() is None:
        raise Conflict(f"alarm {alarm.id} was changed meanwhile")
    return saved
