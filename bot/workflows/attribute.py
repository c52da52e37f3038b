"""Whose fault is a rise in errors? Reads what every service of the project says around it and asks the attribution."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.correlate import diagnose
from bot.correlate.attribution import Known, Signal, attribute
from bot.correlate.evidence_signals import of_configuration, of_deploys, of_entries, of_requests
from bot.correlate.series import error_series
from bot.decide.incident import Elsewhere
from bot.deps import Deps
from bot.errors import Permanent, Retryable
from bot.model.attribution import Attribution, Cause
from bot.model.catalog import Place
from bot.model.cloud_run import Revision, ServiceState
from bot.model.event import DeployEvent
from bot.model.evidence import Gap, LogEntry, RequestPoint, Window
from bot.model.incident import Incident
from bot.model.judgement import Diagnosis, IncidentKind
from bot.model.series import ErrorSeries
from bot.store import inbox, incidents, places
from bot.workflows.sight import Sight

log = logging.getLogger(__name__)

LEAD = timedelta(minutes=10)
"""Errors are compared with what was normal for this long before the rise, and before a deploy not longer ago than …"""

LONGEST = timedelta(hours=1)
UNDECIDED_EVERY, DECIDED_EVERY = timedelta(seconds=20), timedelta(minutes=2)
"""Reading what all services say costs more than anything else: this often, before and after it is decided."""

DEPLOYS_WITHIN = timedelta(hours=6)
"""A slow leak shows hours after its deploy."""


@dataclass(frozen=True)
class Attributed:
    """What attribution came to.

    Attributes:
        attribution: what stands about the rise that this place is part of; None while nothing is decided.
        elsewhere: where the guilty revision belongs to another deployment of the catalog.
        causes: what the guilty revision itself logged, diagnosed, where it belongs to another deployment.
        points: Cloud Monitoring's counts, for whoever needs a denominator.
        series: this place's errors over time, for the chart; None where they were not read.
        at: when it was weighed; None: not this time.
    """

    attribution: Attribution | None = None
    elsewhere: Elsewhere | None = None
    causes: tuple[Diagnosis, ...] = ()
    points: tuple[RequestPoint, ...] = ()
    series: ErrorSeries | None = None
    gaps: tuple[Gap, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True)
class _Neighbour:
    """A deployment of the same project and region, the place itself included."""

    place: Place
    state: ServiceState
    events: tuple[DeployEvent, ...]

    @property
    def name(self) -> str:
        return self.place.deployment.cloud_run


async def attribute_rise(
    deps: Deps, sight: Sight, known: Incident | None, since: datetime, revision: Revision | None
) -> Attributed:
    """Whose fault it is that this place fails since then. What could not be read is a gap.

    Read anew only now and then; meanwhile, what another open incident of the same project has found out holds for this
    place too where it fails in the same rise.
    """
    neighbours = await _neighbours(deps, sight)
    if known is not None and not _is_due(known, sight.at):
        said = known.attribution or await _found_by_another(deps, sight, neighbours)
        return Attributed(said, _elsewhere(said, sight.place, neighbours))
    place, began = sight.place, since
    if revision is not None and since - LONGEST < revision.created_at < since:
        began = revision.created_at
    window = Window(began - LEAD, sight.at + timedelta(seconds=5))
    (entries, gaps), (points, unread) = await asyncio.gather(
        _read_errors(deps, place, window), read_points(deps, place, window)
    )
    signals = _signals(sight, entries, points, neighbours)
    found = await asyncio.to_thread(attribute, signals, sight.at.timestamp(), _known(neighbours))
    chosen = _about(found, place.deployment.cloud_run) or await _found_by_another(deps, sight, neighbours)
    elsewhere = _elsewhere(chosen, place, neighbours)
    causes = await asyncio.to_thread(_diagnosed, entries, elsewhere)
    series = await asyncio.to_thread(_series, place, entries, points, _shown(since, sight.at)) if entries else None
    return Attributed(chosen, elsewhere, causes, points, series, (*gaps, *unread), sight.at)


def _is_due(known: Incident, now: datetime) -> bool:
    every = UNDECIDED_EVERY if known.attribution is None else DECIDED_EVERY
    return known.attributed_at is None or now - known.attributed_at >= every


async def _found_by_another(deps: Deps, sight: Sight, neighbours: Sequence[_Neighbour]) -> Attribution | None:
    """What an open incident of another service has found out about a rise that this service is part of."""
    own = sight.place.deployment.cloud_run
    async with deps.db.read() as session:
        for there in neighbours:
            if there.name != own:
                found = (await incidents.open_at(session, there.place.key)).get(IncidentKind.SERVING_FAILURE)
                said = found.attribution if found is not None else None
                if said is not None and own in {said.service, *said.seen_in}:
                    return said
    return None


async def read_points(deps: Deps, place: Place, window: Window) -> tuple[tuple[RequestPoint, ...], tuple[Gap, ...]]:
    """Cloud Monitoring's counts; none and a gap where it does not answer."""
    try:
        return await deps.read_traffic(place, window), ()
    except (Retryable, Permanent) as error:
        log.warning("look.traffic_unread", extra={"place": place.key, "why": str(error)})
        return (), (Gap("Cloud Monitoring", str(error)),)


async def _read_errors(deps: Deps, place: Place, window: Window) -> tuple[list[LogEntry], tuple[Gap, ...]]:
    try:
        entries, _complete = await deps.read_errors(place, window)
    except (Retryable, Permanent) as error:
        log.warning("look.errors_unread", extra={"place": place.key, "why": str(error)})
        return [], (Gap("Cloud Logging", str(error)),)
    return entries, ()


async def _neighbours(deps: Deps, sight: Sight) -> tuple[_Neighbour, ...]:
    """This place as just seen, the others as they were at their last look."""
    here = sight.place.deployment
    found = []
    async with deps.db.read() as session:
        looks = await places.last_looks(session)
        secrets = await inbox.of_secrets(session, here.project, sight.at - DEPLOYS_WITHIN)
        for place in deps.catalog.places:
            there = place.deployment
            state = sight.state if place.key == sight.place.key else None
            if state is None and place.key in looks:
                state = looks[place.key].state
            if state is not None and (there.project, there.region) == (here.project, here.region):
                events = await inbox.of_place(session, place.key, sight.at - DEPLOYS_WITHIN)
                found.append(_Neighbour(place, state, (*events, *_used(secrets, state))))
    return tuple(found)


def _used(secrets: Sequence[DeployEvent], state: ServiceState) -> tuple[DeployEvent, ...]:
    """Changes of the secrets that a revision which serves users depends on."""
    names = {f"secret {name}" for r in state.revisions if r.name in state.fact.serving for name in r.secrets}
    return tuple(event for event in secrets if event.detail in names)


def _signals(
    sight: Sight, entries: Sequence[LogEntry], points: Sequence[RequestPoint], neighbours: Sequence[_Neighbour]
) -> list[Signal]:
    since = sight.at - DEPLOYS_WITHIN
    signals = [*of_entries(entries), *of_requests(points, sight.counts, sight.place.deployment.cloud_run)]
    for there in neighbours:
        signals += of_deploys(there.state, there.events, since)
        signals += of_configuration(there.name, there.events)
    return signals


def _known(neighbours: Sequence[_Neighbour]) -> Known:
    names = {there.place.service_key: there.name for there in neighbours}
    return Known(
        depends_on={
            there.name: tuple(names.get(needed, needed) for needed in there.place.service.depends_on)
            for there in neighbours
        },
        changed_files={
            event.revision: event.files
            for there in neighbours
            for event in there.events
            if event.revision and event.files
        },
    )


def _about(found: Sequence[Attribution], service: str) -> Attribution | None:
    """What concerns this service: of several the surest, a standing one before one that was taken back."""
    own = [said for said in found if service in {said.service, *said.seen_in} and said.cause is not Cause.NONE]
    return max(own, key=lambda said: (not said.withdrawn, said.confidence), default=None)


def _elsewhere(blamed: Attribution | None, place: Place, neighbours: Sequence[_Neighbour]) -> Elsewhere | None:
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
