"""Do the failures carry the name of the suspected revision?"""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.model.attribution import Cause, Vote

_ELSEWHERE = -5.0
_MOSTLY = 0.2
_FEW = 3


def vote(case: Case, suspect: Suspect) -> Vote | None:
    rise = case.rise_of(suspect.service)
    if suspect.cause is not Cause.REVISION or rise is None:
        return None
    named = {revision: units for revision, units in rise.by_revision.items() if revision}
    whole = sum(named.values())
    own = named.get(suspect.revision, 0.0)
    if whole < _FEW or own >= _MOSTLY * whole:
        return None
    return Vote(
        "locality",
        _ELSEWHERE * (1 - own / (_MOSTLY * whole)),
        f"only {own:.0f} of {whole:.0f} failures are of {suspect.revision}",
    )
