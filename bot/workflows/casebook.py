"""What a look changes in the books, in one transaction: incidents, plans, ledger and what is to be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from bot.decide.blame import same_suspect
from bot.decide.incident import Findings, credited, opened, recovery, updated
from bot.decide.policy import expired
from bot.decide.transitions import IncidentTrigger, PlanTrigger, advance_incident, advance_plan
from bot.deps import Deps
from bot.model.attribution import Attribution
from bot.model.catalog import Place
from bot.model.evidence import RequestCount
from bot.model.incident import Incident, IncidentState, PlanState, RollbackPlan
from bot.model.judgement import Health, IncidentKind
from bot.model.links import commit_url
from bot.store import audit, inbox, incidents, messages, places
from bot.store.places import LastLook
from bot.workflows import blindness, commit_tests, pictures
from bot.workflows.offering import offer, same_rise, tell_owners
from bot.workflows.proposals import Proposal
from bot.workflows.sight import EVENTS_BEFORE


async def settle(
    deps: Deps, place: Place, seen: LastLook, findings: Sequence[Findings], counts: Mapping[str, RequestCount]
) -> tuple[Incident, ...]:
    """Store what a look found; returns the incidents that are over with it.

    Raises:
        Conflict: another process changed the same incident meanwhile; nothing was stored.
    """
    async with deps.db.begin() as session:
        seen = await blindness.since_when(session, seen)
        await places.save_look(session, seen)
        open_now = await incidents.open_at(session, place.key, for_update=True)
        if seen.state is not None:
            failing = frozenset(revision.name for found in findings for revision in found.revisions)
            await places.record_revisions(session, place.key, seen.state, seen.at, failing)
        for found in findings:
            await _pursue(deps, session, place, found, open_now.get(found.kind))
        followed = {found.kind for found in findings}
        resolved = []
        for kind, incident in open_now.items():
            if kind in followed:
                continue
            over = await _ended(deps, session, place, incident, seen)
            if over is None:
                await blindness.tell_on_card(session, place, incident, seen)
            else:
                resolved.append(over)
        await blindness.tell_of_deploy(deps, session, place, seen)
        if not findings and not open_now:
            await _tell_healthy(deps, session, place, seen, counts)
        if seen.state is not None:
            await commit_tests.tell_deploys(deps, session, place, seen.state, seen.at)
    return tuple(resolved)


async def _pursue(deps: Deps, session: AsyncSession, place: Place, found: Findings, incident: Incident | None) -> None:
    """Open an incident for what was found, or carry the open one along, with the rollback that fits now."""
    if incident is None:
        fresh = opened(found, deps.catalog.business.restore_within)
        fresh = replace(fresh, same_rise=await same_rise(deps, session, fresh))
        await _open(deps, session, place, found, fresh, await offer(deps, session, found, fresh))
    else:
        changed = _relapsed(updated(incident, found, deps.watch.refresh_after))
        changed = replace(changed, same_rise=await same_rise(deps, session, changed))
        await _follow(deps, session, place, found, incident, changed, await offer(deps, session, found, changed))


async def _open(
    deps: Deps, session: AsyncSession, place: Place, found: Findings, fresh: Incident, offered: Proposal
) -> None:
    stored = await incidents.add(session, replace(fresh, plan=offered.plan, no_plan=offered.no_plan))
    for revision in stored.revisions:
        await places.count_incident(session, place.key, revision.name)
    await audit.record(session, found.at, actor="bot", action="open", on=stored.id, outcome="done", detail=found.why)
    channel = place.service.channel
    await messages.want_card(session, stored, channel, found.at)
    told = {"at": found.at, "since": stored.since, "why": found.why}
    await messages.add_note(session, stored, "opened", told, channel, found.at)
    await _tell_blame(session, stored, None, found)
    if offered.plan is not None:
        await tell_owners(deps, session, stored, offered.plan, "wanted", found.at)


async def _follow(
    deps: Deps,
    session: AsyncSession,
    place: Place,
    found: Findings,
    before: Incident,
    after: Incident,
    offered: Proposal,
) -> None:
    """Store what changed about an open incident; nothing when nothing did."""
    if not await _retired(session, before.plan, offered, found):
        return
    new_plan = offered.plan if offered.plan != before.plan else None
    after = replace(after, no_plan=offered.no_plan)
    if after == before and new_plan is None:
        return
    if new_plan is not None:
        await incidents.add_plan(session, new_plan)
    joined = sorted({r.name for r in after.revisions} - {r.name for r in before.revisions})
    stored = await incidents.save(session, after)
    channel = place.service.channel
    await messages.want_card(session, stored, channel, found.at)
    await _tell_blame(session, stored, before.attribution, found)
    for name in joined:
        await places.count_incident(session, place.key, name)
        told = {"at": found.at, "revision": name}
        await messages.add_note(session, stored, f"joined:{name}", told, channel, found.at)
    if new_plan is not None:
        told = {"at": found.at, "target": new_plan.target, "why": offered.withdraw}
        await messages.add_note(session, stored, f"proposed:{new_plan.id}", told, channel, found.at)
        await tell_owners(deps, session, stored, new_plan, "wanted", found.at)


async def _tell_blame(session: AsyncSession, incident: Incident, said: Attribution | None, found: Findings) -> None:
    """Whose fault it is, with the votes and a chart, once for each suspect; what was said before is taken back aloud."""
    blamed, channel = incident.attribution, found.place.service.channel
    if same_suspect(said, blamed):
        return
    if said is not None:
        why = next((gone.withdrawn for gone in incident.withdrawn if same_suspect(gone, said)), "")
        told = {"at": found.at, "service": found.place.deployment.cloud_run, "blamed": said, "why": why}
        await messages.add_note(session, incident, f"unblamed:{len(incident.withdrawn)}", told, channel, found.at)
    if blamed is not None:
        if found.elsewhere is not None:  # a revision that was to blame is no proven one to return to
            await places.count_incident(session, found.elsewhere.place.key, found.elsewhere.revision)
        told = {"at": found.at, "service": found.place.deployment.cloud_run, "blamed": blamed}
        await messages.add_note(session, incident, f"blamed:{len(incident.withdrawn)}", told, channel, found.at)
        if found.series is not None:
            moment = f"blamed:{len(incident.withdrawn)}"
            await pictures.want_chart(session, found.place, incident, moment, found.series, found.at)


async def _retired(session: AsyncSession, plan: RollbackPlan | None, offered: Proposal, found: Findings) -> bool:
    """Take back a shown plan that gives way to another or to none. False: it was decided on this very moment."""
    if plan is None or offered.plan == plan or plan.state is not PlanState.PROPOSED:
        return True
    trigger = PlanTrigger.EXPIRE if expired(plan, found.at) else PlanTrigger.WITHDRAW
    gone = replace(plan, state=advance_plan(plan.state, trigger), note=offered.withdraw)
    return await incidents.advance_plan(session, gone, expecting=PlanState.PROPOSED)


def _relapsed(incident: Incident) -> Incident:
    """A mitigated incident that fails again is open again, unless its rollback is still being verified."""
    rolling = incident.plan is not None and incident.plan.state in {PlanState.APPROVED, PlanState.SHIFTED}
    if incident.state is not IncidentState.MITIGATED or rolling:
        return incident
    state = advance_incident(incident.state, IncidentTrigger.RELAPSE)
    return replace(incident, state=state, mitigated_at=None)  # it was not restored then, as it turned out


async def _ended(
    deps: Deps, session: AsyncSession, place: Place, incident: Incident, seen: LastLook
) -> Incident | None:
    """Resolve an incident that a look no longer sees, once that is proven. None: it goes on."""
    if seen.state is None:
        return None
    why = recovery(incident, seen.state, seen.verdicts, seen.at, deps.watch.quiet_for)
    if why is None:
        return None
    plan = incident.plan
    if plan is not None and plan.state is PlanState.PROPOSED:
        gone = replace(plan, state=advance_plan(plan.state, PlanTrigger.WITHDRAW), note=why)
        if not await incidents.advance_plan(session, gone, expecting=PlanState.PROPOSED):
            return None
    stored = await incidents.save(
        session,
        replace(
            incident,
            state=advance_incident(incident.state, IncidentTrigger.RESOLVE),
            resolved_at=seen.at,
            resolution=why,
            serving=seen.state.fact,
            follows_latest=seen.state.wish.follows_latest,
        ),
    )
    channel = place.service.channel
    await audit.record(session, seen.at, actor="bot", action="resolve", on=incident.id, outcome="done", detail=why)
    await messages.want_card(session, stored, channel, seen.at)
    await messages.add_note(session, stored, "resolved", {"at": seen.at, "why": why}, channel, seen.at)
    return stored


async def _tell_healthy(
    deps: Deps, session: AsyncSession, place: Place, seen: LastLook, counts: Mapping[str, RequestCount]
) -> None:
    """Tell a new revision's healthy deploy in one quiet line, once."""
    state = seen.state
    newest = state.revision(state.latest_ready) if state else None
    if state is None or newest is None or newest.name not in state.fact.serving or state.reconciling:
        return
    healthy = any(
        verdict.revision == newest.name
        and verdict.health is Health.HEALTHY
        and verdict.kind is IncidentKind.SERVING_FAILURE
        for verdict in seen.verdicts
    )
    ready_at = newest.ready_at or newest.created_at
    judged = healthy and seen.at - ready_at >= place.detection.window
    count = counts.get(newest.name)
    if not judged or count is None:
        return
    watched_since = min(row.first_seen for row in await places.ledger(session, place.key))
    if await incidents.blames(session, newest.name):
        return  # it is well by itself, and its callers are not
    if newest.created_at < watched_since or not await places.claim_telling(session, place.key, newest.name, seen.at):
        return  # it was there before the bot, or it was told before
    credit = credited(newest, state, await inbox.of_place(session, place.key, newest.created_at - EVENTS_BEFORE))
    tests = await commit_tests.of_revisions(session, deps.catalog, place.service_key, [credit])
    await messages.add_line(
        session,
        commit_tests.quiet_line(place, newest.name),
        "deploy/quiet",
        {
            "service": state.name,
            "environment": place.environment,
            "revision": newest.name,
            "percent": state.fact.serving[newest.name],
            "total": count.total,
            "failed": count.failed,
            "window_s": int(place.detection.window.total_seconds()),
            "at": seen.at,
            "author": credit.author,
            "commit": credit.commit,
            "commit_url": commit_url(place.service, credit.commit),
            "tests": tests.get(newest.name),
        },
        place.service.channel,
        seen.at,
    )
