"""One look at a deployment: read → correlate → decide → store what is to be said.

Looks of one place never overlap in this process; between processes the database decides (one open incident per place
and kind, compare-and-set versions), and the loser's look is simply repeated a few seconds later.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.correlate import Facts, diagnose, group
from bot.decide import impact, severity, verdict
from bot.decide.incident import Findings, credited, failed_streak
from bot.deps import Deps
from bot.errors import Conflict, Permanent, Retryable
from bot.model.catalog import Place
from bot.model.cloud_run import Revision, ServiceState
from bot.model.event import DeployEvent
from bot.model.evidence import ErrorGroup, Gap, LogEntry, RequestCount, Window
from bot.model.incident import Incident
from bot.model.judgement import Diagnosis, Health, IncidentKind, Verdict
from bot.store import inbox, incidents, places
from bot.store.places import LastLook
from bot.workflows import casebook

log = logging.getLogger(__name__)

ENTRIES_BEFORE = timedelta(seconds=30)
"""Entries are read from this long before the trouble began: a boot failure precedes the first failing request."""

LONGEST_WINDOW = timedelta(minutes=30)
"""A quiet service is given this long to show that it is well again."""

COMPARE_WINDOW = timedelta(minutes=3)
"""How much of the previous revision's traffic the card compares with."""

CUT = "the log is longer than is read at once"


@dataclass(frozen=True)
class Sight:
    """What was read about a place and what the verdicts are; `state` None: Cloud Run did not answer."""

    place: Place
    at: datetime
    state: ServiceState | None
    counts: dict[str, RequestCount] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    events: tuple[DeployEvent, ...] = ()
    open_now: dict[IncidentKind, Incident] = field(default_factory=dict)
    last_served: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """What the log entries of one failing revision came to."""

    groups: tuple[ErrorGroup, ...]
    diagnosis: Diagnosis | None
    before: RequestCount | None
    gaps: tuple[Gap, ...] = ()


class Looker:
    """Looks at places; one instance per bot."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def look(self, place: Place) -> Sight:
        """Look once and store what follows from it. Raises nothing that a second look would not cure."""
        async with self._locks[place.key]:
            sight = await self._see(place)
            unhealthy = [verdict_ for verdict_ in sight.verdicts if verdict_.health is Health.UNHEALTHY]
            findings = [await self._investigate(sight, verdict_) for verdict_ in unhealthy]
            seen = LastLook(place.key, sight.at, sight.state, sight.verdicts, sight.gaps)
            try:
                await casebook.settle(self._deps, place, seen, merged(findings), sight.counts)
            except Conflict as conflict:
                log.info("look.conflict", extra={"place": place.key, "why": str(conflict)})
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
        counts, gaps = await self._count(place, tuple(state.fact.serving), window)
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
        counts, gaps = await self._count(place, tuple(state.fact.serving), window)
        patient = verdict.judge_serving(state, counts, place.detection, now, gaps)
        better = {found.revision: found for found in patient if found.health is Health.HEALTHY}
        return tuple(
            better.get(found.revision, found) if found.health is Health.INCONCLUSIVE else found for found in verdicts
        )

    async def _count(
        self, place: Place, revisions: tuple[str, ...], window: Window
    ) -> tuple[dict[str, RequestCount], tuple[Gap, ...]]:
        if not revisions:
            return {}, ()
        try:
            return dict(await self._deps.count_requests(place, revisions, window)), ()
        except (Retryable, Permanent) as error:
            log.warning("look.requests_unread", extra={"place": place.key, "why": str(error)})
            return {}, (Gap("Cloud Logging", str(error)),)

    async def _investigate(self, sight: Sight, unhealthy: Verdict) -> Findings:
        """Everything the card tells about one unhealthy verdict."""
        state = sight.state
        assert state is not None  # noqa: S101 - only a read state can be unhealthy
        place, revision = sight.place, state.revision(unhealthy.revision)
        requests = sight.counts.get(unhealthy.revision)
        since = _since(sight, unhealthy, revision)
        failed, tried = failed_streak(state)
        blocked = unhealthy.kind is IncidentKind.DEPLOY_BLOCKED
        share = state.fact.serving.get(unhealthy.revision)
        revisions = failed if blocked else ((revision,) if revision else ())
        read = await self._read(sight, unhealthy, since, revision)
        return Findings(
            place=place,
            kind=unhealthy.kind,
            severity=severity.severity(self._deps.catalog, place, unhealthy.kind),
            at=sight.at,
            since=min([since, *(r.created_at for r in failed)]) if blocked else since,
            state=state,
            why=unhealthy.why,
            revisions=tuple(credited(r, state, sight.events) for r in revisions),
            attempts=tried if blocked else 0,
            failed_attempts=len(failed) if blocked else 0,
            impact=impact.estimate(
                self._deps.catalog,
                place.service_key,
                unhealthy.kind,
                requests,
                share if not blocked else sum(state.fact.serving.values()),
                sight.at,
            ),
            diagnosis=read.diagnosis,
            requests=requests,
            before=read.before,
            previous_good=None if blocked else _previous(sight, unhealthy.revision),
            groups=read.groups,
            gaps=(*sight.gaps, *read.gaps),
        )

    async def _read(self, sight: Sight, unhealthy: Verdict, since: datetime, revision: Revision | None) -> Read:
        """The log entries behind a verdict, correlated; what is known and fresh is not read again (reads are few)."""
        known = sight.open_now.get(unhealthy.kind)
        if known is not None and _fresh(known, unhealthy.revision, sight.at, self._deps.watch.refresh_after):
            still_cut = tuple(gap for gap in known.gaps if gap.why.startswith(CUT))
            return Read(known.groups, known.diagnosis, known.before, still_cut)
        since = since if known is None else min(since, known.since)  # counts and first-seen never start anew
        entries, gaps = await self._entries(sight.place, unhealthy.revision, since, sight)
        groups, causes = await asyncio.to_thread(_correlate, entries, self._facts(sight, revision))
        before = known.before if known is not None else None
        if before is None and unhealthy.kind is IncidentKind.SERVING_FAILURE and sight.state is not None:
            before = await self._before(sight.place, _previous(sight, unhealthy.revision), revision)
        return Read(groups, causes[0] if causes else None, before, gaps)

    def _facts(self, sight: Sight, revision: Revision | None) -> Facts:
        if revision is None or sight.state is None:
            return Facts()
        commit = credited(revision, sight.state, sight.events).commit
        return Facts.of(revision, required_env=sight.place.service.requires_env, commit=commit)

    async def _entries(
        self, place: Place, revision: str, since: datetime, sight: Sight
    ) -> tuple[list[LogEntry], tuple[Gap, ...]]:
        window = Window(since - ENTRIES_BEFORE, sight.at + timedelta(seconds=5))
        try:
            entries, complete = await self._deps.read_entries(place, revision, window)
        except (Retryable, Permanent) as error:
            log.warning("look.entries_unread", extra={"place": place.key, "why": str(error)})
            gap = Gap("Cloud Logging", str(error))
            return [], () if gap in sight.gaps else (gap,)
        if complete:
            return entries, ()
        cut = f"{CUT}: errors are counted in its first {len(entries):,} entries"
        return entries, (Gap("Cloud Logging", cut),)

    async def _before(self, place: Place, previous: str | None, revision: Revision | None) -> RequestCount | None:
        """What the previous revision did in the minutes before this one came; None where nobody knows."""
        if revision is None or previous is None:
            return None
        window = Window(revision.created_at - COMPARE_WINDOW, revision.created_at)
        counts, _gaps = await self._count(place, (previous,), window)
        found = counts.get(previous)
        return found if found is not None and found.total else None


def _since(sight: Sight, unhealthy: Verdict, revision: Revision | None) -> datetime:
    requests = sight.counts.get(unhealthy.revision)
    if unhealthy.kind is IncidentKind.SERVING_FAILURE and requests is not None and requests.first_failure:
        return requests.first_failure
    return revision.created_at if revision is not None else sight.at


def _previous(sight: Sight, failing: str) -> str | None:
    """The revision that served before the failing one: as the bot saw it, else the newest ready one created before."""
    state = sight.state
    failed = state.revision(failing) if state else None
    if state is None or failed is None:
        return None
    others = [r for r in state.revisions if r.name != failing and r.ready]
    seen = [r for r in others if r.name in sight.last_served]
    if seen:
        return max(seen, key=lambda r: sight.last_served[r.name]).name
    older = [r for r in others if r.created_at < failed.created_at]
    return max(older, key=lambda r: r.created_at).name if older else None


def _fresh(known: Incident, revision: str, now: datetime, refresh_after: timedelta) -> bool:
    """True when this incident's evidence about this revision is there and young."""
    return (
        known.last_seen is not None
        and now - known.last_seen < refresh_after
        and known.diagnosis is not None
        and any(failing.name == revision for failing in known.revisions)
    )


def _correlate(entries: list[LogEntry], facts: Facts) -> tuple[tuple[ErrorGroup, ...], list[Diagnosis]]:
    return group(entries), diagnose(entries, facts)


def merged(findings: list[Findings]) -> tuple[Findings, ...]:
    """One problem per kind: two serving revisions that fail at once are one incident, told by the worse one."""
    worst: dict[IncidentKind, Findings] = {}
    for found in sorted(findings, key=lambda f: f.requests.failed if f.requests else 0):
        joined = worst[found.kind].revisions if found.kind in worst else ()
        worst[found.kind] = replace(found, revisions=(*found.revisions, *joined))
    return tuple(worst.values())
