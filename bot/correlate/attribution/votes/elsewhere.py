"""Where else errors rose: on services that nobody deployed and that do not fail through the suspect."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.rises import Rise
from bot.model.attribution import Cause, Vote

_EACH = 2.5
_LIMIT = 6.0
_POINTS = 0.25  # share of the failures that must point at a service to call the rise an echo of it
_LATELY, _WITHIN_REACH = 120.0, 900.0  # seconds from a deploy to the errors: hardly chance; a leak, perhaps


def vote(case: Case, suspect: Suspect) -> Vote | None:
    if suspect.cause in {Cause.REVISION, Cause.CONFIG}:
        return _of_change(case, suspect)
    if suspect.cause is Cause.DEPENDENCY:
        return _of_dependency(case)
    return None


def _of_change(case: Case, suspect: Suspect) -> Vote | None:
    others = [rise for rise in case.rises if rise.service != suspect.service]
    echoes = [rise for rise in others if _points(case, rise, suspect.service)]
    strangers = [rise for rise in case.roots if rise in others and rise not in echoes]
    own = case.rise_of(suspect.service)
    if own is None and not echoes:
        return Vote("elsewhere", -4.0, f"nothing fails in {suspect.service}, and nothing that fails points at it")
    if own is not None and own not in case.roots:
        roots = ", ".join(rise.service for rise in case.roots)
        return Vote("elsewhere", -4.0, f"the failures of {suspect.service} follow from those of {roots}")
    if strangers:
        names = ", ".join(rise.service for rise in strangers)
        weight = -min(_LIMIT, _EACH * sum(map(_sureness, strangers)))
        return Vote("elsewhere", weight, f"{names} fails too, and not through {suspect.service}")
    if echoes:
        names = ", ".join(rise.service for rise in echoes)
        return Vote("elsewhere", 0.3 if own else 0.0, f"{names} fails through {suspect.service}")
    return None


def _of_dependency(case: Case) -> Vote | None:
    untouched = [rise for rise in case.roots if not _deployed_lately(case, rise)]
    if len(case.roots) > 1 and untouched:
        names = ", ".join(rise.service for rise in case.roots)
        weight = min(_LIMIT, 2.0 * sum(map(_sureness, untouched)))
        return Vote("elsewhere", weight, f"{names} fail together; nobody deployed {len(untouched)} of them")
    if untouched:
        if _deployed_lately(case, untouched[0], _WITHIN_REACH):
            return Vote("elsewhere", -0.2, f"only {untouched[0].service} fails, whose last deploy is minutes ago")
        return Vote("elsewhere", 0.5, f"nobody deployed {untouched[0].service} lately")
    return Vote("elsewhere", -1.0, f"only {case.roots[0].service} fails, which was deployed lately")


def _sureness(rise: Rise) -> float:
    """0-1: a weak rise elsewhere may be chance, and one that speaks of a callee is an echo of something."""
    return min(1.0, max(0.0, (rise.strength - 2.0) / 5.0)) * (1.0 - 0.6 * rise.themes.get(Theme.UPSTREAM, 0.0))


def _points(case: Case, rise: Rise, service: str) -> bool:
    if case.relation(rise, service).strength >= _POINTS:
        return True
    own = case.rise_of(service)
    return own is not None and case.echoes(rise, own)


def _deployed_lately(case: Case, rise: Rise, within: float = _LATELY) -> bool:
    return any(0 <= rise.onset - d.at + 20 <= within for d in case.ledger.services[rise.service].deploys)
