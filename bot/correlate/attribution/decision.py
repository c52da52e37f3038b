"""From votes to a word: who is it, how sure, and is it time to say so."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.exposure import counts_since
from bot.correlate.attribution.persistence import persists, spoke_itself
from bot.correlate.attribution.priors import USUAL
from bot.correlate.attribution.suspects import suspects
from bot.correlate.attribution.votes import votes_on
from bot.correlate.attribution.wording import cut
from bot.model.attribution import Attribution, Cause, Vote

BLAME_AT = 0.92  # posterior from which a revision is blamed
LATE_BLAME_AT = 0.85  # … once rivals had their time to show
OTHER_AT = 0.75  # … another cause is named
_STRONG = 3.5  # ln e-value of the rise; chance is also one of the suspects
_OTHER_STRONG = 7.0
_SURE = 9.0
_SOON, _POINTING = 0.5, 6.0  # timing, and failures elsewhere, without which who says nothing himself is not blamed
_QUICK, _USUAL, _CAREFUL, _DOUBTFUL = (
    15.0,
    25.0,
    35.0,
    60.0,
)  # seconds after the first error that rivals are given to show
_DOUBTFUL_WORDS = (Theme.DEPENDENCY, Theme.CAPACITY, Theme.SETTING)
_SPEAKS = 1.0  # weight of a vote without which no other cause than a revision is named
_SETTLED = 120.0
_LEAST_SCORE, _LEFT_OVER = 1.5, 240.0  # of what speaks for a blame; seconds after which what is left over is believed
_DOES_NOT_START = 0.25  # share of the failing lines: others tell of the requests that found nobody
_STRANGERS = -0.4  # weight of others that fail
_ALL_SHOWN = 150.0  # … where the words are those of a dependency, whose other users would have shown by now
_LATE_NEWS = 70.0  # … where the deploy was long before: a nearer one may not have been told yet
_OTHER_WAIT = 60.0
_ELIMINATION_WAIT = 150.0  # … for a dependency that nothing speaks for but that nothing else is left
_COUNTS_WAIT = 260.0
_WHY, _A_REASON = 200, 0.5  # characters of all reasons; weight of one
_NONE_WAIT, _NONE_AT = 300.0, 0.8


@dataclass(frozen=True)
class Judged:
    """A suspect with what was said about it.

    Attributes:
        score: sum of the weights and of how usual the cause is. probability: 0-1 among all suspects of its case.
    """

    suspect: Suspect
    votes: tuple[Vote, ...]
    score: float
    probability: float


def judge(case: Case) -> list[Judged]:
    """All suspects of the case, most probable first."""
    heard = [(suspect, votes_on(case, suspect)) for suspect in suspects(case)]
    scores = [USUAL[suspect.cause] + sum(vote.weight for vote in votes) for suspect, votes in heard]
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
    return _missing_evidence(case, best) or _missing_time(case, best)


def _missing_evidence(case: Case, best: Judged) -> str:
    if case.rise_of(best.suspect.service) is None and (missing := _missing_for_silent(case, best)):
        return missing
    if best.score < _LEAST_SCORE and _age(case) < _LEFT_OVER:
        return f"{best.suspect.revision} is the likeliest only because little speaks for another"
    clear = case.themes(case.roots).get(Theme.DEPENDENCY, 0.0) < 0.5
    needed = LATE_BLAME_AT if _age(case) >= (_SETTLED if clear else _ALL_SHOWN) else BLAME_AT
    if best.probability < needed:
        return f"{best.suspect.revision} is the likeliest, at {100 * best.probability:.0f} % of the {100 * needed:.0f} % needed"
    return ""


def _missing_time(case: Case, best: Judged) -> str:
    if _weight(best, "elsewhere") <= _STRANGERS and _age(case) < _SETTLED:
        return "others fail, too: waiting to see whether they fail for another reason"
    wait = _patience(case, best)
    if _age(case) < wait:
        return f"waiting until {wait:.0f} s after the first error for other explanations to show"
    if not _is_startup(case, best.suspect) and not persists(case, best.suspect):
        return "it may be over by itself, as cold starts are"
    return ""


def _missing_for_silent(case: Case, best: Judged) -> str:
    """For a suspect that only its callers speak of."""
    service, revision = best.suspect.service, best.suspect.revision
    if _weight(best, "timing") < _SOON or sum(rise.units for rise in case.rises) < _POINTING:
        return f"{service} says nothing itself, and too little that points at it began with {revision}"
    return f"{service} failed itself, and that is over" if spoke_itself(case, best.suspect) else ""


def _weight(judged: Judged, name: str) -> float:
    return next((vote.weight for vote in judged.votes if vote.name == name), 0.0)


def _missing_for_other(case: Case, best: Judged) -> str:
    cause = best.suspect.cause
    if best.score <= 0.0 or max((v.weight for v in best.votes), default=0.0) < _SPEAKS:
        return f"{cause} is the likeliest only because nothing speaks for another"
    named = cause is not Cause.DEPENDENCY or _speaks_for_dependency(case)
    crowd = cause is Cause.CLIENT or not named  # … may be what a crowd does
    if best.probability < OTHER_AT or case.strength < _OTHER_STRONG:
        return f"{cause} is the likeliest, at {100 * best.probability:.0f} %"
    wait = _OTHER_WAIT if named else _ELIMINATION_WAIT
    if _age(case) < wait:
        return f"waiting until {wait:.0f} s after the first error for other explanations to show"
    return "waiting for the counts of requests since the first error" if crowd and _counts_due(case) else ""


def _age(case: Case) -> float:
    """Seconds since the first error."""
    return case.now - case.onset


def _speaks_for_dependency(case: Case) -> bool:
    """More than that nothing else is left, or that several fail together: a crowd does that, too."""
    return case.themes(case.roots).get(Theme.DEPENDENCY, 0.0) >= 0.25


def _counts_due(case: Case) -> bool:
    """Counts of requests come, and those that tell how many came since the onset are still to come."""
    if _age(case) >= _COUNTS_WAIT:
        return False
    services = [case.ledger.services[rise.service] for rise in case.rises]
    return any(s.counts for service in services for s in service.series.values()) and any(
        counts_since(service, case.onset) < 2 for service in services
    )


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
    """The reasons, the heaviest first, as many as fit; the suspect is told beside them."""
    reasons = [cut(vote.says, _WHY) for vote in judged.votes if vote.weight >= _A_REASON]
    said = ""
    for reason in reasons:
        if said and len(said) + 2 + len(reason) > _WHY:
            break
        said = f"{said}; {reason}" if said else reason
    return said or "nothing else explains it as well"


def _patience(case: Case, best: Judged) -> float:
    """Clear words or a side-by-side proof need little time for rivals; words of dependencies and capacity need more."""
    if _is_startup(case, best.suspect):
        return 8.0
    if case.rise_of(best.suspect.service) is None and case.strength < _SURE:
        return _CAREFUL  # it says nothing itself, and those that point at it have said little so far
    if _weight(best, "side_by_side") >= 3.0:
        return _QUICK
    if _weight(best, "timing") < 1.0:
        return _LATE_NEWS
    return _patience_with(case.themes(case.roots))


def _patience_with(themes: dict[Theme, float]) -> float:
    if sum(themes.get(theme, 0.0) for theme in _DOUBTFUL_WORDS) >= 0.4:
        return _DOUBTFUL
    if themes.get(Theme.UPSTREAM, 0.0) >= 0.4:
        return _CAREFUL
    return _QUICK if themes.get(Theme.CODE, 0.0) >= 0.6 else _USUAL


def _is_startup(case: Case, suspect: Suspect) -> bool:
    """A container that does not come up needs no requests to fail."""
    rise = case.rise_of(suspect.service)
    series = case.ledger.services[suspect.service].series.get(suspect.revision)
    if rise is None or series is None or series.answered:
        return False
    return rise.themes.get(Theme.STARTUP, 0.0) >= _DOES_NOT_START
