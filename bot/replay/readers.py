"""Everything the bot reads, answered from a recording: what had arrived by the clock, and no more than it may read at once."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.act.health import HealthAnswer
from bot.act.target import ShiftResult
from bot.errors import Permanent
from bot.model.catalog import Place
from bot.model.cloud_run import ServiceState, TrafficSplit
from bot.model.evidence import LogEntry, RequestCount, RequestPoint, Window
from bot.replay.recording import Home, Kept, Recording, Request, RequestSeries, arrival
from bot.replay.states import Timeline, timeline

MOST = 5_000
"""Entries that the bot reads at once from Cloud Logging, and of those the beginning where both ends are wanted."""
_HEAD = 1_000

METRIC_LAG = timedelta(minutes=3)
"""Cloud Monitoring shows a minute this long after its end (`bot.gcp.monitoring`)."""
_MINUTE = 60.0


class Clock:
    """The time of the recording; `now` is what `Deps.now` answers."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


class Log:
    """Log entries in the order of their writing, to be read by window and arrival."""

    def __init__(self, kept: Iterable[Kept]) -> None:
        ordered = sorted(kept, key=lambda each: each.order)
        self._entries = [each.entry for each in ordered]
        self._at = [each.order[0] for each in ordered]
        self._arrived = [arrival(entry) for entry in self._entries]

    def within(self, window: Window, by: float) -> list[LogEntry]:
        """Oldest first."""
        first = bisect_left(self._at, window.start.timestamp())
        last = bisect_left(self._at, window.end.timestamp())
        return [self._entries[number] for number in range(first, last) if self._arrived[number] <= by]


class Readers:
    """One recording behind the functions of `bot.deps.Deps`."""

    def __init__(self, recording: Recording, clock: Clock) -> None:
        self._clock = clock
        self._timelines: dict[Home, Timeline] = {}
        self._requests: dict[tuple[Home, str], RequestSeries] = {}
        evidence: dict[tuple[str, str, str], list[Kept]] = defaultdict(list)
        errors: dict[tuple[str, str], list[Kept]] = defaultdict(list)
        minutes: dict[tuple[str, str], Counter[tuple[float, str, str, str]]] = defaultdict(Counter)
        for home in recording.homes:
            service = recording.services[home]
            self._timelines[home] = timeline(service)
            by_revision: dict[str, list[Request]] = defaultdict(list)
            for request in service.requests.values():
                by_revision[request.revision].append(request)
                begin = request.at // _MINUTE * _MINUTE
                what = (begin, home.service, request.revision, f"{request.status // 100}xx")
                minutes[home.project, home.region][what] += 1
            for name, requests in by_revision.items():
                self._requests[home, name] = RequestSeries(requests)
            for kept in service.kept.values():
                if kept.evidence:
                    evidence[home.project, home.region, kept.entry.revision].append(kept)
                if kept.error:
                    errors[home.project, home.region].append(kept)
        self._evidence = {key: Log(kept) for key, kept in evidence.items()}
        self._errors = {key: Log(kept) for key, kept in errors.items()}
        self._points = {key: _Points(found) for key, found in minutes.items()}

    def knows(self, place: Place) -> bool:
        """Whether anything is recorded about this deployment."""
        return _home(place) in self._timelines

    def state_now(self, place: Place) -> ServiceState | None:
        found = self._timelines.get(_home(place))
        return found.state(self._clock.at) if found else None

    async def state(self, place: Place) -> ServiceState:
        """Raises Permanent before anything is recorded about the service."""
        found = self.state_now(place)
        if found is None:
            raise Permanent(f"nothing is recorded about {place.deployment.cloud_run} yet")
        return found

    async def shift(self, place: Place, to: TrafficSplit, *, expecting: TrafficSplit) -> ShiftResult:
        del place, to, expecting
        raise Permanent("a replay moves no traffic")

    def count_now(self, place: Place, revisions: Sequence[str], window: Window) -> dict[str, RequestCount]:
        home, start, end = _home(place), window.start.timestamp(), window.end.timestamp()
        counts = {}
        for name in revisions:
            series = self._requests.get((home, name))
            found = series.count(start, end, self._clock.at, MOST) if series else (0, 0, None, True)
            total, failed, first, complete = found
            since = datetime.fromtimestamp(first, UTC) if first is not None else None
            counts[name] = RequestCount(name, window, total, failed, complete, since)
        return counts

    async def count_requests(
        self, place: Place, revisions: Sequence[str], window: Window
    ) -> Mapping[str, RequestCount]:
        return self.count_now(place, revisions, window)

    async def read_entries(self, place: Place, revision: str, window: Window) -> tuple[list[LogEntry], bool]:
        d = place.deployment
        log = self._evidence.get((d.project, d.region, revision))
        found = log.within(window, self._clock.at) if log else []
        return found[:MOST], len(found) <= MOST

    async def read_errors(self, place: Place, window: Window) -> tuple[list[LogEntry], bool]:
        d = place.deployment
        log = self._errors.get((d.project, d.region))
        found = log.within(window, self._clock.at) if log else []
        if len(found) <= MOST:
            return found, True
        return [*found[:_HEAD], *found[_HEAD - MOST :]], False

    async def read_traffic(self, place: Place, window: Window) -> tuple[RequestPoint, ...]:
        d = place.deployment
        points = self._points.get((d.project, d.region))
        return points.within(window, self._clock.at) if points else ()


class _Points:
    """Requests per minute as Cloud Monitoring has them."""

    def __init__(self, counted: Counter[tuple[float, str, str, str]]) -> None:
        ordered = sorted(counted)
        self._begins = [begin for begin, *_ in ordered]
        self._points = [
            RequestPoint(service, revision, class_, _window(begin), counted[begin, service, revision, class_])
            for begin, service, revision, class_ in ordered
        ]

    def within(self, window: Window, now: float) -> tuple[RequestPoint, ...]:
        """Whole minutes: the one in which the window begins counts, the one in which it ends may still be running."""
        start, end = (at.timestamp() // _MINUTE * _MINUTE for at in (window.start, window.end))
        visible = now - METRIC_LAG.total_seconds() - _MINUTE
        first, last = bisect_left(self._begins, start), bisect_left(self._begins, min(end, visible + 1e-6))
        return tuple(self._points[first:last])


def _window(begin: float) -> Window:
    return Window(datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(begin + _MINUTE, UTC))


def _home(place: Place) -> Home:
    d = place.deployment
    return Home(d.project, d.region, d.cloud_run)


async def nobody(_group: str) -> frozenset[str]:
    """Members of a Slack group: a replay asks nobody."""
    return frozenset()


async def not_asked(_uri: str, _path: str) -> HealthAnswer:
    """A health check of a service that was."""
    return HealthAnswer(None, "not asked: this is a replay")
