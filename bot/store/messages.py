"""The outbox: what is to be said, in which order, and what Slack shows already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.model.catalog import Severity
from bot.store.tables import MessageRow

URGENCY = {Severity.P0: 0, Severity.P1: 1, Severity.P2: 2, Severity.P3: 3}
QUIET = 5
PICTURE = 9
IN_A_MOMENT = timedelta(seconds=61)
"""A message that Slack did not take is tried again within this; one that it refused, later."""


class Told(Protocol):
    """What has a live card: an incident, an alarm of a suite."""

    @property
    def id(self) -> str: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def version(self) -> int: ...


async def want_card(
    session: AsyncSession, incident: Told, channel: str, now: datetime, template: str = "incident/card"
) -> None:
    """The card of this incident should show its present version; edits that were not sent yet are coalesced."""
    row = await _locked(session, incident.id)
    if row is None:
        session.add(
            MessageRow(
                id=incident.id,
                kind="card",
                incident_id=incident.id,
                channel=channel,
                template=template,
                context="{}",
                urgency=URGENCY[incident.severity],
                created_at=now,
                due_at=now,
                wanted=incident.version,
            )
        )
    else:
        # Slack's own wish to wait (429) stays in due_at: an edit never jumps a Retry-After
        row.wanted, row.done = incident.version, False
        row.urgency = URGENCY[incident.severity]
    await session.flush()


async def add_note(
    session: AsyncSession,
    incident: Told,
    moment: str,
    context: Mapping[str, Any],
    channel: str,
    now: datetime,
    template: str = "incident/note",
) -> None:
    """A line of history for the card's thread. The same moment of the same incident is said once.

    Args:
        moment: its identity within the incident, "approved:plan-1:U0AVERY0001"; the part before the colon names it.
        context: for the template, which is given `moment` too.
    """
    note_id = f"{incident.id}:{moment}"
    if await session.get(MessageRow, note_id) is None:
        session.add(
            MessageRow(
                id=note_id,
                kind="note",
                incident_id=incident.id,
                channel=channel,
                template=template,
                context=msgspec.json.encode({**context, "moment": moment.partition(":")[0]}).decode(),
                urgency=URGENCY[incident.severity] + 1,
                created_at=now,
                due_at=now,
            )
        )
        await session.flush()


async def add_line(
    session: AsyncSession, line_id: str, template: str, context: Mapping[str, Any], channel: str, now: datetime
) -> None:
    """A message of its own, such as a healthy deploy; the same id is said once."""
    if await session.get(MessageRow, line_id) is None:
        session.add(
            MessageRow(
                id=line_id,
                kind="line",
                channel=channel,
                template=template,
                context=msgspec.json.encode(context).decode(),
                urgency=QUIET,
                created_at=now,
                due_at=now,
            )
        )
        await session.flush()


async def show(
    session: AsyncSession,
    message_id: str,
    template: str,
    context: Mapping[str, Any],
    channel: str,
    now: datetime,
    *,
    under: str | None = None,
    urgency: int = QUIET,
) -> None:
    """A message that is edited while what it tells goes on: Slack shows the newest context; older ones are skipped.

    Args:
        under: id of the card in whose thread it is; None: a message of its own.
    """
    row = await _locked(session, message_id)
    told = msgspec.json.encode(context).decode()
    if row is None:
        session.add(
            MessageRow(
                id=message_id,
                kind="line" if under is None else "note",
                incident_id=under,
                channel=channel,
                template=template,
                context=told,
                urgency=urgency,
                created_at=now,
                due_at=now,
            )
        )
    elif row.context != told:
        row.context, row.wanted, row.done = told, row.wanted + 1, False
    await session.flush()


async def context_of(session: AsyncSession, message_id: str) -> dict[str, Any] | None:
    """What a message of its own tells now, as it was handed over; None where there is no such message."""
    row = await session.get(MessageRow, message_id)
    told: dict[str, Any] | None = msgspec.json.decode(row.context) if row else None
    return told


async def add_picture(
    session: AsyncSession,
    picture_id: str,
    template: str,
    context: Mapping[str, Any],
    channel: str,
    now: datetime,
    *,
    incident_id: str | None = None,
) -> None:
    """A picture, drawn when it is sent; the same id is shown once.

    Args:
        context: what it shows, for who draws it. incident_id: it goes into the thread of this incident's card.
    """
    if await session.get(MessageRow, picture_id) is None:
        session.add(
            MessageRow(
                id=picture_id,
                kind="picture",
                incident_id=incident_id,
                channel=channel,
                template=template,
                context=msgspec.json.encode(context).decode(),
                urgency=PICTURE,
                created_at=now,
                due_at=now,
            )
        )
        await session.flush()


async def _locked(session: AsyncSession, row_id: str) -> MessageRow | None:
    """The row, for changing it: on PostgreSQL who reads it to the same end waits, or one change would hide another."""
    return await session.get(MessageRow, row_id, with_for_update=True)


async def due(session: AsyncSession, now: datetime, limit: int = 20) -> Sequence[MessageRow]:
    """What may be sent now, most urgent and oldest first; without pictures, which have a queue of their own.

    A note waits until its card is in Slack, and for an earlier note that is tried again in a moment: history is told
    in order. One that Slack refuses, and which is tried again much later, holds up nobody.
    """
    card = select(MessageRow.id).where(MessageRow.kind == "card", MessageRow.ts.is_not(None))
    earlier = aliased(MessageRow)
    waits = (
        exists()
        .where(earlier.incident_id == MessageRow.incident_id, earlier.kind == "note", earlier.done.is_(False))
        .where(earlier.created_at < MessageRow.created_at, earlier.due_at > now, earlier.due_at <= now + IN_A_MOMENT)
    )
    rows = await session.scalars(
        select(MessageRow)
        .where(
            MessageRow.done.is_(False),
            MessageRow.due_at <= now,
            MessageRow.kind != "picture",
            or_(MessageRow.kind != "note", and_(MessageRow.incident_id.in_(card), ~waits)),
        )
        .order_by(MessageRow.urgency, MessageRow.created_at, MessageRow.id)
        .limit(limit)
    )
    return rows.all()


async def due_pictures(session: AsyncSession, now: datetime, limit: int = 5) -> Sequence[MessageRow]:
    """Pictures that may be shown now, oldest first; that of an incident waits until its card is in Slack."""
    card = select(MessageRow.id).where(MessageRow.kind == "card", MessageRow.ts.is_not(None))
    rows = await session.scalars(
        select(MessageRow)
        .where(
            MessageRow.kind == "picture",
            MessageRow.done.is_(False),
            MessageRow.due_at <= now,
            or_(MessageRow.incident_id.is_(None), MessageRow.incident_id.in_(card)),
        )
        .order_by(MessageRow.created_at, MessageRow.id)
        .limit(limit)
    )
    return rows.all()


async def claim(session: AsyncSession, row: MessageRow, now: datetime, lease: timedelta) -> MessageRow | None:
    """Take a row for sending until `now + lease`. None: another sender has it.

    `claimed_at` of the returned row is the *earlier* claim, if one was left behind by a sender that died.
    """
    taken = await session.execute(
        update(MessageRow)
        .where(MessageRow.id == row.id, MessageRow.due_at == row.due_at, MessageRow.done.is_(False))
        .values(due_at=now + lease, claimed_at=row.claimed_at or now)
        .returning(MessageRow.id)
    )
    return row if taken.first() is not None else None


async def sent(
    session: AsyncSession, row_id: str, *, version: int, ts: str, channel: str, now: datetime, fell_back: str
) -> None:
    """Slack shows `version` of the message."""
    row = await _locked(session, row_id)
    if row is None:
        return
    row.ts, row.posted_in, row.sent = ts, channel, version
    row.posted_at = row.posted_at or now
    row.claimed_at, row.attempts, row.last_error = None, 0, fell_back or None
    row.due_at = now
    row.done = row.wanted <= version
    await session.flush()


async def try_again(session: AsyncSession, row_id: str, *, at: datetime, why: str, surely_not_posted: bool) -> None:
    """Args: surely_not_posted: Slack said no, so nothing needs to be looked for before the next try."""
    row = await _locked(session, row_id)
    if row is None:
        return
    row.due_at, row.last_error, row.attempts = at, why, row.attempts + 1
    if surely_not_posted and row.ts is None:
        row.claimed_at = None
    await session.flush()


async def give_up(session: AsyncSession, row_id: str, why: str) -> None:
    """This message will not be said any more, and `last_error` says why. For pictures: everything else is kept."""
    row = await _locked(session, row_id)
    if row is not None:
        row.done, row.last_error, row.claimed_at = True, why, None
        await session.flush()


async def undelivered(session: AsyncSession) -> Sequence[MessageRow]:
    """Messages that could not be said so far, for `/reliability status` and /ready."""
    rows = await session.scalars(
        select(MessageRow)
        .where(MessageRow.done.is_(False), MessageRow.last_error.is_not(None))
        .order_by(MessageRow.urgency, MessageRow.created_at)
        .limit(20)
    )
    return rows.all()


async def card(session: AsyncSession, incident_id: str) -> MessageRow | None:
    """The outbox row of an incident's card."""
    return await session.get(MessageRow, incident_id)


async def post_anew(session: AsyncSession, row_id: str, now: datetime) -> None:
    """The message was deleted in Slack: post it again instead of editing it."""
    row = await _locked(session, row_id)
    if row is not None:
        row.ts, row.sent, row.done, row.due_at, row.claimed_at = None, 0, False, now, None
        await session.flush()
