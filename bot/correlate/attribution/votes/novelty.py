"""Are the failing lines new with the suspect, or were they there before? Never enough alone."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.model.attribution import Cause, Vote

_NEW = 0.5
_OLD = -1.5
_CLEARLY = 0.35  # share of new kinds from which a rise is new: a failure also says what failures always say


def vote(case: Case, suspect: Suspect) -> Vote | None:
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


def _first_elsewhere(case: Case, suspect: Suspect, key: str) -> float:
    """When the service first logged this group; on another revision, where a revision is suspected."""
    series = case.ledger.services[suspect.service].series.values()
    return min(
        (s.groups[key].first for s in series if s.revision != suspect.revision and key in s.groups),
        default=float("inf"),
    )
