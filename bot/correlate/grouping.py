"""Many log entries → few error groups: the same error counted, with its first and last time and one sample."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.correlate.fingerprints import VERSION, fingerprint
from bot.correlate.reassembly import reassemble
from bot.correlate.telling import echo_rank, is_error_like
from bot.correlate.tracebacks import find_traceback
from bot.model.evidence import ErrorGroup, LogEntry
from bot.redact import redact, shorten

MAX_GROUPS = 200  # what is returned, the "other" group included
OTHER = f"{VERSION}:other"

_MAX_TRACKED = 2_000  # what is counted apart while reading; a flood of new messages goes to "other"
_MAX_SAMPLE = 8_000
_MAX_TITLE = 200
_PREFIX = re.compile(
    r"^(?:\[?\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z| ?[+-]\d\d:?\d\d)?\]? ?)?(?:\[\d+\] ?)?"
    r"(?:\[?(?:ERROR|CRITICAL|FATAL|WARN(?:ING)?|SEVERE)\b\]?:? ?)?"
)
"""Time, process id and level in front of a message: every line of a log has them, so a title need not."""

_ECHO_DELAY = timedelta(seconds=5)  # clocks of the container and the platform differ: an echo may come first


@dataclass
class _Tally:
    fingerprint: str
    title: str
    sample: str
    first_seen: datetime
    last_seen: datetime
    severity: int
    rank: int
    count: int = 0

    def add(self, entry: LogEntry, count: int = 1) -> None:
        self.count += count
        self.first_seen = min(self.first_seen, entry.at)
        self.last_seen = max(self.last_seen, entry.at)
        self.severity = max(self.severity, entry.severity)


def group(entries: Iterable[LogEntry]) -> tuple[ErrorGroup, ...]:
    """Error groups: causes before echoes, the most frequent first, then the earliest; () for harmless chatter.

    At most 200 groups, the last of the causes being "other errors" where not all fit; counts and times are exact. A group is an echo
    when a group nearer to the cause began before it (or at most 5 s later).
    """
    tallies: dict[str, _Tally] = {}
    for entry in reassemble(entries):
        if is_error_like(entry):
            name = fingerprint(_subject(entry))
            if name not in tallies and len(tallies) >= _MAX_TRACKED:
                name = OTHER
            tally = tallies.get(name)
            if tally is None:
                tally = tallies[name] = _start(name, entry)
            tally.add(entry)
    kept = _fold(sorted(tallies.values(), key=lambda t: (t.fingerprint == OTHER, -t.count, t.first_seen)))
    groups = [_finish(tally, kept) for tally in kept]
    return tuple(
        sorted(groups, key=lambda g: (g.is_echo, g.fingerprint == OTHER, -g.count, g.first_seen, g.fingerprint))
    )


def title_of(entry: LogEntry) -> str:
    """One line for people: the exception with our culprit, else the first line that says something. Redacted."""
    traceback = find_traceback(entry.text)
    if traceback:
        where = f" · {traceback.culprit}" if traceback.culprit else ""
        line = f"{traceback.headline}{where}"
    else:
        line = next((line for line in _subject(entry).splitlines() if line.strip()), "")
    said = _PREFIX.sub("", " ".join(line.split()), count=1) or line
    title = redact(said)
    return title if len(title) <= _MAX_TITLE else f"{title[: _MAX_TITLE - 1]}…"


def _subject(entry: LogEntry) -> str:
    """What is fingerprinted: a request's status belongs to it, since 500 and 503 have different causes."""
    if entry.status is None:
        return entry.text
    words = {500: "five hundred", 501: "not implemented", 502: "bad gateway", 503: "unavailable", 504: "timeout"}
    said = f": {entry.text}" if entry.text else ""
    return f"HTTP {entry.status} {words.get(entry.status, 'other')}{said}"


def _start(name: str, entry: LogEntry) -> _Tally:
    title = "other errors" if name == OTHER else title_of(entry)
    sample = shorten(entry.text or _subject(entry), _MAX_SAMPLE)
    return _Tally(name, title, sample, entry.at, entry.at, entry.severity, echo_rank(entry))


def _fold(tallies: list[_Tally]) -> list[_Tally]:
    """The most frequent groups; the rest, counted, in one. `tallies` most frequent first, "other" last."""
    if len(tallies) <= MAX_GROUPS:
        return tallies
    kept, rest = tallies[: MAX_GROUPS - 1], tallies[MAX_GROUPS - 1 :]
    other = _Tally(
        OTHER,
        "other errors",
        rest[0].sample,
        min(t.first_seen for t in rest),
        max(t.last_seen for t in rest),
        max(t.severity for t in rest),
        rank=0,
        count=sum(t.count for t in rest),
    )
    return [*kept, other]


def _finish(tally: _Tally, all_of_them: list[_Tally]) -> ErrorGroup:
    nearer = (t for t in all_of_them if t.rank < tally.rank and t.fingerprint != OTHER)
    return ErrorGroup(
        fingerprint=tally.fingerprint,
        title=tally.title,
        count=tally.count,
        first_seen=tally.first_seen,
        last_seen=tally.last_seen,
        sample=tally.sample,
        severity=tally.severity or 500,
        is_echo=any(t.first_seen <= tally.first_seen + _ECHO_DELAY for t in nearer),
    )
