"""Write log entries in the shape that Cloud Run writes them.

Every entry names its revision in the resource; container lines carry `labels.instanceId`, the platform's own lines
`labels.container_name` too. Plain lines have no severity. Entries of one burst get rising time stamps, microseconds apart,
so that a traceback reads in order.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from google.cloud.logging_v2 import types

from bot.sandbox.local_google.image import Line, Severity
from bot.sandbox.local_google.log_store import LogStore
from bot.sandbox.local_google.names import Place
from bot.sandbox.local_google.traces import Trace

_INGESTION: Final = timedelta(milliseconds=150)  # from an entry of the past to its receipt
_Entry: Final = types.LogEntry.pb()
_SEVERITIES: Final = _Entry.DESCRIPTOR.fields_by_name["severity"].enum_type.values_by_name


@dataclass(frozen=True, slots=True)
class Source:
    """Who an entry is about: a revision, and the instance (a long hexadecimal id) when a container speaks."""

    place: Place
    service: str
    revision: str
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answered request, as the front end saw it."""

    method: str
    url: str
    status: int
    latency: timedelta
    user_agent: str
    remote_ip: str
    request_size: int
    response_size: int
    trace: str
    span: str = ""
    platform_text: str = ""


class Recorder:
    """Builds entries and keeps them in the store."""

    def __init__(self, store: LogStore, clock: Callable[[], datetime], chance: random.Random) -> None:
        """Write to `store`, at the clock's time."""
        self._store = store
        self._clock = clock
        self._chance = chance
        self._last = clock()

    def _now(self) -> datetime:
        """The clock's time, but never the same microsecond twice."""
        self._last = max(self._clock(), self._last + timedelta(microseconds=1))
        return self._last

    def insert_id(self, moment: datetime) -> str:
        """As container logs have it: seconds, microseconds and chance, in hexadecimal."""
        return f"{int(moment.timestamp()):08x}{moment.microsecond:08x}{self._chance.getrandbits(32):08x}"

    def blank(self, source: Source, log: str, at: datetime | None = None) -> Any:
        """An entry of log `log` (its id, unencoded) about `source`; `at` None = at the clock's time."""
        moment = at or self._now()
        entry = _Entry(log_name=f"projects/{source.place.project}/logs/{log.replace('/', '%2F')}")
        entry.insert_id = self.insert_id(moment)
        entry.timestamp.FromDatetime(moment)
        entry.resource.type = "cloud_run_revision"
        entry.resource.labels.update(
            {
                "project_id": source.place.project,
                "location": source.place.region,
                "service_name": source.service,
                "configuration_name": source.service,
                "revision_name": source.revision,
            }
        )
        if source.instance:
            entry.labels["instanceId"] = source.instance
        return entry

    def keep(self, entry: Any, received: datetime | None = None) -> None:
        """Into the store; `received` None = just now."""
        self._store.append(entry, received)

    def line(self, source: Source, line: Line, text: str, trace: Trace | None = None) -> None:
        """What the container printed; `text` is the line with its placeholders filled in.

        `trace` is of the request that the line is about; only JSON lines can carry it, as on Cloud Run.
        """
        entry = self.blank(source, f"run.googleapis.com/{line.stream}")
        if line.severity is None:
            entry.text_payload = text
        else:
            entry.json_payload.update({"message": text, "logger": "app"})
            entry.severity = severity(line.severity)
            if trace is not None:
                self._put(entry, source, trace.trace, trace.span)
        self.keep(entry)

    def system(self, source: Source, text: str, level: Severity) -> None:
        """What the platform says about the container."""
        entry = self.blank(source, "run.googleapis.com/varlog/system")
        entry.text_payload = text
        entry.severity = severity(level)
        entry.labels["container_name"] = f"{source.service}-1"
        self.keep(entry)

    def request(self, source: Source, seen: Exchange, at: datetime | None = None) -> None:
        """One line of the request log; `at` is when it was answered, None = just now."""
        entry = self.blank(source, "run.googleapis.com/requests", at)
        entry.severity = severity("ERROR" if seen.status >= 500 else "WARNING" if seen.status >= 400 else "INFO")
        http = entry.http_request
        http.request_method, http.request_url, http.status = seen.method, seen.url, seen.status
        http.request_size, http.response_size = seen.request_size, seen.response_size
        http.user_agent, http.remote_ip, http.server_ip = seen.user_agent, seen.remote_ip, "192.0.2.10"
        http.latency.FromTimedelta(seen.latency)
        http.protocol = "HTTP/1.1"
        self._put(entry, source, seen.trace, seen.span)
        if seen.platform_text:
            entry.text_payload = seen.platform_text
        self.keep(entry, at and at + _INGESTION)

    def _put(self, entry: Any, source: Source, trace: str, span: str) -> None:
        entry.trace = f"projects/{source.place.project}/traces/{trace}"
        entry.span_id, entry.trace_sampled = span, bool(span)


def severity(level: Severity) -> int:
    """The number of a severity's name."""
    return int(_SEVERITIES[level].number)
