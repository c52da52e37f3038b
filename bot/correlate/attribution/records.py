"""What the ledger keeps: a service, its revisions, their error groups, and what people did to it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bot.correlate.attribution.lexicon import Wording
from bot.correlate.attribution.signals import Requests

BUCKET = 5.0  # seconds

Buckets = dict[int, int]


class Group:
    """One error group on one revision: lines logged as errors and lines of the same words that were not."""

    __slots__ = ("errors", "first", "quiet", "total", "wording")

    def __init__(self, wording: Wording) -> None:
        self.wording = wording
        self.errors: Buckets = {}
        self.quiet: Buckets = {}
        self.first = float("inf")  # source time of the first error line
        self.total = 0


class Series:
    """All that one revision of one service did."""

    __slots__ = (
        "answered", "counts", "failed", "failing", "first", "groups", "last", "lines", "moments", "refused", "revision", "service",
        "throttled", "total", "units",
    )  # fmt: skip

    def __init__(self, service: str, revision: str) -> None:
        self.service = service
        self.revision = revision
        self.units: Buckets = {}
        self.lines: Buckets = {}
        self.answered: Buckets = {}  # request lines with a status below 400
        self.refused: Buckets = {}  # … 400 to 499
        self.throttled: Buckets = {}  # … 429 of them
        self.failed: Buckets = {}  # … 500 and above
        self.groups: dict[str, Group] = {}
        self.counts: dict[tuple[float, str], Requests] = {}
        self.moments: dict[int, set[str | None]] = {}
        self.failing: deque[tuple[float, list[Event]]] = deque(maxlen=80)
        self.first = float("inf")
        self.last = 0.0
        self.total = 0  # error units ever


Event = tuple[Series, float, bool]  # who spoke in a trace, when, and was it an error


@dataclass(frozen=True)
class Change:
    """A deploy as it was told: `revision` gets `traffic` percent at `at` (source time). `back`: it served before."""

    at: float
    heard: float
    revision: str
    prev: str
    traffic: float
    back: bool


@dataclass(frozen=True)
class Setting:
    """A configuration change as it was told."""

    at: float
    heard: float
    name: str


class Service:
    """A service: its revisions, and what people did to it."""

    __slots__ = ("deploys", "first", "name", "series", "settings")

    def __init__(self, name: str) -> None:
        self.name = name
        self.series: dict[str, Series] = {}
        self.deploys: list[Change] = []
        self.settings: list[Setting] = []
        self.first = float("inf")
