"""Which rollback an incident offers, whose traffic it would move, and who is told: also across services.

Several incidents may blame the same revision. One of them offers to move it away, its own service's first; the others
say where. That is looked up anew with every look; what was approved is carried out whatever is found out meanwhile.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.decide.blame import same_suspect
from bot.decide.incident import Findings
from bot.deps import Deps
from bot.model.attribution import Attribution, Cause
from bot.model.catalog import Place
from bot.model.incident import UNDER_WAY, Incident, PlanState, RollbackPlan, SameRise
from bot.model.judgement import IncidentKind
from bot.model.ledger import ServedSpan
from bot.store import incidents, messages, places
from bot.workflows.attribute import SAME_RISE
from bot.workflows.proposals import Proposal, propose


async def offer(deps: Deps, session: AsyncSession, found: Findings, about: Incident) -> Proposal:
    """The rollback that `about` should show now, or why it shows none."""
    guilty, blamed = found.elsewhere, about.attribution
    if guilty is None and _blames_another(blamed, found.place):
        assert blamed is not None  # noqa: S101 - it blames somebody
        return _none(about, f"{blamed.revision} is to blame, and how {blamed.service} serves is not known now")
    place, state = (guilty.place, guilty.state) if guilty else (found.place, found.state)
    if other := await _offered_by_another(session, about, place, own=guilty is None):
        return _none(about, other)
    return propose(
        about,
        place,
        state,
        await spans(session, place),
        now=found.at,
        config=deps.watch,
        dry_run=deps.dry_run,
        guilty=guilty.revision if guilty else "",
    )


async def spans(session: AsyncSession, place: Place) -> tuple[ServedSpan, ...]:
    """What the bot has seen the revisions of a place do."""
    return tuple(
        ServedSpan(
            revision=row.name,
            minutes=row.served_s / 60,
            max_percent=row.max_percent,
            failed_incidents=row.incidents,
            last_served=row.last_served,
        )
        for row in await places.ledger(session, place.key)
        if row.last_served is not None
    )


async def same_rise(deps: Deps, session: AsyncSession, about: Incident) -> tuple[SameRise, ...]:
    """Other incidents of the rise that `about` is part of; those that are over by now stay named."""
    still_open = [each for each in await incidents.all_open(session) if each.number != about.number]
    joined = {
        each.number: SameRise(each.number, each.service) for each in still_open if _is_same_rise(deps, about, each)
    }
    over = {known.number: known for known in about.same_rise} | joined
    for each in still_open:
        if each.number not in joined:
            over.pop(each.number, None)
    return tuple(over[number] for number in sorted(over))


async def tell_owners(
    deps: Deps, session: AsyncSession, incident: Incident, plan: RollbackPlan, moment: str, at: datetime
) -> None:
    """What happens to a rollback that another service's card offers is told where the owners of the moved one read.

    Args:
        moment: "wanted" or "moved"; each is told once for each plan.
    """
    failing, moved = deps.catalog.place(incident.place), deps.catalog.place(plan.place)
    if moved is None or (failing is not None and failing.service.channel == moved.service.channel):
        return
    told = {
        "moment": moment,
        "at": at,
        "target": plan.target,
        "service": moved.deployment.cloud_run,
        "number": incident.number,
        "failing": f"{failing.deployment.cloud_run if failing else incident.service} ({incident.environment})",
    }
    await messages.add_line(session, f"{moment}:{plan.id}", "incident/note", told, moved.service.channel, at)


def _blames_another(blamed: Attribution | None, place: Place) -> bool:
    return blamed is not None and blamed.cause is Cause.REVISION and blamed.service != place.deployment.cloud_run


async def _offered_by_another(session: AsyncSession, about: Incident, place: Place, *, own: bool) -> str:
    """Why the traffic of `place` is not to be moved from this incident's card, "" when it may be."""
    for other in await incidents.all_open(session):
        if other.number == about.number or other.kind is not IncidentKind.SERVING_FAILURE:
            continue
        name, plan = f"incident #{other.number} ({other.service} in {other.environment})", other.plan
        if plan is not None and plan.place == place.key and plan.state in UNDER_WAY:
            return f"{name} moves this traffic already"
        if own:
            continue
        if other.place == place.key:
            offers = plan is not None and plan.state is PlanState.PROPOSED
            return f"{name} is the cause of this one and {'offers it' if offers else 'tells whether it would help'}"
        if plan is not None and plan.place == place.key and plan.state is PlanState.PROPOSED and _first(other, about):
            return f"{name} blames the same revision and offers it"
        if plan is not None and plan.place == place.key and plan.state is PlanState.REJECTED:
            return f"it was offered by {name} and rejected"
    return ""


def _first(other: Incident, about: Incident) -> bool:
    """Of two that could offer the same, the one that does already, else the older one."""
    offers = about.plan is not None and about.plan.state is PlanState.PROPOSED
    return not offers or (other.number < about.number and about.number > 0)


def _none(about: Incident, why: str) -> Proposal:
    """No rollback from this card; what was approved or carried out stays on it."""
    if about.plan is not None and about.plan.state is not PlanState.PROPOSED:
        return Proposal(about.plan, why)
    return Proposal(None, why, withdraw=why)


def _is_same_rise(deps: Deps, about: Incident, other: Incident) -> bool:
    if IncidentKind.DEPLOY_BLOCKED in {about.kind, other.kind} or abs(about.since - other.since) > SAME_RISE:
        return False
    if about.attribution is not None and same_suspect(about.attribution, other.attribution):
        return True
    return _involves(deps, about.attribution, other) or _involves(deps, other.attribution, about)


def _involves(deps: Deps, said: Attribution | None, incident: Incident) -> bool:
    place = deps.catalog.place(incident.place)
    return said is not None and place is not None and place.deployment.cloud_run in {said.service, *said.seen_in}
