"""What Cloud Run would have answered about a service at each moment, reconstructed from what was recorded.

Audit entries and events say it outright: revisions made, ready, failed, the split asked for and served. Where they are
missing, the entries themselves show it: a revision exists since something names it, is ready since it answers a request,
has failed when the platform says that its container did not start before it ever answered one, and serves the share of
the requests that it gets (`bot.replay.traffic`). Nothing is known before the entry that says it has arrived.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, groupby

from bot.model.cloud_run import Revision, ServiceState, TrafficSplit, TrafficTarget
from bot.model.event import DeployEvent, EventKind
from bot.replay.audit import ServiceTold, Template
from bot.replay.recording import BootFailure, Mention, Request, Service
from bot.replay.traffic import Shares

UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""When a revision was created that was there before the recording: visibly wrong, never mistaken for a deploy."""

_BUCKET_S = 5.0
_WORKS_FOR = timedelta(seconds=60)
"""A change that nobody reports the end of is over after this."""
_LATEST = TrafficSplit((TrafficTarget(None, 100),))


@dataclass(frozen=True)
class Timeline:
    """The states of one service. `at` are the moments of change, ascending."""

    at: tuple[float, ...]
    states: tuple[ServiceState, ...]

    def state(self, now: float) -> ServiceState | None:
        """As known at `now`; None before anything was known."""
        number = bisect_right(self.at, now)
        return self.states[number - 1] if number else None


def timeline(service: Service) -> Timeline:
    """All states of a service; the same whatever the order of the files was."""
    fold = _Fold(service)
    moments: list[float] = []
    states: list[ServiceState] = []
    for now in fold.run():
        state = fold.state()
        if states and states[-1] == state:
            continue
        if moments and moments[-1] == now:
            states[-1] = state
        else:
            moments.append(now)
            states.append(state)
    return Timeline(tuple(moments), tuple(states))


class _Fold:
    """What is known, growing with each thing that arrives."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._revisions: dict[str, Revision] = {}
        self._shares = Shares()
        self._wish: TrafficSplit | None = None
        self._template: Template | None = None
        self._creator: str | None = None
        self._working_until = 0.0
        self._updated: datetime | None = None
        self._uri = ""
        self._now = 0.0
        self._queue: list[tuple[float, int, int, Callable[[], None]]] = []
        self._order = count()

    def run(self) -> Iterator[float]:
        """Take in everything in order of arrival; yields the moments."""
        for arrived, rank, take in self._arrivals():
            heapq.heappush(self._queue, (arrived, rank, next(self._order), take))
        while self._queue:
            self._now, _rank, _order, take = heapq.heappop(self._queue)
            take()
            yield self._now

    def _arrivals(self) -> Iterator[tuple[float, int, Callable[[], None]]]:
        service = self._service
        for name, mention in sorted(service.mentions.items()):
            yield mention.arrived, 0, partial(self._mentioned, name, mention)
        for _key, event in sorted(service.events.items()):
            yield event.received_at.timestamp(), 1, partial(self._happened, event)
        for _key, said in sorted(service.told.items()):
            yield said.arrived, 2, partial(self._told, said)
        for _key, failure in sorted(service.boot_failures.items()):
            yield failure.arrived, 3, partial(self._not_started, failure)
        requests = sorted(service.requests.values())
        for bucket, some in groupby(requests, key=lambda request: request.arrived // _BUCKET_S):
            heard = tuple(some)
            yield min((bucket + 1) * _BUCKET_S, heard[-1].arrived + 1), 4, partial(self._heard, heard)

    def _mentioned(self, name: str, mention: Mention) -> None:
        if name in self._revisions:
            return
        later = [r for r in self._revisions.values() if r.created_at != UNKNOWN or _generation(r.name)]
        older = any(_generation(name) < _generation(r.name) for r in later) if _generation(name) else False
        was_there = (not self._revisions or older) and not mention.rollout
        created = UNKNOWN if was_there else datetime.fromtimestamp(mention.at, UTC)
        self._make(name, created)

    def _make(self, name: str, created: datetime) -> None:
        template = self._template or Template()
        self._revisions[name] = Revision(
            name,
            created,
            ready=None,
            image=template.image,
            port=template.port,
            env_names=template.env_names,
            secrets=template.secrets,
            labels=template.labels,
            creator=self._creator,
        )
        self._template, self._creator = None, None

    def _happened(self, event: DeployEvent) -> None:
        if event.revision and event.revision not in self._revisions:
            self._make(event.revision, event.at)
        if event.kind is EventKind.DEPLOY and not event.detail and event.source == "replay":
            self._works()
        if event.kind is EventKind.REVISION_READY and event.revision:
            self._became_ready(event.revision, event.at)
        if event.kind is EventKind.REVISION_FAILED and event.revision:
            self._failed(event.revision, "", event.detail)
        self._updated = event.at

    def _works(self) -> None:
        self._working_until = self._now + _WORKS_FOR.total_seconds()
        heapq.heappush(self._queue, (self._working_until, 9, next(self._order), lambda: None))

    def _told(self, said: ServiceTold) -> None:
        self._uri = said.uri or self._uri
        if said.wish is not None:
            self._wish = said.wish
        if said.asked:
            self._asked(said)
            return
        if said.revision:
            self._told_of_revision(said)
        if said.latest_ready and said.latest_ready not in self._revisions:
            self._make(said.latest_ready, UNKNOWN)
        if said.latest_ready:
            self._answers(said.latest_ready)
        if said.settled:
            self._working_until = 0.0
        if said.fact is not None:
            self._serve(said.fact, said.latest_ready)

    def _asked(self, said: ServiceTold) -> None:
        """A request quotes the service as it was before: what served until now, and what will be made."""
        self._template, self._creator = said.template, said.author
        if said.latest_ready:
            if said.latest_ready not in self._revisions:
                self._make_before(said.latest_ready)
            self._answers(said.latest_ready)
        if said.fact is not None and not self._shares.split:
            self._serve(said.fact, said.latest_ready)

    def _make_before(self, name: str) -> None:
        waiting, self._template = self._template, None
        creator, self._creator = self._creator, None
        self._make(name, UNKNOWN)
        self._template, self._creator = waiting, creator

    def _told_of_revision(self, said: ServiceTold) -> None:
        name = said.revision
        if name not in self._revisions:
            self._make(name, said.created_at or said.at)
        known, made = self._revisions[name], said.template
        if said.created_at is not None:
            known = replace(known, created_at=said.created_at)
        if made is not None:
            known = replace(
                known, image=made.image, port=made.port, env_names=made.env_names, secrets=made.secrets,
                labels={**known.labels, **made.labels},
            )  # fmt: skip
        self._revisions[name] = known
        if said.ready is True:
            self._became_ready(name, said.at)
        elif said.ready is False:
            self._failed(name, said.reason, said.message)

    def _became_ready(self, name: str, at: datetime) -> None:
        known = self._revisions[name]
        first = known.ready is not True
        self._revisions[name] = replace(known, ready=True, ready_at=known.ready_at or at, reason="", message="")
        self._working_until = 0.0
        newest = name == self._latest(ready=True)
        if first and newest and (self._wish or _LATEST).follows_latest:
            self._serve(self._wish or _LATEST, name)

    def _failed(self, name: str, reason: str, message: str) -> None:
        known = self._revisions[name]
        if known.ready is True:
            return  # it was ready once: what fails now are its instances
        kept = known.message if len(known.message) >= len(message) else message
        self._revisions[name] = replace(known, ready=False, reason=reason or known.reason, message=kept)
        self._working_until = 0.0

    def _not_started(self, failure: BootFailure) -> None:
        name = failure.revision
        if name not in self._shares.split:
            self._failed(name, "", failure.message)

    def _answers(self, name: str) -> None:
        known = self._revisions[name]
        if known.ready is not True:
            self._revisions[name] = replace(known, ready=True, reason="", message="")

    def _serve(self, split: TrafficSplit, latest: str) -> None:
        shares: dict[str, int] = {}
        for target in split.targets:
            name = target.revision or latest or self._latest(ready=True)
            if target.percent and name:
                shares[name] = shares.get(name, 0) + target.percent
        if sum(shares.values()) == 100:
            for name in shares:
                if name not in self._revisions:
                    self._make_before(name)
            self._shares.tell(shares, self._now)

    def _heard(self, requests: tuple[Request, ...]) -> None:
        for request in requests:
            known = self._revisions.get(request.revision)
            if request.ready and known is not None and known.ready is None:
                created = known.created_at if known.created_at == UNKNOWN else datetime.fromtimestamp(request.at, UTC)
                self._revisions[request.revision] = replace(
                    known, ready=True, ready_at=None if created == UNKNOWN else created
                )
                self._working_until = 0.0
        served = [(request.at, request.revision) for request in requests if self._is_ready(request.revision)]
        self._shares.hear(served, self._now)
        decide_at = self._shares.decide_at
        if decide_at is not None:
            at = max(decide_at, self._now)
            heapq.heappush(self._queue, (at, 5, next(self._order), lambda: self._shares.decide(self._now)))

    def _is_ready(self, name: str) -> bool:
        known = self._revisions.get(name)
        return known is not None and known.ready is True

    def _latest(self, *, ready: bool) -> str:
        names = [r for r in self._revisions.values() if r.ready or not ready]
        return max(names, key=_newness).name if names else ""

    def state(self) -> ServiceState:
        """As known now."""
        newest_first = sorted(self._revisions.values(), key=_newness, reverse=True)
        created, ready = self._latest(ready=False), self._latest(ready=True)
        split = self._shares.split
        fact = TrafficSplit(tuple(TrafficTarget(name, percent) for name, percent in split.items()))
        newest = self._revisions.get(created)
        failed = newest is not None and newest.ready is False
        return ServiceState(
            name=self._service.home.service,
            uri=self._uri,
            etag="replay",
            wish=self._wished(fact, ready),
            fact=fact,
            latest_created=created,
            latest_ready=ready,
            reconciling=self._now < self._working_until or self._shares.newcomer is not None,
            failed=failed,
            reason=newest.reason if newest and failed else "",
            message=newest.message if newest and failed else "",
            updated_at=self._updated,
            revisions=tuple(newest_first[:50]),
        )

    def _wished(self, fact: TrafficSplit, latest_ready: str) -> TrafficSplit:
        """What was asked for, as long as it explains what is served; else what is served."""
        wish = self._wish or _LATEST
        explained = {target.revision or latest_ready: target.percent for target in wish.targets if target.percent}
        return wish if explained == fact.serving or not fact.serving else fact


def _generation(name: str) -> str:
    """`00283` of a generated name; "" of any other."""
    part = name.rsplit("-", 2)[-2] if name.count("-") >= 2 else ""
    return part if len(part) == 5 and part.isdigit() else ""


def _newness(revision: Revision) -> tuple[datetime, str]:
    return revision.created_at, revision.name
