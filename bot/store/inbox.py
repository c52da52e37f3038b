"""Deliveries and the events in them: stored before anybody is answered, the same delivery only once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.model.catalog import Catalog
from bot.model.event import DeployEvent
from bot.store.database import Database
from bot.store.documents import dump, load
from bot.store.once import insert_once
from bot.store.tables import DeliveryRow, EventRow


class DatabaseInbox:
    """Where `bot.ingest` puts what it received; each method is one transaction.

    Args:
        find_place: (project, region, service) → key of the place, None when it is not in the catalog.
    """

    def __init__(self, db: Database, catalog: Catalog, now: Callable[[], datetime]) -> None:
        self._db = db
        self._catalog = catalog
        self._now = now

    async def take(self, source: str, delivery_id: str, body: bytes, events: list[DeployEvent]) -> bool:
        """Store a delivery with its events. True: new; False: seen before, nothing was written."""
        async with self._db.begin() as session:
            if not await insert_once(session, DeliveryRow, self._delivery(source, delivery_id, body, None)):
                return False
            for event in events:
                place = self._catalog.find(event.project, event.region, event.service)
                await insert_once(
                    session,
                    EventRow,
                    {
                        "id": event.id,
                        "project": event.project,
                        "service": event.service,
                        "at": event.at,
                        "place": place.key if place else None,
                        "taken_at": None if place else self._now(),
                        "document": dump(event),
                    },
                )
            return True

    async def park(self, source: str, delivery_id: str, body: bytes, why: str) -> bool:
        """Keep an authentic but malformed delivery for a person. True: new; False: parked before."""
        async with self._db.begin() as session:
            return await insert_once(session, DeliveryRow, self._delivery(source, delivery_id, body, why))

    def _delivery(self, source: str, delivery_id: str, body: bytes, why: str | None) -> dict[str, object]:
        return {
            "source": source,
            "delivery_id": delivery_id,
            "received_at": self._now(),
            "parked_why": why,
            "body": body,
        }


async def untaken(session: AsyncSession) -> Sequence[str]:
    """Ids of events in the catalog whose workflow has not finished with them, oldest first."""
    rows = await session.scalars(select(EventRow.id).where(EventRow.taken_at.is_(None)).order_by(EventRow.at))
    return rows.all()


async def read(session: AsyncSession, event_id: str) -> tuple[DeployEvent, str | None] | None:
    """(event, key of its place or None); None when there is no such event."""
    row = await session.get(EventRow, event_id)
    return (load(row.document, DeployEvent), row.place) if row else None


async def mark_taken(session: AsyncSession, event_id: str, now: datetime) -> None:
    await session.execute(update(EventRow).where(EventRow.id == event_id).values(taken_at=now))


async def of_place(session: AsyncSession, place: str, since: datetime) -> tuple[DeployEvent, ...]:
    """Events about a place since a moment, newest first, at most 200."""
    rows = await session.scalars(
        select(EventRow.document)
        .where(EventRow.place == place, EventRow.at >= since)
        .order_by(EventRow.at.desc(), EventRow.id)
        .limit(200)
    )
    return tuple(load(document, DeployEvent) for document in rows)


async def of_secrets(session: AsyncSession, project: str, since: datetime) -> tuple[DeployEvent, ...]:
    """Changes of secrets of a project since a moment, newest first, at most 200."""
    rows = await session.scalars(
        select(EventRow.document)
        .where(EventRow.project == project, EventRow.service == "", EventRow.at >= since)
        .order_by(EventRow.at.desc(), EventRow.id)
        .limit(200)
    )
    return tuple(load(document, DeployEvent) for document in rows)


async def parked(session: AsyncSession, since: datetime) -> Sequence[DeliveryRow]:
    """Deliveries nobody could read, newest first, at most 20."""
    rows = await session.scalars(
        select(DeliveryRow)
        .where(DeliveryRow.parked_why.is_not(None), DeliveryRow.received_at >= since)
        .order_by(DeliveryRow.received_at.desc())
        .limit(20)
    )
    return rows.all()


async def unknown(session: AsyncSession, since: datetime) -> Sequence[tuple[str, str]]:
    """(project, service) of events about services that are not in the catalog."""
    rows = await session.execute(
        select(EventRow.project, EventRow.service)
        .where(EventRow.place.is_(None), EventRow.service != "", EventRow.at >= since)
        .distinct()
        .order_by(EventRow.project, EventRow.service)
        .limit(20)
    )
    return [(project, service) for project, service in rows]


async def forget(session: AsyncSession, now: datetime, keep: timedelta) -> None:
    """Delete deliveries and finished events older than `keep`: Pub/Sub redelivers for 7 days at most."""
    await session.execute(delete(DeliveryRow).where(DeliveryRow.received_at < now - keep))
    await session.execute(delete(EventRow).where(EventRow.taken_at.is_not(None), EventRow.at < now - keep))
