"""The button *Reject*: traffic stays, and the proposal does not come back for the same situation."""

from __future__ import annotations

from dataclasses import replace

from bot.decide.transitions import Action as Button
from bot.decide.transitions import PlanTrigger, advance_plan
from bot.model.incident import Decision, PlanState
from bot.store import audit, incidents, messages
from commands.command import Action, Ask, Desk, Reply
from commands.plans import check_right, store_decided, waiting


async def run(ask: Ask, plan_id: str, desk: Desk) -> Reply | None:
    deps = desk.deps
    place = await check_right(ask, plan_id, deps, action=Button.REJECT)
    async with deps.db.begin() as session:
        found = await waiting(session, plan_id, place, deps)
        now = deps.now()
        plan = replace(
            found.plan,
            state=advance_plan(PlanState.PROPOSED, PlanTrigger.REJECT),
            decisions=(*found.plan.decisions, Decision(Button.REJECT, ask.user, now)),
        )
        await store_decided(session, plan)
        stored = await incidents.save(session, found.incident)
        await audit.record(session, now, actor=ask.user, action=Button.REJECT, on=plan_id, outcome="done")
        await messages.want_card(session, stored, place.service.channel, now)
        await messages.add_note(
            session, stored, f"rejected:{plan_id}", {"at": now, "by": ask.user}, place.service.channel, now
        )
    deps.wake_outbox()
    return None


ACTION = Action(Button.REJECT, run)
