"""Which errors are new with a revision, and which were always there.

Each error group is compared with two windows: the last good revision until the judged one came, and the same hours a
day earlier. Per request where both sides were counted, else per second. A group that only became more frequent by
chance stays pre-existing: rates are compared with a two-sample test for Poisson counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from math import sqrt

from bot.model.evidence import ErrorGroup, RequestCount, RequestPoint, Window
from bot.model.novelty import Baseline, ErrorCount, Novelty, NoveltyKind, Observed

GROWTH = 2.0
"""Fewer than this many times as often is not told as growth, however sure it is."""

_Z = 2.326  # one in a hundred by chance
_MISSED = 4.6  # expecting this many and seeing none happens once in a hundred: exp(-4.6)
_UNCOUNTED = timedelta(seconds=90)
_KEPT = 100  # error groups kept of a window that later ones are compared with

_ORDER = (
    NoveltyKind.NEW,
    NoveltyKind.REGRESSED,
    NoveltyKind.GROWN,
    NoveltyKind.PRE_EXISTING,
    NoveltyKind.GONE,
)


def observed(
    groups: Iterable[ErrorGroup], window: Window, requests: int | None = None, *, complete: bool = True
) -> Observed:
    """What is kept of a window: its 100 most frequent groups, echoes included."""
    most = sorted(groups, key=lambda group: (-group.count, group.fingerprint))[:_KEPT]
    counts = (ErrorCount(g.fingerprint, g.title, g.count, g.first_seen, g.last_seen) for g in most)
    return Observed(window, tuple(counts), requests, complete)


def compare(groups: Iterable[ErrorGroup], window: Window, requests: int | None, known: Baseline) -> tuple[Novelty, ...]:
    """What is new about `groups`, seen in `window`: new first, then regressed, grown, pre-existing, gone.

    Without anything to compare with the answer is (): nobody knows what is new. Echoes of other groups are left out.

    Args:
        requests: of the judged revision within `window`; None: not counted.
    """
    if known.last_good is None and known.same_hours is None:
        return ()
    causes = [group for group in groups if not group.is_echo]
    found = [_of_group(group, window, requests, known) for group in causes]
    found += _gone({group.fingerprint for group in causes}, window, requests, known.last_good)
    return tuple(sorted(found, key=lambda n: (_ORDER.index(n.kind), -n.group.count, n.group.fingerprint)))


def requests_within(
    window: Window, revision: str, points: Iterable[RequestPoint], latest: RequestCount | None
) -> int | None:
    """Requests of a revision in a window: Cloud Monitoring's minutes, and the request log where those do not reach yet.

    None where the two leave more than a minute and a half uncounted.

    Args:
        latest: the revision's requests at the end of the window, from the request log.
    """
    total, until = 0, window.end
    if latest is not None and latest.complete:
        if latest.window.start <= window.start:
            return latest.total
        total, until = latest.total, latest.window.start
    own = [p for p in points if p.revision == revision and window.start <= p.window.start and p.window.end <= until]
    uncounted = until - max((point.window.end for point in own), default=window.start)
    total += sum(point.count for point in own)
    return total if total and uncounted <= _UNCOUNTED else None


def _of_group(group: ErrorGroup, window: Window, requests: int | None, known: Baseline) -> Novelty:
    rate = group.count / requests if requests else None
    windows = [seen for seen in (known.last_good, known.same_hours) if seen is not None]
    before = [seen for seen in windows if seen.count_of(group.fingerprint)]
    if not before:
        return Novelty(NoveltyKind.NEW, group, rate)
    if known.last_good is not None and known.last_good not in before:
        return Novelty(NoveltyKind.REGRESSED, group, rate)
    growths = [_growth(group, window, requests, seen) for seen in before]
    if all(growth is not None for growth in growths):
        return Novelty(NoveltyKind.GROWN, group, rate, min(growth for growth in growths if growth is not None))
    return Novelty(NoveltyKind.PRE_EXISTING, group, rate)


def _growth(group: ErrorGroup, window: Window, requests: int | None, before: Observed) -> float | None:
    """How many times as often as before; None where chance or less than twice explains it.

    Source: M. Huffman, "An Improved Approximate Two-Sample Poisson Test", Applied Statistics 33 (1984).
    """
    ratio = _exposure_ratio(window, requests, before)
    was = before.count_of(group.fingerprint)
    limit = GROWTH * ratio
    z = 2 * (sqrt(group.count + 0.375) - sqrt(limit * (was + 0.375))) / sqrt(1 + limit)
    return group.count / (was * ratio) if z >= _Z else None


def _gone(now: set[str], window: Window, requests: int | None, good: Observed | None) -> list[Novelty]:
    if good is None:
        return []
    ratio = _exposure_ratio(window, requests, good)
    return [
        Novelty(
            NoveltyKind.GONE,
            ErrorGroup(c.fingerprint, c.title, c.count, c.first_seen, c.last_seen, sample=c.title),
            c.count / good.requests if good.requests else None,
        )
        for c in good.counts
        if c.fingerprint not in now and c.count * ratio >= _MISSED
    ]


def _exposure_ratio(window: Window, requests: int | None, before: Observed) -> float:
    """How much more there was to go wrong in `window` than before: by requests where both are known, else by time."""
    if requests and before.requests:
        return requests / before.requests
    return (window.end - window.start) / (before.window.end - before.window.start)
