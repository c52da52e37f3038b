"""Failing requests followed by their trace ids, and callees named in messages: where does it begin?"""

from __future__ import annotations

from math import log

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.exposure import share_at, splits
from bot.correlate.attribution.rises import Rise
from bot.model.attribution import Cause, Vote

_FEW = 3


def vote(case: Case, suspect: Suspect) -> Vote | None:
    if suspect.cause is Cause.DEPENDENCY:
        return _ours_named(case)
    if suspect.cause not in {Cause.REVISION, Cause.CONFIG}:
        return None
    own = case.rise_of(suspect.service) is not None  # where it fails itself, its callers only repeat that
    callers = [rise for rise in case.rises if rise.service != suspect.service]
    weight, said = 0.0, []
    for rise in callers:
        told = case.relation(rise, suspect.service)
        if told.named >= 0.25:
            weight += 0.0 if own else 3.0 * told.named
            said.append(f"{100 * told.named:.0f} % of the failures of {rise.service} name {suspect.service}")
        if told.traces >= _FEW and told.traced >= 0.25:
            weight += 0.0 if own else (told.traced + told.first) * (1 - _own_reason(rise))
            weight += _by_revision(case, suspect, told.by_revision)
            said.append(f"{100 * told.traced:.0f} % of {told.traces} failing traces of {rise.service} pass through it")
    return Vote("traces", max(-4.0, min(4.0, weight)), "; ".join(said)) if said else None


def _own_reason(rise: Rise) -> float:
    """0-1: who names what he cannot reach, or his own bug, does not fail because of whom he also called."""
    return sum(rise.themes.get(theme, 0.0) for theme in (Theme.DEPENDENCY, Theme.STARTUP, Theme.MEMORY, Theme.CAPACITY))


def _by_revision(case: Case, suspect: Suspect, traces: dict[str, int]) -> float:
    """Failing traces through this revision, against its share of the traffic."""
    if suspect.cause is Cause.CONFIG:
        return 0.0
    share = share_at(splits(case.ledger.services[suspect.service]), suspect.revision, case.now)
    own, whole = traces.get(suspect.revision, 0), sum(traces.values())
    if not 0.0 < share < 1.0 or whole < _FEW:
        return 0.0
    guilty = min(0.97, 0.5 + share / 2)
    weight = own * log(guilty / share) + (whole - own) * log((1 - guilty) / (1 - share))
    return max(-4.0, min(3.0, weight))


def _ours_named(case: Case) -> Vote | None:
    """Failures that name a service of ours speak against a dependency that is not ours."""
    silent = [name for name in case.ledger.services if case.rise_of(name) is None]
    ours = [name for name in silent if any(case.relation(r, name).named >= 0.5 for r in case.roots)]
    return (
        Vote("traces", -2.0, f"the failures name {', '.join(sorted(ours))}, where we see no failure") if ours else None
    )
