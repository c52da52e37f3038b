"""Whether there is a rise at all, or only more of chance."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.model.attribution import Cause, Vote

_PER_STRENGTH, _MOST = 0.75, 12.0  # weight against chance for each unit of the rise's ln e-value, up to so many


def vote(case: Case, suspect: Suspect) -> Vote | None:
    if suspect.cause is not Cause.NONE:
        return None
    rise = case.rises[0]
    return Vote(
        "chance",
        -_PER_STRENGTH * min(max(case.strength, 0.0), _MOST),
        f"{rise.units:.0f} failures in {rise.seconds:.0f} s, {rise.before:.0f} in {rise.before_seconds:.0f} s before "
        f"(ln e-value {case.strength:.1f})",
    )
