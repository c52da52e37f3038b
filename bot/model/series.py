"""Errors over time: the numbers behind a chart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.model.evidence import Window


class MarkKind(StrEnum):
    """What happened to a service at one moment."""

    DEPLOY = "deploy"  # a revision was created
    ROLLBACK = "rollback"  # traffic was moved back to a revision


@dataclass(frozen=True)
class Mark:
    """A moment worth a line in the chart. `revision`: the one that came, or the one that traffic went back to."""

    at: datetime
    kind: MarkKind
    revision: str


@dataclass(frozen=True)
class RevisionErrors:
    """Errors of one revision, one count per bar. `revision` is "" where the log does not say which it was."""

    revision: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class ErrorSeries:
    """What a chart of errors shows.

    Attributes:
        window: begins and ends at whole steps; its end may lie in the future by less than one step.
        step: width of one bar, at least a minute.
        revisions: those with errors, most errors first; () = there were none.
        requests: of all revisions per bar, None where nobody counted (which is not zero); () = not known at all.
        marks: oldest first, within the window.
        complete: False: there were more errors than could be read, the counts are lower bounds.
    """

    window: Window
    step: timedelta
    revisions: tuple[RevisionErrors, ...] = ()
    requests: tuple[int | None, ...] = ()
    marks: tuple[Mark, ...] = field(default=())
    complete: bool = True

    @property
    def total(self) -> int:
        return sum(each.total for each in self.revisions)

    @property
    def bars(self) -> int:
        return round((self.window.end - self.window.start) / self.step)

    def at(self, bar: int) -> datetime:
        """When a bar begins; bars count from 0."""
        return self.window.start + bar * self.step
