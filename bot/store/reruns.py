"""Reruns of suites: who is first is decided by the database, so are the cap and the cooldown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.model.rerun import Rerun, RerunState
from bot.store.documents import dump, load
from bot.store.once import insert_once
from bot.store.tables import RerunRow

UNDER_WAY = (RerunState.REQUESTED, RerunState.STARTED)


async def add(session: AsyncSession, rerun: Rerun, *, at_once: int) -> bool:
    """Store a requested rerun. False: the same one is under way, or `at_once` others are; nothing was stored.

    Args:
        at_once: reruns of one suite that may be under way, ≥ 1.
    """
    values: dict[str, object] = {
        "id": rerun.id,
        "suite": rerun.suite,
        "state": rerun.state,
        "open_key": _key(rerun),
        "requested_at": rerun.requested_at,
        "ended_at": None,
        "document": dump(rerun),
    }
    for slot in range(at_once):
        if await insert_once(session, RerunRow, values | {"open_slot": f"{rerun.suite}:{slot}"}):
            return True
    return False


async def read(session: AsyncSession, rerun_id: str) -> Rerun | None:
    row = await session.get(RerunRow, rerun_id)
    return load(row.document, Rerun) if row else None


async def same_under_way(session: AsyncSession, rerun: Rerun) -> Rerun | None:
    """The one that makes this one unnecessary: same suite, mode and ref."""
    row = await session.scalar(select(RerunRow).where(RerunRow.open_key == _key(rerun)))
    return load(row.document, Rerun) if row else None


async def under_way(session: AsyncSession, suite: str | None = None) -> Sequence[Rerun]:
    """Those that have not ended, of one suite or of all, oldest first."""
    query = select(RerunRow).where(RerunRow.state.in_(UNDER_WAY)).order_by(RerunRow.requested_at, RerunRow.id)
    rows = await session.scalars(query if suite is None else query.where(RerunRow.suite == suite))
    return [load(row.document, Rerun) for row in rows]


async def last_ended(session: AsyncSession, suite: str) -> datetime | None:
    """When the last rerun of this suite ended; None: there was none."""
    return await session.scalar(select(func.max(RerunRow.ended_at)).where(RerunRow.suite == suite))


async def change(session: AsyncSession, rerun: Rerun, *, expecting: RerunState) -> bool:
    """Write it if it is still in this state; False: somebody else moved it on. An ended one frees its place."""
    over = rerun.state.is_over
    freed = {"open_key": None, "open_slot": None} if over else {}
    changed = await session.execute(
        update(RerunRow)
        .where(RerunRow.id == rerun.id, RerunRow.state == expecting)
        .values(state=rerun.state, ended_at=rerun.ended_at, document=dump(rerun), **freed)
        .returning(RerunRow.id)
    )
    return changed.first() is not None


def moved(rerun: Rerun, state: RerunState, now: datetime) -> Rerun:
    """The rerun in its next state, with the time of the change."""
    if state is RerunState.STARTED:
        return replace(rerun, state=state, started_at=now)
    return replace(rerun, state=state, ended_at=now, fraction=None)


def _key(rerun: Rerun) -> str:
    return f"{rerun.suite}:{rerun.mode}:{rerun.ref}"
