"""Cloud Logging: how many requests of a revision failed, what the revision said, and what went wrong anywhere.

Where a log is longer than may be read at once, counting keeps the present, reading one revision keeps the beginning (and
`bot.model.bookmark` reads on from there), reading everything keeps both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from google.api_core.exceptions import ResourceExhausted
from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse

from bot.errors import Retryable
from bot.gcp.budget import URGENT, ReadBudget
from bot.gcp.clients import Clients, first_page
from bot.gcp.entries import log_entry, once_each
from bot.gcp.errors import translated
from bot.model import log_query
from bot.model.catalog import Place
from bot.model.evidence import LogEntry, LogKind, RequestCount, Window

PAGE_SIZE = 1_000  # as many as Cloud Logging gives; each page costs one read of the quota
MAX_PAGES = 5
_OLDEST, _NEWEST = "timestamp asc", "timestamp desc"
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
    async with aclosing(_pages(clients, place, query, _NEWEST, max_pages)) as pages:
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
    """What this revision logged that can be evidence, oldest first, and whether that is all.

    Where it is not all, it is the beginning: read on with `bot.model.bookmark.Bookmark`.

    Args:
        platform_texts: also the 503s that the platform answered in the revision's place, with their texts.

    Raises:
        Retryable: Cloud Logging did not answer, or its read quota is used up.
        Permanent: the bot may not read the logs.
    """
    query = log_query.entries_of(place, revision, window, platform_texts=platform_texts)
    found = _Found()
    async with aclosing(_pages(clients, place, query, _OLDEST, max_pages, _urgent)) as pages:
        async for entries, last in pages:
            await found.add(entries, last=last)
    return found.entries, found.complete


async def read_errors(
    clients: Clients, place: Place, window: Window, max_pages: int = MAX_PAGES
) -> tuple[list[LogEntry], bool]:
    """What went wrong in every service of the place's project and region, oldest first, and whether that is all.

    Failed requests (5xx), warnings and worse, lines without a severity that may be a traceback, the platform's failures.
    Where it is more than `max_pages` or the quota allow: the first page, because it shows what failed first, and the
    newest ones, because they show whether it still does; what lies between is missing.

    Raises:
        Retryable: Cloud Logging did not answer, or its read quota is used up.
        Permanent: the bot may not read the logs.
    """
    found, used = _Found(), 0
    query = log_query.errors_of(place, window)
    async with aclosing(_pages(clients, place, query, _OLDEST, max_pages, _urgent)) as pages:
        async for entries, last in pages:
            used += 1
            await found.add(entries, last=last)
            if found.entries:  # a page may be empty and not the last: then the beginning is still to come
                break
    if found.complete or not found.entries or used == max_pages:
        return found.entries, found.complete
    head = len(found.entries)
    rest = log_query.errors_of(place, Window(found.entries[-1].at, window.end))
    async with aclosing(_pages(clients, place, rest, _NEWEST, max_pages - used, _almost_urgent)) as pages:
        async for entries, last in pages:
            await found.add(entries, last=last)
    # The other end came newest first: turned round, so that lines of one instant stay in the order of their writing.
    entries = [*found.entries[:head], *reversed(found.entries[head:])]
    return sorted(entries, key=lambda entry: entry.at), found.complete


@dataclass
class _Found:
    """Entries read so far, each once; `complete` says whether the last page is among them."""

    entries: list[LogEntry] = field(default_factory=list)
    complete: bool = False
    seen: set[tuple[LogKind, datetime, str]] = field(default_factory=set)

    async def add(self, page: Sequence[Any], *, last: bool) -> None:
        self.complete = last
        for some in _batches(page):
            self.entries += once_each(map(log_entry, some), self.seen)
            await asyncio.sleep(0)


async def _routine(budget: ReadBudget, project: str) -> bool:
    await budget.spend(project)
    return True


async def _urgent(budget: ReadBudget, project: str) -> bool:
    await budget.spend(project, urgent=True)
    return True


async def _almost_urgent(budget: ReadBudget, project: str) -> bool:
    """The first page of the other end: worth as much as routine counting, but not worth waiting for."""
    return budget.spend_spare(project, leaving=URGENT)


async def _pages(
    clients: Clients,
    place: Place,
    query: str,
    order: str,
    max_pages: int,
    first: Callable[[ReadBudget, str], Awaitable[bool]] = _routine,
) -> AsyncGenerator[tuple[Sequence[Any], bool], None]:
    """Pages of raw entries, each with whether it is the last one there is. A page may be empty and not the last.

    Ends early, without a last page, after `max_pages` or when the quota has nothing to spare for further pages: the
    newest thousand requests say enough, and others need to read too.

    Args:
        first: spends the quota for the first page; False: not even that one.
    """
    project = place.deployment.project
    request = ListLogEntriesRequest(
        resource_names=[f"projects/{project}"], filter=query, order_by=order, page_size=PAGE_SIZE
    )
    if not await first(clients.budget, project):
        return
    for number in range(1, max_pages + 1):
        try:
            page = await _page(clients, project, request)
        except Retryable as error:
            if (number > 1 or first is _almost_urgent) and isinstance(error.__cause__, ResourceExhausted):
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
