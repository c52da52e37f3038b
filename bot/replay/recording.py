"""What was recorded, by service and in order, and what had arrived by when.

Times are seconds since 1970 in UTC: hundreds of thousands of them are compared. An entry *arrived* when Cloud Logging
received it (`receiveTimestamp`), else when it was written: nobody could have read it earlier.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from bot.model.event import DeployEvent
from bot.model.evidence import LogEntry
from bot.replay.audit import ServiceTold

SERVER_ERROR = 500


class Home(NamedTuple):
    """A Cloud Run service. `region` "" where no entry names it."""

    project: str
    region: str
    service: str


class Request(NamedTuple):
    """One request. `ready`: that the revision answered it shows that it is ready."""

    arrived: float
    at: float
    revision: str
    status: int
    ready: bool


class Mention(NamedTuple):
    """The first entry that names a revision. `rollout`: the platform says that it starts because of a deploy."""

    arrived: float
    at: float
    rollout: bool


class BootFailure(NamedTuple):
    """The platform says that an instance of this revision did not start."""

    arrived: float
    at: float
    revision: str
    message: str


class Kept(NamedTuple):
    """A log entry that may explain something.

    `evidence`: of its own revision. `error`: to everybody in the project. `order` sorts entries as they were written.
    """

    entry: LogEntry
    evidence: bool
    error: bool
    order: tuple[float, str, str, str, int]


@dataclass
class Service:
    """Everything recorded about one service.

    Attributes:
        requests, kept, told, boot_failures: by the identity of their entry: what was delivered twice is there once.
        mentions: revision → where it is named first, by the entries' own time.
        events: what happened to it, by id.
        entries: how many there were of any kind.
    """

    home: Home
    requests: dict[str, Request] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    told: dict[str, ServiceTold] = field(default_factory=dict)
    boot_failures: dict[str, BootFailure] = field(default_factory=dict)
    mentions: dict[str, Mention] = field(default_factory=dict)
    events: dict[str, DeployEvent] = field(default_factory=dict)
    entries: int = 0

    def mention(self, revision: str, at: float, arrived: float, *, rollout: bool) -> None:
        known = self.mentions.get(revision)
        if known is None:
            self.mentions[revision] = Mention(arrived, at, rollout)
        else:
            self.mentions[revision] = Mention(min(known.arrived, arrived), min(known.at, at), known.rollout or rollout)


class RequestSeries:
    """Requests of one revision, for counting those in a window that had arrived by some moment."""

    def __init__(self, requests: Sequence[Request]) -> None:
        ordered = sorted(requests, key=lambda request: request.at)
        self.at = [request.at for request in ordered]
        self.arrived = [request.arrived for request in ordered]
        self.status = [request.status for request in ordered]
        self._failed_before = [0, *accumulate(int(status >= SERVER_ERROR) for status in self.status)]
        self._failures = [number for number, status in enumerate(self.status) if status >= SERVER_ERROR]
        self._latest = max((came - at for at, came in zip(self.at, self.arrived, strict=True)), default=0.0)

    def count(self, start: float, end: float, by: float, most: int) -> tuple[int, int, float | None, bool]:
        """(requests, failed, first failure, whether that is all) of [start, end), of more than `most` the newest.

        What was written before the slowest entry's delay has arrived for sure and is not looked at one by one.
        """
        first, last = bisect_left(self.at, start), bisect_left(self.at, end)
        complete = last - first <= most
        first = max(first, last - most)
        settled = min(max(bisect_left(self.at, by - self._latest), first), last)
        total, failed = settled - first, self._failed_before[settled] - self._failed_before[first]
        for number in range(settled, last):
            if self.arrived[number] <= by:
                total += 1
                failed += self.status[number] >= SERVER_ERROR
        return total, failed, self._first_failure(first, last, by) if failed else None, complete

    def _first_failure(self, first: int, last: int, by: float) -> float | None:
        for number in self._failures[bisect_left(self._failures, first) :]:
            if number >= last:
                return None
            if self.arrived[number] <= by:
                return self.at[number]
        return None


@dataclass
class Recording:
    """All files together.

    Attributes:
        other: kinds of entries that are about something else than a Cloud Run service → how many.
        unnamed: entries of Cloud Run that name no service. repeated: entries that were there before.
        broken: (where, why) of the first that could not be read; `broken_count` of them all.
        secrets: changes of secrets, which any service may use.
    """

    files: list[str] = field(default_factory=list)
    services: dict[Home, Service] = field(default_factory=dict)
    secrets: dict[str, DeployEvent] = field(default_factory=dict)
    entries: int = 0
    events: int = 0
    repeated: int = 0
    unnamed: int = 0
    other: dict[str, int] = field(default_factory=dict)
    broken: list[tuple[str, str]] = field(default_factory=list)
    broken_count: int = 0

    def service(self, home: Home) -> Service:
        found = self.services.get(home)
        if found is None:
            found = self.services[home] = Service(home)
        return found

    @property
    def homes(self) -> tuple[Home, ...]:
        return tuple(sorted(self.services))

    def moments(self) -> Iterator[float]:
        """When anything was written or arrived, in no particular order."""
        for service in self.services.values():
            for request in service.requests.values():
                yield request.at
                yield request.arrived
            for mention in service.mentions.values():
                yield mention.at
                yield mention.arrived
            for kept in service.kept.values():
                yield kept.entry.at.timestamp()
                yield arrival(kept.entry)
            for told in service.told.values():
                yield told.arrived
            for event in service.events.values():
                yield event.at.timestamp()
                yield event.received_at.timestamp()
        for event in self.secrets.values():
            yield event.received_at.timestamp()


def arrival(entry: LogEntry) -> float:
    """When anybody could first have read it."""
    return (entry.received_at or entry.at).timestamp()
