"""What the two buttons of a rollback plan share: find it, check the right to decide, refuse the stale."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.decide.policy import expired
from bot.decide.transitions import already
from bot.deps import Deps
from bot.errors import Conflict, UserError
from bot.model.catalog import Place
from bot.model.incident import Incident, PlanState, RollbackPlan
from bot.store import incidents
from bot.workflows.proposals import outdated
from commands.command import Ask
from commands.rights import must_be_approver


@dataclass(frozen=True)
class Proposed:
    """A plan that waits for a decision, with its incident, read in the caller's transaction."""

    plan: RollbackPlan
    incident: Incident


async def check_right(ask: Ask, plan_id: str, deps: Deps, *, action: str) -> Place:
    """The plan's place, if this person may decide on it.

    Raises:
        UserError: no such plan, or no right to decide.
    """
    async with deps.db.read() as session:
        plan = await incidents.read_plan(session, plan_id)
    place = deps.catalog.place(plan.place) if plan else None
    if plan is None or place is None:
        raise UserError("This rollback is not known here any more. The newest card has the buttons that work.")
    await must_be_approver(ask, place, deps, action=action, on=plan_id)
    return place


async def waiting(session: AsyncSession, plan_id: str, place: Place, deps: Deps) -> Proposed:
    """The plan, if it still waits for a decision.

    The incident is locked before its plan, as every look does: two that lock in different orders wait for each other.

    Raises:
        UserError: somebody decided, it expired, was withdrawn or is outdated; the text says who, what and when.
    """
    shown = await incidents.read_plan(session, plan_id)
    incident = await incidents.read(session, shown.incident_id, for_update=True) if shown else None
    plan = await incidents.read_plan(session, plan_id, for_update=True)
    if plan is None or incident is None:
        raise UserError("This rollback is not known here any more.")
    newest = incident.plan
    if plan.state is not PlanState.PROPOSED or newest is None or newest.id != plan.id:
        raise UserError(already(plan))
    if expired(plan, deps.now()):
        raise UserError("This proposal expired before anybody decided; the card shows a fresh one in a moment.")
    if changed := outdated(plan, place, dry_run=deps.dry_run):
        raise UserError(f"Nothing was done: {changed}. The card shows a fresh proposal in a moment.")
    return Proposed(plan, incident)


async def store_decided(session: AsyncSession, plan: RollbackPlan) -> None:
    """Store a plan that somebody decided on.

    Raises:
        Conflict: it does not wait for a decision any more; nothing is to be stored.
    """
    if not await incidents.advance_plan(session, plan, expecting=PlanState.PROPOSED):
        raise Conflict("somebody else decided at the same moment")
