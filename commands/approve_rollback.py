"""The button *Approve rollback*: store the approval, and with enough of them start the workflow."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.decide.policy import quorum
from bot.decide.transitions import Action as Button
from bot.decide.transitions import PlanTrigger, advance_plan
from bot.errors import UserError
from bot.model.incident import Decision
from bot.store import audit, incidents, messages
from commands.command import Action, Ask, Desk, Reply
from commands.plans import check_right, store_decided, waiting

log = logging.getLogger(__name__)


async def run(ask: Ask, plan_id: str, desk: Desk) -> Reply | None:
    """One approval is one row: pressing twice, or two people at once, starts one workflow."""
    deps = desk.deps
    place = await check_right(ask, plan_id, deps, action=Button.APPROVE)
    async with deps.db.begin() as session:
        found = await waiting(session, plan_id, place, deps)
        now = deps.now()
        if not await incidents.decide(session, plan_id, ask.user, Button.APPROVE, now):
            raise UserError("You have approved this rollback already; somebody else has to approve it too.")
        plan = replace(found.plan, decisions=(*found.plan.decisions, Decision(Button.APPROVE, ask.user, now)))
        approved, needed = quorum(plan)
        complete = approved >= needed
        if complete:
            plan = replace(plan, state=advance_plan(plan.state, PlanTrigger.APPROVE))
        await store_decided(session, plan)
        stored = await incidents.save(session, found.incident)
        await audit.record(
            session, now, actor=ask.user, action=Button.APPROVE, on=plan_id, outcome=f"{approved} of {needed}"
        )
        await messages.want_card(session, stored, place.service.channel, now)
        await messages.add_note(
            session,
            stored,
            f"approved:{plan_id}:{ask.user}",
            {"at": now, "by": ask.user, "target": plan.target, "approved": approved, "needed": needed},
            place.service.channel,
            now,
        )
    log.info("rollback.approved", extra={"plan": plan_id, "by": ask.user, "approved": approved, "needed": needed})
    if complete:
        await desk.start_rollback(plan_id)
    deps.wake_outbox()
    return None


ACTION = Action(Button.APPROVE, run)
