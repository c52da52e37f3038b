"""The outbox's second queue: pictures, one after the other, beside the messages and never before them.

A picture takes seconds and may be refused: no card waits for it. It is worth less than words, so unlike them it is
given up after an hour; why it is missing is said once where it was to be.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from bot.deps import Deps
from bot.errors import Permanent, Retryable
from bot.notify.chart_words import alt_text, summary
from bot.notify.drawing import Drawing, Wish
from bot.notify.notifier import ChannelClosed, MessageGone, Outgoing, Picture
from bot.notify.render import render
from bot.store import incidents, messages
from bot.store.tables import MessageRow
from bot.workflows.pictures import Chart

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
"""Longer than drawing, searching and uploading may take together; after a crash the next try waits this long."""
POLL_S = 1.0
SLOWEST = timedelta(minutes=1)
QUICKEST = timedelta(seconds=5)
"""Slack shows a completed upload within this: a picture whose answer was lost is found by the next try."""
REFUSED_AGAIN_IN = timedelta(minutes=5)
WORTH_SHOWING = timedelta(hours=1)


class PictureSender:
    """Runs for ever.

    Args:
        draw: what makes a PNG of a chart; by default a process of its own.
    """

    def __init__(self, deps: Deps, draw: Callable[[Wish], Awaitable[bytes]] | None = None) -> None:
        self._deps = deps
        self._draw = draw or Drawing().draw

    async def run(self) -> None:
        while True:
            try:
                shown = await self.show_due()
            except Exception:
                # the loop outlives whatever a database does: what is due stays due
                log.exception("pictures.failed")
                shown = 0
            if not shown:
                await asyncio.sleep(POLL_S)

    async def show_due(self) -> int:
        """Show what is due now; returns how many pictures were taken."""
        async with self._deps.db.read() as session:
            rows = await messages.due_pictures(session, self._deps.now())
        return sum([await self._guarded(row) for row in rows])

    async def _guarded(self, row: MessageRow) -> bool:
        try:
            return await self._one(row)
        except Exception:
            # one picture that cannot be made must not keep the others from being shown
            log.exception("picture.failed", extra={"message_id": row.id})
            await self._later(row, Retryable("it could not be shown; the bot's log says why"), answered=False)
            return False

    async def _one(self, row: MessageRow) -> bool:
        async with self._deps.db.begin() as session:
            claimed = await messages.claim(session, row, self._deps.now(), LEASE)
            card = await messages.card(session, row.incident_id) if row.incident_id else None
        if claimed is None:
            return False
        search_first = row.claimed_at is not None
        try:
            chart = msgspec.json.decode(row.context, type=Chart)
            outgoing = Outgoing(
                card_id=row.id,
                channel=card.posted_in if card and card.posted_in else row.channel,
                message=render(row.template, {"moment": chart.moment, "said": summary(chart.series, chart.service)}),
                thread_ts=card.ts if card else None,
                search_first=search_first,
                since=row.created_at,
                picture=await self._drawn(row, chart),
            )
            receipt = await self._deps.notifiers[0].notify(outgoing)
        except Retryable as error:
            await self._later(row, error, answered=error.retry_after is not None and not search_first)
            return False
        except Permanent as error:
            await self._refused(row, error)
            return False
        async with self._deps.db.begin() as session:
            await messages.sent(
                session,
                row.id,
                version=row.wanted,
                ts=receipt.ts,
                channel=receipt.channel,
                now=self._deps.now(),
                fell_back=receipt.fell_back,
            )
        log.info("picture.shown", extra={"message_id": row.id})
        return True

    async def _drawn(self, row: MessageRow, chart: Chart) -> Picture:
        png = await self._draw(Wish(chart.series, chart.title, chart.service))
        return Picture(
            filename=f"errors-{hashlib.sha256(row.id.encode()).hexdigest()[:16]}.png",
            png=png,
            title=f"Errors of {chart.title}",
            alt_text=alt_text(chart.series, title=f"Errors of {chart.title}", service=chart.service),
        )

    async def _later(self, row: MessageRow, error: Retryable, *, answered: bool) -> None:
        pause = max(QUICKEST, min(timedelta(seconds=2.0 ** min(row.attempts, 6)), SLOWEST))
        if error.retry_after is not None:
            pause = timedelta(seconds=error.retry_after)
        await self._wait(row, pause, error, surely_not_shown=answered)

    async def _refused(self, row: MessageRow, error: Permanent) -> None:
        if isinstance(error, MessageGone) or (isinstance(error, ChannelClosed) and row.incident_id is None):
            # nobody reads that thread any more; or whoever asked has the words, and no channel takes the picture
            await self._give_up(row, str(error))
            return
        await self._tell(row, f"The chart of errors could not be shown: {error}")
        await self._wait(row, REFUSED_AGAIN_IN, error, surely_not_shown=False)

    async def _wait(self, row: MessageRow, pause: timedelta, error: Exception, *, surely_not_shown: bool) -> None:
        at, why = self._deps.now() + pause, str(error)
        if at - row.created_at > WORTH_SHOWING:
            await self._give_up(row, why)
            return
        log.warning("picture.delayed", extra={"message_id": row.id, "why": why, "pause_s": pause.total_seconds()})
        async with self._deps.db.begin() as session:
            await messages.try_again(session, row.id, at=at, why=why, surely_not_posted=surely_not_shown)

    async def _give_up(self, row: MessageRow, why: str) -> None:
        log.warning("picture.given_up", extra={"message_id": row.id, "why": why})
        async with self._deps.db.begin() as session:
            await messages.give_up(session, row.id, why)

    async def _tell(self, row: MessageRow, why: str) -> None:
        """In the thread or channel where the picture is missing; once each."""
        now = self._deps.now()
        async with self._deps.db.begin() as session:
            incident = await incidents.read(session, row.incident_id) if row.incident_id else None
            if incident is not None:
                told = {"at": now, "why": why}
                await messages.add_note(session, incident, "evidence:chart", told, row.channel, now)
            elif row.incident_id is None:
                await messages.add_line(session, f"{row.id}:refused", "reply/error", {"text": why}, row.channel, now)
        self._deps.wake_outbox()
