"""Tracebacks as pytest prints them (`app/cart.py:12: in add`), beside those that every language prints itself."""

from __future__ import annotations

import re

from bot.correlate.tracebacks import find_traceback

_FRAME = re.compile(
    r"^(?:E\s+)?(?P<file>[^\s:<>][^\n:<>]{0,400}\.py):(?P<line>\d{1,9}): ?(?P<rest>[^\n]{0,200})$", re.MULTILINE
)
_QUOTED = re.compile(r'^(?:E\s+)?[ |+-]*File "(?P<file>[^"\n]{1,400})", line (?P<line>\d{1,9})', re.MULTILINE)
_FOREIGN = re.compile(
    r"site-packages|dist-packages|/lib(?:64)?/python\d|\\lib\\|<frozen|/\.venv/|/_pytest/|^\.\./.*/lib/|importlib[/\\]__init__"
)


def of_ours(text: str) -> list[str]:
    """`file:line` of each frame that is ours, the one nearest to the raise last; [] when there is none."""
    found = [(match.start(), match) for pattern in (_FRAME, _QUOTED) for match in pattern.finditer(text)]
    return [
        f"{match['file']}:{match['line']}"
        for _, match in sorted(found, key=lambda pair: pair[0])
        if not _FOREIGN.search(match["file"]) and "Warning:" not in match[0]
    ]


def culprit(text: str) -> str:
    """The line of ours nearest to the raise, `app/cart.py:12`; "" when the text has no traceback that is known."""
    if ours := of_ours(text):
        return ours[-1]
    found = find_traceback(text)
    frame = found.culprit if found else None
    return f"{frame.file}:{frame.line}" if frame and frame.line else ""
