"""Who fails because of whom: what the failing messages, the failing traces and the catalog say about callees."""

from __future__ import annotations

from dataclasses import dataclass

from bot.correlate.attribution.known import Known
from bot.correlate.attribution.ledger import Ledger
from bot.correlate.attribution.naming import names
from bot.correlate.attribution.records import Service
from bot.correlate.attribution.rises import Rise

_SKEW = 2.0  # seconds by which clocks of two services are taken to differ at most, mostly


@dataclass(frozen=True)
class Relation:
    """How the failures of one service point at another.

    Attributes:
        named: share 0-1 of the excess whose messages name the other. traced: share of the failing traces, of `traces`, in
            which the other spoke before (who speaks only afterwards is a caller). failed: … in which it failed, too;
            first: … and before. known: the catalog says that it is called.
        by_revision: failing traces by the other's revision.
    """

    named: float
    traced: float
    failed: float
    first: float
    traces: int
    known: bool
    by_revision: dict[str, int]

    @property
    def strength(self) -> float:
        """0-1: how surely the failures pass through the other."""
        enough = self.traces >= 3
        return max(self.named, self.traced if enough else 0.0, 0.6 if self.known else 0.0)


def relation(ledger: Ledger, known: Known, rise: Rise, other: str) -> Relation:
    """How the failures of `rise` point at the service called `other`."""
    most = max((excess for _, excess in rise.groups), default=0.0)  # a failure may be told by several lines
    naming = sum(
        excess
        for group, excess in rise.groups
        if not group.wording.request and names(group.wording.sample, other, rise.service)
    )
    traces, spoke, failing, first = 0, 0, 0, 0
    by_revision: dict[str, int] = {}
    service = ledger.services.get(rise.service) or Service(rise.service)
    for series in service.series.values():
        for at, events in series.failing:
            if at < rise.onset - _SKEW:
                continue
            traces += 1
            theirs = [event for event in events if event[0].service == other]
            if not theirs:
                continue
            failing += any(failed for _, _, failed in theirs)
            first += any(failed and when <= at for _, when, failed in theirs)
            if min(when for _, when, _ in theirs) <= at:
                spoke += 1
                revision = theirs[-1][0].revision
                by_revision[revision] = by_revision.get(revision, 0) + 1
    return Relation(
        named=min(1.0, naming / most) if most else 0.0,
        traced=spoke / traces if traces else 0.0,
        failed=failing / traces if traces else 0.0,
        first=first / traces if traces else 0.0,
        traces=traces,
        known=other in known.calls.get(rise.service, ()),
        by_revision=by_revision,
    )
