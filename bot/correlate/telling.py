"""Which log entries speak of an error, and which consequence of another error they may be.

Severity alone misses half: a traceback on stderr carries none, `Container called exit(3)` is a WARNING. And it
catches the platform's own chatter, which is no error at all.
"""

from __future__ import annotations

import re

from bot.correlate.tracebacks import find_traceback
from bot.model.evidence import LogEntry, LogKind

ERROR = 500
_NOTICE = 300
_LOOKED_AT = 16_000  # characters of one entry that patterns are tried on

_CHATTER = re.compile(
    r"^Starting new instance\. Reason:"
    r"|\bprobe succeeded\b"
    r"|^Shutting down user disabled instance"
    r"|^Ready condition status changed to True"
    r"|\b(?:Pending)?DeprecationWarning\b|\bFutureWarning\b|\bUserWarning\b|\bInsecureRequestWarning\b"
    r"|\bSentry SDK (?:is )?not (?:installed|configured)"
    r"|\bnpm (?:warn|notice)\b"
    r"|^\(node:\d+\) (?:\[DEP\d+\] )?\w*Warning"
    r"|\bHandling signal: (?:term|int|winch)\b|\bWorker exiting \(pid|\bBooting worker with pid\b"
    r"|^Container terminated on signal 15\b|\breceived SIGTERM, shutting down\b"
    r"|\bfailed to load source map|\bSourceMap|^fatal: not a git repository",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED_SO = (  # how libraries call exceptions that are not called …Error
    r"\w{0,40}(?:Timeout|Refused|Denied|Unavailable|Exceeded|Exhausted|Forbidden|NotFound|Expired|Aborted|Unauthenticated|"
    r"Unauthorized|Shutdown|Detected|Canceled|Disconnected|Misconfigured|ImproperlyConfigured|Conflict|Invalid\w{0,30}|Undefined\w{0,30})"
)
_SAYS_ERROR = re.compile(
    r"(?:^|[\s\[(|<])(?:ERROR|CRITICAL|FATAL|SEVERE|PANIC|EMERG|ALERT)(?:[\s\]):|>,]|$)"
    r"|\blevel=\"?(?:error|fatal|panic|critical)\b"
    r"|^(?:Fatal|fatal|FATAL|Error|error|ERROR)\b ?[:(]"
    r"|^panic: |^fatal error: |^APPLICATION FAILED TO START"
    r"|^(?:[A-Za-z_][\w.:]{0,200}[.:])?[A-Z]\w{0,80}(?:Error|Exception)(?:: | \(|$)"
    rf"|^(?:[A-Za-z_]\w{{0,60}}(?:\.|::)){{1,8}}(?:{_NAMED_SO}): "
    rf"|^[A-Z]\w{{0,60}}::\w{{0,60}}(?:{_NAMED_SO}) \("
    r"|\b(?:Get|Post|Put|Patch|Delete|Head) \"https?://[^\"\n]{1,500}\": \w|\brpc error: code = (?!OK|Canceled)\w"
    r"|^thread '[^'\n]{0,100}' (?:\(\d+\) )?panicked at |\bcURL error \d"
    r"|\bContainer called exit\((?!0\))\d+\)"
    r"|\bprobe failed\b|\bfailed the (?:configured )?(?:startup|liveness|readiness)"
    r"|\bUncaught signal: \d+|\bterminated on signal \d+"
    r"|\bMemory limit of \d|\bPerhaps out of memory\b|\bheap out of memory\b|\bOutOfMemoryError\b|^Killed$"
    r"|\bWORKER TIMEOUT\b|\bWorker failed to boot\b|\bWorker \(pid:\d+\) exited with code [1-9]"
    r"|\bfailed to start and listen on the port\b|\bexec format error\b",
    re.MULTILINE,
)

_GOES_ON = re.compile(
    r"(?i)fall(?:ing|s)? ?back|\bskipp|\bdisabl(?:ed|ing)\b|\boptional|\bignor|\busing \w+ instead|\bwithout it\b|\bnot available,"
)
_DECLARES_INFORMATION = re.compile(  # a level word of a text logger: `[INFO]`, `INFO:root:`, `2025-09-15 14:03:11 WARNING …`
    r"^[^\w\n]{0,3}(?:[\d:.,TZ/+ -]{8,40}[^\w\n]{0,3})?(?:\[\d{1,7}\] )?\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING)\b",
    re.IGNORECASE,
)

# How far an entry is from its cause: 0 may be a cause itself, a higher number follows from a lower one.
_ECHOES: tuple[tuple[int, re.Pattern[str]], ...] = (
    (
        5,
        re.compile(
            r"malformed or connection to the instance had an error|no available instance|maximum request timeout"
        ),
    ),
    (4, re.compile(r"is not ready and cannot serve traffic|^Ready condition status changed to (?:False|Unknown)")),
    (4, re.compile(r"failed to start and listen on the port|failed the configured startup probe")),
    (3, re.compile(r"\bprobe failed\b|failed the (?:liveness|readiness)")),
    (2, re.compile(r"Container called exit\(|Uncaught signal: \d|terminated on signal \d")),
    (
        1,
        re.compile(
            r"Worker \(pid:\d+\) exited with code|Worker failed to boot|Shutting down: Master|^gunicorn\.errors\.HaltServer"
        ),
    ),
    (1, re.compile(r"Worker \(pid:\d+\) was sent SIG|Application startup failed\. Exiting")),
)


def is_chatter(entry: LogEntry) -> bool:
    """True for what platforms and libraries say in passing. A traceback is never chatter, nor is an error beside it."""
    text = entry.text[:_LOOKED_AT]
    if not _CHATTER.search(text) or find_traceback(text) is not None:
        return False
    return "\n" not in text or not any(_SAYS_ERROR.search(x) and not _CHATTER.search(x) for x in text.splitlines())


def goes_on(line: str) -> bool:
    """Whether the line tells of a thing that the program does without: "…, falling back to json"."""
    return bool(_GOES_ON.search(line))


def line_around(text: str, position: int) -> str:
    """The line of the text that holds this position, without white space around it."""
    end = text.find("\n", position)
    return text[text.rfind("\n", 0, position) + 1 : len(text) if end < 0 else end].strip()


def is_evidence(entry: LogEntry) -> bool:
    """False for what cannot prove a cause: chatter, and what its author declared to be information or a warning.

    Wider than `is_error_like`: a bare line on stderr counts, it may be the program's last words.
    """
    if not entry.text or entry.log is LogKind.ACTIVITY or is_chatter(entry):
        return False
    if entry.log in {LogKind.SYSTEM, LogKind.SYSTEM_EVENT, LogKind.REQUESTS} or entry.severity >= ERROR:
        return True
    if find_traceback(entry.text[:_LOOKED_AT]) is not None:
        return True
    return entry.severity == 0 and not _DECLARES_INFORMATION.match(entry.text[:_LOOKED_AT])


def is_error_like(entry: LogEntry) -> bool:
    """True when the entry speaks of something that went wrong: by severity, by status, or by what it says."""
    if entry.log is LogKind.REQUESTS or entry.status is not None:
        return entry.status is not None and entry.status >= 500
    if entry.log is LogKind.ACTIVITY or not entry.text or is_chatter(entry):
        return False  # somebody's refused change is not an error of the revision
    if entry.log is not LogKind.SYSTEM and 0 < entry.severity <= _NOTICE:
        return False  # whoever logged it chose to call it information
    text = entry.text[:_LOOKED_AT]
    if entry.severity >= ERROR or find_traceback(text) is not None:
        return True
    said = _SAYS_ERROR.search(text)
    return said is not None and not (entry.severity == 0 and goes_on(line_around(text, said.start())))


def echo_rank(entry: LogEntry) -> int:
    """How far from the cause: 0 a possible cause, 1 a worker that died of it … 5 a request that failed of it."""
    if entry.log is LogKind.REQUESTS or entry.status is not None:
        return 5
    return echo_rank_of(entry.text)


def echo_rank_of(text: str) -> int:
    """`echo_rank` of a text that is no request's."""
    text = text[:_LOOKED_AT]
    if find_traceback(text) is not None:
        return 1 if "HaltServer" in text and "Worker failed to boot" in text else 0
    return next((rank for rank, pattern in _ECHOES if pattern.search(text)), 0)
