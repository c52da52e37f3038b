"""Reads one log entry in the JSON shape of Cloud Logging, as `gcloud logging read --format=json` prints it.

`from_json` accepts what real dumps hold: any label may be missing or empty, timestamps carry nanoseconds, the message
may be in textPayload, in the jsonPayload of any usual logger, or in an audit entry's protoPayload.
Source: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from bot.model.evidence import LogEntry, LogKind

SEVERITIES: Mapping[str, int] = {
    "DEFAULT": 0,
    "DEBUG": 100,
    "INFO": 200,
    "NOTICE": 300,
    "WARNING": 400,
    "ERROR": 500,
    "CRITICAL": 600,
    "ALERT": 700,
    "EMERGENCY": 800,
}
# what other loggers say instead: Python, Java, Go zap, bunyan/pino (whose numbers are mapped below)
_OTHER_LEVELS: Mapping[str, int] = {"TRACE": 100, "WARN": 400, "SEVERE": 500, "FATAL": 600, "PANIC": 600, "DPANIC": 600}

_MESSAGE_KEYS = ("message", "msg", "textPayload", "log", "event", "error_message", "description")
_STACK_KEYS = ("stack_trace", "stacktrace", "stack", "exc_info", "exception", "traceback", "error", "err")
_LEVEL_KEYS = ("severity", "level", "levelname", "loglevel", "log.level")
_MAX_FIELDS = 32
_MAX_FIELD_LENGTH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
_KINDS = {kind.value: kind for kind in LogKind}


def from_json(entry: Mapping[str, Any]) -> LogEntry:
    """One LogEntry from Cloud Logging's JSON.

    `at` is the entry's timestamp, else its receiveTimestamp, else 1970-01-01, which is visibly wrong and sorts first.
    Unknown fields are ignored; a field of the wrong type counts as missing.
    """
    labels = {**_mapping(_mapping(entry.get("resource")).get("labels")), **_mapping(entry.get("labels"))}
    payload, audit = _mapping(entry.get("jsonPayload")), _mapping(entry.get("protoPayload"))
    request = _mapping(entry.get("httpRequest"))
    text = _text(entry.get("textPayload")) or json_message(payload) or audit_message(audit)
    return LogEntry(
        insert_id=_text(entry.get("insertId")),
        log=_log_kind(_text(entry.get("logName"))),
        at=timestamp(entry.get("timestamp")) or timestamp(entry.get("receiveTimestamp")) or _EPOCH,
        revision=_text(labels.get("revision_name")) or _revision_of(_text(audit.get("resourceName"))),
        severity=severity(entry.get("severity")) or _payload_severity(payload),
        text=text,
        status=_whole_number(request.get("status")),
        latency_s=_seconds(request.get("latency")),
        path=_path(_text(request.get("requestUrl"))),
        trace=_text(entry.get("trace")),
        instance=_text(labels.get("instanceId")),
        service=_text(labels.get("service_name")),
        fields={**json_fields(payload), **_audit_fields(audit)},
    )


def timestamp(value: object) -> datetime | None:
    """RFC 3339 with up to nanoseconds (cut to microseconds) as aware UTC; without an offset it is UTC; else None."""
    match = _TIMESTAMP.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    fraction, offset = (match[2] or "0")[:6].ljust(6, "0"), match[3] or "Z"
    try:
        return datetime.fromisoformat(f"{match[1]}.{fraction}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):  # month 13, or year 1 in a zone before UTC
        return None


def severity(value: object) -> int:
    """Cloud Logging's number for a name or number; other loggers' names too; 0 (DEFAULT) for anything else."""
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int | float):
        return min(max(int(value), 0), 800)
    name = str(value).strip().upper()
    return SEVERITIES.get(name, _OTHER_LEVELS.get(name, 0))


def json_message(payload: Mapping[str, Any]) -> str:
    """Message of a structured log line, followed by its stack trace unless the message holds it already."""
    message = next((text for key in _MESSAGE_KEYS if (text := _text(payload.get(key)))), "")
    stack = next((text for key in _STACK_KEYS if (text := _stack(payload.get(key)))), "")
    if not stack or stack in message:
        return message
    return f"{message}\n{stack}" if message and message not in stack else stack


def audit_message(audit: Mapping[str, Any]) -> str:
    """status.message of an audit entry; where that is empty, the message of a condition that is not True."""
    said = _text(_mapping(audit.get("status")).get("message"))
    conditions = _mapping(_mapping(audit.get("response")).get("status")).get("conditions")
    if said or not isinstance(conditions, Sequence):
        return said
    failing = (_mapping(c) for c in conditions if _text(_mapping(c).get("status")) != "True")
    return next((text for condition in failing if (text := _text(condition.get("message")))), "")


def json_fields(payload: Mapping[str, Any]) -> dict[str, str]:
    """Scalars of the payload other than message and stack, as text; at most 32, each at most 500 characters."""
    skipped = {*_MESSAGE_KEYS, *_STACK_KEYS}
    scalars = ((k, v) for k, v in payload.items() if k not in skipped and isinstance(v, str | int | float | bool))
    return {key: str(value)[:_MAX_FIELD_LENGTH] for (key, value), _ in zip(scalars, range(_MAX_FIELDS), strict=False)}


def _audit_fields(audit: Mapping[str, Any]) -> dict[str, str]:
    found = {
        "methodName": _text(audit.get("methodName")),
        "resourceName": _text(audit.get("resourceName")),
        "principalEmail": _text(_mapping(audit.get("authenticationInfo")).get("principalEmail")),
    }
    return {key: value for key, value in found.items() if value}


def _payload_severity(payload: Mapping[str, Any]) -> int:
    """Level inside the payload. Numbers are bunyan's and pino's 10–60; larger ones Cloud Logging's own."""
    for key in _LEVEL_KEYS:
        level = payload.get(key)
        if isinstance(level, int) and not isinstance(level, bool) and 0 < level <= 60:
            return {1: 100, 2: 100, 3: 200, 4: 400, 5: 500, 6: 600}.get(level // 10, 0)
        if found := severity(level):
            return found
    return 0


def _stack(value: object) -> str:
    """A stack trace as text: itself, or found inside an error object of pino, winston, ECS or structlog."""
    if isinstance(value, str):
        return value
    inner = _mapping(value)
    return next(
        (text for key in ("stack", "stack_trace", "stacktrace", "message") if (text := _text(inner.get(key)))), ""
    )


def _log_kind(log_name: str) -> LogKind:
    return _KINDS.get(unquote(log_name.rpartition("/logs/")[2]), LogKind.OTHER)


def _revision_of(resource_name: str) -> str:
    """`namespaces/p/revisions/R` → R; audit entries have no revision label."""
    match = re.search(r"/revisions/([\w-]+)", resource_name)
    return match[1] if match else ""


def _path(url: str) -> str:
    """Path of a request without its query, which may carry personal data; "" where the URL is none."""
    try:
        return urlsplit(url).path
    except ValueError:  # a client may send anything, e.g. an unclosed IPv6 bracket
        return ""


def _whole_number(value: object) -> int | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _seconds(value: object) -> float | None:
    """Seconds of a duration such as 0.123s."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s", _text(value))
    return float(match[1]) if match else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
