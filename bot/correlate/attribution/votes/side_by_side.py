"""While two revisions serve: do the failures go with the traffic, or with one revision? The strongest evidence."""

from __future__ import annotations

from math import inf

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.exposure import asked_share, share_seconds, splits
from bot.correlate.attribution.records import BUCKET, Series
from bot.correlate.attribution.rises import Rise
from bot.correlate.attribution.statistics import log_evidence
from bot.model.attribution import Cause, Vote

_LIMIT = 7.0
_LEAST_EXPOSURE = 2.0  # share-seconds of the others after the onset; less is draining, not serving
_LEAST_AFTER, _LIMIT_AFTER = 30.0, 2.5  # seconds of each alone; weight of what came after
_CLEARLY, _MUCH_MORE = 8.0, 4.0  # failures of the others; ratio of rates
_RATIOS = (3.0, 10.0, 30.0, 100.0)


def vote(case: Case, suspect: Suspect) -> Vote | None:
    rise = case.rise_of(suspect.service)
    if suspect.cause is not Cause.REVISION or rise is None or rise.themes.get(Theme.STARTUP, 0.0) >= 0.5:
        return None
    told = compare(case, rise, suspect.revision)
    if told is None:
        return None
    weight, own, others, share = told
    return Vote(
        "side_by_side",
        weight,
        f"{suspect.revision} had {own:.0f} of {own + others:.0f} failures with {100 * share:.0f} % of the traffic",
    )


def compare(case: Case, rise: Rise, revision: str) -> tuple[float, float, float, float] | None:
    """(weight, its failures, the others', its share of the traffic 0-1) since the onset; None where it served alone.

    Beside each other while both serve; one after the other, which proves less, where traffic moved on long enough ago.
    """
    service = case.ledger.services[rise.service]
    timeline = splits(service)
    end = case.now - case.ledger.lag
    beside = _both_serve(timeline, revision, rise.onset, end)
    told = _compared(case, rise, revision, beside, asked_share(service, revision, rise.onset)) if beside else None
    if told is not None:
        return told
    after = [(rise.onset, end)]
    alone = share_seconds(timeline, revision, rise.onset, end)
    if min(alone, end - rise.onset - alone) < _LEAST_AFTER:
        return None
    told = _compared(case, rise, revision, after, None)
    return (min(_LIMIT_AFTER, told[0]), *told[1:]) if told else None


def _both_serve(
    timeline: list[tuple[float, dict[str, float]]], revision: str, start: float, end: float
) -> list[tuple[float, float]]:
    """The stretches of [start, end) in which this revision and another one have traffic."""
    found = []
    for index, (since, table) in enumerate(timeline):
        until = timeline[index + 1][0] if index + 1 < len(timeline) else inf
        first, last = max(start, since), min(end, until)
        if last > first and 0.0 < table.get(revision, 0.0) < 1.0:
            found.append((first, last))
    return found


def _compared(
    case: Case, rise: Rise, revision: str, stretches: list[tuple[float, float]], seen: float | None
) -> tuple[float, float, float, float] | None:
    service = case.ledger.services[rise.service]
    timeline = splits(service)
    whole = sum(last - first for first, last in stretches)
    own_seconds = sum(share_seconds(timeline, revision, *stretch) for stretch in stretches)
    other_seconds = max(0.0, whole - own_seconds)
    if seen is not None and len(stretches) == 1 and stretches[0][0] <= rise.onset + _LEAST_EXPOSURE:
        own_seconds, other_seconds = whole * seen, whole * (1 - seen)
    if other_seconds < _LEAST_EXPOSURE or own_seconds <= 0:
        return None
    until_now = [(first, last if last < case.now - case.ledger.lag else case.now + 30) for first, last in stretches]
    own = others = 0.0
    for name, series in service.series.items():
        units = sum(_units(series, rise, first, last) for first, last in until_now) if name else 0.0
        own, others = (own + units, others) if name == revision else (own, others + units)
    usual = rise.before_rate * whole  # what would have failed anyway
    own = max(0.0, own - usual * own_seconds / (own_seconds + other_seconds))
    others = max(0.0, others - usual * other_seconds / (own_seconds + other_seconds))
    weight = log_evidence(own, own_seconds, others, other_seconds, _RATIOS)
    if others >= _CLEARLY and own / own_seconds < _MUCH_MORE * others / other_seconds:
        weight = min(weight, -1.0)  # the others fail for sure, too, and not much less: it is not this one
    return max(-_LIMIT, min(_LIMIT, weight)), own, others, own_seconds / (own_seconds + other_seconds)


def _units(series: Series, rise: Rise, start: float, end: float) -> int:
    buckets = series.refused if rise.kind == "client" else series.units
    first, last = int(start // BUCKET), int(end // BUCKET)
    return sum(count for bucket, count in buckets.items() if first <= bucket < last)
