"""Which states an incident and a rollback plan may go through, and which buttons that leaves: shown = allowed.

    incident   opened ──acknowledge──► acknowledged ──mitigate──► mitigated ──resolve──► resolved
               opened ──mitigate──► mitigated;  opened, acknowledged ──resolve──► resolved
               mitigated ──relapse──► opened

    plan       proposed ──approve──► approved ──shift──► shifted ──verify──► verified
               proposed ──reject──► rejected             shifted ──doubt──► unverified
               proposed ──expire──► expired              approved ──refuse──► refused
               proposed ──withdraw──► withdrawn          approved ──fail──► failed

What is not in a table cannot happen. The tables are data, so that tests, templates and the README read the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from bot.errors import Conflict
from bot.model.catalog import RollbackPolicy
from bot.model.incident import Decision, Incident, IncidentState, PlanState, RollbackPlan


class Action(StrEnum):
    """What a person may press; the value is the button's action id and `Decision.action`."""

    APPROVE = "approve_rollback"
    REJECT = "reject_rollback"
    ACKNOWLEDGE = "acknowledge"


class IncidentTrigger(StrEnum):
    """What moves an incident."""

    ACKNOWLEDGE = "acknowledge"  # somebody looks at it
    MITIGATE = "mitigate"  # traffic moved, or a fix is out
    RELAPSE = "relapse"  # it fails again: loud again
    RESOLVE = "resolve"  # proven to be over


class PlanTrigger(StrEnum):
    """What moves a plan."""

    APPROVE = "approve"  # the last approval that was needed
    REJECT = "reject"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"  # it no longer fits, or is no longer needed
    REFUSE = "refuse"  # live traffic is not what was shown
    FAIL = "fail"  # Cloud Run would not do it
    SHIFT = "shift"  # traffic is as planned
    VERIFY = "verify"
    DOUBT = "doubt"  # traffic moved, but it could not be shown that this helped


INCIDENT_TABLE: Mapping[tuple[IncidentState, IncidentTrigger], IncidentState] = MappingProxyType(
    {
        (IncidentState.OPENED, IncidentTrigger.ACKNOWLEDGE): IncidentState.ACKNOWLEDGED,
        (IncidentState.OPENED, IncidentTrigger.MITIGATE): IncidentState.MITIGATED,
        (IncidentState.OPENED, IncidentTrigger.RESOLVE): IncidentState.RESOLVED,
        (IncidentState.ACKNOWLEDGED, IncidentTrigger.MITIGATE): IncidentState.MITIGATED,
        (IncidentState.ACKNOWLEDGED, IncidentTrigger.RESOLVE): IncidentState.RESOLVED,
        (IncidentState.MITIGATED, IncidentTrigger.RELAPSE): IncidentState.OPENED,
        (IncidentState.MITIGATED, IncidentTrigger.RESOLVE): IncidentState.RESOLVED,
    }
)

PLAN_TABLE: Mapping[tuple[PlanState, PlanTrigger], PlanState] = MappingProxyType(
    {
        (PlanState.PROPOSED, PlanTrigger.APPROVE): PlanState.APPROVED,
        (PlanState.PROPOSED, PlanTrigger.REJECT): PlanState.REJECTED,
        (PlanState.PROPOSED, PlanTrigger.EXPIRE): PlanState.EXPIRED,
        (PlanState.PROPOSED, PlanTrigger.WITHDRAW): PlanState.WITHDRAWN,
        (PlanState.APPROVED, PlanTrigger.REFUSE): PlanState.REFUSED,
        (PlanState.APPROVED, PlanTrigger.FAIL): PlanState.FAILED,
        (PlanState.APPROVED, PlanTrigger.SHIFT): PlanState.SHIFTED,
        (PlanState.SHIFTED, PlanTrigger.VERIFY): PlanState.VERIFIED,
        (PlanState.SHIFTED, PlanTrigger.DOUBT): PlanState.UNVERIFIED,
    }
)


def advance_incident(state: IncidentState, trigger: IncidentTrigger) -> IncidentState:
    """The state after `trigger`.

    Raises:
        Conflict: not from this state.
    """
    try:
        return INCIDENT_TABLE[state, trigger]
    except KeyError:
        raise Conflict(f"a {state} incident cannot {trigger}") from None


def advance_plan(state: PlanState, trigger: PlanTrigger) -> PlanState:
    """The state after `trigger`.

    Raises:
        Conflict: not from this state.
    """
    try:
        return PLAN_TABLE[state, trigger]
    except KeyError:
        raise Conflict(f"a {state} rollback plan cannot {trigger}") from None


def allowed(incident: Incident) -> tuple[Action, ...]:
    """The buttons that make sense now, in the order of the card. Whether *this person* may is asked at the click."""
    plan = incident.plan
    may_decide = (
        plan is not None
        and plan.policy is not RollbackPolicy.NEVER
        and (plan.state, PlanTrigger.APPROVE) in PLAN_TABLE
        and incident.state is not IncidentState.RESOLVED
    )
    may_acknowledge = (incident.state, IncidentTrigger.ACKNOWLEDGE) in INCIDENT_TABLE
    return (
        *((Action.APPROVE, Action.REJECT) if may_decide else ()),
        *((Action.ACKNOWLEDGE,) if may_acknowledge else ()),
    )


def already(subject: RollbackPlan | Incident) -> str:
    """One sentence for a click that comes too late: what became of it, who decided, when.

    Names and times are in Slack's notation (`<@U…>`, `<!date^…>`), which every reader sees in their own words and zone.
    """
    return _plan_story(subject) if isinstance(subject, RollbackPlan) else _incident_story(subject)


def _plan_story(plan: RollbackPlan) -> str:
    approval = _last(plan, Action.APPROVE)
    rejection = _last(plan, Action.REJECT)
    approved = f"{_by(approval)} approved it{_at(approval.at)}" if approval else "It was approved"
    note = f": {plan.note}" if plan.note else ""
    moved = f"{approved}; traffic moved to {plan.target}"
    return {
        PlanState.PROPOSED: "This rollback was proposed anew; the newest card has the buttons that work.",
        PlanState.APPROVED: f"{approved}; the rollback to {plan.target} is under way.",
        PlanState.SHIFTED: f"{moved}{_at(plan.shifted_at)} and is being verified.",
        PlanState.VERIFIED: f"{moved} and was verified{_at(plan.verified_at)}.",
        PlanState.UNVERIFIED: f"{moved}{_at(plan.shifted_at)}, but it could not be shown that this helped{note}.",
        PlanState.REJECTED: f"{_by(rejection)} rejected this rollback{_at(rejection.at if rejection else None)}.",
        PlanState.REFUSED: f"{approved}, but nothing was moved{note}.",
        PlanState.FAILED: f"{approved}, but Cloud Run did not do it{note}.",
        PlanState.EXPIRED: f"This proposal expired{_at(plan.expires_at)}: nobody had decided.",
        PlanState.WITHDRAWN: f"This proposal was withdrawn{note}.",
    }[plan.state]


def _incident_story(incident: Incident) -> str:
    seen = incident.acknowledged
    match incident.state:
        case IncidentState.OPENED:
            return "This incident is open; nobody has acknowledged it yet."
        case IncidentState.ACKNOWLEDGED:
            return f"{_by(seen)} acknowledged this incident already{_at(seen.at if seen else None)}."
        case IncidentState.MITIGATED:
            return (
                f"This incident is mitigated already{_at(incident.mitigated_at)}: traffic moved, it is being verified."
            )
        case IncidentState.RESOLVED:
            how = f": {incident.resolution}" if incident.resolution else ""
            return f"This incident is resolved already{_at(incident.resolved_at)}{how}."


def _last(plan: RollbackPlan, action: Action) -> Decision | None:
    return next((decision for decision in reversed(plan.decisions) if decision.action == action), None)


def _by(decision: Decision | None) -> str:
    return f"<@{decision.by}>" if decision else "Somebody"


def _at(at: datetime | None) -> str:
    if at is None:
        return ""
    utc = at.astimezone(UTC)
    return f" at <!date^{int(utc.timestamp())}^{{time_secs}}|{utc:%H:%M:%S} UTC>"
