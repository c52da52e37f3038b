"""Everything a card tells about one unhealthy verdict: what is logged, what is new about it, whose fault it is.

What is known and fresh is not read again: see `bot.workflows.said` and `bot.workflows.attribute`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.correlate.novelty import compare, requests_within
from bot.decide import impact, severity
from bot.decide.incident import Elsewhere, Findings, credited, failed_streak
from bot.deps import Deps
from bot.model.catalog import Place
from bot.model.cloud_run import Revision
from bot.model.commit_tests import CommitTests
from bot.model.evidence import ErrorGroup, Gap, RequestCount, Window
from bot.model.incident import FailedRevision, Incident, ReadTo
from bot.model.judgement import Diagnosis, Health, IncidentKind, Verdict
from bot.model.novelty import Baseline, Novelty
from bot.workflows import commit_tests
from bot.workflows.attribute import Attributed, attribute_rise
from bot.workflows.said import CUT, ENTRIES_BEFORE, read_baseline, read_on
from bot.workflows.sight import Sight, count_requests

log = logging.getLogger(__name__)

COMPARE_WINDOW = timedelta(minutes=3)
"""How much of the previous revision's traffic the card compares with."""


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


async def investigate_all(deps: Deps, sight: Sight) -> tuple[Findings, ...]:
    """Every problem that the verdicts tell of, one of a kind.

    Where several serving revisions fail at once, one of them tells for all, and the same one as long as it fails: a card
    that changes sides with every look cannot be read, and each side would be read from the start.
    """
    found = []
    for kind in IncidentKind:
        failing = [v for v in sight.verdicts if v.kind is kind and v.health is Health.UNHEALTHY]
        if failing:
            told = _telling(sight, failing, sight.open_now.get(kind))
            problem = await investigate(deps, sight, told)
            others = [v.revision for v in failing if v is not told]
            found.append(replace(problem, revisions=(*problem.revisions, *_credits(sight, others))))
    return tuple(found)


def _telling(sight: Sight, failing: Sequence[Verdict], known: Incident | None) -> Verdict:
    """The one that is to blame, else the one that told until now, else the one with most failed requests."""
    blamed = known.attribution.revision if known is not None and known.attribution else ""
    until_now = known.read_to.revision if known is not None and known.read_to else ""

    def failed(name: str) -> int:
        return sight.counts[name].failed if name in sight.counts else 0

    return max(failing, key=lambda v: (v.revision == blamed, v.revision == until_now, failed(v.revision), v.revision))


def _credits(sight: Sight, names: Sequence[str]) -> tuple[FailedRevision, ...]:
    state = sight.state
    found = [state.revision(name) for name in names] if state is not None else []
    return tuple(credited(r, state, sight.events) for r in found if r is not None and state is not None)


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
    made = tuple(credited(r, state, sight.events) for r in revisions)
    return Findings(
        place=place,
        kind=unhealthy.kind,
        severity=severity.severity(deps.catalog, place, unhealthy.kind),
        at=sight.at,
        since=min([since, *(r.created_at for r in failed)]) if blocked else since,
        state=state,
        why=unhealthy.why,
        revisions=made,
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
        undecided=read.attributed.undecided,
        tests=await _tests(deps, place, made, read.attributed.elsewhere),
    )


async def _tests(
    deps: Deps, place: Place, failing: Sequence[FailedRevision], guilty: Elsewhere | None
) -> CommitTests | None:
    """What the suites said of the commit to blame: that of the guilty revision, else of the newest failing one."""
    async with deps.db.read() as session:
        if guilty is not None:
            names = [guilty.revision]
            found = await commit_tests.of_place(session, deps.catalog, guilty.place, guilty.state, names)
        else:
            found = await commit_tests.of_revisions(session, deps.catalog, place.service_key, failing[:1])
    return next(iter(found.values()), None)


async def _read(deps: Deps, sight: Sight, unhealthy: Verdict, since: datetime, revision: Revision | None) -> Read:
    """What the logs tell of a verdict, correlated; what is known and fresh is not read again (reads are few)."""
    known = sight.open_now.get(unhealthy.kind)
    if known is not None and _fresh(known, unhealthy.revision, sight.at, deps.watch.refresh_after):
        return await _reread(deps, sight, known, since, revision)
    since = since if known is None else min(since, known.since)  # counts and first-seen never start anew
    reading = read_on(deps, sight, known, since, revision, unhealthy.revision)
    if unhealthy.kind is IncidentKind.DEPLOY_BLOCKED:
        said = await reading  # it never served: there is nothing to compare with, and nobody else to suspect
        return Read(said.groups, said.diagnosis, None, read_to=said.read_to, gaps=said.gaps)
    previous = _previous(sight, unhealthy.revision)
    said, attributed, baseline, before = await asyncio.gather(
        reading,
        attribute_rise(deps, sight, known, since, revision),
        read_baseline(deps, sight, known, previous, since, revision),
        _before(deps, sight.place, known, previous, revision),
    )
    window = Window(since - ENTRIES_BEFORE, sight.at)  # as far as `known` was counted too
    requests = requests_within(window, unhealthy.revision, attributed.points, sight.counts.get(unhealthy.revision))
    return Read(
        said.groups,
        next(iter(attributed.causes), said.diagnosis),
        before,
        attributed,
        baseline,
        _without_samples(compare(said.groups, window, requests, baseline)),
        said.read_to,
        tuple(dict.fromkeys((*said.gaps, *attributed.gaps))),
    )


async def _reread(deps: Deps, sight: Sight, known: Incident, since: datetime, revision: Revision | None) -> Read:
    """What is known and fresh is told again; only whose fault it is may be weighed anew, at its own pace."""
    still_cut = tuple(gap for gap in known.gaps if gap.why.startswith(CUT))
    if known.kind is IncidentKind.DEPLOY_BLOCKED:
        return Read(known.groups, known.diagnosis, known.before, gaps=still_cut)
    attributed = await attribute_rise(deps, sight, known, min(since, known.since), revision)
    cause = next(iter(attributed.causes), known.diagnosis)
    return Read(known.groups, cause, known.before, attributed, gaps=(*still_cut, *attributed.gaps))


def _without_samples(news: Sequence[Novelty]) -> tuple[Novelty, ...]:
    """The samples stand in the incident's groups already, and what is gone has none."""
    return tuple(replace(each, group=replace(each.group, sample="")) for each in news)


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
