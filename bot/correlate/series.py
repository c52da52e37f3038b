"""Errors over time: log entries become counts per revision and minute, the numbers behind a chart.

Pure. What counts as an error is `bot.correlate.telling`'s business; a traceback of forty entries is one error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.correlate.grouping import group
from bot.correlate.reassembly import reassemble
from bot.correlate.telling import is_error_like
from bot.model.evidence import ErrorGroup, LogEntry, RequestPoint, Window
from bot.model.series import ErrorSeries, Mark, RevisionErrors

MAX_BARS = 60
"""More than these cannot be told apart on a phone: longer windows get wider bars."""

_STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1_440))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SharedGroup:
    """An error group with its count on each revision, most first."""

    group: ErrorGroup
    on: tuple[tuple[str, int], ...]


def error_series(
    entries: Iterable[LogEntry], window: Window, *, requests: Sequence[RequestPoint] = (), complete: bool = True
) -> ErrorSeries:
    """Errors per revision and bar; without any entry, a series without revisions.

    Args:
        entries: of one service, in any order, also more than once and beyond the window.
        window: widened to whole steps; at most 60 bars of 1, 2, 5, 10 … minutes.
        requests: of the same service; spread over the bars by where their interval begins.
    """
    step = _step(window.end - window.start)
    wide = _widened(window, step)
    bars = max(1, round((wide.end - wide.start) / step))
    counted: dict[str, Counter[int]] = {}
    for entry in reassemble(entries):
        if wide.start <= entry.at < wide.end and is_error_like(entry):
            counted.setdefault(entry.revision, Counter())[_bar(entry.at, wide, step)] += 1
    revisions = [RevisionErrors(name, tuple(found[bar] for bar in range(bars))) for name, found in counted.items()]
    return ErrorSeries(
        window=wide,
        step=step,
        revisions=tuple(sorted(revisions, key=lambda each: (-each.total, each.revision))),
        requests=_requests(requests, wide, step, bars),
        complete=complete,
    )


def with_marks(series: ErrorSeries, marks: Iterable[Mark]) -> ErrorSeries:
    """The series with those of `marks` that lie in its window, each once, oldest first."""
    within = {mark for mark in marks if series.window.start <= mark.at < series.window.end}
    return replace(series, marks=tuple(sorted(within, key=lambda mark: (mark.at, mark.kind, mark.revision))))


def shared_groups(entries: Sequence[LogEntry]) -> tuple[SharedGroup, ...]:
    """The error groups of a service, causes before echoes and most frequent first, each with its revisions.

    () for harmless chatter. Counts are those of `bot.correlate.grouping.group`, made for each revision by itself.
    """
    shares: dict[str, Counter[str]] = {}
    for revision in dict.fromkeys(entry.revision for entry in entries):
        for part in group(entry for entry in entries if entry.revision == revision):
            shares.setdefault(part.fingerprint, Counter())[revision] += part.count
    return tuple(
        SharedGroup(whole, tuple(sorted(shares[whole.fingerprint].items(), key=lambda each: (-each[1], each[0]))))
        for whole in group(entries)
        if whole.fingerprint in shares
    )


def _step(length: timedelta) -> timedelta:
    return next((step for step in _STEPS if length <= step * MAX_BARS), _STEPS[-1])


def _widened(window: Window, step: timedelta) -> Window:
    before, after = (window.start - _EPOCH) % step, (_EPOCH - window.end) % step
    return Window((window.start - before).astimezone(UTC), (window.end + after).astimezone(UTC))


def _bar(at: datetime, window: Window, step: timedelta) -> int:
    return (at - window.start) // step


def _requests(points: Sequence[RequestPoint], window: Window, step: timedelta, bars: int) -> tuple[int | None, ...]:
    counted: Counter[int] = Counter()
    for point in points:
        if window.start <= point.window.start < window.end:
            counted[_bar(point.window.start, window, step)] += point.count
    return tuple(counted.get(bar) for bar in range(bars)) if counted else ()
