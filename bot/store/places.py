"""The ledger of revisions and the last look at each place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Conflict
from bot.model.cloud_run import ServiceState
from bot.model.evidence import Gap
from bot.model.judgement import Health, Verdict
from bot.store.documents import dump, load
from bot.store.tables import PlaceRow, RevisionRow


@dataclass(frozen=True)
class LastLook:
    """What the last look at a place saw.

    Attributes:
        state: None when Cloud Run could not be read.
        blind_since: when measuring began to fail, None while it works.
    """

    place: str
    at: datetime
    state: ServiceState | None
    verdicts: tuple[Verdict, ...] = ()
    gaps: tuple[Gap, ...] = ()
    blind_since: datetime | None = None

    @property
    def is_blind(self) -> bool:
        """True when something could not be measured."""
        return any(verdict.health is Health.ERROR for verdict in self.verdicts)


async def save_look(session: AsyncSession, look: LastLook) -> None:
    row = await session.get(PlaceRow, look.place)
    if row is None:
        session.add(PlaceRow(place=look.place, looked_at=look.at, document=dump(look)))
    else:
        row.looked_at, row.document = look.at, dump(look)
    await _flush(session, look.place)


async def _flush(session: AsyncSession, place: str) -> None:
    """Raises Conflict where another process saw the place or a revision for the first time at the same moment."""
    try:
        await session.flush()
    except IntegrityError as exc:
        raise Conflict(f"another look at {place} was stored meanwhile") from exc


async def last_looks(session: AsyncSession) -> Mapping[str, LastLook]:
    """By place key; a place that was never looked at is missing."""
    rows = await session.scalars(select(PlaceRow.document))
    looks = [load(document, LastLook) for document in rows]
    return {look.place: look for look in looks}


async def record_revisions(
    session: AsyncSession, place: str, state: ServiceState, now: datetime, failing: frozenset[str]
) -> None:
    """Add the time since the last look to the revisions that serve and do not fail.

    A gap of more than five minutes between looks is not counted: we were not there to see.
    """
    shares = state.fact.serving
    rows = {
        row.name: row for row in (await session.scalars(select(RevisionRow).where(RevisionRow.place == place))).all()
    }
    for revision in state.revisions:
        row = rows.get(revision.name)
        if row is None:
            row = RevisionRow(
                place=place,
                name=revision.name,
                created_at=revision.created_at,
                first_seen=now,
                last_seen=now,
                served_s=0.0,
                max_percent=0,
                incidents=0,
            )
            session.add(row)
        share = shares.get(revision.name, 0)
        if share and revision.name not in failing:
            elapsed = (now - row.last_seen).total_seconds()
            row.served_s += elapsed if elapsed <= 300 and row.last_served == row.last_seen else 0.0
            row.max_percent = max(row.max_percent, share)
            row.last_served = now
        row.last_seen = now
    await _flush(session, place)


async def ledger(session: AsyncSession, place: str) -> tuple[RevisionRow, ...]:
    """Rows of a place, newest revision first."""
    rows = await session.scalars(
        select(RevisionRow).where(RevisionRow.place == place).order_by(RevisionRow.created_at.desc()).limit(100)
    )
    return tuple(rows.all())


async def count_incident(session: AsyncSession, place: str, revision: str) -> None:
    await session.execute(
        update(RevisionRow)
        .where(RevisionRow.place == place, RevisionRow.name == revision)
        .values(incidents=RevisionRow.incidents + 1)
    )


async def claim_telling(session: AsyncSession, place: str, revision: str, now: datetime) -> bool:
    """True for the one caller who may tell that this revision's deploy went well."""
    claimed = await session.execute(
        update(RevisionRow)
        .where(RevisionRow.place == place, RevisionRow.name == revision, RevisionRow.told_at.is_(None))
        .values(told_at=now)
        .returning(RevisionRow.name)
    )
    return claimed.first() is not None
