"""Where `bot.ingest.test_run` puts what it received; each method is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from bot.model.suite import TestRun
from bot.store import test_runs
from bot.store.database import Database
from bot.store.inbox import DatabaseInbox


class DatabaseRunInbox:
    """Test runs with their reports, beside the deliveries of everything else."""

    def __init__(self, db: Database, deliveries: DatabaseInbox, now: Callable[[], datetime]) -> None:
        self._db, self._deliveries, self._now = db, deliveries, now

    async def receive(self, run: TestRun, delivery_id: str, parts: Iterable[bytes]) -> bool:
        """Store a run with its report. True: new; False: seen before, nothing was written."""
        async with self._db.begin() as session:
            return await test_runs.receive(session, run, delivery_id, parts, self._now())

    async def park(self, source: str, delivery_id: str, body: bytes, why: str) -> bool:
        """Keep an authentic delivery that nobody understands. True: new; False: parked before."""
        return await self._deliveries.park(source, delivery_id, body, why)
