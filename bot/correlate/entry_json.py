"""Reads one log entry in the JSON shape of Cloud Logging, as `gcloud logging read --format=json` prints it.

`from_json` accepts what real dumps hold: any label may be missing or empty, timestamps carry nanoseconds, the message
may be in textPayload, in the jsonPayload of any usual logger, or in an audit entry's protoPayload.
Source: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
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
_OTHER_LEVELS: Mapping[str, int] = {
    "TRACE": 100, "VERBOSE": 100, "FINE": 100, "INFORMATION": 200, "WARN": 400, "ERR": 500, "SEVERE": 500,
    "CRIT": 600, "FATAL": 600, "PANIC": 600, "DPANIC": 600, "EMERG": 800,
}  # fmt: skip

# Dots reach into nested objects, unless the key itself has them (ECS and OpenTelemetry are written both ways).
_MESSAGE_KEYS = (
    "message", "msg", "textPayload", "log", "event", "@m", "RenderedMessage", "@mt", "MessageTemplate", "body", "short_message",
    "error_message", "errorMessage", "error.message", "err.message", "description", "exception.message",
)  # fmt: skip
_STACK_KEYS = (
    "stack_trace", "stacktrace", "stackTrace", "stack", "exc_info", "exc_text", "exception.stacktrace", "error.stack_trace",
    "error.stack", "err.stack", "errorVerbose", "full_message", "@x", "Exception", "context.exception", "exception",
    "traceback", "error", "err", "trace",
)  # fmt: skip
_LEVEL_KEYS = ("severity", "level", "levelname", "level_name", "loglevel", "log.level", "@l", "Level", "lvl")
_GRPC_CODES = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
]
_SAID = frozenset({*_MESSAGE_KEYS, *_STACK_KEYS})
_MAX_RENDERED = 100  # frames of a traceback that came as objects
_MAX_FIELDS = 32
_MAX_FIELD_LENGTH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
_KINDS = {kind.value: kind for kind in LogKind}


def from_json(entry: Mapping[str, Any]) -> LogEntry:
    """One LogEntry from Cloud Logging's JSON.

    `at` is the entry's timestamp, else its receiveTimestamp, else 1970-01-01, which is visibly wrong and sorts first.
    Unknown fields are ignored; a field of the wrong type counts as missing. Never raises, whatever JSON holds.
    """
    entry = _mapping(entry)
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
        received_at=timestamp(entry.get("receiveTimestamp")),
    )


def timestamp(value: object) -> datetime | None:
    """RFC 3339 with up to nanoseconds (cut to microseconds) as aware UTC; without an offset it is UTC; else None."""
    if isinstance(value, Mapping):  # the protobuf form, {"seconds": 1757944991, "nanos": 123000000}
        return _from_seconds(value.get("seconds"), value.get("nanos"))
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
        return int(min(max(value, 0), 800)) if value == value else 0  # noqa: PLR0124 — NaN is JSON to Python
    name = str(value).strip().upper()
    return SEVERITIES.get(name, _OTHER_LEVELS.get(name, 0))


def json_message(payload: Mapping[str, Any]) -> str:
    """Message of a structured log line, followed by its stack trace unless the message holds it already."""
    message = next((text for key in _MESSAGE_KEYS if (text := _text(_at(payload, key)))), "")
    stack = next((text for key in _STACK_KEYS if (text := _stack(_at(payload, key)))), "")
    if not stack or stack in message:
        return message
    return f"{message}\n{stack}" if message and message not in stack else stack


def audit_message(audit: Mapping[str, Any]) -> str:
    """status.message of an audit entry; else the message of a condition that is not True; else the code's name."""
    status = _mapping(audit.get("status"))
    said = _text(status.get("message"))
    conditions = _mapping(_mapping(audit.get("response")).get("status")).get("conditions")
    if not said and isinstance(conditions, Sequence):
        failing = (_mapping(c) for c in conditions if _text(_mapping(c).get("status")) != "True")
        said = next((text for condition in failing if (text := _text(condition.get("message")))), "")
    code = _whole_number(status.get("code")) or 0
    return said or (_GRPC_CODES[code] if 0 < code < len(_GRPC_CODES) else "")


def json_fields(payload: Mapping[str, Any]) -> dict[str, str]:
    """Scalars of the payload other than message and stack, as text; at most 32, each at most 500 characters."""
    skipped = _SAID
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
        level = _at(payload, key)
        if isinstance(level, int) and not isinstance(level, bool) and 0 < level <= 60:
            return {1: 100, 2: 100, 3: 200, 4: 400, 5: 500, 6: 600}.get(level // 10, 0)
        if found := severity(level):
            return found
    return 0


def _at(payload: Mapping[str, Any], key: str) -> object:
    """payload["a.b"], else payload["a"]["b"]."""
    if key in payload:
        return payload[key]
    outer, dot, inner = key.partition(".")
    return _mapping(payload.get(outer)).get(inner) if dot else None


def _stack(value: object) -> str:
    """A stack trace as text: itself, or found inside an error object of pino, winston, ECS, structlog or Monolog."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        lines = [line for line in value if isinstance(line, str)]
        return "\n".join(lines[:_MAX_RENDERED]) or (_python_traceback(_mapping(value[-1])) if value else "")
    inner = _mapping(value)
    if _text(inner.get("class")) and _text(inner.get("file")):
        return _php_traceback(inner)
    keys = ("stack", "stack_trace", "stacktrace", "stackTrace", "message", "msg")
    return next((text for key in keys if (text := _text(inner.get(key)))), "")


def _python_traceback(error: Mapping[str, Any]) -> str:
    """Structlog's traceback as objects, printed as Python does; "" where it is something else."""
    frames, kind = error.get("frames"), _text(error.get("exc_type"))
    if not kind or not isinstance(frames, Sequence):
        return ""
    told = (_mapping(frame) for frame in frames[-_MAX_RENDERED:])
    lines = [
        f'  File "{_text(f.get("filename"))}", line {_whole_number(f.get("lineno")) or 0}, in {_text(f.get("name"))}'
        for f in told
    ]
    return "\n".join(["Traceback (most recent call last):", *lines, f"{kind}: {_text(error.get('exc_value'))}"])


def _php_traceback(error: Mapping[str, Any]) -> str:
    """Monolog's exception object, printed as PHP does. Its trace is a list of "file:line"."""
    trace = error.get("trace")
    places = [place.rpartition(":") for place in trace if isinstance(place, str)] if isinstance(trace, list) else []
    frames = [f"#{i} {file}({line}): {{unknown}}" for i, (file, _, line) in enumerate(places[:_MAX_RENDERED])]
    head = f"PHP Fatal error:  Uncaught {error['class']}: {_text(error.get('message'))} in {error['file']}"
    return "\n".join([head, "Stack trace:", *(frames or ["#0 [internal function]: {main}"])])


def _from_seconds(seconds: object, nanos: object) -> datetime | None:
    whole = int(seconds) if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit() else seconds
    part = nanos if isinstance(nanos, int) else 0
    if not isinstance(whole, int) or isinstance(whole, bool):
        return None
    try:
        return _EPOCH + timedelta(seconds=whole, microseconds=part // 1_000)
    except OverflowError:
        return None


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
