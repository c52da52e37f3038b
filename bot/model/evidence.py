"""What we read about a revision: log entries, request counts, error groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class LogKind(StrEnum):
    """Which of Cloud Run's logs an entry is from (the end of its logName)."""

    STDERR = "run.googleapis.com/stderr"
    STDOUT = "run.googleapis.com/stdout"
    SYSTEM = "run.googleapis.com/varlog/system"
    REQUESTS = "run.googleapis.com/requests"
    SYSTEM_EVENT = "cloudaudit.googleapis.com/system_event"
    ACTIVITY = "cloudaudit.googleapis.com/activity"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One Cloud Logging entry, flattened. `text` is untrusted: never shown without redaction and escaping.

    Attributes:
        severity: 0 (DEFAULT) – 800 (EMERGENCY), Cloud Logging's numbers; 500 is ERROR.
        text: textPayload, or the message of a jsonPayload/protoPayload; "" for plain requests.
        status: HTTP status of a request entry, None otherwise. latency_s: seconds.
        received_at: when Cloud Logging received it, which is when a reader could first have known; None: not known.
    """

    insert_id: str
    log: LogKind
    at: datetime
    revision: str
    severity: int = 0
    text: str = ""
    status: int | None = None
    latency_s: float | None = None
    path: str = ""
    trace: str = ""
    instance: str = ""
    service: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    received_at: datetime | None = None


@dataclass(frozen=True)
class Window:
    """Half-open interval [start, end) in UTC; start < end."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class RequestCount:
    """Requests of one revision within one window, from the request log.

    Attributes:
        failed: 5xx among `total`. complete: False when the log was longer than we may read:
            then both are lower bounds and `of_at_least` says how many entries were read before the cut.
    """

    revision: str
    window: Window
    total: int
    failed: int
    complete: bool = True
    first_failure: datetime | None = None

    @property
    def ratio(self) -> float:
        """Failing fraction 0–1; 0.0 without requests (which is *not* the same as healthy)."""
        return self.failed / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class RequestPoint:
    """Requests of one revision answered with one class of status in one interval, as Cloud Monitoring counts them.

    Attributes:
        window: the interval, 60 s as a rule. response_class: "2xx", "3xx", "4xx" or "5xx".
    """

    service: str
    revision: str
    response_class: str
    window: Window
    count: int


@dataclass(frozen=True)
class ErrorGroup:
    """Log entries that share a fingerprint.

    Attributes:
        fingerprint: `v1:<hex>`. title: one line for people (masked). sample: first occurrence as logged (raw!).
        is_echo: a consequence of another group (503s behind a worker that cannot import).
    """

    fingerprint: str
    title: str
    count: int
    first_seen: datetime
    last_seen: datetime
    sample: str
    severity: int = 500
    is_echo: bool = False


@dataclass(frozen=True)
class Gap:
    """Something we could not read. `source` in people's words ("Cloud Logging"), `why` fit to be shown."""

    source: str
    why: str

    @property
    def told(self) -> str:
        """`Cloud Logging: its quota is used up`; the source once, also where `why` begins with it."""
        if not self.why:
            return f"{self.source} could not be read"
        return self.why if self.why.startswith(self.source) else f"{self.source}: {self.why}"
