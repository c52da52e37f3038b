"""Where log entries live: per project, ordered by time stamp, bounded; the oldest leave first.

Not imitated: retention by days, buckets and views, sinks other than the Pub/Sub one, exclusion filters, the 256 KiB limit.
"""

import bisect
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

Watcher: TypeAlias = Callable[[Any], None]

LIMIT: Final = 40_000  # some 3 kB each in memory: about a quarter of an hour of the sandbox's traffic
_SLACK: Final = 1_000  # entries above the limit before the oldest are cut: one cut in a thousand appends
_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """An entry in its place: by time stamp, then by arrival."""

    at: int
    sequence: int
    entry: Any = field(compare=False)


class LogStore:
    """All projects' entries; `append` fills in what the server sets."""

    def __init__(self, clock: Callable[[], datetime], chance: random.Random, limit: int = LIMIT) -> None:
        """Begin empty; keep at most `limit` entries (and a little slack) a project."""
        self._clock = clock
        self._chance = chance
        self._limit = limit
        self._kept: dict[str, list[Kept]] = {}
        self._sequence = itertools.count()
        self._watchers: list[Watcher] = []

    def append(self, entry: Any, received: datetime | None = None) -> None:
        """Keep a raw LogEntry; its log_name says the project. Sets insertId, timestamp and receiveTimestamp.

        `received` None = just now; a time of its own is for entries that were there before the sandbox started.
        """
        entry.receive_timestamp.FromDatetime(received or self._clock())
        if not entry.HasField("timestamp"):
            entry.timestamp.CopyFrom(entry.receive_timestamp)
        if not entry.insert_id:
            entry.insert_id = self.insert_id()
        project = entry.log_name.split("/", 2)[1]
        entries = self._kept.setdefault(project, [])
        kept = Kept(entry.timestamp.ToNanoseconds(), next(self._sequence), entry)
        if entries and kept < entries[-1]:
            bisect.insort(entries, kept)
        else:
            entries.append(kept)
        if len(entries) > self._limit + _SLACK:
            del entries[: len(entries) - self._limit]
        for watcher in tuple(self._watchers):
            watcher(entry)

    def insert_id(self) -> str:
        """Short and random, as audit entries have it."""
        return "".join(self._chance.choices(_BASE36, k=13))

    def window(self, project: str, earliest: int | None, latest: int | None) -> list[Kept]:
        """A copy of the entries with earliest ≤ timestamp ≤ latest (nanoseconds), oldest first."""
        entries = self._kept.get(project, [])
        low = 0 if earliest is None else bisect.bisect_left(entries, earliest, key=lambda kept: kept.at)
        high = len(entries) if latest is None else bisect.bisect_right(entries, latest, key=lambda kept: kept.at)
        return entries[low:high]

    def log_names(self, project: str) -> list[str]:
        """The distinct log names with entries, sorted."""
        return sorted({kept.entry.log_name for kept in self._kept.get(project, [])})

    def entries(self, project: str) -> Iterator[Any]:
        """All raw entries of a project, oldest first."""
        return (kept.entry for kept in self.window(project, None, None))

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` with each new entry; returns how to stop."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)
