"""Incidents and their rollback plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Conflict
from bot.model.incident import Incident, IncidentState, PlanState, RollbackPlan
from bot.model.judgement import IncidentKind
from bot.store.documents import dump, load
from bot.store.tables import DecisionRow, IncidentRow, PlanRow


async def add(session: AsyncSession, incident: Incident) -> Incident:
    """Open an incident; its number is chosen here.

    Raises:
        Conflict: one of this place and kind is open already (somebody else was first).
    """
    highest = await session.scalar(select(func.max(IncidentRow.number))) or 0
    numbered = replace(incident, number=highest + 1, plan=None)
    session.add(
        IncidentRow(
            id=numbered.id,
            number=numbered.number,
            open_key=_open_key(numbered),
            place=numbered.place,
            state=numbered.state,
            opened_at=numbered.opened_at,
            version=numbered.version,
            document=dump(numbered),
        )
    )
    try:
        await session.flush()
    except IntegrityError as exc:
        raise Conflict(f"an incident of {incident.place} ({incident.kind}) is open already") from exc
    if incident.plan is not None:
        await add_plan(session, incident.plan)
    return replace(numbered, plan=incident.plan)


async def save(session: AsyncSession, incident: Incident) -> Incident:
    """Write a changed incident; its version grows by one. The plan is stored by its own functions.

    Raises:
        Conflict: it was changed meanwhile: read it again and decide again.
    """
    saved = replace(incident, version=incident.version + 1)
    changed = await session.execute(
        update(IncidentRow)
        .where(IncidentRow.id == incident.id, IncidentRow.version == incident.version)
        .values(
            version=saved.version,
            state=saved.state,
            open_key=None if saved.state is IncidentState.RESOLVED else _open_key(saved),
            document=dump(replace(saved, plan=None)),
        )
        .returning(IncidentRow.id)
    )
    if changed.first() is None:
        raise Conflict(f"incident {incident.id} changed meanwhile")
    return saved


def _open_key(incident: Incident) -> str:
    return f"{incident.place}:{incident.kind}"


async def read(session: AsyncSession, incident_id: str, *, for_update: bool = False) -> Incident | None:
    """The incident with its newest plan; `for_update` makes concurrent writers of it wait (PostgreSQL)."""
    query = select(IncidentRow).where(IncidentRow.id == incident_id)
    row = await session.scalar(query.with_for_update() if for_update else query)
    return await _whole(session, row) if row else None


async def open_at(session: AsyncSession, place: str, *, for_update: bool = False) -> dict[IncidentKind, Incident]:
    """Open incidents of a place by kind."""
    query = select(IncidentRow).where(IncidentRow.place == place, IncidentRow.open_key.is_not(None))
    rows = await session.scalars(query.with_for_update() if for_update else query)
    found = [await _whole(session, row) for row in rows.all()]
    return {incident.kind: incident for incident in found}


async def blames(session: AsyncSession, revision: str) -> bool:
    """Does an open incident hold this revision responsible?"""
    return any(
        incident.attribution is not None and incident.attribution.revision == revision
        for incident in await all_open(session)
    )


async def all_open(session: AsyncSession) -> tuple[Incident, ...]:
    """Every open incident, oldest first."""
    rows = await session.scalars(
        select(IncidentRow).where(IncidentRow.open_key.is_not(None)).order_by(IncidentRow.opened_at)
    )
    return tuple([await _whole(session, row) for row in rows.all()])


async def _whole(session: AsyncSession, row: IncidentRow) -> Incident:
    incident = load(row.document, Incident)
    newest = await session.scalar(
        select(PlanRow.document)
        .where(PlanRow.incident_id == row.id)
        .order_by(PlanRow.created_at.desc(), PlanRow.id.desc())
        .limit(1)
    )
    return replace(incident, plan=load(newest, RollbackPlan) if newest else None)


async def add_plan(session: AsyncSession, plan: RollbackPlan) -> None:
    session.add(
        PlanRow(
            id=plan.id,
            incident_id=plan.incident_id,
            state=plan.state,
            created_at=plan.created_at,
            document=dump(plan),
        )
    )
    await session.flush()


async def read_plan(session: AsyncSession, plan_id: str, *, for_update: bool = False) -> RollbackPlan | None:
    query = select(PlanRow.document).where(PlanRow.id == plan_id)
    document = await session.scalar(query.with_for_update() if for_update else query)
    return load(document, RollbackPlan) if document else None


async def advance_plan(session: AsyncSession, plan: RollbackPlan, *, expecting: PlanState) -> bool:
    """Store the plan in its new state if it is still in `expecting`. False: somebody else moved it first."""
    changed = await session.execute(
        update(PlanRow)
        .where(PlanRow.id == plan.id, PlanRow.state == expecting)
        .values(state=plan.state, document=dump(plan))
        .returning(PlanRow.id)
    )
    return changed.first() is not None


async def plans_in(session: AsyncSession, state: PlanState) -> Sequence[str]:
    """Ids of plans in a state, oldest first."""
    rows = await session.scalars(select(PlanRow.id).where(PlanRow.state == state).order_by(PlanRow.created_at))
    return rows.all()


async def decide(session: AsyncSession, plan_id: str, by: str, action: str, at: datetime) -> bool:
    """Record one person's word. False: this person has decided on this plan before."""
    seen = await session.scalar(select(DecisionRow.id).where(DecisionRow.plan_id == plan_id, DecisionRow.by == by))
    if seen is not None:
        return False
    session.add(DecisionRow(plan_id=plan_id, by=by, action=action, at=at))
    await session.flush()
    return True
