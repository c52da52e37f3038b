"""Cloud Logging: how many requests of a revision failed, and what the revision said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.api_core.exceptions import ResourceExhausted
from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse

from bot.errors import Retryable
from bot.gcp.clients import Clients, first_page
from bot.gcp.entries import log_entry, once_each
from bot.gcp.errors import translated
from bot.model import log_query
from bot.model.catalog import Place
from bot.model.evidence import LogEntry, LogKind, RequestCount, Window

PAGE_SIZE = 1_000  # as many as Cloud Logging gives; each page costs one read of the quota
MAX_PAGES = 5
_AT_ONCE = 200  # entries converted before others may have the event loop
_SERVER_ERROR = 500


async def count_requests(
    clients: Clients, place: Place, revisions: Sequence[str], window: Window, max_pages: int = MAX_PAGES
) -> dict[str, RequestCount]:
    """Requests per revision from the request log, one count for each of `revisions`.

    Newest first: where the log is too long to be read, what is counted is the latest part of the window.

    Raises:
        Retryable: Cloud Logging did not answer, or its read quota is used up.
        Permanent: the bot may not read the logs.
    """
    if not revisions:
        return {}
    tallies = {name: _Tally() for name in revisions}
    seen: set[tuple[datetime, str]] = set()
    complete = True
    query = log_query.requests_of(place, revisions, window)
    async with aclosing(_pages(clients, place, query, "timestamp desc", max_pages)) as pages:
        async for entries, complete in pages:  # noqa: B007  the last page's word counts
            for some in _batches(entries):
                _tally(some, tallies, seen)
                await asyncio.sleep(0)
    return {
        name: RequestCount(name, window, tally.total, tally.failed, complete, tally.first_failure)
        for name, tally in tallies.items()
    }


async def read_entries(
    clients: Clients,
    place: Place,
    revision: str,
    window: Window,
    max_pages: int = MAX_PAGES,
    *,
    platform_texts: bool = False,
) -> tuple[list[LogEntry], bool]:
    """What exactly this revision logged, oldest first, and whether that is all.

    Args:
        platform_texts: also the 503s that the platform answered in the revision's place, with their texts.

    Raises:
        Retryable: Cloud Logging did not answer, or its read quota is used up.
        Permanent: the bot may not read the logs.
    """
    read: list[LogEntry] = []
    seen: set[tuple[LogKind, datetime, str]] = set()
    complete = True
    query = log_query.entries_of(place, revision, window, platform_texts=platform_texts)
    async with aclosing(_pages(clients, place, query, "timestamp asc", max_pages)) as pages:
        async for entries, complete in pages:  # noqa: B007  the last page's word counts
            for some in _batches(entries):
                read += once_each(map(log_entry, some), seen)
                await asyncio.sleep(0)
    return read, complete


async def _pages(
    clients: Clients, place: Place, query: str, order: str, max_pages: int
) -> AsyncGenerator[tuple[Sequence[Any], bool], None]:
    """Pages of raw entries, each with whether it is the last one there is. A page may be empty and not the last.

    Ends early, without a last page, after `max_pages` or when the quota has nothing to spare for further pages: the
    newest thousand requests say enough, and others need to read too.
    """
    project = place.deployment.project
    request = ListLogEntriesRequest(
        resource_names=[f"projects/{project}"], filter=query, order_by=order, page_size=PAGE_SIZE
    )
    await clients.budget.spend(project)
    for number in range(1, max_pages + 1):
        try:
            page = await _page(clients, project, request)
        except Retryable as error:
            if number > 1 and isinstance(error.__cause__, ResourceExhausted):
                return
            raise
        yield page.entries, not page.next_page_token
        if not page.next_page_token or number == max_pages or not clients.budget.spend_spare(project):
            return
        request.page_token = page.next_page_token


async def _page(clients: Clients, project: str, request: ListLogEntriesRequest) -> Any:
    async with translated(clients.call("Cloud Logging", project, "roles/logging.viewer")):
        try:
            pager = await clients.logging.list_log_entries(request, retry=clients.retry, timeout=clients.seconds)
        except ResourceExhausted:
            clients.budget.empty(project)
            raise
    return ListLogEntriesResponse.pb(await first_page(pager))


def _batches(entries: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (entries[start : start + _AT_ONCE] for start in range(0, len(entries), _AT_ONCE))


@dataclass
class _Tally:
    total: int = 0
    failed: int = 0
    first_failure: datetime | None = None


def _tally(entries: Sequence[Any], tallies: dict[str, _Tally], seen: set[tuple[datetime, str]]) -> None:
    for entry in entries:
        tally = tallies.get(entry.resource.labels.get("revision_name", ""))
        at = entry.timestamp.ToDatetime(tzinfo=UTC)
        if tally is None or (at, entry.insert_id) in seen:
            continue
        seen.add((at, entry.insert_id))
        tally.total += 1
        if entry.http_request.status >= _SERVER_ERROR:
            tally.failed += 1
            tally.first_failure = at if tally.first_failure is None else min(at, tally.first_failure)
