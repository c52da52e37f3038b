"""Failures of one service by revision, as they are to be counted: raised log levels taken back."""

from __future__ import annotations

from bot.correlate.attribution.exposure import splits
from bot.correlate.attribution.records import BUCKET, Buckets, Group, Series, Service

_SOME_BEFORE = 2  # lines at a lower level


class View:
    """Failures by revision as they are to be counted: raised levels taken back."""

    def __init__(self, service: Service, kind: str, raised: frozenset[str], now: float) -> None:
        self.service = service
        self.kind = kind
        self.raised = raised
        self.timeline = splits(service)
        self.limit = int((now + 30) // BUCKET)
        self.refusals_logged = any(s.refused or s.answered for s in service.series.values())
        self._counted = {s.revision: self._buckets(s) for s in service.series.values()}

    def buckets(self, revision: str) -> Buckets:
        return self._counted.get(revision, {})

    def total(self, start: float, end: float, *, revision: str | None = None, but: str | None = None) -> float:
        first, last = int(start // BUCKET), int(end // BUCKET)
        return sum(
            count
            for name, buckets in self._counted.items()
            if name != but and (revision is None or name == revision)
            for bucket, count in buckets.items()
            if first <= bucket < last
        )

    def dense(self, start: float, end: float, revision: str | None = None) -> list[float]:
        """Counts of every bucket from `start` to `end`, of one revision or of all."""
        first, last = int(start // BUCKET), max(int(end // BUCKET), int(start // BUCKET)) + 1
        counts = [0.0] * (last - first)
        for name, buckets in self._counted.items():
            if revision is None or name == revision:
                for bucket, count in buckets.items():
                    if first <= bucket < last:
                        counts[bucket - first] += count
        return counts

    def any_since(self, start: float) -> bool:
        first = int(start // BUCKET)
        return any(bucket >= first for buckets in self._counted.values() for bucket in buckets)

    def _buckets(self, series: Series) -> Buckets:
        if self.kind == "client":
            return series.refused if self.refusals_logged else _spread(series)
        if not self.raised:
            return series.units
        counted = dict(series.units)
        for key in self.raised:
            group = series.groups.get(key)
            for bucket, count in group.quiet.items() if group else ():
                counted[bucket] = counted.get(bucket, 0) + count
        return counted


def _spread(series: Series) -> Buckets:
    """Refusals by count, where no request is logged: each interval's spread evenly over its buckets."""
    buckets: Buckets = {}
    for (at, response_class), requests in series.counts.items():
        if response_class == "4xx" and requests.count:
            first, last = int((at - requests.interval) // BUCKET), int(at // BUCKET)
            for bucket in range(first, last):
                share = requests.count * (bucket - first + 1) // (last - first) - requests.count * (bucket - first) // (
                    last - first
                )
                buckets[bucket] = buckets.get(bucket, 0) + share
    return buckets


def raised_kinds(service: Service) -> frozenset[str]:
    """Groups that are logged as errors now and were there before at a lower level: both count, before and after.

    So a level that is raised is no rise, and more of the same is one, whatever the level.
    """
    keys = {key for s in service.series.values() for key, g in s.groups.items() if g.errors}
    return frozenset(
        key for key in keys if _was_quiet([s.groups[key] for s in service.series.values() if key in s.groups])
    )


def _was_quiet(groups: list[Group]) -> bool:
    first_error = min(bucket for group in groups for bucket in group.errors)
    before = sum(count for group in groups for bucket, count in group.quiet.items() if bucket < first_error)
    return before >= _SOME_BEFORE and not any(group.wording.death for group in groups)
