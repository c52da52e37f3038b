"""How often each cause is the cause, before anything is looked at; and whether there is a rise at all."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.model.attribution import Cause, Vote

_USUAL = {
    Cause.REVISION: 0.0,  # most outages follow a change
    Cause.CONFIG: 0.5,  # rarer than deploys, and so the nearness of one tells more
    Cause.DEPENDENCY: -0.7,
    Cause.TRAFFIC: -0.7,
    Cause.CLIENT: 1.5,  # only asked where nothing but 4xx rose
    Cause.NONE: 4.5,  # against which the strength of the rise is set; a chance rise is searched for beside deploys, too
}
_ROLLED_BACK = -3.0  # who goes back to a revision knew it to be good


def vote(case: Case, suspect: Suspect) -> Vote | None:
    if suspect.cause is Cause.NONE:
        weight = _USUAL[Cause.NONE] - min(max(case.strength, 0.0), 12.0) * 0.75
        rise = case.rises[0]
        return Vote(
            "chance",
            weight,
            f"{rise.units:.0f} failures in {rise.seconds:.0f} s after {rise.before:.0f} in {rise.before_seconds:.0f} s "
            f"(ln e-value {case.strength:.1f})",
        )
    if suspect.back:
        return Vote(
            "prior", _ROLLED_BACK, f"{suspect.revision} had served before: going back to it is rarely the cause"
        )
    return Vote("prior", _USUAL[suspect.cause], f"how often a {suspect.cause} is the cause")
