"""Where else errors rose: on services that nobody deployed and that do not fail through the suspect."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.rises import Rise
from bot.correlate.attribution.wording import fail, listed, since
from bot.model.attribution import Cause, Vote

_EACH = 2.5
_LIMIT = 6.0
_WITNESS, _WITNESS_SHARE, _WITNESS_STRENGTH = 3.0, 0.08, 4.0  # failures, share of them, and ln e-value of the rise
_OF_THE_PLACE = frozenset({Theme.WARMING, Theme.UPSTREAM, Theme.DEPENDENCY, Theme.CAPACITY})
_POINTS = 0.25  # share of the failures that must point at a service to call the rise an echo of it
_SOON = 80.0  # seconds from a deploy to an outage that would be a coincidence …
_OTHERS_SHOW = 100.0  # … seconds in which other users of a dependency show that they fail, too
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
    strangers = [rise for rise in others if (rise in case.roots and rise not in echoes) or _witness(rise)]
    own = case.rise_of(suspect.service)
    if own is None and not echoes:
        return Vote("elsewhere", -4.0, f"nothing fails in {suspect.service}, and nothing that fails points at it")
    if own is not None and own not in case.roots and not strangers:
        roots = listed([rise.service for rise in case.roots])
        return Vote("elsewhere", -4.0, f"the failures of {suspect.service} follow from those of {roots}")
    if strangers:
        names = [rise.service for rise in strangers]
        weight = -min(_LIMIT, _EACH * sum(map(_sureness, strangers)))
        return Vote("elsewhere", weight, f"{listed(names)} {fail(names)}, too, and not through {suspect.service}")
    if echoes:
        names = [rise.service for rise in echoes]
        return Vote("elsewhere", 0.3 if own else 0.0, f"{listed(names)} {fail(names)} through {suspect.service}")
    return None


def _of_dependency(case: Case) -> Vote | None:
    if all(rise.kind == "client" for rise in case.rises):
        return None
    alike = [rise for rise in case.rises if rise in case.roots or _witness(rise)]
    untouched = [rise for rise in alike if not _deployed_lately(case, rise)]
    if len(alike) > 1 and untouched:
        weight = min(_LIMIT, 2.0 * sum(map(_sureness, untouched)))
        return Vote("elsewhere", weight, _together(untouched, alike))
    if untouched:
        if _deployed_lately(case, untouched[0], _WITHIN_REACH):
            return Vote("elsewhere", -0.2, f"only {untouched[0].service} fails, whose last deploy is minutes ago")
        return Vote("elsewhere", 0.5, f"nobody deployed {untouched[0].service} lately")
    rise = case.roots[0]
    waited = min(1.0, max(0.0, (case.now - case.ledger.lag - rise.onset) / _OTHERS_SHOW))
    soon = _deployed_lately(case, rise, _SOON) and len(case.ledger.services) > 1
    weight = -1.0 - (2.0 * waited if soon else 0.0)
    return Vote("elsewhere", weight, f"only {rise.service} fails, which was deployed lately")


def _together(untouched: list[Rise], alike: list[Rise]) -> str:
    names = [rise.service for rise in untouched]
    began, first = min(rise.onset for rise in untouched), min(rise.onset for rise in alike)
    return f"{listed(names)}, which nobody deployed, {fail(names)} alike {since(began, first)}"


def _says_the_same(rise: Rise, own: Rise) -> bool:
    """In the words of the suspect's own failures, which name nobody: who repeats another's failure words it otherwise."""
    shared = rise.chief & own.chief
    return any(g.wording.key in shared and g.wording.theme in _OF_THE_PLACE for g, _ in rise.groups)


def _witness(rise: Rise) -> bool:
    """It names by its own words what is not ours: no echo of another service of ours."""
    return rise.strength >= _WITNESS_STRENGTH and rise.outside >= max(_WITNESS, _WITNESS_SHARE * rise.units)


def _sureness(rise: Rise) -> float:
    """0-1: a weak rise elsewhere may be chance, and one that speaks of a callee is an echo of something."""
    echo = 0.0 if _witness(rise) else 0.9 * rise.themes.get(Theme.UPSTREAM, 0.0)
    return min(1.0, max(0.0, (rise.strength - 2.0) / 5.0)) * (1.0 - echo)


def _points(case: Case, rise: Rise, service: str) -> bool:
    if case.relation(rise, service).strength >= _POINTS:
        return True
    own = case.rise_of(service)
    return own is not None and case.echoes(rise, own)


def _deployed_lately(case: Case, rise: Rise, within: float = _LATELY) -> bool:
    """A revision that got traffic just before, and that the failures are of, as far as they say."""
    lately = {d.revision for d in case.ledger.services[rise.service].deploys if 0 <= rise.onset - d.at + 20 <= within}
    named = {revision: units for revision, units in rise.by_revision.items() if revision}
    ours = sum(units for revision, units in named.items() if revision in lately)
    return bool(lately) and (not named or ours >= 0.5 * sum(named.values()))
