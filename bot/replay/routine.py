"""Which log entries the bot's queries would have brought: `bot.model.log_query`, for entries that are there already.

Kept beside each other by tests/unit/replay/test_routine.py, which asks the local Cloud Logging the same questions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.correlate.entry_json import severity
from bot.model.evidence import LogKind

PLATFORM = frozenset({LogKind.SYSTEM, LogKind.SYSTEM_EVENT, LogKind.ACTIVITY})
_WARNING = 400
_SERVER_ERROR = 500
_LEVEL_FIELDS = ("level", "levelname", "loglevel", "log.level")
_ROUTINE_LEVELS = frozenset({"trace", "debug", "info", "information", "notice", "10", "20", "30"})
_ACCESS_LINE = re.compile(r'"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) [^"]* HTTP/[0-9.]+" [1-4][0-9][0-9]\b')
_ROUTINE_LINE = re.compile(
    r"^[\[(]?[-0-9:,.TZ+/ ]*[\])]? *(\[[0-9]+\] *)?[\[(]?((TRACE|DEBUG|INFO)\b|(trace|trce|debug|dbug|info):)"
    r"|\blevel=(trace|debug|info)\b"
)
_SPEAKS_OF_PORT = re.compile(
    r"(?i)\b(listen\w*|running|serving|bound|bind\w*|server|start\w*)\b.{0,60}"
    r"(\bport\b|:(80|[0-9]{4,5})\b|0\.0\.0\.0|127\.0\.0\.1|localhost)"
)


def explains(entry: Mapping[str, Any], kind: LogKind, status: int | None) -> tuple[bool, bool]:
    """(it is evidence about its own revision, it is an error to everybody in the project)."""
    if kind is LogKind.REQUESTS:
        failed = status is not None and status >= _SERVER_ERROR
        return failed and bool(entry.get("textPayload")), failed
    level = severity(entry.get("severity"))
    if kind in PLATFORM:
        code = _of(_of(entry, "protoPayload"), "status").get("code")
        return True, level >= _WARNING or (isinstance(code, int) and code > 0)
    text, payload = entry.get("textPayload"), _of(entry, "jsonPayload")
    telling = level >= _WARNING or (level == 0 and not _is_routine(text, payload))
    if telling:
        return True, True
    said = (text, payload.get("message"), payload.get("msg"))
    return any(isinstance(words, str) and _SPEAKS_OF_PORT.search(words) for words in said), False


def _is_routine(text: object, payload: Mapping[str, Any]) -> bool:
    if isinstance(text, str) and (_ACCESS_LINE.search(text) or _ROUTINE_LINE.search(text)):
        return True
    levels = (payload.get(name) for name in _LEVEL_FIELDS)
    return any(isinstance(level, str | int) and str(level).lower() in _ROUTINE_LEVELS for level in levels)


def _of(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}
