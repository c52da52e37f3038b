"""The outbox's sender: what is stored as "to be said" becomes a message, once, in order, newest state.

Notifying fails open: a message waits through a Slack that is down or says 429, goes to the next notifier where Slack
refuses it for good, and is never dropped. Messages of one incident go out one after the other; incidents side by side. Pictures have a
queue of their own (`bot.workflows.show_pictures`), so that no message ever waits for one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Permanent, ReliabilityError, Retryable
from bot.model.catalog import Severity
from bot.model.incident import Incident
from bot.model.suite import SuiteAlarm
from bot.notify.message import Message
from bot.notify.notifier import MessageGone, Outgoing, Receipt
from bot.notify.render import render, render_card
from bot.notify.suite_card import render_alarm
from bot.store import incidents, messages, suites
from bot.store.messages import URGENCY
from bot.store.tables import MessageRow
from bot.workflows.show_pictures import PictureSender
from bot.workflows.test_runs import CARD as SUITE_CARD

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
"""Longer than one try at Slack may take; after a crash in the middle of one, the next try waits this long."""
POLL_S = 1.0
SLOWEST = timedelta(minutes=1)
SLOWEST_URGENT = timedelta(seconds=5)
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
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._deliver_for_ever())
            tasks.create_task(PictureSender(self._deps).run())

    async def _deliver_for_ever(self) -> None:
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
        for row in sorted(rows, key=lambda row: (row.kind != "card", row.created_at, row.id)):
            threads[row.incident_id or row.id].append(row)
        return sum(await asyncio.gather(*(self._in_order(thread) for thread in threads.values())))

    async def _in_order(self, rows: Sequence[MessageRow]) -> int:
        sent = 0
        async with self._limit:
            for row in rows:
                try:
                    if not await self._one(row):
                        break  # what comes after it waits for it
                except Exception:
                    # one row that cannot be said must not keep the others from being said
                    log.exception("message.failed", extra={"message_id": row.id})
                    await self._failed(row)
                    break
                sent += 1
        return sent

    async def _one(self, row: MessageRow) -> bool:
        now = self._deps.now()
        async with self._deps.db.begin() as session:
            claimed = await messages.claim(session, row, now, LEASE)
            subject = await _subject(session, row)
            card = await messages.card(session, row.incident_id) if row.incident_id else None
        if claimed is None:
            return False
        version = subject.version if row.kind == "card" and subject else row.wanted
        outgoing = Outgoing(
            card_id=row.id,
            channel=row.posted_in or (card.posted_in if card and card.posted_in else row.channel),
            message=self._render(row, subject, now),
            thread_ts=card.ts if row.kind == "note" and card else None,
            edit_ts=row.ts,
            search_first=row.claimed_at is not None and row.ts is None,
            since=row.created_at,
            version=version,
        )
        try:
            receipt = await self._deps.notifiers[0].notify(outgoing)
        except MessageGone as gone:
            await self._forget_ts(row, gone)
            return False
        except Retryable as error:
            await self._later(row, outgoing, error)
            return False
        except Permanent as error:
            await self._refused(row, outgoing, error)
            return False
        await self._sent(row, receipt, version)
        return True

    def _render(self, row: MessageRow, incident: Incident | SuiteAlarm | None, now: datetime) -> Message:
        if row.kind != "card":
            return render(row.template, msgspec.json.decode(row.context))
        if incident is None:
            raise Permanent(f"the incident of card {row.id} is gone")
        if isinstance(incident, SuiteAlarm):
            return render_alarm(incident, self._deps.catalog)
        place = self._deps.catalog.place(incident.place)
        if place is None:
            return render("incident/note", _without_place(incident))
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

    async def _later(self, row: MessageRow, outgoing: Outgoing, error: Retryable) -> None:
        pause = _pause(row)
        if error.retry_after is not None:
            pause = timedelta(seconds=error.retry_after)
        log.warning(
            "message.delayed", extra={"message_id": row.id, "why": str(error), "pause_s": pause.total_seconds()}
        )
        async with self._deps.db.begin() as session:
            # a time-out says nothing about whether Slack took it: only an answer does, and only to what was asked:
            # a 429 may have answered the search for an earlier try
            answered = error.retry_after is not None and not outgoing.search_first
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
                session,
                row.id,
                at=self._deps.now() + REFUSED_AGAIN_IN,
                why=str(error),
                surely_not_posted=not outgoing.search_first,
            )

    async def _failed(self, row: MessageRow) -> None:
        """A fault of ours: it is tried again, ever more seldom, and whether Slack has it is looked up first."""
        async with self._deps.db.begin() as session:
            await messages.try_again(
                session,
                row.id,
                at=self._deps.now() + _pause(row),
                why="it could not be told; the bot's log says why",
                surely_not_posted=False,
            )

    async def _forget_ts(self, row: MessageRow, gone: MessageGone) -> None:
        """Somebody deleted the message: say it anew rather than never again.

        Where a note finds no thread, it is the card that is gone: it is posted anew, once, and the note follows.
        """
        now = self._deps.now()
        async with self._deps.db.begin() as session:
            if row.kind == "note":
                if row.incident_id is not None and row.attempts == 0:
                    await messages.post_anew(session, row.incident_id, now)
                at = now + _pause(row)
                await messages.try_again(session, row.id, at=at, why=str(gone), surely_not_posted=True)
            else:
                await messages.post_anew(session, row.id, now)


async def _subject(session: AsyncSession, row: MessageRow) -> Incident | SuiteAlarm | None:
    """What a card is about; None for messages that are about nothing that changes."""
    if row.kind != "card" or row.incident_id is None:
        return None
    if row.template == SUITE_CARD:
        return await suites.read_alarm(session, row.incident_id)
    return await incidents.read(session, row.incident_id)


def _pause(row: MessageRow) -> timedelta:
    """Growing with each try; what is urgent is tried again within seconds, for as long as it takes."""
    slowest = SLOWEST_URGENT if row.urgency <= URGENCY[Severity.P0] else SLOWEST
    return min(timedelta(seconds=2.0 ** min(row.attempts, 6)), slowest)


def _without_place(incident: Incident) -> dict[str, object]:
    """The context of what is left of a card whose place left the catalog: links and impact are not known any more."""
    where = f"{incident.severity} · {incident.service} ({incident.environment}), {incident.state}"
    why = incident.resolution or f"{incident.why} (it is no longer in the catalog, so the bot does not watch it)"
    return {"moment": where, "at": incident.resolved_at or incident.opened_at, "why": why}
