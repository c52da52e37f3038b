"""What is new about the errors of a revision, against what its service said before it came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model.evidence import ErrorGroup, Window


class NoveltyKind(StrEnum):
    """An error group of the judged revision, compared with what was seen before."""

    NEW = "new"  # seen in none of the windows it is compared with
    REGRESSED = "regressed"  # seen earlier, not with the last good revision, and back
    GROWN = "grown"  # known, and clearly more often than before
    PRE_EXISTING = "pre-existing"  # known, about as often as before: muted
    GONE = "gone"  # the last good revision had it often enough to be missed


@dataclass(frozen=True)
class ErrorCount:
    """How often one error group was seen in a window."""

    fingerprint: str
    title: str
    count: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True)
class Observed:
    """The error groups of one window.

    Attributes:
        requests: answered within the window; None where nobody counted them.
        complete: False where the log was longer than is read: counts are lower bounds.
    """

    window: Window
    counts: tuple[ErrorCount, ...]
    requests: int | None = None
    complete: bool = True

    def count_of(self, fingerprint: str) -> int:
        return next((known.count for known in self.counts if known.fingerprint == fingerprint), 0)


@dataclass(frozen=True)
class Baseline:
    """What errors are compared with; None: not read, or there is none.

    Attributes:
        last_good: the revision before, until the judged one came. same_hours: the service one day earlier.
    """

    last_good: Observed | None = None
    same_hours: Observed | None = None


@dataclass(frozen=True)
class Novelty:
    """One error group with what is new about it.

    Attributes:
        rate: per request, 0–1 and more (several entries a request); None where requests were not counted.
        growth: how many times as often as before, > 1; None unless grown.
        group: the errors now (for GONE: as they were), with first and last time and a sample (raw!).
    """

    kind: NoveltyKind
    group: ErrorGroup
    rate: float | None = None
    growth: float | None = None
