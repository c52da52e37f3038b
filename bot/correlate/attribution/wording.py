"""Words of the sentences that votes say: names and verbs, times, the telling line of a message."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

_EPOCH_FROM = 1e9  # seconds from which a time is one of the clock, not of an episode
_NAMES_SHOWN = 3
_LINE = 160  # characters of a quoted line
_HEAD = re.compile(  # says that something follows, or where, not what
    r"^\s*(?:Traceback \(most recent call last\)|During handling of the above|The above exception was|File \"|at\s+\S|\.{3} \d+ more"
    r"|goroutine \d+ \[|created by |from \S+:\d+|#\d+ |\^+$|[~^ ]+$|\s*\S+\.(?:go|rb|js|ts|py|java|cs|php):\d+|Require stack:|- /|HTTP \d{3}$)"
)
_SAYS_WHAT = re.compile(
    r"^(?:[\w.$]*[A-Z]\w*(?:Error|Exception|Violation|Fault|Exit|Interrupt|Timeout)\b|panic: |fatal error: |Error: )"
)


def quoted(text: str, limit: int = _LINE) -> str:
    """The line of a message that tells most, whole words, at most `limit` characters; "" for an empty message.

    The exception of a traceback, in whatever language; else the first line that is neither a head nor a frame.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not _HEAD.match(line)]
    exceptions = [line for line in telling if _SAYS_WHAT.match(line)]
    if lines and lines[0].startswith("Traceback") and exceptions:
        return cut(exceptions[-1], limit)
    return cut((exceptions or telling or lines or [""])[0], limit)


def is_telling(text: str) -> bool:
    """False for a head, a frame, a status: what stands beside a better line."""
    return any(line.strip() and not _HEAD.match(line) for line in text.splitlines())


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, ended at the end of a word and by "…" where something is left out."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    end = kept.rfind(" ")
    return f"{kept[:end] if end > limit // 2 else kept}…"


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and 3 more`."""
    if len(names) > _NAMES_SHOWN:
        return f"{', '.join(names[: _NAMES_SHOWN - 1])} and {len(names) - _NAMES_SHOWN + 1} more"
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def fail(names: Sequence[str]) -> str:
    """The verb that goes with the names."""
    return "fails" if len(names) == 1 else "fail"


def since(at: float, first: float) -> str:
    """When, for people: by the clock where these are times of the clock, else after the first error."""
    if at >= _EPOCH_FROM:
        return f"since {datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"
    return f"since {at - first:.0f} s after the first error" if at - first >= 1 else "from the first error on"
