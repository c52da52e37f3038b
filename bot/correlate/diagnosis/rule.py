"""The contract of a diagnosis rule, and what a rule is given to look at.

A rule is one line in `bot.correlate.diagnosis.RULES`, a function and a recorded case in tests/cases/diagnosis/<code>/:

    def _find(scene: Scene) -> Diagnosis | None:
        hit = scene.first(_PATTERN)
        return hit and Diagnosis(code=CODE, title=…, evidence=(hit.line,), …)

    RULES = (Rule(CODE, _find, explains=frozenset({"exit_code", "did_not_listen"})),)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain

from bot.correlate.telling import is_error_like, is_evidence
from bot.correlate.tracebacks import Traceback, find_traceback
from bot.model.cloud_run import Revision
from bot.model.evidence import LogEntry
from bot.model.judgement import Diagnosis

DOCS = "https://cloud.google.com/run/docs"
DEFAULT_PORT = 8080
_MAX_HEAD, _MAX_TAIL = 2_000, 1_000
_LOOKED_AT = 32_000  # characters of one entry; a longer one is cut in the middle of nowhere, which no rule minds


@dataclass(frozen=True)
class Facts:
    """What is known about the revision besides its log; everything optional.

    Attributes:
        expected_port: where Cloud Run sends requests. None: unknown.
        condition_messages: messages of the revision's conditions that are not True.
        env_names: names of the variables that are set on the revision; () also when unknown.
        required_env: names that the catalog says the service needs.
        ready: as `Revision.ready`. False: it never served, so nothing can be rolled back.
        commit: short SHA of the deploy, named in the advice.
    """

    expected_port: int | None = None
    condition_messages: tuple[str, ...] = ()
    env_names: tuple[str, ...] = ()
    required_env: tuple[str, ...] = ()
    ready: bool | None = None
    commit: str | None = None

    @classmethod
    def of(cls, revision: Revision, *, required_env: Iterable[str] = (), commit: str | None = None) -> Facts:
        """Facts of a revision as Cloud Run describes it."""
        return cls(
            expected_port=revision.port or DEFAULT_PORT,
            condition_messages=(revision.message,) if revision.message and revision.ready is not True else (),
            env_names=revision.env_names,
            required_env=tuple(required_env),
            ready=revision.ready,
            commit=commit or revision.labels.get("commit-sha"),
        )

    @property
    def revert(self) -> str:
        """The deploy's change, for advice: "revert a1b2c3d"."""
        return f"revert {self.commit[:7]}" if self.commit else "revert the commit"


@dataclass(frozen=True)
class Hit:
    """One match of a pattern: in a log entry, or (entry None) in a condition message."""

    match: re.Match[str]
    text: str
    entry: LogEntry | None = None

    @property
    def line(self) -> str:
        """The line of the text that holds the start of the match: what is shown as proof."""
        start = self.text.rfind("\n", 0, self.match.start()) + 1
        end = self.text.find("\n", self.match.start())
        return self.text[start : len(self.text) if end < 0 else end].strip()

    @property
    def last_line(self) -> str:
        """The line that holds the end of the match, for patterns that read over several lines."""
        start = self.text.rfind("\n", 0, self.match.end()) + 1
        end = self.text.find("\n", self.match.end())
        return self.text[start : len(self.text) if end < 0 else end].strip()

    def __getitem__(self, name: str) -> str:
        """A named group, "" where it took no part in the match."""
        return self.match.groupdict().get(name) or ""


@dataclass(frozen=True)
class Scene:
    """All that a rule may look at.

    Attributes:
        entries: oldest first, split tracebacks joined, chatter included.
        explained: texts of entries that earlier rules account for; generic rules leave them alone.
    """

    entries: tuple[LogEntry, ...]
    facts: Facts = field(default_factory=Facts)
    explained: frozenset[str] = frozenset()

    @property
    def service(self) -> str:
        """The service's name for command lines in advice, "SERVICE" where no entry names it."""
        return next((entry.service for entry in self.entries if entry.service), "SERVICE")

    @property
    def has_errors(self) -> bool:
        """Whether anything went wrong at all."""
        return self.facts.ready is False or bool(self.facts.condition_messages) or any(map(is_error_like, self.entries))

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each text was logged."""
        return Counter(entry.text for entry in self.entries)

    @cached_property
    def evidence(self) -> tuple[LogEntry, ...]:
        """Entries that may prove a cause, one of each text; of a flood the first 2,000 and the last 1,000 texts."""
        unique = {entry.text: entry for entry in reversed(self.entries) if is_evidence(entry)}
        kept = list(reversed(unique.values()))
        return tuple(kept if len(kept) <= _MAX_HEAD + _MAX_TAIL else kept[:_MAX_HEAD] + kept[-_MAX_TAIL:])

    def all(self, pattern: re.Pattern[str]) -> Iterator[Hit]:
        """First match of the pattern in each text that may prove a cause, oldest first; then in the conditions."""
        texts: Iterator[tuple[str, LogEntry | None]] = chain(
            ((entry.text[:_LOOKED_AT], entry) for entry in self.evidence),
            ((message[:_LOOKED_AT], None) for message in self.facts.condition_messages),
        )
        for text, entry in texts:
            if match := pattern.search(text):
                yield Hit(match, text, entry)

    def first(self, pattern: re.Pattern[str]) -> Hit | None:
        return next(self.all(pattern), None)

    def times(self, hits: Iterable[Hit]) -> int:
        """How many entries the hits stand for; identical texts are looked at once."""
        return sum(self.counts[hit.entry.text] for hit in hits if hit.entry is not None)

    def tracebacks(self) -> Iterator[tuple[Traceback, int]]:
        """Tracebacks that no earlier rule has explained, oldest first, each with the number of its entries."""
        for entry in self.evidence:
            if entry.text not in self.explained and (found := find_traceback(entry.text[:_LOOKED_AT])):
                yield found, self.counts[entry.text]

    def after(self, found: Diagnosis) -> Scene:
        """The same scene with the entries that prove `found` marked as explained."""
        proven = {e.text for e in self.evidence if any(line and line in e.text for line in found.evidence)}
        return replace(self, explained=self.explained | proven)


@dataclass(frozen=True)
class Rule:
    """One cause.

    Attributes:
        find: pure; None when the cause is not there.
        explains: codes that are mere echoes once this one is found.
    """

    code: str
    find: Callable[[Scene], Diagnosis | None]
    explains: frozenset[str] = frozenset()


def capital(sentence: str) -> str:
    """First letter upper case, the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


def lines(*hits: Hit | None) -> tuple[str, ...]:
    """The proving lines of the hits, each once, in order."""
    return tuple(dict.fromkeys(hit.line for hit in hits if hit is not None))
