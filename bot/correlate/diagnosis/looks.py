"""Which entries may prove a cause, and as what text: the reading glasses that all rules share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from bot.correlate.telling import ERROR, is_chatter, is_evidence
from bot.correlate.tracebacks import find_traceback
from bot.model.evidence import LogEntry, LogKind

_INFORMATION = 300  # NOTICE and below: whoever logged it chose to call it information
_LOOKED_AT = 16_000
_PARAGRAPH = 16_000
_EXPORTER_SAYS = 2_000
_GAP = timedelta(seconds=2)
_NUMBERS = str.maketrans("", "", "0123456789")

_PLATFORM = re.compile(  # what only Cloud Run says, wherever an export put it
    r"^(?:Container called exit\(|Container terminated on signal|Uncaught signal: |Memory limit of \d"
    r"|(?:Default )?(?:STARTUP|LIVENESS|READINESS) (?:TCP|HTTP|GRPC) probe failed|The request (?:was aborted|failed|has been terminated|was not auth)"
    r"|Ready condition status changed to False|Cloud SQL connection failed|Revision '[^'\n]{1,80}' is not ready)"
)
_SAYS_ALL_IS_WELL = re.compile(
    r"\b(?:no|0|zero) (?:errors?|failures?|exceptions?)\b|\berror[_ ]?(?:rate|count|s)?[\"']?[=:] ?0(?:\.0+)?\b"
    r"|\b(?:recovered|reconnected|succeeded (?:after|on) (?:retry|attempt)|retry(?:ing)? succeeded)\b",
    re.IGNORECASE,
)
_INFORMATIVE = re.compile(  # a level word near the front, in the shapes of text loggers
    r"^\W{0,3}(?:[\d:.,TZ/+ -]{8,40}\W{0,3})?(?:\[?[\w.:/-]{1,40}\]? ){0,3}?\W{0,2}(?:TRACE|DEBUG|INFO|NOTICE)\b|\blevel=\"?(?:info|debug|trace)\b",
)
_WARNING = re.compile(
    r"^\W{0,3}(?:[\d:.,TZ/+ -]{8,40}\W{0,3})?(?:\[?[\w.:/-]{1,40}\]? ){0,3}?\W{0,2}(?:WARN|WARNING)\b|\blevel=\"?warn"
)
_TELEMETRY = re.compile(
    r"opentelemetry|\bOTLP\b|\botel[-_.]|sentry|datadog|ddtrace|newrelic|statsd|cloudtrace|cloud_?profiler|telemetry|prometheus|honeycomb",
    re.IGNORECASE,
)
_EXPORTS = re.compile(r"(?i)\b(?:(?:export|send|upload|flush|submit|deliver|transmit|push)\w*|sent)\b")
_EXPORTERS_RIGHT = re.compile(r"monitoring\.timeSeries|cloudtrace\.traces|logging\.logEntries|cloudprofiler\.profiles")
_QUIET_FIELDS = frozenset({"methodName", "resourceName", "principalEmail", "userAgent", "user_agent", "url", "path"})


def skeleton(text: str) -> str:
    """The text without its digits: what lines that differ in numbers only have in common."""
    return text[:_LOOKED_AT].translate(_NUMBERS)


def words_of(entry: LogEntry) -> str:
    """The entry's text, and below it what a structured log line says in other fields ("cause", "detail" …)."""
    if not entry.fields:
        return entry.text
    more = [
        value for key, value in entry.fields.items() if key not in _QUIET_FIELDS and " " in value and len(value) > 8
    ]
    return "\n".join((entry.text, *(value for value in more if value not in entry.text)))


def may_prove(entry: LogEntry, *, warnings: bool = False, telemetry: bool = False) -> bool:
    """Whether a rule may take this entry for proof.

    No: chatter, information, good news, and what exporters of telemetry complain about. Warnings and telemetry are
    admitted on request only: they are believed when nothing worse names a cause.
    """
    text = entry.text[:_LOOKED_AT]
    if not text or entry.log is LogKind.ACTIVITY:
        return bool(text) and entry.severity >= ERROR
    if _PLATFORM.match(text) and not is_chatter(entry):
        return True
    if _is_information(entry, text):
        return entry.severity == 0 and find_traceback(text) is not None
    if is_evidence(entry):
        return telemetry or not _is_telemetry(text)
    return warnings and not is_chatter(entry) and (entry.severity > _INFORMATION or bool(_WARNING.match(text)))


def _is_telemetry(text: str) -> bool:
    """An exporter that cannot deliver; a module of telemetry that is missing stops the program like any other."""
    said = text[:_EXPORTER_SAYS]
    return bool(_EXPORTERS_RIGHT.search(said) or (_TELEMETRY.search(said) and _EXPORTS.search(said)))


def _is_information(entry: LogEntry, text: str) -> bool:
    """What its author declared to be information, or what tells good news."""
    if entry.severity >= ERROR or entry.status is not None:
        return False
    return 0 < entry.severity <= _INFORMATION or bool(_INFORMATIVE.match(text) or _SAYS_ALL_IS_WELL.search(text))


def is_program(entry: LogEntry | None) -> bool:
    """Whether the program itself said it; False for Cloud Run's texts and for conditions (None)."""
    if entry is None or entry.log in {LogKind.SYSTEM, LogKind.SYSTEM_EVENT, LogKind.REQUESTS, LogKind.ACTIVITY}:
        return False
    return entry.status is None and not _PLATFORM.match(entry.text)


def transcripts(entries: Iterable[LogEntry]) -> Iterator[str]:
    """The plain lines of each instance and stream, joined by newlines while they follow each other within 2 s.

    At most 16,000 characters a piece; only pieces of two lines or more.
    """
    sources: defaultdict[tuple[str, str, LogKind], list[LogEntry]] = defaultdict(list)
    for entry in entries:
        if entry.status is None and entry.log in {LogKind.STDERR, LogKind.STDOUT, LogKind.OTHER}:
            sources[entry.revision, entry.instance, entry.log].append(entry)
    for lines in sources.values():
        piece: list[str] = []
        size, last = 0, lines[0].at
        for entry in lines:
            if piece and (entry.at - last > _GAP or size > _PARAGRAPH):
                if len(piece) > 1:
                    yield "\n".join(piece)
                piece, size = [], 0
            piece.append(entry.text[:_PARAGRAPH])
            size += len(entry.text)
            last = entry.at
        if len(piece) > 1:
            yield "\n".join(piece)
