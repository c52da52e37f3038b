"""Who tried what and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.tables import AuditRow


async def record(
    session: AsyncSession, at: datetime, *, actor: str, action: str, on: str, outcome: str, detail: str = ""
) -> None:
    """Args: actor: Slack user id or "bot". on: id of the incident or plan. outcome: "done", "refused: not an approver" …"""
    session.add(AuditRow(at=at, actor=actor, action=action, object=on, outcome=outcome, detail=detail))
    await session.flush()


async def of_object(session: AsyncSession, on: str) -> Sequence[AuditRow]:
    """Everything tried on an incident or plan, oldest first."""
    rows = await session.scalars(select(AuditRow).where(AuditRow.object == on).order_by(AuditRow.id))
    return rows.all()
