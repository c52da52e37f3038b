"""From votes to a word: who is it, how sure, and is it time to say so."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.persistence import persists
from bot.correlate.attribution.suspects import suspects
from bot.correlate.attribution.votes import votes_on
from bot.model.attribution import Attribution, Cause, Vote

BLAME_AT = 0.92  # posterior from which a revision is blamed
LATE_BLAME_AT = 0.85  # … once rivals had their time to show
OTHER_AT = 0.75  # … another cause is named
_STRONG = 3.5  # ln e-value of the rise; chance is also one of the suspects
_OTHER_STRONG = 7.0
_QUICK, _USUAL, _DOUBTFUL = 15.0, 25.0, 60.0  # seconds after the first error that rivals are given to show
_SETTLED = 120.0
_LATE_NEWS = 70.0  # … where the deploy was long before: a nearer one may not have been told yet
_OTHER_WAIT = 60.0
_ELIMINATION_WAIT = 150.0  # … for a dependency that nothing speaks for but that nothing else is left
_NONE_WAIT, _NONE_AT = 300.0, 0.8


@dataclass(frozen=True)
class Judged:
    """A suspect with what was said about it. probability 0-1 among all suspects of its case."""

    suspect: Suspect
    votes: tuple[Vote, ...]
    score: float
    probability: float


def judge(case: Case) -> list[Judged]:
    """All suspects of the case, most probable first."""
    heard = [(suspect, votes_on(case, suspect)) for suspect in suspects(case)]
    scores = [sum(vote.weight for vote in votes) for _, votes in heard]
    top = max(scores)
    whole = sum(exp(score - top) for score in scores)
    judged = [Judged(s, v, score, exp(score - top) / whole) for (s, v), score in zip(heard, scores, strict=True)]
    return sorted(judged, key=lambda j: (-j.probability, j.suspect.cause, j.suspect.service, j.suspect.revision))


def decide(case: Case, judged: list[Judged]) -> tuple[Judged | None, str]:
    """(the one to be named now, "") or (None, what is still missing)."""
    best = judged[0]
    cause = best.suspect.cause
    if cause is Cause.NONE:
        missing = "" if _age(case) >= _NONE_WAIT and best.probability >= _NONE_AT else "no rise beyond chance so far"
    elif case.strength < _STRONG:
        missing = more_needed(case)
    elif cause is Cause.REVISION:
        missing = _missing_for_blame(case, best)
    else:
        missing = _missing_for_other(case, best)
    return (None, missing) if missing else (best, "")


def _missing_for_blame(case: Case, best: Judged) -> str:
    clear = case.themes(case.roots).get(Theme.DEPENDENCY, 0.0) < 0.5
    needed = LATE_BLAME_AT if clear and _age(case) >= _SETTLED else BLAME_AT
    if best.probability < needed:
        return f"{best.suspect.revision} is the likeliest, at {100 * best.probability:.0f} % of the {100 * needed:.0f} % needed"
    wait = _patience(case, best)
    if _age(case) < wait:
        return f"waiting until {wait:.0f} s after the first error for other explanations to show"
    if not _is_startup(case, best.suspect) and not persists(case, best.suspect):
        return "it may be over by itself, as cold starts are"
    return ""


def _missing_for_other(case: Case, best: Judged) -> str:
    cause = best.suspect.cause
    known = cause is not Cause.DEPENDENCY or _speaks_for_dependency(case, best)
    if (
        _age(case) >= (_OTHER_WAIT if known else _ELIMINATION_WAIT)
        and best.probability >= OTHER_AT
        and case.strength >= _OTHER_STRONG
    ):
        return ""
    return f"{cause} is the likeliest, at {100 * best.probability:.0f} %"


def _age(case: Case) -> float:
    """Seconds since the first error."""
    return case.now - case.onset


def _speaks_for_dependency(case: Case, best: Judged) -> bool:
    """More than that nothing else is left."""
    elsewhere = max((vote.weight for vote in best.votes if vote.name == "elsewhere"), default=0.0)
    return elsewhere >= 3.0 or case.themes(case.roots).get(Theme.DEPENDENCY, 0.0) >= 0.25


def more_needed(case: Case) -> str:
    """What an inconclusive case still needs, in failures at the present rate against the present background."""
    rise = max(case.rises, key=lambda r: r.strength)
    gain = max(rise.strength / max(rise.units, 1.0), log(2.0) / 2)
    missing = max(1, round((_STRONG - rise.strength) / gain + 0.5))
    return f"inconclusive: {rise.units:.0f} failures so far; about {missing} more at this rate would settle it"


def attribution(case: Case, judged: Judged) -> Attribution:
    """The judged suspect in the words of the model."""
    suspect = judged.suspect
    seen_in = tuple(sorted(case.services))
    return Attribution(
        cause=suspect.cause,
        service=suspect.service,
        revision=suspect.revision,
        confidence=round(min(judged.probability, 0.999), 3),
        why=_why(judged),
        at_s=case.now,
        since_s=case.onset,
        votes=judged.votes,
        seen_in=seen_in,
        culprit=suspect.name,
    )


def _why(judged: Judged) -> str:
    suspect = judged.suspect
    who = {
        Cause.REVISION: f"revision {suspect.revision} of {suspect.service}",
        Cause.DEPENDENCY: f"a dependency{f' ({suspect.name})' if suspect.name else ''}",
        Cause.CONFIG: f"the change of {suspect.name or 'a setting'} of {suspect.service}",
        Cause.TRAFFIC: "more requests than there is room for",
        Cause.CLIENT: "what clients send",
        Cause.NONE: "nothing that is wrong",
    }[suspect.cause]
    reasons = [vote.says for vote in judged.votes if vote.weight > 0.5][:3]
    return f"{who}: {'; '.join(reasons)}" if reasons else who


def _patience(case: Case, best: Judged) -> float:
    """Clear words or a side-by-side proof need little time for rivals; words of dependencies and capacity need more."""
    if _is_startup(case, best.suspect):
        return 8.0
    side = next((vote.weight for vote in best.votes if vote.name == "side_by_side"), 0.0)
    themes = case.themes(case.roots)
    doubtful = sum(themes.get(theme, 0.0) for theme in (Theme.DEPENDENCY, Theme.CAPACITY, Theme.SETTING, Theme.WARMING))
    if side >= 3.0:
        return _QUICK
    timing = next((vote.weight for vote in best.votes if vote.name == "timing"), 0.0)
    if timing < 1.0:
        return _LATE_NEWS
    if doubtful >= 0.4:
        return _DOUBTFUL
    return _QUICK if themes.get(Theme.CODE, 0.0) >= 0.6 else _USUAL


def _is_startup(case: Case, suspect: Suspect) -> bool:
    """A container that does not come up needs no requests to fail."""
    rise = case.rise_of(suspect.service)
    series = case.ledger.services[suspect.service].series.get(suspect.revision)
    if rise is None or series is None or series.answered:
        return False
    return rise.themes.get(Theme.STARTUP, 0.0) >= 0.5
