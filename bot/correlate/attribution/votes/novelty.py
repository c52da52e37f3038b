"""Are the failing lines new with the suspect, or were they there before? Never enough alone."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.model.attribution import Cause, Vote

_NEW = 0.5
_OLD = -1.5
_EVERY_DAY = 2.5
_AT_ONCE, _HARDLY, _MUCH_MORE = 10.0, 0.2, 6.0  # seconds; share of new kinds; times the failures of before
_CLEARLY = 0.35  # share of new kinds from which a rise is new: a failure also says what failures always say


def vote(case: Case, suspect: Suspect) -> Vote | None:
    if suspect.cause is Cause.DEPENDENCY:
        return _of_dependency(case)
    rise = case.rise_of(suspect.service)
    if suspect.cause not in {Cause.REVISION, Cause.CONFIG} or rise is None or not rise.groups:
        return None
    groups = [pair for pair in rise.groups if not pair[0].wording.request]
    if not groups:
        return None
    whole = sum(excess for _, excess in groups)
    first = {key: _first_elsewhere(case, suspect, key) for key in (group.wording.key for group, _ in groups)}
    new = sum(excess for group, excess in groups if first[group.wording.key] >= suspect.at - 5) / whole
    weight = _OLD + (_NEW - _OLD) * min(1.0, new / _CLEARLY)
    return Vote(
        "novelty",
        weight,
        f"{100 * new:.0f} % of the added failures are of kinds not seen before {suspect.revision or suspect.name}",
    )


def _of_dependency(case: Case) -> Vote | None:
    """More of what was always there is no outage."""
    groups = [
        (rise, group, excess) for rise in case.roots for group, excess in rise.groups if not group.wording.request
    ]
    whole = sum(excess for _, _, excess in groups)
    new = sum(excess for rise, group, excess in groups if group.first >= rise.onset - _AT_ONCE)
    if not whole or new >= _HARDLY * whole or any(rise.rate >= _MUCH_MORE * rise.before_rate for rise in case.roots):
        return None
    return Vote(
        "novelty",
        -_EVERY_DAY,
        f"{100 * (1 - new / whole):.0f} % of the added failures are of kinds seen before it began",
    )


def _first_elsewhere(case: Case, suspect: Suspect, key: str) -> float:
    """When the service first logged this group; on another revision, where a revision is suspected."""
    series = case.ledger.services[suspect.service].series.values()
    return min(
        (s.groups[key].first for s in series if s.revision != suspect.revision and key in s.groups),
        default=float("inf"),
    )
