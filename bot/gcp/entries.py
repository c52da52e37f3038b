"""Cloud Logging's messages → `bot.model.evidence.LogEntry`. Pure; takes the raw protobuf messages, for speed.

What a payload means is read by `bot.correlate.entry_json`, so that a recorded entry and a live one are understood alike.

Not imitated: entries that Cloud Logging has split (over 256 KiB) stay in their parts, each an entry of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from google.cloud.audit.audit_log_pb2 import AuditLog

from bot.correlate.entry_json import from_json
from bot.model.evidence import LogEntry, LogKind

TEXT_LIMIT = 20_000
_KINDS: Mapping[str, LogKind] = {kind.value: kind for kind in LogKind}


def log_entry(entry: Any) -> LogEntry:
    """One LogEntry message. `resource` and `labels` may hold empty strings anywhere: so does the result."""
    resource = entry.resource.labels
    kind = log_kind(entry.log_name)
    payload = _payload(entry)
    request = entry.http_request if entry.HasField("http_request") else None
    return LogEntry(
        insert_id=entry.insert_id,
        log=kind,
        at=_moment(entry),
        revision=resource.get("revision_name", "") or payload.revision,
        severity=entry.severity or payload.severity,
        text=cut(payload.text),
        status=request.status or None if request else None,
        latency_s=_seconds(request.latency) if request and request.HasField("latency") else None,
        path=url_path(request.request_url) if request else "",
        trace=entry.trace,
        instance=entry.labels.get("instanceId", ""),
        service=resource.get("service_name", ""),
        fields=payload.fields,
        received_at=_received(entry),
    )


def once_each(entries: Iterable[LogEntry], seen: set[tuple[LogKind, datetime, str]]) -> Iterator[LogEntry]:
    """Without those already in `seen`, which grows: an insert id is unique only within its log and instant."""
    for entry in entries:
        key = (entry.log, entry.at, entry.insert_id)
        if key not in seen:
            seen.add(key)
            yield entry


@lru_cache(maxsize=256)
def log_kind(log_name: str) -> LogKind:
    """`projects/p/logs/run.googleapis.com%2Fstderr` → STDERR."""
    return _KINDS.get(unquote(log_name.partition("/logs/")[2]), LogKind.OTHER)


def cut(text: str, limit: int = TEXT_LIMIT) -> str:
    """At most `limit` characters: head and tail, because a traceback names its cause last."""
    if len(text) <= limit:
        return text
    gap = f"\n… {len(text) - limit:,} and some characters left out …\n"
    keep = limit - len(gap)
    tail = keep // 2
    return f"{text[: keep - tail]}{gap}{text[-tail:]}"


def url_path(url: str) -> str:
    """The path alone: queries carry tokens and e-mail addresses."""
    after_scheme = url.partition("://")[2] or url
    path = after_scheme[after_scheme.find("/") :] if "/" in after_scheme else ""
    return path.partition("?")[0].partition("#")[0]


@dataclass(frozen=True, slots=True)
class _Payload:
    text: str = ""
    severity: int = 0
    revision: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def _payload(entry: Any) -> _Payload:
    match entry.WhichOneof("payload"):
        case "text_payload":
            return _Payload(entry.text_payload)
        case "json_payload":
            return _structured(plain(entry.json_payload))
        case "proto_payload":
            return _audit(entry.proto_payload)
        case _:
            return _Payload()


def _structured(payload: dict[str, Any]) -> _Payload:
    """What a logger wrote. One without a message is shown whole: an ERROR must not vanish for want of words."""
    read = from_json({"jsonPayload": payload})
    text = read.text or (json.dumps(payload, ensure_ascii=False, sort_keys=True) if payload else "")
    return _Payload(text, read.severity, fields=read.fields)


def _audit(payload: Any) -> _Payload:
    """An audit entry: what happened to the revision, and who did it."""
    audit = AuditLog()
    if not payload.Unpack(audit):
        return _Payload()
    who = audit.authentication_info.principal_email
    read = from_json(
        {
            "protoPayload": {
                "methodName": audit.method_name,
                "resourceName": audit.resource_name,
                "authenticationInfo": {"principalEmail": who},
                "status": {"message": audit.status.message},
                "response": plain(audit.response),
            }
        }
    )
    return _Payload(read.text, revision=read.revision, fields=read.fields)


def plain(struct: Any) -> dict[str, Any]:
    """A protobuf Struct as JSON has it, several times faster than protobuf's own way."""
    return {key: _plain(value) for key, value in struct.fields.items()}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return plain(value.struct_value)
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    if kind == "number_value":  # JSON knows one kind of number; a level of 50 is not 50.0
        number = value.number_value
        return int(number) if number.is_integer() else number
    return None if kind in {None, "null_value"} else getattr(value, kind)


def _moment(entry: Any) -> datetime:
    stamp = entry.timestamp if entry.HasField("timestamp") else entry.receive_timestamp
    moment: datetime = stamp.ToDatetime(tzinfo=UTC)
    return moment


def _received(entry: Any) -> datetime | None:
    return entry.receive_timestamp.ToDatetime(tzinfo=UTC) if entry.HasField("receive_timestamp") else None


def _seconds(duration: Any) -> float:
    return float(duration.seconds + duration.nanos / 1e9)
