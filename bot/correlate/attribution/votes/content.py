"""What the failing lines speak of."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.rises import Rise
from bot.model.attribution import Cause, Vote

_WEIGHTS: dict[Cause, dict[Theme, float]] = {
    Cause.REVISION: {
        Theme.CODE: 2.0, Theme.STARTUP: 2.5, Theme.MEMORY: 1.5, Theme.DEPENDENCY: -2.5, Theme.CAPACITY: -1.5,
        Theme.SETTING: -0.5, Theme.WARMING: -1.5, Theme.UPSTREAM: -0.5,
    },
    Cause.DEPENDENCY: {
        Theme.DEPENDENCY: 2.5, Theme.CODE: -2.5, Theme.MEMORY: -2.5, Theme.STARTUP: -3.0, Theme.SETTING: -1.0,
        Theme.CAPACITY: -1.0, Theme.UPSTREAM: 0.3, Theme.OTHER: -1.0,
    },
    Cause.CONFIG: {Theme.SETTING: 2.5, Theme.CODE: 0.6, Theme.MEMORY: -2.0, Theme.CAPACITY: -1.0, Theme.DEPENDENCY: -0.5},
    Cause.TRAFFIC: {Theme.CAPACITY: 2.0, Theme.UPSTREAM: 0.5, Theme.CODE: -3.0, Theme.SETTING: -3.0, Theme.STARTUP: -3.0},
    Cause.NONE: {Theme.WARMING: 1.5},
}  # fmt: skip
_LEAK = 0.8  # want of capacity where no more requests come
_NO_MORE = 1.3  # times the requests
_NAMES_SETTING = 2.0


def vote(case: Case, suspect: Suspect) -> Vote | None:
    if all(rise.kind == "client" for rise in case.rises):
        return _of_refusals(case, suspect)
    own = case.rise_of(suspect.service)
    weights = _WEIGHTS.get(suspect.cause, {})
    rises = (own,) if own and suspect.cause in {Cause.REVISION, Cause.CONFIG} else case.roots
    if suspect.cause is Cause.REVISION and own is None:
        return None  # what callers say about their callee is the business of `traces`
    themes = _own_themes(case, own, suspect) if suspect.cause is Cause.REVISION and own else case.themes(rises)
    weight = sum(weights.get(theme, 0.0) * share for theme, share in themes.items())
    if suspect.cause is Cause.REVISION and own:
        weight += _corrected(case, own, themes)
    said = f"the failing lines speak of {_said(themes)}"
    if suspect.cause is Cause.CONFIG and _named(case, suspect.name):
        weight += _NAMES_SETTING
        said += f" and name {suspect.name}"
    line = case.sample(rises)
    return Vote("content", weight, f"{said}: {line}" if line else said) if weight else None


def _own_themes(case: Case, own: Rise, suspect: Suspect) -> dict[Theme, float]:
    """What the suspect's own lines speak of, where they carry its name; what other revisions say is not its doing."""
    series = case.ledger.services[suspect.service].series
    spoken = {name for name, units in own.by_revision.items() if name and units}
    if len(spoken) < 2 or suspect.revision not in series:
        return own.themes
    mine = series[suspect.revision].groups
    groups = [
        (group, excess) for group, excess in own.groups if group.wording.key in mine and mine[group.wording.key].errors
    ]
    whole = sum(excess for _, excess in own.groups)
    themes: dict[Theme, float] = {}
    for group, excess in groups:
        themes[group.wording.theme] = themes.get(group.wording.theme, 0.0) + excess / whole
    return {theme: min(share, own.themes.get(theme, 0.0)) for theme, share in themes.items()}


def _of_refusals(case: Case, suspect: Suspect) -> Vote | None:
    """Refusals say little but their status: 429 is for want of room, the others are the clients' mostly."""
    throttled = max(rise.throttled for rise in case.rises)
    volumes = [rise.surge for rise in case.rises if rise.surge is not None]
    usual = bool(volumes) and max(volumes) < _NO_MORE  # no crowd: some client asks more than its share
    weight = {
        Cause.TRAFFIC: -2.0 + 5.0 * throttled,
        Cause.CLIENT: 2.0 - (0.5 if usual else 5.0) * throttled,
        Cause.DEPENDENCY: -2.5,
        Cause.REVISION: -1.5,
    }.get(suspect.cause, 0.0)
    return Vote("content", weight, f"answers are 4xx, {100 * throttled:.0f} % of them 429") if weight else None


def _corrected(case: Case, own: Rise, themes: dict[Theme, float]) -> float:
    """Capacity words without more requests may be a leak; lines that name a callee speak of the callee."""
    weight = 0.0
    if own.surge is not None and own.surge < 1.3:
        weight += (_LEAK - _WEIGHTS[Cause.REVISION][Theme.CAPACITY]) * themes.get(Theme.CAPACITY, 0.0)
    named = max((case.relation(own, name).named for name in case.ledger.services if name != own.service), default=0.0)
    return weight - named * (1.0 + _WEIGHTS[Cause.REVISION][Theme.CODE] * themes.get(Theme.CODE, 0.0))


def _said(themes: dict[Theme, float]) -> str:
    most = sorted(themes.items(), key=lambda pair: (-pair[1], pair[0]))[:2]
    return ", ".join(f"{theme} ({100 * share:.0f} %)" for theme, share in most)


def _named(case: Case, name: str) -> bool:
    words = [
        name.lower(),
        name.lower().replace("_", "-"),
        name.lower().replace("-", "_"),
        name.lower().replace("_", " "),
    ]
    return len(name) >= 3 and any(
        word in group.wording.sample.lower() for rise in case.rises for group, _ in rise.groups for word in words
    )
