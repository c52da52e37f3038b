"""The deployments around the one that fails: what is known of them, and what attribution hears of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.correlate.attribution import Known, Signal
from bot.correlate.evidence_signals import of_configuration, of_deploys, of_entries, of_requests
from bot.deps import Deps
from bot.model.catalog import Place
from bot.model.cloud_run import ServiceState
from bot.model.commit_tests import SuiteWord
from bot.model.event import DeployEvent
from bot.model.evidence import LogEntry, RequestPoint
from bot.store import inbox, places
from bot.workflows import commit_tests
from bot.workflows.sight import Sight

DEPLOYS_WITHIN = timedelta(hours=6)
"""A slow leak shows hours after its deploy."""


@dataclass(frozen=True)
class Neighbour:
    """A deployment of the same project and region, the place itself included.

    Attributes:
        tested: what the suites that guard it said of the commits of its revisions, by revision.
    """

    place: Place
    state: ServiceState
    events: tuple[DeployEvent, ...]
    tested: Mapping[str, tuple[SuiteWord, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.place.deployment.cloud_run


async def neighbours_of(deps: Deps, sight: Sight) -> tuple[Neighbour, ...]:
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
                since = sight.at - DEPLOYS_WITHIN
                tested = await commit_tests.on_young(session, deps.catalog, place, state, events, since)
                found.append(Neighbour(place, state, (*events, *_used(secrets, state)), tested))
    return tuple(found)


def _used(secrets: Sequence[DeployEvent], state: ServiceState) -> tuple[DeployEvent, ...]:
    """Changes of the secrets that a revision which serves users depends on."""
    names = {f"secret {name}" for r in state.revisions if r.name in state.fact.serving for name in r.secrets}
    return tuple(event for event in secrets if event.detail in names)


def signals_of(
    sight: Sight, entries: Sequence[LogEntry], points: Sequence[RequestPoint], neighbours: Sequence[Neighbour]
) -> list[Signal]:
    since = sight.at - DEPLOYS_WITHIN
    signals = [*of_entries(entries), *of_requests(points, sight.counts, sight.place.deployment.cloud_run)]
    for there in neighbours:
        signals += of_deploys(there.state, there.events, since)
        signals += of_configuration(there.name, there.events)
    return signals


def known_of(neighbours: Sequence[Neighbour]) -> Known:
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
        tested={name: words for there in neighbours for name, words in there.tested.items()},
    )
