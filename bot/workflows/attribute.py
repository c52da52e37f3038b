"""Whose fault is a rise in errors? Reads what every service of the project says around it and asks the attribution."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.correlate import diagnose
from bot.correlate.attribution import Attributor, weighed
from bot.correlate.series import error_series
from bot.decide.blame import Blame, goes_on, latched, same_suspect
from bot.decide.incident import Elsewhere
from bot.deps import Deps
from bot.errors import Permanent, Retryable
from bot.model.attribution import Attribution, Cause
from bot.model.catalog import Place
from bot.model.cloud_run import Revision
from bot.model.evidence import Gap, LogEntry, RequestPoint, Window
from bot.model.incident import UNDER_WAY, Incident
from bot.model.judgement import Diagnosis, IncidentKind
from bot.model.series import ErrorSeries
from bot.store import incidents
from bot.workflows.neighbours import Neighbour, known_of, neighbours_of, signals_of
from bot.workflows.sight import Sight, count_requests

log = logging.getLogger(__name__)

_ERROR = 500  # Cloud Logging's number

LEAD = timedelta(minutes=10)
"""Errors are compared with what was normal for this long before the rise, and before a deploy not longer ago than …"""

LONGEST = timedelta(hours=1)
UNDECIDED_EVERY, DECIDED_EVERY = timedelta(seconds=20), timedelta(minutes=2)
"""Reading what all services say costs more than anything else: this often, before and after it is decided."""

SAME_RISE = timedelta(minutes=5)
"""Two services fail in the same rise where they began to within this."""

WHAT_OTHERS_LOG = "what other services log could not be read"
NOTHING_YET = "no rise of errors stands out so far"

MONITORING = "Cloud Monitoring"
_SAME_RISE_S = SAME_RISE.total_seconds()


@dataclass(frozen=True)
class Attributed:
    """What attribution came to.

    Attributes:
        attribution: what was heard about the rise that this place is part of; None: nothing new.
        elsewhere: where the revision that is to blame, after hearing this, belongs to another deployment of the catalog.
        causes: what the guilty revision itself logged, diagnosed, where it belongs to another deployment.
        points: Cloud Monitoring's counts, for whoever needs a denominator.
        series: this place's errors over time, for the chart; None where they were not read.
        at: when it was weighed; None: not this time. undecided: what is missing to decide it, "" for nothing.
    """

    attribution: Attribution | None = None
    elsewhere: Elsewhere | None = None
    causes: tuple[Diagnosis, ...] = ()
    points: tuple[RequestPoint, ...] = ()
    series: ErrorSeries | None = None
    gaps: tuple[Gap, ...] = ()
    at: datetime | None = None
    undecided: str = ""


async def attribute_rise(
    deps: Deps, sight: Sight, known: Incident | None, since: datetime, revision: Revision | None
) -> Attributed:
    """Whose fault it is that this place fails since then. What could not be read is a gap.

    Read anew only now and then; meanwhile, what another open incident of the same project has found out holds for this
    place too where it fails in the same rise.
    """
    neighbours = await neighbours_of(deps, sight)
    if known is not None and not _is_due(known, sight.at):
        heard = None if known.attribution else await _found_by_another(deps, sight, known, since, neighbours)
        stands = _standing(known, heard)
        return Attributed(heard, _elsewhere(stands, sight.place, neighbours), gaps=_still(known.gaps))
    place, began = sight.place, since
    if revision is not None and since - LONGEST < revision.created_at < since:
        began = revision.created_at
    window = Window(began - LEAD, sight.at + timedelta(seconds=5))
    (entries, gaps), (points, unread) = await asyncio.gather(
        _read_errors(deps, place, window), read_points(deps, place, window)
    )
    signals = await asyncio.to_thread(signals_of, sight, entries, points, neighbours)
    name = place.deployment.cloud_run
    engine = await asyncio.to_thread(weighed, signals, sight.at.timestamp(), known_of(neighbours))
    heard = _about(engine.attributions(), name, since, entries)
    heard = heard or await _found_by_another(deps, sight, known, since, neighbours)
    stands = _standing(known, heard)
    elsewhere = _elsewhere(stands, place, neighbours)
    if stands is not None and (refuted := await _refuted(deps, sight, known, stands, elsewhere)):
        heard, elsewhere = refuted, None
    causes = await asyncio.to_thread(_diagnosed, entries, elsewhere)
    series = await asyncio.to_thread(_series, place, entries, points, _shown(since, sight.at)) if entries else None
    undecided = "" if gaps else _missing(engine, name)
    return Attributed(heard, elsewhere, causes, points, series, (*gaps, *unread), sight.at, undecided)


def _is_due(known: Incident, now: datetime) -> bool:
    every = UNDECIDED_EVERY if known.attribution is None else DECIDED_EVERY
    return known.attributed_at is None or now - known.attributed_at >= every


async def _refuted(
    deps: Deps, sight: Sight, known: Incident | None, stands: Attribution, elsewhere: Elsewhere | None
) -> Attribution | None:
    """The blame of another service's revision, taken back: this place fails although nobody is answered by that one now.

    Two bad deploys at once look like one: the second shows when the first is gone.
    """
    moving = known is not None and known.plan is not None and known.plan.state in UNDER_WAY
    if elsewhere is None or moving or elsewhere.revision in elsewhere.state.fact.serving:
        return None
    window = Window(sight.at - 2 * elsewhere.place.detection.window, sight.at)
    counts, gaps = await count_requests(deps, elsewhere.place, (elsewhere.revision,), window)
    found = counts.get(elsewhere.revision)
    if gaps or found is None or found.total or not found.complete:
        return None
    why = f"{sight.place.deployment.cloud_run} fails on although {elsewhere.revision} serves nobody any more"
    return replace(stands, withdrawn=why)


def _still(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    """Gaps of the last weighing, which hold until the next one: a card does not say and unsay them in between."""
    return tuple(gap for gap in gaps if gap.source == MONITORING or gap.why.startswith(WHAT_OTHERS_LOG))


def _standing(known: Incident | None, heard: Attribution | None) -> Attribution | None:
    """What will stand once this was heard: the plan has to fit that, and not the latest word."""
    blame = Blame(known.attribution, known.withdrawn) if known is not None else Blame()
    return latched(blame, heard).stands


def _missing(engine: Attributor, service: str) -> str:
    return next((o.missing for o in engine.opinions() if service in o.services and o.missing), NOTHING_YET)


async def _found_by_another(
    deps: Deps, sight: Sight, known: Incident | None, since: datetime, neighbours: Sequence[Neighbour]
) -> Attribution | None:
    """What an open incident of another service has found out about a rise that this service is part of.

    Not what was taken back here before: two incidents would tell it to each other for ever.
    """
    own, gone = sight.place.deployment.cloud_run, known.withdrawn if known is not None else ()
    async with deps.db.read() as session:
        for there in neighbours:
            if there.name != own:
                found = (await incidents.open_at(session, there.place.key)).get(IncidentKind.SERVING_FAILURE)
                said = found.attribution if found is not None else None
                if said is None or any(same_suspect(before, said) for before in gone):
                    continue
                if own in {said.service, *said.seen_in} and abs(since.timestamp() - said.since_s) <= _SAME_RISE_S:
                    return said
    return None


async def read_points(deps: Deps, place: Place, window: Window) -> tuple[tuple[RequestPoint, ...], tuple[Gap, ...]]:
    """Cloud Monitoring's counts; none and a gap where it does not answer."""
    try:
        return await deps.read_traffic(place, window), ()
    except (Retryable, Permanent) as error:
        log.warning("look.traffic_unread", extra={"place": place.key, "why": str(error)})
        return (), (Gap(MONITORING, str(error)),)


async def _read_errors(deps: Deps, place: Place, window: Window) -> tuple[list[LogEntry], tuple[Gap, ...]]:
    try:
        entries, _complete = await deps.read_errors(place, window)
    except (Retryable, Permanent) as error:
        log.warning("look.errors_unread", extra={"place": place.key, "why": str(error)})
        return [], (Gap("Cloud Logging", f"{WHAT_OTHERS_LOG}: {error}"),)
    return entries, ()


def _about(
    found: Sequence[Attribution], service: str, since: datetime, entries: Sequence[LogEntry]
) -> Attribution | None:
    """What concerns this service's rise: of several the surest, a standing one before one that was taken back."""
    failed = [e.at.timestamp() for e in entries if e.service == service and e.severity >= _ERROR]
    own = [
        said
        for said in found
        if said.cause is not Cause.NONE
        and service in {said.service, *said.seen_in}
        and goes_on(said.since_s, since.timestamp(), failed)
    ]
    return max(own, key=lambda said: (not said.withdrawn, said.confidence), default=None)


def _elsewhere(blamed: Attribution | None, place: Place, neighbours: Sequence[Neighbour]) -> Elsewhere | None:
    if blamed is None or blamed.cause is not Cause.REVISION or blamed.withdrawn:
        return None
    for there in neighbours:
        if there.name == blamed.service and there.place.key != place.key:
            return Elsewhere(there.place, there.state, blamed.revision)
    return None


def _diagnosed(entries: Sequence[LogEntry], elsewhere: Elsewhere | None) -> tuple[Diagnosis, ...]:
    """Causes that the guilty revision itself names; an unknown one says less than what its callers say."""
    if elsewhere is None:
        return ()
    own = [entry for entry in entries if entry.revision == elsewhere.revision]
    return tuple(cause for cause in diagnose(own) if cause.code != "unknown")


def _shown(since: datetime, now: datetime) -> Window:
    """What the chart shows: a while before the trouble too, for comparison."""
    return Window(since - LEAD, max(now, since))


def _series(place: Place, entries: Sequence[LogEntry], points: Sequence[RequestPoint], window: Window) -> ErrorSeries:
    name = place.deployment.cloud_run
    requests = [point for point in points if point.service == name]
    return error_series([entry for entry in entries if entry.service == name], window, requests=requests)
