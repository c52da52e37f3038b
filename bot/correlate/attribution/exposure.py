"""Out of how many: the share of traffic that each revision had, and the volume of requests of a service.

Deploys tell the shares at once; request lines and Cloud Monitoring's counts tell the volume, the latter minutes late.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

from bot.correlate.attribution.records import BUCKET, Buckets, Change, Service

_ENOUGH_REQUESTS = 20  # logged since the onset, before shares are read from them
_HARDLY_MORE = 1.1
_ENOUGH_LINES = 8  # request lines (or others) before a volume is read from them


def splits(service: Service) -> list[tuple[float, dict[str, float]]]:
    """The traffic split from each deploy on: [(time, {revision: share 0-1})], the first from minus infinity."""
    table = _before_any(service)
    timeline = [(float("-inf"), table)]
    for deploy in service.deploys:
        table = _shifted(table, deploy)
        timeline.append((deploy.at, table))
    return timeline


def share_at(timeline: list[tuple[float, dict[str, float]]], revision: str, at: float) -> float:
    """Share 0-1 that `revision` had at this time."""
    share = 0.0
    for since, table in timeline:
        if since > at:
            break
        share = table.get(revision, 0.0)
    return share


def share_seconds(timeline: list[tuple[float, dict[str, float]]], revision: str, start: float, end: float) -> float:
    """Integral of the share of `revision` over time; 0 for an empty window."""
    total = 0.0
    for index, (since, table) in enumerate(timeline):
        until = timeline[index + 1][0] if index + 1 < len(timeline) else float("inf")
        seconds = min(end, until) - max(start, since)
        if seconds > 0:
            total += seconds * table.get(revision, 0.0)
    return total


def surge(service: Service, onset: float, now: float, start: float, recent: float = 120.0) -> float | None:
    """How many times the volume since `onset` is that of before it; None where nothing tells.

    At most the last `recent` seconds are looked at.

    From request lines where successes are logged too, else from counts of whole intervals, else from lines that are
    no errors.
    """
    since = max(onset - 10, now - max(recent, 30.0))
    before = max(start, onset - 600), onset - 20
    after = since, now - 5
    series = service.series.values()
    answered = [s.answered for s in series]
    if _sum(answered, *before) >= _ENOUGH_LINES:
        asked = [*answered, *(s.refused for s in series), *(s.failed for s in series)]
        whole = _ratio(_sum(asked, *after), _sum(asked, *before), after, before)
        fine = _ratio(_sum(answered, *after), _sum(answered, *before), after, before)
        if whole is None or fine is None or whole <= _HARDLY_MORE or fine > _HARDLY_MORE:
            return whole
        return _counted(
            service, onset, start, recent
        )  # more failures, no more successes: perhaps a tenth of these is logged
    counted = _counted(service, onset, start, recent)
    if counted is not None:
        return counted
    quiet = _steady_lines(service, *before)
    if _sum(quiet, *before) >= 4 * _ENOUGH_LINES:
        return _ratio(_sum(quiet, *after), _sum(quiet, *before), after, before)
    return None


def counts_of(service: Service, revision: str | None, start: float, end: float) -> Mapping[str, float]:
    """Requests by class ("2xx" …) in the intervals whose middle is in [start, end); {} where no count came."""
    found: dict[str, float] = {}
    for series in service.series.values():
        if revision is None or series.revision == revision:
            for (at, response_class), requests in series.counts.items():
                if start <= at - requests.interval / 2 < end:
                    found[response_class] = found.get(response_class, 0.0) + requests.count
    return found


def counts_since(service: Service, onset: float) -> int:
    """How many intervals that lie after the onset have been counted so far."""
    return len({at for s in service.series.values() for (at, _), r in s.counts.items() if at - r.interval / 2 > onset})


def asked_share(service: Service, revision: str, since: float) -> float | None:
    """Share 0-1 of the logged requests since then that `revision` answered; None where not all requests are logged."""
    first = int(since // BUCKET)
    asked = {
        s.revision: (_since(s.answered, first), _since(s.refused, first) + _since(s.failed, first))
        for s in service.series.values()
    }
    fine, wrong = sum(a for a, _ in asked.values()), sum(w for _, w in asked.values())
    if fine + wrong < _ENOUGH_REQUESTS or fine < 0.2 * (fine + wrong):
        return None
    return sum(asked.get(revision, (0, 0))) / (fine + wrong)


def _steady_lines(service: Service, start: float, end: float) -> list[Buckets]:
    """Lines that are no errors, of kinds that were common before: what is new is no measure of volume."""
    by_kind: dict[str, list[Buckets]] = {}
    for series in service.series.values():
        for key, group in series.groups.items():
            by_kind.setdefault(key, []).append(group.quiet)
    return [b for kind in by_kind.values() if _sum(kind, start, end) >= _ENOUGH_LINES for b in kind]


def _counted(service: Service, onset: float, start: float, recent: float) -> float | None:
    per_minute: dict[float, float] = {}
    for series in service.series.values():
        for (at, _), requests in series.counts.items():
            middle = at - requests.interval / 2
            per_minute[middle] = per_minute.get(middle, 0.0) + requests.count * 60 / max(requests.interval, 1.0)
    before = [count for at, count in per_minute.items() if max(start, onset - 900) <= at < onset - 40]
    after = [per_minute[at] for at in sorted(per_minute) if at > onset]
    if not before or not after or not sum(before):
        return None
    last = after[-max(2, int(recent // 60)) :]
    most, mean = max(last) if len(last) <= 2 else sum(last) / len(last), sum(before) / len(before)
    error = 2 * (1 / max(most, 1.0) + 1 / sum(before)) ** 0.5
    return max(1.0, most / mean * exp(-error)) if most > mean else min(1.0, most / mean * exp(error))


def _before_any(service: Service) -> dict[str, float]:
    if not service.deploys:
        newest = max(service.series.values(), key=lambda s: (s.last, s.revision), default=None)
        return {newest.revision: 1.0} if newest else {}
    first = service.deploys[0]
    if first.prev:
        return {first.prev: 1.0}
    older = [s for s in service.series.values() if s.revision != first.revision and s.first < first.at]
    return {max(older, key=lambda s: (s.total, s.revision)).revision: 1.0} if older else {}


def _shifted(table: dict[str, float], deploy: Change) -> dict[str, float]:
    share = min(max(deploy.traffic, 0.0), 100.0) / 100
    if deploy.prev and deploy.prev != deploy.revision:
        return {deploy.prev: 1 - share, deploy.revision: share}  # what it does not get stays with that one
    others = {revision: part for revision, part in table.items() if revision != deploy.revision and part > 0}
    whole = sum(others.values())
    if whole > 0:
        others = {revision: part * (1 - share) / whole for revision, part in others.items()}
    return {**others, deploy.revision: share}


def _since(buckets: Buckets, first: int) -> int:
    return sum(count for bucket, count in buckets.items() if bucket >= first)


def _sum(many: list[Buckets], start: float, end: float) -> int:
    first, last = int(start // BUCKET), int(end // BUCKET)
    return sum(count for buckets in many for bucket, count in buckets.items() if first <= bucket < last)


def _ratio(after: float, before: float, window: tuple[float, float], reference: tuple[float, float]) -> float | None:
    """The ratio that the counts bear out: two standard errors less than it looks, or more where it is below 1."""
    if window[1] - window[0] < 2 * BUCKET or reference[1] - reference[0] < 4 * BUCKET or not before:
        return None
    ratio = (after / (window[1] - window[0])) / (before / (reference[1] - reference[0]))
    error = 2 * (1 / max(after, 1.0) + 1 / before) ** 0.5
    return max(1.0, ratio * exp(-error)) if ratio > 1 else min(1.0, ratio * exp(error))
