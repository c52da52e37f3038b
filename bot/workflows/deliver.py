"""The outbox's sender: what is stored as "to be said" becomes a message, once, in order, newest state.

Notifying fails open: a message waits through a Slack that is down or says 429, goes to the next notifier where Slack
refuses it for good, and is never dropped. Messages of one incident go out one after the other; incidents side by side.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from bot.deps import Deps
from bot.errors import Permanent, ReliabilityError, Retryable
from bot.model.incident import Incident
from bot.notify.message import Message
from bot.notify.notifier import MessageGone, Outgoing, Receipt
from bot.notify.render import render, render_card
from bot.store import incidents, messages
from bot.store.tables import MessageRow

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
"""Longer than one try at Slack may take; after a crash in the middle of one, the next try waits this long."""
POLL_S = 1.0
SLOWEST = timedelta(minutes=1)
REFUSED_AGAIN_IN = timedelta(minutes=5)
LATE = timedelta(seconds=30)
AT_ONCE = 4


class Deliverer:
    """Runs for ever; `wake()` tells it that there is something to say."""

    def __init__(self, deps: Deps, woken: asyncio.Event) -> None:
        self._deps = deps
        self._woken = woken
        self._limit = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        while True:
            self._woken.clear()
            try:
                sent = await self.deliver_due()
            except Exception:
                # the loop outlives whatever a database or a template does: what is due stays due
                log.exception("outbox.failed")
                sent = 0
            if not sent:
                try:
                    async with asyncio.timeout(POLL_S):
                        await self._woken.wait()
                except TimeoutError:
                    continue

    async def deliver_due(self) -> int:
        """Send what is due now; returns how many messages Slack took."""
        async with self._deps.db.read() as session:
            rows = await messages.due(session, self._deps.now())
        threads: dict[str, list[MessageRow]] = defaultdict(list)
        for row in rows:
            threads[row.incident_id or row.id].append(row)
        results = await asyncio.gather(*(self._in_order(thread) for thread in threads.values()))
        return sum(results)

    async def _in_order(self, rows: Sequence[MessageRow]) -> int:
        sent = 0
        async with self._limit:
            for row in rows:
                if not await self._one(row):
                    break  # what comes after it waits for it
                sent += 1
        return sent

    async def _one(self, row: MessageRow) -> bool:
        now = self._deps.now()
        async with self._deps.db.begin() as session:
            claimed = await messages.claim(session, row, now, LEASE)
            incident = await incidents.read(session, row.incident_id) if row.incident_id else None
            card = await messages.card(session, row.incident_id) if row.incident_id else None
        if claimed is None:
            return False
        version = incident.version if row.kind == "card" and incident else row.wanted
        outgoing = Outgoing(
            card_id=row.id,
            channel=row.posted_in or (card.posted_in if card and card.posted_in else row.channel),
            message=self._render(row, incident, now),
            thread_ts=card.ts if row.kind == "note" and card else None,
            edit_ts=row.ts,
            search_first=row.claimed_at is not None and row.ts is None,
            since=row.created_at,
            version=version,
        )
        try:
            receipt = await self._deps.notifiers[0].notify(outgoing)
        except MessageGone:
            await self._forget_ts(row.id)
            return False
        except Retryable as error:
            await self._later(row, error)
            return False
        except Permanent as error:
            await self._refused(row, outgoing, error)
            return False
        await self._sent(row, receipt, version)
        return True

    def _render(self, row: MessageRow, incident: Incident | None, now: datetime) -> Message:
        if row.kind != "card":
            return render(row.template, msgspec.json.decode(row.context))
        place = self._deps.catalog.place(incident.place) if incident else None
        if incident is None or place is None:
            raise Permanent(f"the incident or place of card {row.id} is gone")
        first = row.posted_at or now
        late = first - row.created_at if first - row.created_at >= LATE else None
        return render_card(incident, place, self._deps.catalog, delayed_by=late)

    async def _sent(self, row: MessageRow, receipt: Receipt, version: int) -> None:
        async with self._deps.db.begin() as session:
            await messages.sent(
                session,
                row.id,
                version=version,
                ts=receipt.ts,
                channel=receipt.channel,
                now=self._deps.now(),
                fell_back=receipt.fell_back,
            )
        log.info("message.sent", extra={"message_id": row.id, "version": version, "fell_back": receipt.fell_back})

    async def _later(self, row: MessageRow, error: Retryable) -> None:
        pause = min(timedelta(seconds=2.0 ** min(row.attempts, 6)), SLOWEST)
        if error.retry_after is not None:
            pause = timedelta(seconds=error.retry_after)
        log.warning(
            "message.delayed", extra={"message_id": row.id, "why": str(error), "pause_s": pause.total_seconds()}
        )
        async with self._deps.db.begin() as session:
            # a time-out says nothing about whether Slack took it: only an answer does
            answered = error.retry_after is not None
            await messages.try_again(
                session, row.id, at=self._deps.now() + pause, why=str(error), surely_not_posted=answered
            )

    async def _refused(self, row: MessageRow, outgoing: Outgoing, error: Permanent) -> None:
        log.error("message.refused", extra={"message_id": row.id, "why": str(error)})
        for notifier in self._deps.notifiers[1:]:
            try:
                await notifier.notify(outgoing)
            except ReliabilityError as second:
                log.exception("message.refused_by_fallback", extra={"message_id": row.id, "why": str(second)})
        async with self._deps.db.begin() as session:
            await messages.try_again(
                session, row.id, at=self._deps.now() + REFUSED_AGAIN_IN, why=str(error), surely_not_posted=True
            )

    async def _forget_ts(self, row_id: str) -> None:
        """Somebody deleted the message: say it anew rather than never again."""
        async with self._deps.db.begin() as session:
            await messages.post_anew(session, row_id, self._deps.now())
