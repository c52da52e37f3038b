"""Did the requests rise with the errors, or before them?"""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.model.attribution import Cause, Vote

_STEPS = ((2.5, 4.0), (1.8, 3.0), (1.5, 1.5), (1.3, -0.5))
_NO_SURGE = -4.0
_UNKNOWN = -2.0


def vote(case: Case, suspect: Suspect) -> Vote | None:
    surges = [rise.surge for rise in case.roots if rise.surge is not None]
    highest = max(surges, default=None)
    if suspect.cause is Cause.TRAFFIC:
        if highest is None:
            return Vote("volume", _UNKNOWN, "nothing tells how many requests came")
        weight = next((w for least, w in _STEPS if highest >= least), _NO_SURGE)
        return Vote("volume", weight, f"{highest:.1f} times the requests of before")
    if suspect.cause is Cause.REVISION and highest is not None and highest >= _STEPS[1][0]:
        return Vote("volume", -1.5, f"{highest:.1f} times the requests of before came at the same time")
    return None
