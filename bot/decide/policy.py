"""Rules about time and people, as pure functions of `now` and stored values."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from bot.decide.timing import WatchConfig
from bot.errors import UserError
from bot.model.incident import Incident, RollbackPlan

APPROVE = "approve_rollback"
"""`Decision.action` of an approval."""


class Quorum(NamedTuple):
    """Different people who approved, and how many are needed (≥ 1)."""

    approved: int
    needed: int


class Restoration(NamedTuple):
    """How long users suffered, and whether the promise was kept."""

    took: timedelta
    in_time: bool


def quorum(plan: RollbackPlan) -> Quorum:
    """How far the approvals of a plan have come; one person counts once.

    Raises:
        UserError: the policy is "never": no number of approvals suffices.
    """
    needed = plan.policy.approvals_needed
    if needed < 1:
        raise UserError("The catalog says that this deployment is never rolled back (rollback.policy: never).")
    return Quorum(len({decision.by for decision in plan.decisions if decision.action == APPROVE}), needed)


def expired(plan: RollbackPlan, now: datetime) -> bool:
    """True from the very moment `expires_at`: what was shown is too old to be acted on."""
    return now >= plan.expires_at


def next_look(started_at: datetime, now: datetime, watch: WatchConfig) -> datetime | None:
    """When to look next at what began at `started_at`: first often, then seldom, then (None) the sweep suffices.

    The moments lie on a grid that starts at `started_at`, so a slow or late look does not shift those after it. Before
    `started_at` (clocks differ), the first look is at once.
    """
    if now < started_at:
        return now
    slow_from, end = started_at + watch.fast_for, started_at + watch.slow_for
    if now < slow_from:
        upcoming = min(_after(started_at, now, watch.fast_every), slow_from)
    else:
        upcoming = _after(slow_from, now, watch.slow_every)
    return upcoming if upcoming <= end else None


def restored(incident: Incident) -> Restoration | None:
    """Time from the first failure to the moment the incident was mitigated or resolved; None while it is neither."""
    moments = [at for at in (incident.mitigated_at, incident.resolved_at) if at is not None]
    if not moments:
        return None
    took = max(min(moments) - incident.since, timedelta())
    return Restoration(took, min(moments) <= incident.restore_by)


def _after(start: datetime, now: datetime, every: timedelta) -> datetime:
    """The first grid moment strictly after `now`."""
    return start + ((now - start) // every + 1) * every
