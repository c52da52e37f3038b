"""Everything a card tells about one unhealthy verdict: what is logged, what is new about it, whose fault it is.

Readings cost: Cloud Logging allows sixty a minute. What is known and fresh is not read again, and what an incident is
compared with is read once.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.correlate import Facts, diagnose, group
from bot.correlate.merging import merged as merged_groups
from bot.correlate.novelty import compare, observed, requests_within
from bot.decide import impact, severity
from bot.decide.incident import Findings, credited, failed_streak
from bot.deps import Deps
from bot.errors import Permanent, Retryable
from bot.model.bookmark import Bookmark
from bot.model.catalog import Place
from bot.model.cloud_run import Revision
from bot.model.evidence import ErrorGroup, Gap, LogEntry, RequestCount, Window
from bot.model.incident import Incident, ReadTo
from bot.model.judgement import Diagnosis, IncidentKind, Verdict
from bot.model.novelty import Baseline, Novelty, Observed
from bot.workflows.attribute import Attributed, attribute_rise, read_points
from bot.workflows.sight import Sight, count_requests

log = logging.getLogger(__name__)

ENTRIES_BEFORE = timedelta(seconds=30)
"""Entries are read from this long before the trouble began: a boot failure precedes the first failing request."""

COMPARE_WINDOW = timedelta(minutes=3)
"""How much of the previous revision's traffic the card compares with."""

SHORTEST_BASELINE, LONGEST_BASELINE = timedelta(minutes=5), timedelta(minutes=30)
"""How much of the time before is read for what was known already."""

UNKNOWN = "unknown"

CUT = "the log is longer than is read at once"


@dataclass(frozen=True)
class Said:
    """What the log entries of one failing revision came to, so far."""

    groups: tuple[ErrorGroup, ...] = ()
    diagnosis: Diagnosis | None = None
    read_to: ReadTo | None = None
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True)
class Read:
    """All that was read, or is still known, about one failing revision."""

    groups: tuple[ErrorGroup, ...]
    diagnosis: Diagnosis | None
    before: RequestCount | None
    attributed: Attributed = field(default_factory=Attributed)
    baseline: Baseline | None = None
    novelty: tuple[Novelty, ...] = ()
    read_to: ReadTo | None = None
    gaps: tuple[Gap, ...] = ()


async def investigate(deps: Deps, sight: Sight, unhealthy: Verdict) -> Findings:
    """Everything the card tells about one unhealthy verdict. What could not be read is a gap, never an error."""
    state = sight.state
    assert state is not None  # noqa: S101 - only a read state can be unhealthy
    place, revision = sight.place, state.revision(unhealthy.revision)
    requests = sight.counts.get(unhealthy.revision)
    since = _since(sight, unhealthy, revision)
    failed, tried = failed_streak(state)
    blocked = unhealthy.kind is IncidentKind.DEPLOY_BLOCKED
    share = state.fact.serving.get(unhealthy.revision)
    revisions = failed if blocked else ((revision,) if revision else ())
    read = await _read(deps, sight, unhealthy, since, revision)
    return Findings(
        place=place,
        kind=unhealthy.kind,
        severity=severity.severity(deps.catalog, place, unhealthy.kind),
        at=sight.at,
        since=min([since, *(r.created_at for r in failed)]) if blocked else since,
        state=state,
        why=unhealthy.why,
        revisions=tuple(credited(r, state, sight.events) for r in revisions),
        attempts=tried if blocked else 0,
        failed_attempts=len(failed) if blocked else 0,
        impact=impact.estimate(
            deps.catalog,
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
        gaps=tuple(dict.fromkeys((*sight.gaps, *read.gaps))),
        attribution=read.attributed.attribution,
        elsewhere=read.attributed.elsewhere,
        novelty=read.novelty,
        baseline=read.baseline,
        attributed_at=read.attributed.at,
        read_to=read.read_to,
        series=read.attributed.series,
    )


async def _read(deps: Deps, sight: Sight, unhealthy: Verdict, since: datetime, revision: Revision | None) -> Read:
    """What the logs tell of a verdict, correlated; what is known and fresh is not read again (reads are few)."""
    known = sight.open_now.get(unhealthy.kind)
    if known is not None and _fresh(known, unhealthy.revision, sight.at, deps.watch.refresh_after):
        still_cut = tuple(gap for gap in known.gaps if gap.why.startswith(CUT))
        return Read(known.groups, known.diagnosis, known.before, gaps=still_cut)
    since = since if known is None else min(since, known.since)  # counts and first-seen never start anew
    reading = _said(deps, sight, known, since, revision, unhealthy.revision)
    if unhealthy.kind is IncidentKind.DEPLOY_BLOCKED:
        said = await reading  # it never served: there is nothing to compare with, and nobody else to suspect
        return Read(said.groups, said.diagnosis, None, read_to=said.read_to, gaps=said.gaps)
    previous = _previous(sight, unhealthy.revision)
    said, attributed, baseline, before = await asyncio.gather(
        reading,
        attribute_rise(deps, sight, known, since, revision),
        _baseline(deps, sight, known, previous, since, revision),
        _before(deps, sight.place, known, previous, revision),
    )
    window = Window(since - ENTRIES_BEFORE, sight.at)
    requests = requests_within(window, unhealthy.revision, attributed.points, sight.counts.get(unhealthy.revision))
    return Read(
        said.groups,
        next(iter(attributed.causes), said.diagnosis),
        before,
        attributed,
        baseline,
        compare(said.groups, window, requests, baseline),
        said.read_to,
        tuple(dict.fromkeys((*said.gaps, *attributed.gaps))),
    )


async def _said(
    deps: Deps, sight: Sight, known: Incident | None, since: datetime, revision: Revision | None, name: str
) -> Said:
    """The revision's log from where the last look left off, added to what was counted until there."""
    until = known.read_to if known is not None and known.read_to and known.read_to.revision == name else None
    before = Said(known.groups, known.diagnosis, until) if known is not None and until is not None else Said()
    window = Window(since - ENTRIES_BEFORE, sight.at + timedelta(seconds=5))
    try:
        entries, complete = await deps.read_entries(sight.place, name, until.mark.rest(window) if until else window)
    except (Retryable, Permanent) as error:
        log.warning("look.entries_unread", extra={"place": sight.place.key, "why": str(error)})
        return replace(before, gaps=(Gap("Cloud Logging", str(error)),))
    fresh = until.mark.unread(entries) if until else entries
    groups, causes = await asyncio.to_thread(_correlate, fresh, _facts(sight, revision))
    mark = Bookmark.after(entries)
    return Said(
        merged_groups(before.groups, groups),
        _surer(before.diagnosis, next(iter(causes), None)),
        ReadTo(name, mark) if mark else until,
        ()
        if complete
        else (Gap("Cloud Logging", f"{CUT}: errors are counted up to {_clock(entries)}, the rest follows"),),
    )


def _correlate(entries: list[LogEntry], facts: Facts) -> tuple[tuple[ErrorGroup, ...], list[Diagnosis]]:
    return group(entries), diagnose(entries, facts)


def _surer(known: Diagnosis | None, found: Diagnosis | None) -> Diagnosis | None:
    """What follows from a cause must not replace it: later entries change a diagnosis only by being surer."""
    if known is None or found is None:
        return known or found
    return found if (found.code != UNKNOWN, found.confidence) > (known.code != UNKNOWN, known.confidence) else known


def _clock(entries: list[LogEntry]) -> str:
    return f"{entries[-1].at:%H:%M:%S} UTC" if entries else "nowhere"


def _facts(sight: Sight, revision: Revision | None) -> Facts:
    if revision is None or sight.state is None:
        return Facts()
    commit = credited(revision, sight.state, sight.events).commit
    return Facts.of(revision, required_env=sight.place.service.requires_env, commit=commit)


async def _baseline(
    deps: Deps, sight: Sight, known: Incident | None, previous: str | None, since: datetime, revision: Revision | None
) -> Baseline:
    """What was logged before the failing revision came; read once an incident. What cannot be read is left out: then
    less is known to be new, and nothing is called new for it.
    """
    if known is not None and known.baseline is not None:
        return known.baseline
    if revision is None or previous is None:
        return Baseline()
    length = min(max(sight.at - since, SHORTEST_BASELINE), LONGEST_BASELINE)
    came = revision.ready_at or revision.created_at
    day = timedelta(days=1)
    last_good, same_hours = await asyncio.gather(
        _last_good(deps, sight.place, previous, Window(came - length, came)),
        _same_hours(deps, sight.place, Window(sight.at - length - day, sight.at - day)),
    )
    return Baseline(last_good, same_hours)


async def _last_good(deps: Deps, place: Place, revision: str, window: Window) -> Observed | None:
    try:
        entries, complete = await deps.read_entries(place, revision, window)
    except (Retryable, Permanent) as error:
        log.warning("look.baseline_unread", extra={"place": place.key, "why": str(error)})
        return None
    points = (await read_points(deps, place, window))[0]
    groups = await asyncio.to_thread(group, entries)
    return observed(groups, window, requests_within(window, revision, points, None), complete=complete)


async def _same_hours(deps: Deps, place: Place, window: Window) -> Observed | None:
    try:
        entries, complete = await deps.read_errors(place, window)
    except (Retryable, Permanent) as error:
        log.warning("look.yesterday_unread", extra={"place": place.key, "why": str(error)})
        return None
    own = [entry for entry in entries if entry.service == place.deployment.cloud_run]
    groups = await asyncio.to_thread(group, own)
    return observed(groups, window, complete=complete)


async def _before(
    deps: Deps, place: Place, known: Incident | None, previous: str | None, revision: Revision | None
) -> RequestCount | None:
    """What the previous revision did in the minutes before this one came; None where nobody knows."""
    if known is not None and known.before is not None:
        return known.before
    if revision is None or previous is None:
        return None
    window = Window(revision.created_at - COMPARE_WINDOW, revision.created_at)
    counts, _gaps = await count_requests(deps, place, (previous,), window)
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


def merged(findings: list[Findings]) -> tuple[Findings, ...]:
    """One problem per kind: two serving revisions that fail at once are one incident, told by the worse one."""
    worst: dict[IncidentKind, Findings] = {}
    for found in sorted(findings, key=lambda f: f.requests.failed if f.requests else 0):
        joined = worst[found.kind].revisions if found.kind in worst else ()
        worst[found.kind] = replace(found, revisions=(*found.revisions, *joined))
    return tuple(worst.values())
