"""From an approved plan to verified traffic, as steps that may each be run twice.

    begin          is the stored plan still what was approved, and is it still ours to carry out?
    shift          move the traffic, refusing where live traffic is not what was shown
    await_traffic  re-read the service until traffic_statuses are as planned
    mitigate       store and tell that traffic moved
    check          (repeated) do the errors stop, does the health path answer?
    finish         store and tell how it ended

Every function is idempotent: it looks at what is before it changes anything, and state changes are compare-and-set.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime

from bot.act.plan import already_shifted, served_equals
from bot.act.target import ShiftResult
from bot.decide.digest import plan_digest
from bot.decide.transitions import IncidentTrigger, PlanTrigger, advance_incident, advance_plan
from bot.deps import Deps
from bot.errors import Conflict, Permanent, ReliabilityError, Retryable
from bot.model.catalog import Place
from bot.model.cloud_run import ServiceState
from bot.model.incident import Incident, IncidentState, PlanState, RollbackPlan
from bot.model.judgement import Health
from bot.store import audit, incidents, messages
from bot.workflows import pictures
from bot.workflows.offering import tell_owners
from bot.workflows.proposals import outdated
from bot.workflows.verification import measure, measure_effect

log = logging.getLogger(__name__)

GIVEN_UP = {PlanState.APPROVED: PlanTrigger.FAIL, PlanState.SHIFTED: PlanTrigger.DOUBT}
"""How a plan ends that cannot be carried further, by how far it came."""


@dataclass(frozen=True)
class Case:
    """A plan with its incident, freshly read.

    Attributes:
        place: whose traffic is moved. failing: the incident's, mostly the same; None: it left the catalog.
    """

    plan: RollbackPlan
    incident: Incident
    place: Place
    failing: Place | None


class Rollback:
    """The steps; results are built-in values, because DBOS records them."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def begin(self, plan_id: str) -> bool:
        """True: go on. False: the plan is not (or no longer) to be carried out."""
        case = await self._case(plan_id)
        if case.plan.state is not PlanState.APPROVED:
            return case.plan.state is PlanState.SHIFTED
        if plan_digest(case.plan) != case.plan.digest:
            await self._end(case.plan, PlanTrigger.REFUSE, "the stored plan is not the one that was approved")
            return False
        return True

    async def shift(self, plan_id: str) -> str:
        """Move the traffic. Returns "" when it is moving, moved, or would be (dry run); else why it was not."""
        case = await self._case(plan_id)
        if case.plan.state is not PlanState.APPROVED:
            return ""
        try:
            await self._check_circumstances(case)
            await self._shift(case)
        except Conflict as conflict:
            await self._end(case.plan, PlanTrigger.REFUSE, str(conflict))
            return str(conflict)
        except Permanent as error:
            await self._end(case.plan, PlanTrigger.FAIL, str(error))
            return str(error)
        return ""

    async def _shift(self, case: Case) -> None:
        done = await self._deps.target.shift(case.place, case.plan.after, expecting=case.plan.before)
        if done is ShiftResult.DRY_RUN and not case.plan.dry_run:
            raise Conflict("the bot was restarted as a dry run, which moves nothing")

    async def _check_circumstances(self, case: Case) -> None:
        """Is what was approved still what would happen now? After a crash: had it happened already?

        Raises:
            Conflict: another catalog, another mode or another hour than when it was approved.
            Retryable, Permanent: Cloud Run could not be asked whether the traffic has moved already.
        """
        plan = case.plan
        # a dry run in place of the real thing is seen by what it answers: the real thing may have been done before
        why_not = outdated(plan, case.place, dry_run=plan.dry_run and self._deps.dry_run) or self._too_late(plan)
        if why_not and not already_shifted(await self._deps.target.state(case.place), plan.after):
            raise Conflict(why_not)

    def _too_late(self, plan: RollbackPlan) -> str:
        approved_at = plan.decisions[-1].at if plan.decisions else plan.created_at
        if self._deps.now() - approved_at < self._deps.watch.proposal_expires:
            return ""
        return f"it was approved at {approved_at:%Y-%m-%d %H:%M} UTC and could not be begun until now"

    async def await_traffic(self, plan_id: str) -> str:
        """Wait until Cloud Run serves as planned. "" when it does; else why not."""
        case = await self._case(plan_id)
        if case.plan.dry_run:
            return ""
        deadline = self._deps.now() + self._deps.watch.shift_timeout
        last, arrived = "it did not answer", False
        while self._deps.now() < deadline:
            try:
                state = await self._deps.target.state(case.place)
            except Retryable as error:
                last = str(error)
            else:
                if served_equals(state.fact, case.plan.after) and not state.reconciling:
                    return ""
                last = f"it serves {state.fact}" + (f" ({state.message})" if state.failed and state.message else "")
                arrived = served_equals(state.fact, case.plan.after)
                if state.failed and not state.reconciling:
                    break
            await asyncio.sleep(self._deps.watch.shift_poll.total_seconds())
        if arrived:
            return ""  # users are served as planned, and something else keeps Cloud Run busy: a deploy, say
        why = f"Cloud Run did not move the traffic as planned: {last}"
        await self._end(case.plan, PlanTrigger.FAIL, why)
        return why

    async def give_up(self, plan_id: str, why: str) -> None:
        """It could not be carried to its end: Google was down for too long, the place left the catalog, a fault of ours.

        The incident stays open, and the next look says what serves and proposes what fits.
        """
        async with self._deps.db.read() as session:
            plan = await incidents.read_plan(session, plan_id)
        trigger = GIVEN_UP.get(plan.state) if plan else None
        if plan is not None and trigger is not None:
            await self._end(plan, trigger, why)

    async def mitigate(self, plan_id: str) -> str:
        """Store and tell that traffic moved; returns when (ISO 8601)."""
        case = await self._case(plan_id)
        if case.plan.state is not PlanState.APPROVED:
            return (case.plan.shifted_at or self._deps.now()).isoformat()
        state = await self._state_or_none(case.failing)
        async with self._deps.db.begin() as session:
            now = self._deps.now()
            approved_at = case.plan.decisions[-1].at if case.plan.decisions else now
            plan = replace(
                case.plan,
                state=advance_plan(PlanState.APPROVED, PlanTrigger.SHIFT),
                shifted_at=now,
                shift_took_s=round((now - approved_at).total_seconds(), 1),
            )
            if not await incidents.advance_plan(session, plan, expecting=PlanState.APPROVED):
                return now.isoformat()
            current = await incidents.read(session, case.incident.id, for_update=True)
            if current is None:
                raise Permanent(f"incident {case.incident.id} is gone")
            moved = current if plan.dry_run else _mitigated(current, now)
            stored = await incidents.save(
                session,
                replace(
                    moved,
                    serving=state.fact if state else current.serving,
                    follows_latest=state.wish.follows_latest if state else current.follows_latest,
                    pinned_to=None if plan.dry_run else plan.target,
                    pinned_place="" if plan.dry_run or plan.place == current.place else plan.place,
                ),
            )
            await audit.record(
                session, now, actor="bot", action="shift", on=plan.id, outcome="dry run" if plan.dry_run else "done"
            )
            await messages.want_card(session, stored, case.place.service.channel, now)
            told = {"at": now, "target": plan.target, "took_s": plan.shift_took_s, "dry_run": plan.dry_run}
            await messages.add_note(session, stored, f"shifted:{plan.id}", told, case.place.service.channel, now)
            if not plan.dry_run:
                await tell_owners(self._deps, session, stored, plan, "moved", now)
        self._deps.wake_outbox()
        return now.isoformat()

    async def check(self, plan_id: str, shifted_at: str, last: bool) -> dict[str, str]:
        """Is it fixed? {"health": a `Health` word, "why": numbers in words}.

        Args:
            last: the time for verifying is over: say what is known, even if that is little.
        """
        case = await self._case(plan_id)
        since = datetime.fromisoformat(shifted_at)
        found = await measure(self._deps, case.place, case.plan, since, last=last)
        if case.failing is None or case.failing.key == case.place.key or found["health"] != Health.HEALTHY:
            return found
        return await measure_effect(self._deps, case.failing, since, found["why"], last=last)

    async def finish(self, plan_id: str, health: str, why: str) -> None:
        """Store and tell how it ended: verified and resolved, or unverified and still open."""
        case = await self._case(plan_id)
        if case.plan.state is not PlanState.SHIFTED:
            return
        verified = health == Health.HEALTHY
        state = await self._state_or_none(case.failing)
        async with self._deps.db.begin() as session:
            now = self._deps.now()
            plan = replace(
                case.plan,
                state=advance_plan(PlanState.SHIFTED, PlanTrigger.VERIFY if verified else PlanTrigger.DOUBT),
                verified_at=now,
                verification=why,
            )
            if not await incidents.advance_plan(session, plan, expecting=PlanState.SHIFTED):
                return
            current = await incidents.read(session, case.incident.id, for_update=True)
            if current is None:
                raise Permanent(f"incident {case.incident.id} is gone")
            done = replace(current, serving=state.fact if state else current.serving)
            if verified and not plan.dry_run:
                done = replace(
                    done,
                    state=advance_incident(current.state, IncidentTrigger.RESOLVE),
                    resolved_at=now,
                    resolution=f"rolled back to {plan.target}",
                )
            stored = await incidents.save(session, done)
            outcome = "dry run" if plan.dry_run else str(plan.state)
            await audit.record(session, now, actor="bot", action="verify", on=plan.id, outcome=outcome, detail=why)
            await messages.want_card(session, stored, case.place.service.channel, now)
            await messages.add_note(
                session,
                stored,
                f"verified:{plan.id}",
                {"at": now, "verified": verified, "why": why, "dry_run": plan.dry_run},
                case.place.service.channel,
                now,
            )
        if stored.state is IncidentState.RESOLVED and case.failing is not None:
            await pictures.show_the_whole(self._deps, case.failing, stored)
        self._deps.wake_outbox()

    async def _case(self, plan_id: str) -> Case:
        async with self._deps.db.read() as session:
            plan = await incidents.read_plan(session, plan_id)
            incident = await incidents.read(session, plan.incident_id) if plan else None
        place = self._deps.catalog.place(plan.place) if plan else None
        if plan is None or incident is None:
            raise Permanent(f"there is no plan {plan_id}")
        if place is None:
            raise Permanent(f"{plan.place} is no longer in the catalog")
        return Case(plan, incident, place, self._deps.catalog.place(incident.place))

    async def _state_or_none(self, place: Place | None) -> ServiceState | None:
        if place is None:
            return None
        try:
            return await self._deps.target.state(place)
        except ReliabilityError as error:
            log.warning("rollback.state_unread", extra={"place": place.key, "why": str(error)})
            return None

    async def _end(self, was: RollbackPlan, trigger: PlanTrigger, why: str) -> None:
        """It goes no further: say why; the incident stays open and the next look proposes what fits now."""
        async with self._deps.db.begin() as session:
            now = self._deps.now()
            plan = replace(was, state=advance_plan(was.state, trigger), note=why)
            if not await incidents.advance_plan(session, plan, expecting=was.state):
                return
            current = await incidents.read(session, plan.incident_id, for_update=True)
            if current is None:
                raise Permanent(f"incident {plan.incident_id} is gone")
            place, card = self._deps.catalog.place(plan.place), await messages.card(session, current.id)
            channel = place.service.channel if place else card.channel if card else ""
            stored = await incidents.save(session, current)
            await audit.record(session, now, actor="bot", action="shift", on=plan.id, outcome=plan.state, detail=why)
            await messages.want_card(session, stored, channel, now)
            moment = "verified" if plan.state is PlanState.UNVERIFIED else plan.state
            told = {"at": now, "why": why, "verified": False, "dry_run": plan.dry_run}
            await messages.add_note(session, stored, f"{moment}:{plan.id}", told, channel, now)
        self._deps.wake_outbox()


def _mitigated(incident: Incident, now: datetime) -> Incident:
    """Traffic moved; an incident that was mitigated before stays so."""
    if incident.state is IncidentState.MITIGATED:
        return incident
    return replace(incident, state=advance_incident(incident.state, IncidentTrigger.MITIGATE), mitigated_at=now)
