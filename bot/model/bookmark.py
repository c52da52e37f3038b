"""How far a log was read, so that the next read goes on from there instead of beginning again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.model.evidence import LogEntry, Window

OVERLAP = timedelta(seconds=30)
"""Read once more each time: entries of several instances arrive out of order, a few seconds late as a rule."""

_MOST_REMEMBERED = 1_000  # of them 16 kB of an incident's document; in a flood the overlap is shorter


@dataclass(frozen=True)
class Bookmark:
    """From where to read on, and which entries from there on were read before.

    What arrives later than the overlap, with an earlier time stamp, is not found by reading on.
    """

    at: datetime
    known: frozenset[int] = frozenset()

    @classmethod
    def after(cls, entries: Sequence[LogEntry]) -> Bookmark | None:
        """Behind entries that are oldest first; None where there are none."""
        if not entries:
            return None
        start = entries[-1].at - OVERLAP
        if len(entries) > _MOST_REMEMBERED:
            start = max(start, entries[-_MOST_REMEMBERED].at)
        return cls(start, frozenset(_digest(entry) for entry in entries if entry.at >= start))

    def rest(self, window: Window) -> Window:
        """The part of `window` that is still to be read."""
        return Window(min(max(window.start, self.at), window.end), window.end)

    def unread(self, entries: Iterable[LogEntry]) -> list[LogEntry]:
        """Without those that were read before; order kept."""
        return [entry for entry in entries if entry.at >= self.at and _digest(entry) not in self.known]


def _digest(entry: LogEntry) -> int:
    """48 bits. An insert id is unique within its log and instant; who has none is told apart by what it says."""
    name = entry.insert_id or entry.text
    text = f"{entry.log}\0{entry.at.isoformat()}\0{name}"
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=6).digest())
