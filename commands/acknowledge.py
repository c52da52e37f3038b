"""The button *Acknowledge*: somebody looks at it. Open to everybody who can see the card."""

from __future__ import annotations

from dataclasses import replace

from bot.decide.transitions import Action as Button
from bot.decide.transitions import IncidentTrigger, advance_incident, already
from bot.errors import UserError
from bot.model.incident import Decision, IncidentState
from bot.store import audit, incidents, messages
from commands.command import Action, Ask, Desk, Reply


async def run(ask: Ask, incident_id: str, desk: Desk) -> Reply | None:
    deps = desk.deps
    async with deps.db.begin() as session:
        incident = await incidents.read(session, incident_id, for_update=True)
        if incident is None:
            raise UserError("This incident is not known here any more.")
        if incident.state is not IncidentState.OPENED:
            raise UserError(already(incident))
        now = deps.now()
        decision = Decision(Button.ACKNOWLEDGE, ask.user, now)
        stored = await incidents.save(
            session,
            replace(
                incident, state=advance_incident(incident.state, IncidentTrigger.ACKNOWLEDGE), acknowledged=decision
            ),
        )
        place = deps.catalog.place(incident.place)
        channel = place.service.channel if place else ask.channel
        await audit.record(session, now, actor=ask.user, action=Button.ACKNOWLEDGE, on=incident_id, outcome="done")
        await messages.want_card(session, stored, channel, now)
        await messages.add_note(session, stored, "acknowledged", {"at": now, "by": ask.user}, channel, now)
    deps.wake_outbox()
    return None


ACTION = Action(Button.ACKNOWLEDGE, run)
