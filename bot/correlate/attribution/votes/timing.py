"""How soon after the change the errors began. What begins before a change is not caused by it."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.model.attribution import Cause, Vote

_SKEW = 15.0  # seconds: clocks differ
_AFTER = {  # seconds from the change to the first error: ln of how much likelier than at any moment
    Cause.REVISION: ((10.0, 3.8), (30.0, 3.0), (60.0, 2.5), (120.0, 1.5), (300.0, 0.5), (900.0, -0.3)),
    Cause.CONFIG: ((30.0, 3.5), (60.0, 3.0), (120.0, 1.5), (240.0, 0.3), (420.0, -1.0)),
}
_MUCH_LATER = -0.7
_NEAR = 120.0  # seconds: who does not fail himself is suspected only so soon after a change


def vote(case: Case, suspect: Suspect) -> Vote | None:
    steps = _AFTER.get(suspect.cause)
    if steps is None:
        return None
    gap = case.onset_for(suspect) - suspect.at
    what = f"the deploy of {suspect.revision}" if suspect.cause is Cause.REVISION else f"the change of {suspect.name}"
    own = case.rise_of(suspect.service)
    if gap < 0 and own and own.by_revision.get(suspect.revision, 0.0) >= 0.5 * own.units:
        weight = 3.0 if gap >= -_SKEW else 2.0
        return Vote("timing", weight, f"errors of {suspect.revision} itself, {-gap:.0f} s before its deploy was told")
    if own is None and gap > _NEAR:
        return Vote(
            "timing", -2.0 if gap <= 300 else -3.0, f"{suspect.service} says nothing, and {what} was {gap:.0f} s before"
        )
    if gap < -_SKEW:
        return Vote("timing", -6.0, f"errors began {-gap:.0f} s before {what}")
    if gap < 0:
        return Vote(
            "timing", 2.0 + gap / _SKEW, f"errors began {-gap:.0f} s before {what}, within the clocks' difference"
        )
    rate = max((r.rate for r in case.rises), default=1.0)
    patience = min(4.0, max(1.0, 0.1 / rate if rate > 0 else 1.0))  # with one failure a minute the first comes late
    weight = next((w for limit, w in steps if gap <= limit * patience), _MUCH_LATER)
    return Vote("timing", weight, f"errors began {gap:.0f} s after {what}")
