"""Errors that came and went before: a burst as high as this one was seen before the change."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.records import BUCKET
from bot.correlate.attribution.rises import Rise
from bot.model.attribution import Cause, Vote

_AS_HIGH = 0.5
_LONGEST = 60.0


def vote(case: Case, suspect: Suspect) -> Vote | None:
    if suspect.cause not in {Cause.REVISION, Cause.NONE, Cause.CONFIG}:
        return None
    rise = case.rise_of(suspect.service) or case.roots[0]
    worst, now = earlier_burst(case, rise, min(rise.onset, suspect.at))
    if worst < 3 or worst < _AS_HIGH * now:
        return None
    weight = 3.0 if suspect.cause is Cause.NONE else -3.5
    return Vote(
        "recurrence", weight, f"{rise.service} had {worst:.0f} such failures at once before; now it has {now:.0f}"
    )


def earlier_burst(case: Case, rise: Rise, before: float) -> tuple[float, float]:
    """(the most of these groups' errors in an earlier window, those of the worst window since the onset)."""
    keys = rise.chief
    width = max(1, int(min(rise.seconds, _LONGEST) / BUCKET))
    limit = int((before - 20) // BUCKET)
    first = int(rise.onset // BUCKET)
    buckets: dict[int, int] = {}
    for series in case.ledger.services[rise.service].series.values():
        for key in keys & series.groups.keys():
            for bucket, count in series.groups[key].errors.items():
                buckets[bucket] = buckets.get(bucket, 0) + count
    return _most({b: c for b, c in buckets.items() if b < limit}, width), _most(
        {b: c for b, c in buckets.items() if b >= first}, width
    )


def _most(buckets: dict[int, int], width: int) -> float:
    return max((sum(buckets.get(b + i, 0) for i in range(width)) for b in buckets), default=0)
