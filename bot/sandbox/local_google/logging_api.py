"""google.logging.v2.LoggingServiceV2 over the store: write, list, tail, and the names of logs.

Not imitated: resource names other than `projects/P`, ListMonitoredResourceDescriptors, read quotas (unless a fault plays
them), `split` entries, duplicates by insertId left out, the restriction to 10 tail sessions and suppression. DeleteLog is
refused: nobody loses evidence.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import grpc
from google.cloud.logging_v2 import types

from bot.sandbox.local_google.filter import Filter, compile_filter
from bot.sandbox.local_google.grpc_service import BidiMethod, Method
from bot.sandbox.local_google.log_store import Kept, LogStore
from bot.sandbox.local_google.refusals import Refusal, invalid

SERVICE: Final = "google.logging.v2.LoggingServiceV2"
DEFAULT_PAGE: Final = 50
LARGEST_PAGE: Final = 1_000
LONGEST_BUFFER: Final = timedelta(seconds=60)
_YIELD_EVERY: Final = 2_000  # entries examined before other tasks get a turn
_TAIL_BACKLOG: Final = 60_000

_ListReply: Final = types.ListLogEntriesResponse.pb()
_WriteReply: Final = types.WriteLogEntriesResponse.pb()
_TailReply: Final = types.TailLogEntriesResponse.pb()
_LogsReply: Final = types.ListLogsResponse.pb()


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a page ended; `query` ties the token to the request it belongs to."""

    at: int
    sequence: int
    query: str

    def encode(self) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.at, self.sequence, self.query]).encode()).decode()

    @classmethod
    def decode(cls, token: str, query: str) -> "_Cursor":
        try:
            at, sequence, made_for = json.loads(base64.urlsafe_b64decode(token.encode()))
            cursor = cls(int(at), int(sequence), str(made_for))
        except (ValueError, TypeError):
            raise invalid("page_token is invalid.") from None
        if cursor.query != query:
            raise invalid("page_token doesn't match arguments from the request.")
        return cursor


class LoggingApi:
    """The RPCs.

    Attributes:
        scan_limit: entries examined per page, None = all. Small values give what the real service gives on large
            logs: a page that is short or empty and still has a token.
    """

    def __init__(self, store: LogStore, *, scan_limit: int | None = None) -> None:
        """Serve from `store`."""
        self._store = store
        self.scan_limit = scan_limit

    def methods(self) -> dict[str, Method | BidiMethod]:
        """The table for `grpc_service.service`."""
        return {
            "WriteLogEntries": Method(types.WriteLogEntriesRequest.pb(), self.write),
            "ListLogEntries": Method(types.ListLogEntriesRequest.pb(), self.list_entries),
            "ListLogs": Method(types.ListLogsRequest.pb(), self.list_logs),
            "DeleteLog": Method(types.DeleteLogRequest.pb(), self.delete),
            "TailLogEntries": BidiMethod(types.TailLogEntriesRequest.pb(), self.tail),
        }

    async def write(self, request: Any) -> Any:
        """Keep entries; request-level log name, resource and labels are defaults for each."""
        ready = []
        for given in request.entries:
            entry = types.LogEntry.pb()()
            entry.CopyFrom(given)
            entry.log_name = entry.log_name or request.log_name
            if not entry.HasField("resource"):
                entry.resource.CopyFrom(request.resource)
            for key, value in request.labels.items():
                if key not in entry.labels:
                    entry.labels[key] = value
            if not entry.log_name.startswith("projects/") or "/logs/" not in entry.log_name:
                raise invalid("Log name is required in the request or in each entry, as projects/P/logs/L.")
            if not entry.resource.type:
                raise invalid("A monitored resource is required in the request or in each entry.")
            ready.append(entry)
        if not request.dry_run:
            for entry in ready:
                self._store.append(entry)
        return _WriteReply()

    async def list_entries(self, request: Any) -> Any:
        """One page, by time stamp; an empty page with a token means "not finished"."""
        projects = _projects(request.resource_names)
        backwards = _backwards(request.order_by)
        if request.page_size < 0:
            raise invalid("page_size must not be negative.")
        size = min(request.page_size or DEFAULT_PAGE, LARGEST_PAGE)
        wanted = compile_filter(request.filter)
        query = hashlib.sha256(f"{projects}{request.filter}{backwards}".encode()).hexdigest()[:16]
        window = self._window(projects, wanted, backwards=backwards)
        if request.page_token:
            cursor = _Cursor.decode(request.page_token, query)
            window = [kept for kept in window if _beyond(kept, cursor, backwards=backwards)]
        found, last = await _page(window, wanted, size, self.scan_limit)
        reply = _ListReply()
        reply.entries.extend(kept.entry for kept in found)
        if last is not None:
            reply.next_page_token = _Cursor(last.at, last.sequence, query).encode()
        return reply

    def _window(self, projects: list[str], wanted: Filter, *, backwards: bool) -> list[Kept]:
        windows = [self._store.window(project, wanted.earliest, wanted.latest) for project in projects]
        merged = windows[0] if len(windows) == 1 else sorted(kept for window in windows for kept in window)
        return merged[::-1] if backwards else merged

    async def list_logs(self, request: Any) -> Any:
        """All log names of a project on one page."""
        names = request.resource_names or [request.parent]
        reply = _LogsReply()
        reply.log_names.extend(name for project in _projects(names) for name in self._store.log_names(project))
        return reply

    async def delete(self, request: Any) -> Any:
        """Refused."""
        raise Refusal(
            grpc.StatusCode.PERMISSION_DENIED,
            f"Permission 'logging.logs.delete' denied on resource '{request.log_name}' (or it may not exist).",
        )

    async def tail(self, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """New entries that match the first request, gathered over its buffer window, until the client hangs up."""
        first = await anext(aiter(requests), None)
        if first is None:
            return
        projects = _projects(first.resource_names)
        wanted = compile_filter(first.filter)
        buffer = first.buffer_window.ToTimedelta() if first.HasField("buffer_window") else timedelta(seconds=2)
        if not timedelta() <= buffer <= LONGEST_BUFFER:
            raise invalid("buffer_window must be between 0 and 60 seconds.")
        prefixes = tuple(f"projects/{project}/" for project in projects)
        arrived: asyncio.Queue[Any] = asyncio.Queue(_TAIL_BACKLOG)

        def notice(entry: Any) -> None:
            if not arrived.full() and entry.log_name.startswith(prefixes) and wanted.matches(entry):
                arrived.put_nowait(entry)

        forget = self._store.watch(notice)
        try:
            while True:
                reply = _TailReply()
                reply.entries.extend(await _batch(arrived, buffer))
                yield reply
        finally:
            forget()


async def _batch(arrived: asyncio.Queue[Any], buffer: timedelta) -> list[Any]:
    """At least one entry, and what else comes while the buffer window is open; by time stamp."""
    batch = [await arrived.get()]
    await asyncio.sleep(buffer.total_seconds())
    while not arrived.empty() and len(batch) < LARGEST_PAGE:
        batch.append(arrived.get_nowait())
    return sorted(batch, key=lambda entry: int(entry.timestamp.ToNanoseconds()))


async def _page(
    window: list[Kept], wanted: Filter, size: int, scan_limit: int | None
) -> tuple[list[Kept], Kept | None]:
    """The matches, and the last entry examined when there may be more."""
    found: list[Kept] = []
    for examined, kept in enumerate(window, start=1):
        if wanted.matches(kept.entry):
            found.append(kept)
        if examined == len(window):
            break
        if len(found) == size or examined == scan_limit:
            return found, kept
        if examined % _YIELD_EVERY == 0:
            await asyncio.sleep(0)
    return found, None


def _beyond(kept: Kept, cursor: _Cursor, *, backwards: bool) -> bool:
    place, end = (kept.at, kept.sequence), (cursor.at, cursor.sequence)
    return place < end if backwards else place > end


def _projects(names: Iterable[str]) -> list[str]:
    projects = []
    for name in names:
        kind, _, project = name.partition("/")
        if kind != "projects" or not project or "/" in project:
            raise invalid(f"Unsupported resource name '{name}': only projects/[PROJECT_ID] is served here.")
        projects.append(project)
    if not projects:
        raise invalid("At least one resource name is required.")
    return projects


def _backwards(order_by: str) -> bool:
    match order_by.strip().lower():
        case "" | "timestamp" | "timestamp asc":
            return False
        case "timestamp desc":
            return True
        case _:
            raise invalid(f"Unsupported order_by: '{order_by}'. Use 'timestamp asc' or 'timestamp desc'.")
