"""When revisions came and traffic was moved back: the lines in a chart of errors."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.model.evidence import Window
from bot.model.incident import PlanState, RollbackPlan
from bot.model.series import Mark, MarkKind
from bot.store.documents import load
from bot.store.tables import IncidentRow, PlanRow, RevisionRow

_MOVED = (PlanState.SHIFTED, PlanState.VERIFIED, PlanState.UNVERIFIED)
_DECIDED_WITHIN = timedelta(days=1)
"""Far longer than a plan may wait for its approval."""


async def of_place(session: AsyncSession, place: str, window: Window) -> tuple[Mark, ...]:
    """Deploys and rollbacks of a place within the window, oldest first. A dry run moved nothing and leaves no mark."""
    revisions = await session.execute(
        select(RevisionRow.created_at, RevisionRow.name).where(
            RevisionRow.place == place, RevisionRow.created_at >= window.start, RevisionRow.created_at < window.end
        )
    )
    documents = await session.scalars(
        select(PlanRow.document)
        .join(IncidentRow, IncidentRow.id == PlanRow.incident_id)
        .where(
            IncidentRow.place == place,
            PlanRow.state.in_(_MOVED),
            PlanRow.created_at >= window.start - _DECIDED_WITHIN,
            PlanRow.created_at < window.end,
        )
    )
    plans = [load(document, RollbackPlan) for document in documents]
    marks = [Mark(at, MarkKind.DEPLOY, name) for at, name in revisions]
    marks += [
        Mark(plan.shifted_at, MarkKind.ROLLBACK, plan.target)
        for plan in plans
        if plan.shifted_at is not None and not plan.dry_run and window.start <= plan.shifted_at < window.end
    ]
    return tuple(sorted(marks, key=lambda mark: (mark.at, mark.kind, mark.revision)))
