"""The contract of a diagnosis rule, and what a rule is given to look at.

A rule is one line in `bot.correlate.diagnosis.RULES`, a function and a recorded case in tests/cases/diagnosis/<code>/:

    def _find(scene: Scene) -> Diagnosis | None:
        hit = scene.first(_PATTERN)
        return hit and Diagnosis(code=CODE, title=…, evidence=(hit.line,), …)

    RULES = (Rule(CODE, _find, explains=STARTUP_ECHOES),)

Where the wording alone tells the cause, `bot.correlate.diagnosis.known.Known` makes the rule of data.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain

from bot.correlate.diagnosis.facts import Facts
from bot.correlate.diagnosis.looks import may_prove, skeleton, transcripts, words_of
from bot.correlate.telling import is_error_like, line_around
from bot.correlate.tracebacks import Traceback, find_traceback
from bot.model.evidence import LogEntry
from bot.model.judgement import Diagnosis

DOCS = "https://cloud.google.com/run/docs"
STARTUP_ECHOES = frozenset(
    {
        "exit_code",
        "did_not_listen",
        "startup_probe_failed",
        "worker_boot_failure",
        "unhandled_exception",
        "malformed_response",
        "no_instance",
    }
)
"""What follows when a program cannot start."""
SERVING_ECHOES = STARTUP_ECHOES | {
    "request_timeout",
    "worker_timeout",
    "liveness_probe_failed",
    "upstream_error",
    "upstream_timeout",
    "upstream_unreachable",
}
"""What follows when something that every request needs does not answer."""

NEVER_READY = re.compile(r"is not ready and cannot serve traffic|Ready condition status changed to False")
"""The revision's condition says so: it served nobody, so there is nothing to roll back."""

_FAILS_TO_START = re.compile(
    rf"{NEVER_READY.pattern}|STARTUP \w{{3,4}} probe failed|[Ff]ailed to start|failed the configured startup probe"
    r"|Container called exit\((?!0\)|130\)|143\))|Worker failed to boot|Application startup failed|instance could not start"
)

_MAX_HEAD, _MAX_TAIL = 1_000, 500
_WARNING = 400
_SAME_SHAPE = 12  # texts that differ in numbers only: a dozen of them prove as much as all
_LOOKED_AT = 32_000  # characters of one entry; a longer one is cut in the middle of nowhere, which no rule minds
_BLOCK = 32_000  # characters that one search goes through: a search keeps all other threads waiting


_ALIKE = ("has_errors", "fails_to_start", "shapes", "counts", "evidence", "texts", "paragraphs", "_blocks")
"""What was worked out of the entries once and holds for the scene whatever has been explained."""


@dataclass(frozen=True)
class Hit:
    """One match of a pattern: in a log entry, or (entry None) in a condition message."""

    match: re.Match[str]
    text: str
    entry: LogEntry | None = None

    @property
    def line(self) -> str:
        """The line of the text that holds the start of the match: what is shown as proof."""
        return line_around(self.text, self.match.start())

    @property
    def last_line(self) -> str:
        """The line that holds the end of the match, for patterns that read over several lines."""
        return line_around(self.text, self.match.end())

    @cached_property
    def groups(self) -> dict[str, str]:
        """The named groups that took part in the match; `host__2` is another place for `host`."""
        found: dict[str, str] = {}
        for name, value in self.match.groupdict().items():
            if value:
                found.setdefault(name.partition("__")[0], value)
        return found

    def __getitem__(self, name: str) -> str:
        """A named group, "" where it took no part in the match."""
        return self.groups.get(name, "")


@dataclass(frozen=True)
class Scene:
    """All that a rule may look at.

    Attributes:
        entries: oldest first, split tracebacks joined, chatter included.
        explained: texts of entries that earlier rules account for; generic rules leave them alone.
        warnings: whether warnings may prove a cause too; they may where nothing worse names one.
        telemetry: whether complaints of telemetry exporters may; they may where there is nothing else at all.
    """

    entries: tuple[LogEntry, ...]
    facts: Facts = field(default_factory=Facts)
    explained: frozenset[str] = frozenset()
    warnings: bool = False
    telemetry: bool = False

    @property
    def service(self) -> str:
        """The service's name for command lines in advice, "SERVICE" where no entry names it."""
        return next((entry.service for entry in self.entries if entry.service), "SERVICE")

    @cached_property
    def has_errors(self) -> bool:
        """Whether anything went wrong at all."""
        known = self.facts.ready is False or bool(self.facts.condition_messages)
        return known or any(map(is_error_like, self.shapes))

    @cached_property
    def fails_to_start(self) -> bool:
        """Whether something says that an instance did not come up: an exit, a start-up probe, a worker, a condition."""
        return self.facts.ready is False or self.first(_FAILS_TO_START) is not None

    @cached_property
    def shapes(self) -> tuple[LogEntry, ...]:
        """Entries that are worth a look, oldest first: each text once, of texts that differ in numbers only the first dozen.

        Of a flood of different shapes the first 1,000 and the last 500 texts, information apart from the rest.
        """
        seen: set[tuple[str, int, object, bool]] = set()
        alike: Counter[tuple[int, object, str]] = Counter()
        kept: list[LogEntry] = []
        for entry in self.entries:
            key = (entry.text, entry.severity, entry.log, entry.status is None)
            shape = (entry.severity, entry.log, skeleton(entry.text))
            if key in seen or alike[shape] >= _SAME_SHAPE:
                continue
            seen.add(key)
            alike[shape] += 1
            kept.append(entry)
        loud = _ends([entry for entry in kept if not _is_quiet(entry)])
        quiet = _ends([entry for entry in kept if _is_quiet(entry)])
        return tuple(sorted((*loud, *quiet), key=lambda entry: entry.at))

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each text was logged, apart from the numbers in it."""
        return Counter(skeleton(entry.text) for entry in self.entries)

    @cached_property
    def evidence(self) -> tuple[LogEntry, ...]:
        """Entries that may prove a cause, one of each text, oldest first."""
        unique = {
            entry.text: entry
            for entry in reversed(self.shapes)
            if may_prove(entry, warnings=self.warnings, telemetry=self.telemetry)
        }
        return tuple(reversed(unique.values()))

    @cached_property
    def texts(self) -> tuple[tuple[str, LogEntry | None], ...]:
        """What patterns are tried on: the evidence, oldest first, then the conditions."""
        return tuple(
            chain(
                ((words_of(entry)[:_LOOKED_AT], entry) for entry in self.evidence),
                ((message[:_LOOKED_AT], None) for message in self.facts.condition_messages),
            )
        )

    @cached_property
    def paragraphs(self) -> tuple[tuple[str, LogEntry | None], ...]:
        """The plain lines of each instance, joined: for messages that were logged one line an entry."""
        return tuple((text, None) for text in transcripts(self.evidence))

    @cached_property
    def _blocks(self) -> tuple[str, ...]:
        """All texts in few, to rule a pattern out at the cost of few searches; none so long that it holds up a thread."""
        blocks: list[list[str]] = [[]]
        room = _BLOCK
        for text, _ in self.texts:
            if room < len(text) and blocks[-1]:
                blocks.append([])
                room = _BLOCK
            blocks[-1].append(text)
            room -= len(text)
        return tuple("\n".join(block) for block in blocks)

    def all(self, pattern: re.Pattern[str], *, across: bool = False) -> Iterator[Hit]:
        """First match of the pattern in each text that may prove a cause, oldest first; then in the conditions.

        Args:
            pattern: `^` and `$` need re.MULTILINE.
            across: also look across the plain lines of an instance, for messages of several lines.
        """
        # not any(map(…)), which never lets another thread in between
        texts = self.texts if any(pattern.search(block) for block in self._blocks) else ()
        for text, entry in chain(texts, self.paragraphs if across else ()):
            if match := pattern.search(text):
                yield Hit(match, text, entry)

    def first(self, pattern: re.Pattern[str], *, across: bool = False) -> Hit | None:
        return next(self.all(pattern, across=across), None)

    def times(self, hits: Iterable[Hit]) -> int:
        """How many entries the hits stand for; texts that differ in numbers only are looked at a dozen times."""
        shapes = {skeleton(hit.entry.text) for hit in hits if hit.entry is not None}
        return sum(self.counts[shape] for shape in shapes)

    def tracebacks(self) -> Iterator[tuple[Traceback, int]]:
        """Tracebacks that no earlier rule has explained, oldest first, each with the number of its entries."""
        told: set[str] = set()
        for entry in self.evidence:
            if entry.text in self.explained or (shape := skeleton(entry.text)) in told:
                continue
            if found := find_traceback(entry.text[:_LOOKED_AT]):
                told.add(shape)
                yield found, self.counts[shape]

    def after(self, found: Diagnosis) -> Scene:
        """The same scene with the entries that prove `found` marked as explained."""
        proven = {e.text for e in self.evidence if any(line and line in e.text for line in found.evidence)}
        if proven <= self.explained:
            return self
        after = replace(self, explained=self.explained | proven)
        after.__dict__.update({name: self.__dict__[name] for name in _ALIKE if name in self.__dict__})
        return after


def _is_quiet(entry: LogEntry) -> bool:
    """Declared to be information: read for ports and good news only, and never to crowd out an error."""
    return 0 < entry.severity < _WARNING


def _ends(entries: list[LogEntry]) -> list[LogEntry]:
    return entries if len(entries) <= _MAX_HEAD + _MAX_TAIL else entries[:_MAX_HEAD] + entries[-_MAX_TAIL:]


@dataclass(frozen=True)
class Rule:
    """One cause.

    Attributes:
        find: pure; None when the cause is not there.
        explains: codes that are mere echoes once this one is found.
        alone: whether its wording is proof where nothing else in the log speaks of an error.
    """

    code: str
    find: Callable[[Scene], Diagnosis | None]
    explains: frozenset[str] = frozenset()
    alone: bool = True


def capital(sentence: str) -> str:
    """First letter upper case, the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


def lines(*hits: Hit | None) -> tuple[str, ...]:
    """The proving lines of the hits, each once, in order."""
    return tuple(dict.fromkeys(hit.line for hit in hits if hit is not None))
