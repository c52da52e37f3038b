"""While two revisions serve: do the failures go with the traffic, or with one revision? The strongest evidence."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.exposure import asked_share, share_seconds, splits
from bot.correlate.attribution.rises import Rise
from bot.correlate.attribution.statistics import log_evidence
from bot.model.attribution import Cause, Vote

_LIMIT = 7.0
_LEAST_EXPOSURE = 2.0  # share-seconds of the others after the onset; less is draining, not serving
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
    """(weight, its failures, the others', its share of the traffic 0-1) since the onset; None where it served alone."""
    service = case.ledger.services[rise.service]
    timeline = splits(service)
    end = case.now
    own_seconds = share_seconds(timeline, revision, rise.onset, end)
    other_seconds = max(0.0, end - rise.onset - own_seconds)
    if other_seconds < _LEAST_EXPOSURE or own_seconds <= 0:
        return None
    seen = asked_share(service, revision, rise.onset)
    if seen is not None:
        whole = own_seconds + other_seconds
        own_seconds, other_seconds = whole * seen, whole * (1 - seen)
        if min(own_seconds, other_seconds) < _LEAST_EXPOSURE:
            return None
    own = rise.by_revision.get(revision, 0.0)
    others = sum(units for name, units in rise.by_revision.items() if name not in {revision, ""})
    usual = rise.before_rate * (end - rise.onset)  # what would have failed anyway
    own = max(0.0, own - usual * own_seconds / (own_seconds + other_seconds))
    others = max(0.0, others - usual * other_seconds / (own_seconds + other_seconds))
    weight = log_evidence(own, own_seconds, others, other_seconds, _RATIOS)
    if others >= _CLEARLY and own / own_seconds < _MUCH_MORE * others / other_seconds:
        weight = min(weight, -1.0)  # the others fail for sure, too, and not much less: it is not this one
    return max(-_LIMIT, min(_LIMIT, weight)), own, others, own_seconds / (own_seconds + other_seconds)
