"""Why it fails, with the line that proves it, and what else is in the log. Here untrusted text becomes showable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.model.evidence import ErrorGroup, Gap
from bot.model.incident import Incident
from bot.model.judgement import Diagnosis
from bot.model.novelty import NoveltyKind
from bot.notify.safe import line, opening
from bot.notify.words import count

_TITLE, _PROOF, _FIX, _OTHER, _GAP = 200, 240, 400, 120, 500
_OTHERS_SHOWN = 3


@dataclass(frozen=True)
class Cause:
    """The likely cause.

    Attributes:
        certainty: "sure", "likely", "possible"; "" when no cause is known.
        proof: the line that proves it, as logged, redacted and cut; "" when there is none.
        seen: `15 times`; "" when it was not counted.
    """

    certainty: str
    title: str
    proof: str = ""
    seen: str = ""
    first: datetime | None = None
    fix: str = ""


@dataclass(frozen=True)
class OtherGroup:
    """One more error group: `1,204×`, a line of it, whether it only follows from another."""

    count: str
    line: str
    is_echo: bool


@dataclass(frozen=True)
class Others:
    """The error groups beside the cause: a few, and how many more there are.

    Attributes:
        echoes: what only follows from the cause, and would mislead whoever takes it for one.
    """

    shown: tuple[OtherGroup, ...]
    echoes: tuple[OtherGroup, ...]
    more: int


def cause(incident: Incident) -> Cause:
    """The cause as shown; where none is known it says so and quotes the most telling error."""
    diagnosis, group = incident.diagnosis, _proven_by(incident)
    if diagnosis is not None:
        proof = next(iter(diagnosis.evidence), "") or (group.sample if group else "")
        return Cause(
            certainty=str(diagnosis.certainty),
            title=line(diagnosis.title, _TITLE),
            proof=line(telling(proof), _PROOF),
            seen=count(group.count, "time") if group else "",
            first=group.first_seen if group else None,
            fix=line(diagnosis.advice, _FIX),
        )
    if group is not None:
        proof = line(telling(group.sample), _PROOF)
        return Cause("", "not known; the most frequent error:", proof, count(group.count, "time"), group.first_seen)
    return Cause("", "not known: the log could not be read" if incident.gaps else "not known: no error in the log yet")


def others(incident: Incident, limit: int = _OTHERS_SHOWN) -> Others:
    """The other error groups: causes before echoes, then the most frequent. What was always there is muted."""
    proven = _proven_by(incident)
    muted = {each.group.fingerprint for each in incident.novelty if each.kind is NoveltyKind.PRE_EXISTING}
    rest = sorted(
        (group for group in incident.groups if group is not proven and group.fingerprint not in muted),
        key=lambda group: (group.is_echo, -group.count, group.first_seen, group.fingerprint),
    )
    chosen = tuple(
        OtherGroup(f"{group.count:,}×", opening(group.title or telling(group.sample), _OTHER), group.is_echo)
        for group in rest[:limit]
    )
    return Others(
        shown=tuple(group for group in chosen if not group.is_echo),
        echoes=tuple(group for group in chosen if group.is_echo),
        more=len(rest) - len(chosen),
    )


def gap_words(gaps: Sequence[Gap]) -> tuple[str, ...]:
    """`Cloud Logging did not answer within 5 s`: what could not be read, each once.

    Long enough for the gcloud line that would help: half a command is none.
    """
    return tuple(dict.fromkeys(line(gap.told, _GAP) for gap in gaps))


def telling(sample: str) -> str:
    """The line of a sample that tells most: the last of a traceback, else the first that is not blank."""
    said = [part for part in sample.splitlines() if part.strip()]
    if not said:
        return ""
    is_traceback = any(part.lstrip().startswith("Traceback (most recent") for part in said)
    return said[-1] if is_traceback else said[0]


def _proven_by(incident: Incident) -> ErrorGroup | None:
    """The error group that the cause's proof was counted in."""
    if incident.diagnosis is not None:
        return _holding(incident.diagnosis, incident.groups)
    return next((group for group in incident.groups if not group.is_echo), next(iter(incident.groups), None))


def _holding(diagnosis: Diagnosis, groups: Sequence[ErrorGroup]) -> ErrorGroup | None:
    for evidence in diagnosis.evidence:
        proof = telling(evidence).strip()
        if proof:
            for group in groups:
                if proof in group.sample or proof in group.title:
                    return group
    return None
