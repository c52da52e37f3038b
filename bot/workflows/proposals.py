"""Which rollback to propose for an incident, and when to propose anew.

A plan is a stored row: exactly what the card shows is what an approval executes. Where the live traffic, the failing
revisions or the time no longer fit the plan, it is withdrawn and a new one is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.act.plan import NoTarget, choose_target, plan_split, served_equals
from bot.decide.blame import SURE_ENOUGH, speaks_against_rollback
from bot.decide.digest import plan_digest
from bot.decide.policy import expired
from bot.decide.timing import WatchConfig
from bot.model.attribution import Cause
from bot.model.catalog import Place, RollbackPolicy
from bot.model.cloud_run import ServiceState
from bot.model.incident import FailedRevision, Incident, PlanState, RollbackPlan
from bot.model.judgement import IncidentKind
from bot.model.ledger import ServedSpan

MOST_ATTEMPTS = 3
"""After so many plans of one incident failed or did not help, a person has to find another way."""

FRUITLESS = frozenset({PlanState.FAILED, PlanState.REFUSED, PlanState.UNVERIFIED})

SURE = 0.9

SETTLED = timedelta(hours=1)
"""A revision that served well for this long before it failed is rolled back only once it is known to be the cause."""


@dataclass(frozen=True)
class Proposal:
    """Either a plan or the reason why there is none. `withdraw`: the shown plan no longer fits, and why."""

    plan: RollbackPlan | None
    no_plan: str = ""
    withdraw: str = ""


def propose(
    incident: Incident,
    place: Place,
    state: ServiceState,
    ledger: Sequence[ServedSpan],
    *,
    now: datetime,
    config: WatchConfig,
    dry_run: bool,
    guilty: str = "",
) -> Proposal:
    """The plan that should be shown now: the present one where it still fits, else a new one, else why there is none.

    Args:
        place, state, ledger: of the deployment whose traffic would be moved; mostly the one that fails.
        guilty: the revision to move away from, where that is another deployment's; else those of the incident.
    """
    current = incident.plan
    reason = _not_to_be_rolled_back(incident, place, state, ledger)
    failing = frozenset({guilty} if guilty else (revision.name for revision in incident.revisions))
    if current is not None:
        kept = _kept(current, place, state, failing, now, dry_run=dry_run)
        if kept is None and reason and current.state is PlanState.PROPOSED:
            kept = reason
        if kept is None:
            return Proposal(current, incident.no_plan)
        if reason:
            return Proposal(None, reason, withdraw=reason)
        if _attempt(current) >= MOST_ATTEMPTS and current.state in FRUITLESS:
            why = current.note or current.verification
            return Proposal(current, f"{MOST_ATTEMPTS} rollbacks failed or did not help: {why}")
    else:
        kept = ""
        if reason:
            return Proposal(None, reason)
    chosen = choose_target(state, failing, ledger)
    if isinstance(chosen, NoTarget):
        return Proposal(None, chosen.reason, withdraw=kept)
    attempt = _attempt(current) + 1 if current else 1
    draft = RollbackPlan(
        id=f"plan-{incident.id.removeprefix('inc-')}-{attempt}",
        incident_id=incident.id,
        place=place.key,
        resource_name=place.resource_name,
        before=state.fact,
        after=plan_split(state, chosen.revision),
        etag=state.etag,
        target=chosen.revision,
        proof=chosen.proof,
        policy=place.deployment.rollback.policy,
        state=PlanState.PROPOSED,
        created_at=now,
        expires_at=now + config.proposal_expires,
        dry_run=dry_run,
    )
    return Proposal(replace(draft, digest=plan_digest(draft)), withdraw=kept)


def outdated(plan: RollbackPlan, place: Place, *, dry_run: bool) -> str:
    """Why a plan made by an earlier process does not hold in this one, "" when it does.

    The catalog and the settings may have changed between: what was shown then is not what an approval would mean now.
    """
    if plan.resource_name != place.resource_name:
        return f"the catalog names another service for {place.key} now"
    if plan.policy is not place.deployment.rollback.policy:
        return f"the catalog asks for another approval now (rollback.policy: {place.deployment.rollback.policy})"
    if plan.dry_run is not dry_run:
        return (
            f"it was proposed as {'a dry run' if plan.dry_run else 'the real thing'}, which the bot is not set to now"
        )
    return ""


def _attempt(plan: RollbackPlan) -> int:
    return int(plan.id.rsplit("-", 1)[1])


def _not_to_be_rolled_back(incident: Incident, place: Place, state: ServiceState, ledger: Sequence[ServedSpan]) -> str:
    if incident.kind is IncidentKind.DEPLOY_BLOCKED:
        if state.fact.serving:
            return f"not needed: users are still served by {state.fact}"
        return "not possible: no earlier revision was ever ready"
    if place.deployment.rollback.policy is RollbackPolicy.NEVER:
        return "the catalog says never for this deployment (rollback.policy)"
    return _would_not_help(incident, ledger)


def _would_not_help(incident: Incident, ledger: Sequence[ServedSpan]) -> str:
    """Why moving traffic back would change nothing, "" where it may help."""
    blamed, cause = incident.attribution, incident.diagnosis
    if blamed is not None and speaks_against_rollback(blamed):
        return "moving traffic back would not help: no deploy is to blame"
    if blamed is not None and blamed.cause is Cause.REVISION and blamed.confidence >= SURE_ENOUGH:
        return ""  # the deploy brought it: whatever it died of, the revision before did not
    if cause is not None and cause.rollback_helps is False and cause.confidence >= SURE:
        return f"moving traffic back would not help: {cause.title}"
    newest = next(iter(incident.revisions), None)
    if newest is not None and _served_well(newest, incident.since, ledger) >= SETTLED:
        return f"not offered yet: {newest.name} was deployed {newest.deployed_at:%Y-%m-%d %H:%M} UTC, long before it began to fail"
    return ""


def _served_well(revision: FailedRevision, until: datetime, ledger: Sequence[ServedSpan]) -> timedelta:
    """For how long it served before it failed: as the bot saw it, where it was watching; else it is taken to have served
    since it was deployed, which a revision that waited at 0 % did not.
    """
    watching = min((span.first_seen for span in ledger), default=until)
    if watching > revision.deployed_at:
        return until - revision.deployed_at
    return timedelta(minutes=next((span.minutes for span in ledger if span.revision == revision.name), 0.0))


def _kept(  # noqa: PLR0911  one state a line
    plan: RollbackPlan, place: Place, state: ServiceState, failing: frozenset[str], now: datetime, *, dry_run: bool
) -> str | None:
    """None: the plan stays as it is. Else why it no longer fits ("" where its own end says it all)."""
    if plan.state in {PlanState.APPROVED, PlanState.SHIFTED}:
        return None
    if plan.state in {PlanState.VERIFIED, PlanState.UNVERIFIED}:
        return None if _as_it_left_it(plan, state, failing, dry_run=dry_run) else ""
    if plan.state is PlanState.REJECTED:
        # a no stays a no for the situation it was said about
        return None if served_equals(plan.before, state.fact) else "the traffic changed since it was rejected"
    if plan.state is PlanState.PROPOSED:
        if plan.place != place.key:
            return f"the revision to blame belongs to {place.key}"
        if changed := outdated(plan, place, dry_run=dry_run):
            return changed
        if not served_equals(plan.before, state.fact):
            return f"the traffic changed to {state.fact}"
        if plan.target in failing:
            return f"{plan.target} fails too"
        return "nobody decided in time" if expired(plan, now) else None
    return ""


def _as_it_left_it(plan: RollbackPlan, state: ServiceState, failing: frozenset[str], *, dry_run: bool) -> bool:
    """True while a rollback that was carried out still explains what serves, and nothing else is to be proposed."""
    if plan.dry_run:
        return dry_run and served_equals(plan.before, state.fact)
    return served_equals(plan.after, state.fact) and plan.target not in failing
