"""The HTTP routes around the sources: read, verify, parse, **store**, and only then answer.

    answer          when                                                stored
    202, 204        taken, or the same delivery again                   once
    400 (204)       authentic but malformed (a push cannot be refused)  parked
    400             not what its Content-Encoding says                  no
    401             unsigned, stale or forged                           no
    404             the source is not set up                            no
    413, 415        larger than 1 MiB; not JSON                         no
    503             the store or the sender's keys did not answer       no: the sender tries again

Errors are JSON: {"error": one word, "hint": what to do}.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from aiohttp import web

from bot.errors import Rejected, Retryable
from bot.ingest import SOURCES
from bot.ingest.config import IngestConfig
from bot.ingest.keys import PublicKeys, VerifiedTokens
from bot.ingest.source import Delivery, Inbox, Source, Trust
from bot.model.event import DeployEvent

log = logging.getLogger(__name__)

LARGEST_BODY = 1024 * 1024
_DEADLINE_S = 8.0  # Pub/Sub gives up after 10 s by default
_WORDS = {
    400: "malformed",
    401: "unauthorized",
    404: "not_enabled",
    413: "too_large",
    415: "not_json",
    503: "try_again",
}

OnEvents = Callable[[list[DeployEvent]], Awaitable[None]]


class Keys(Protocol):
    """`bot.ingest.keys.SigningKeys`."""

    async def get(self, kid: str) -> PublicKeys:
        """Keys by id. Raises Retryable when there are none to be had."""
        ...


@dataclass(frozen=True)
class _Door:
    """One source's handler with all it needs."""

    source: Source
    config: IngestConfig
    inbox: Inbox
    on_events: OnEvents
    now: Callable[[], datetime]
    keys: Keys
    verified: VerifiedTokens = field(default_factory=VerifiedTokens)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Answer one delivery, whatever it is."""
        try:
            async with asyncio.timeout(_DEADLINE_S):
                answer, new_events = await self._receive(request)
        except Rejected as refusal:
            log.info("delivery.rejected", extra={"source": self.source.name, "why": str(refusal)})
            return _error(refusal.status, str(refusal))
        except (Retryable, TimeoutError) as error:
            log.warning("delivery.not_taken", extra={"source": self.source.name, "why": str(error) or "too slow"})
            return _error(503, "cannot take it now, send it again")
        if new_events:
            await self._start(new_events)
        return answer

    async def _receive(self, request: web.Request) -> tuple[web.StreamResponse, list[DeployEvent]]:
        """(answer, events that were not known before)."""
        if not self.source.is_enabled(self.config):
            raise Rejected(f"not set up: set {' and '.join(self.source.enabled_by)}", status=404)
        if self.source.content_types and request.content_type not in self.source.content_types:
            raise Rejected(f"send Content-Type: {self.source.content_types[0]}", status=415)
        delivery = Delivery(request.headers, await _read(request), self.now())
        delivery_id = self.source.verify(delivery, await self._trust(delivery))
        try:
            events = self.source.parse(delivery, delivery_id)
        except Rejected as refusal:
            return await self._park(delivery, delivery_id, str(refusal)), []
        is_new = await self._stored(self.inbox.take(self.source.name, delivery_id, delivery.body, events))
        about = {"source": self.source.name, "delivery_id": delivery_id, "events": len(events)}
        log.info("delivery.taken" if is_new else "delivery.repeated", extra=about)
        return web.Response(status=self.source.taken), events if is_new else []

    async def _trust(self, delivery: Delivery) -> Trust:
        kid = self.source.key_id(delivery)
        keys = await self.keys.get(kid) if kid is not None else {}
        return Trust(self.config, keys, self.verified)

    async def _park(self, delivery: Delivery, delivery_id: str, why: str) -> web.StreamResponse:
        await self._stored(self.inbox.park(self.source.name, delivery_id, delivery.body, why))
        log.warning("delivery.parked", extra={"source": self.source.name, "delivery_id": delivery_id, "why": why})
        status = self.source.parked
        return _error(status, why) if status >= 400 else web.Response(status=status)

    async def _stored(self, storing: Awaitable[bool]) -> bool:
        try:
            return await storing
        except Exception as error:
            # Whatever it was, nothing is lost while the sender keeps it.
            log.exception("delivery.not_stored", extra={"source": self.source.name})
            raise Retryable("the store did not answer") from error

    async def _start(self, events: list[DeployEvent]) -> None:
        try:
            await self.on_events(events)
        except Exception:
            # They are stored: the sweep starts what is not started here, and the sender has done its part.
            log.exception("events.not_started", extra={"events": [event.id for event in events]})


def routes(
    config: IngestConfig,
    inbox: Inbox,
    on_events: OnEvents,
    now: Callable[[], datetime],
    keys: Keys,
    sources: Sequence[Source] = SOURCES,
) -> list[web.RouteDef]:
    """One POST route per source, set up or not.

    Args:
        on_events: told of new events after they were stored; it should only start something, the sender waits.
        keys: of the token issuer at `config.pubsub.certs_url`.
    """
    return [
        web.post(source.path, _Door(source, config, inbox, on_events, now, keys).receive, name=f"events-{source.name}")
        for source in sources
    ]


async def _read(request: web.Request) -> bytes:
    """The body, decompressed, at most LARGEST_BODY."""
    body = bytearray()
    try:
        if (request.content_length or 0) <= LARGEST_BODY:
            async for chunk in request.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > LARGEST_BODY:
                    break
            else:
                return bytes(body)
    except web.RequestPayloadError as error:
        raise Rejected("the body cannot be read: is Content-Encoding right?", status=400) from error
    raise Rejected(f"larger than {LARGEST_BODY // 1024} KiB", status=413)


def _error(status: int, hint: str) -> web.Response:
    return web.json_response({"error": _WORDS[status], "hint": hint}, status=status)
