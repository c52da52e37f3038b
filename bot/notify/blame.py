"""Whose fault it is, and what is new about the errors, in the card's words. Here untrusted text becomes showable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.model.attribution import Attribution, Cause, Vote
from bot.model.incident import Incident
from bot.model.novelty import Novelty, NoveltyKind
from bot.notify.safe import line
from bot.notify.words import short

_WHY, _CULPRIT, _VOTE = 300, 120, 240
_VOTES_SHOWN = 4
_SAID_FROM = 0.5  # a vote weaker than 3 : 2 decides nothing


@dataclass(frozen=True)
class Blamed:
    """What a rise in errors is blamed on.

    Attributes:
        certainty: "sure", "likely" or "possible". is_deploy: a revision is to blame.
        revision: its short name, "" unless is_deploy; of: its service, "" where that is the failing one.
        culprit: in words, where it is no revision: "the dependency postgres at 10.1.2.3:5432".
        votes_for, votes_against: the heaviest first, each a sentence.
    """

    certainty: str
    is_deploy: bool
    revision: str
    of: str
    culprit: str
    why: str
    votes_for: tuple[str, ...]
    votes_against: tuple[str, ...]


@dataclass(frozen=True)
class TakenBack:
    """Something that was said and is not so, with the reason."""

    revision: str
    culprit: str
    why: str


def blamed(attribution: Attribution, service: str) -> Blamed:
    """`service`: the failing one, as Cloud Run names it."""
    is_deploy = attribution.cause is Cause.REVISION
    return Blamed(
        certainty=_certainty(attribution.confidence),
        is_deploy=is_deploy,
        revision=line(short(attribution.revision, service), _CULPRIT) if is_deploy else "",
        of=line(attribution.service, _CULPRIT) if is_deploy and attribution.service != service else "",
        culprit="" if is_deploy else _culprit(attribution),
        why=line(attribution.why, _WHY),
        votes_for=_votes(vote for vote in attribution.votes if vote.weight >= _SAID_FROM),
        votes_against=_votes(vote for vote in attribution.votes if vote.weight <= -_SAID_FROM),
    )


def taken_back(incident: Incident, service: str) -> tuple[TakenBack, ...]:
    """What was said about this incident before, the latest first."""
    return tuple(
        TakenBack(
            line(short(said.revision, service), _CULPRIT) if said.cause is Cause.REVISION else "",
            "" if said.cause is Cause.REVISION else _culprit(said),
            line(said.withdrawn, _WHY),
        )
        for said in incident.withdrawn
    )


def news(novelty: Sequence[Novelty]) -> str:
    """`3 new, 1 grown 8×, 12 pre-existing (muted)`; "" where nothing could be compared."""
    parts = []
    for kind in NoveltyKind:
        found = [each for each in novelty if each.kind is kind]
        if found:
            most = max((each.growth or 0.0 for each in found), default=0.0)
            growth = f" {most:.0f}×" if kind is NoveltyKind.GROWN else ""
            muted = " (muted)" if kind is NoveltyKind.PRE_EXISTING else ""
            parts.append(f"{len(found)} {kind}{growth}{muted}")
    return ", ".join(parts)


def _certainty(confidence: float) -> str:
    return "sure" if confidence >= 0.9 else "likely" if confidence >= 0.6 else "possible"


def _culprit(attribution: Attribution) -> str:
    """Every cause but a revision, in words."""
    name = line(attribution.culprit, _CULPRIT)
    words = {
        Cause.DEPENDENCY: f"the dependency {name}" if name else "a dependency that several services share",
        Cause.CONFIG: f"the change of {name}" if name else "a change of configuration",
        Cause.TRAFFIC: "more traffic than there is room for",
        Cause.CLIENT: "what callers send (4xx)",
        Cause.NONE: "nothing",
    }
    return words[attribution.cause]


def _votes(votes: Iterable[Vote]) -> tuple[str, ...]:
    heaviest = sorted(votes, key=lambda vote: (-abs(vote.weight), vote.name))
    return tuple(line(vote.says, _VOTE) for vote in heaviest[:_VOTES_SHOWN])
