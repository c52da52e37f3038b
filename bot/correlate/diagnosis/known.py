"""A cause that its wording alone tells, as data: patterns, the sentences said about it, and its echoes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.correlate.diagnosis.looks import is_program
from bot.correlate.diagnosis.rule import NEVER_READY, Hit, Rule, Scene, lines
from bot.model.judgement import Diagnosis

_GROUP = re.compile(r"\(\?P<(\w+)>")
_FIELD = re.compile(r"\{(\w+)\}")


def words(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Patterns of one cause; `^` and `$` are those of a line. Every repetition in them is bounded.

    A group may be named in several alternatives of a pattern: `Hit` gives the one that matched.
    """
    return tuple(re.compile(_distinct(pattern), re.MULTILINE) for pattern in patterns)


def sqlstate(*codes: str) -> str:
    """A pattern for these SQLSTATEs where the text calls them so: 53300 alone may be an order's number."""
    either = "|".join(codes)
    return (
        rf"(?i:sqlstate|sql state|pgcode|errcode)\W{{1,6}}(?:{either})\b|\bcode\W{{1,4}}['\"](?:{either})['\"]"
        rf"|Exception[^\n]{{0,60}}: (?:{either}): |\[(?:{either})\]"
    )


def prisma(*codes: str) -> str:
    """A pattern for these codes of Prisma, as in https://www.prisma.io/docs/orm/reference/error-reference."""
    return rf"(?:\bcode\W{{1,4}}|\b[Ee]rror:? |Prisma[^\n]{{0,200}}|\()(?:{'|'.join(codes)})\b"


def _distinct(pattern: str) -> str:
    """`re` wants each name once: the second (?P<host>…) becomes (?P<host__2>…)."""
    times: Counter[str] = Counter()

    def numbered(match: re.Match[str]) -> str:
        times[match[1]] += 1
        return match[0] if times[match[1]] == 1 else f"(?P<{match[1]}__{times[match[1]]}>"

    return _GROUP.sub(numbered, pattern)


@dataclass(frozen=True)
class Known:
    """One way in which a cause shows.

    Attributes:
        says: patterns; their named groups are the facts, and fill the `{fields}` of the sentences.
        title: told when all its fields are known, else `bare`.
        advice: may also name {service} and {revert}; a field that is not known is told in capitals ("HOST").
        rollback_helps: None is told as False where the line says that the revision never became ready.
        across: whether to look across lines that were logged as entries of their own.
        programs: whether only what the program logs counts: Cloud Run's own texts speak of time-outs and errors too.
    """

    says: tuple[re.Pattern[str], ...]
    title: str
    bare: str
    explanation: str
    advice: str
    rollback_helps: bool | None
    documentation: str
    confidence: float = 0.9
    across: bool = False
    programs: bool = False
    constants: dict[str, str] = field(default_factory=dict)

    def hits(self, scene: Scene) -> Iterator[Hit]:
        for pattern in self.says:
            for hit in scene.all(pattern, across=self.across):
                if not self.programs or is_program(hit.entry):
                    yield hit

    def diagnosis(self, code: str, scene: Scene) -> Diagnosis | None:
        """The hit that names most of what the title wants proves it; among equals the first pattern's, the oldest."""
        found = list(self.hits(scene))
        if not found:
            return None
        wanted = set(_FIELD.findall(self.title))
        hit = max(found, key=lambda one: sum(bool(one[name]) for name in wanted))
        facts = {name: value.strip(" .,;:'\"`") for name, value in hit.groups.items()}
        facts = {**self.constants, **{name: value for name, value in facts.items() if value}}
        return Diagnosis(
            code=code,
            title=_filled(self.title, facts) if wanted <= facts.keys() else self.bare,
            explanation=self.explanation,
            advice=_filled(self.advice, {"service": scene.service, "revert": scene.facts.revert, **facts}),
            evidence=lines(hit),
            confidence=self.confidence,
            rollback_helps=False
            if self.rollback_helps is None and NEVER_READY.search(hit.text)
            else self.rollback_helps,
            documentation=self.documentation,
            facts=facts,
        )


def known(code: str, *ways: Known, explains: frozenset[str] = frozenset(), alone: bool = True) -> Rule:
    """The rule of a cause; of several ways in which it shows the first that is in the log is told."""

    def find(scene: Scene) -> Diagnosis | None:
        return next((found for way in ways if (found := way.diagnosis(code, scene))), None)

    return Rule(code, find, explains, alone)


def _filled(sentence: str, facts: dict[str, str]) -> str:
    return _FIELD.sub(lambda match: facts.get(match[1], match[1].upper()), sentence)
