"""One look at a deployment: read → correlate → decide → store what is to be said.

Looks of one place never overlap in this process; between processes the database decides (one open incident per place
and kind, compare-and-set versions), and the loser's look is simply repeated a few seconds later.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from datetime import datetime, timedelta

from bot.decide import verdict
from bot.deps import Deps
from bot.errors import Conflict, Permanent, Retryable
from bot.model.catalog import Place
from bot.model.cloud_run import ServiceState
from bot.model.evidence import Gap, Window
from bot.model.incident import Incident
from bot.model.judgement import Health, IncidentKind, Verdict
from bot.store import inbox, incidents, places
from bot.store.places import LastLook
from bot.workflows import casebook, pictures
from bot.workflows.investigate import investigate_all
from bot.workflows.sight import Sight, count_requests

log = logging.getLogger(__name__)

LONGEST_WINDOW = timedelta(minutes=30)
"""A quiet service is given this long to show that it is well again."""


class Looker:
    """Looks at places; one instance per bot."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def look(self, place: Place) -> Sight:
        """Look once and store what follows from it. Raises nothing that a second look would not cure."""
        async with self._locks[place.key]:
            sight = await self._see(place)
            findings = await investigate_all(self._deps, sight)
            seen = LastLook(place.key, sight.at, sight.state, sight.verdicts, sight.gaps)
            resolved: tuple[Incident, ...] = ()
            try:
                resolved = await casebook.settle(self._deps, place, seen, findings, sight.counts)
            except Conflict as conflict:
                log.info("look.conflict", extra={"place": place.key, "why": str(conflict)})
            for incident in resolved:
                await pictures.show_the_whole(self._deps, place, incident)
            self._deps.wake_outbox()
            return sight

    async def _see(self, place: Place) -> Sight:
        now = self._deps.now()
        async with self._deps.db.read() as session:
            events = await inbox.of_place(session, place.key, now - timedelta(days=1))
            open_now = await incidents.open_at(session, place.key)
            ledger = await places.ledger(session, place.key)
        last_served = {row.name: row.last_served for row in ledger if row.last_served is not None}
        try:
            state = await self._deps.target.state(place)
        except (Retryable, Permanent) as error:
            log.warning("look.unreadable", extra={"place": place.key, "why": str(error)})
            gap = Gap("Cloud Run", str(error))
            blind = Verdict(Health.ERROR, IncidentKind.SERVING_FAILURE, "", f"could not measure: {error}", now)
            return Sight(place, now, None, gaps=(gap,), verdicts=(blind,), events=events, open_now=open_now)
        window = Window(now - place.detection.window, now)
        counts, gaps = await count_requests(self._deps, place, tuple(state.fact.serving), window)
        serving = verdict.judge_serving(state, counts, place.detection, now, gaps)
        serving = await self._with_patience(place, state, serving, open_now.get(IncidentKind.SERVING_FAILURE), now)
        verdicts = (*serving, verdict.judge_deploy(state, now))
        return Sight(place, now, state, counts, gaps, verdicts, events, open_now, last_served)

    async def _with_patience(
        self, place: Place, state: ServiceState, verdicts: tuple[Verdict, ...], known: Incident | None, now: datetime
    ) -> tuple[Verdict, ...]:
        """Where the usual window has too few requests, an open incident may end by all of them since it last failed."""
        unsure = any(found.health is Health.INCONCLUSIVE for found in verdicts)
        if known is None or known.last_seen is None or not unsure:
            return verdicts
        window = Window(max(known.last_seen, now - LONGEST_WINDOW), now)
        if now - window.start <= place.detection.window:
            return verdicts
        counts, gaps = await count_requests(self._deps, place, tuple(state.fact.serving), window)
        patient = verdict.judge_serving(state, counts, place.detection, now, gaps)
        better = {found.revision: found for found in patient if found.health is Health.HEALTHY}
        return tuple(
            better.get(found.revision, found) if found.health is Health.INCONCLUSIVE else found for found in verdicts
        )
