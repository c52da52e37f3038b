"""Where a read of the log that was cut stopped, so that the next one reads on instead of beginning again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.model.evidence import LogEntry, LogKind, Window


@dataclass(frozen=True)
class Bookmark:
    """The last instant that was read, and which of its entries were: others of that instant may be still to come.

    What arrives later with an earlier time stamp is not found by reading on.
    """

    at: datetime
    seen: frozenset[tuple[LogKind, str]]

    @classmethod
    def after(cls, entries: Sequence[LogEntry]) -> Bookmark | None:
        """Behind entries that are oldest first; None where there are none."""
        if not entries:
            return None
        at = entries[-1].at
        return cls(at, frozenset((entry.log, entry.insert_id) for entry in entries if entry.at == at))

    def rest(self, window: Window) -> Window:
        """The part of `window` that is still to be read."""
        return Window(min(max(window.start, self.at), window.end), window.end)

    def unread(self, entries: Iterable[LogEntry]) -> list[LogEntry]:
        """Without those that were read before; order kept."""
        return [e for e in entries if e.at > self.at or (e.at == self.at and (e.log, e.insert_id) not in self.seen)]
