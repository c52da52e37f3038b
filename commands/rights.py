"""Who may do what. Acting fails closed: nobody listed = nobody, Slack not answering = not now."""

from __future__ import annotations

import logging

from bot.deps import Deps
from bot.errors import Permanent, Retryable, UserError
from bot.model.catalog import Place
from bot.store import audit
from commands.command import Ask

log = logging.getLogger(__name__)


async def must_be_approver(ask: Ask, place: Place, deps: Deps, *, action: str, on: str) -> None:
    """Return when the person may approve or reject rollbacks of this place.

    Raises:
        UserError: they may not, or it cannot be found out now; the refusal is logged and in the audit trail.
    """
    approvers = place.deployment.rollback.approvers
    if ask.user in approvers:
        return
    groups = [approver for approver in approvers if approver.startswith("S")]
    try:
        for group in groups:
            if ask.user in await deps.members(group):
                return
    except (Retryable, Permanent) as error:
        why = f"Slack did not say who is in <!subteam^{group}>: {error}. Nothing was done."
        await _refuse(ask, deps, action=action, on=on, outcome="refused: membership unknown")
        raise UserError(why) from error
    await _refuse(ask, deps, action=action, on=on, outcome="refused: not an approver")
    raise UserError(_who_may(place, approvers))


def _who_may(place: Place, approvers: tuple[str, ...]) -> str:
    if not approvers:
        return (
            f"Nobody may approve rollbacks of {place.key}: list Slack user or user-group ids under "
            f"services.{place.service_key}.deployments.{place.environment}.rollback.approvers in the catalog."
        )
    names = ", ".join(f"<!subteam^{a}>" if a.startswith("S") else f"<@{a}>" for a in approvers)
    return f"Only {names} may decide on rollbacks of {place.key}. Nothing was done."


async def _refuse(ask: Ask, deps: Deps, *, action: str, on: str, outcome: str) -> None:
    log.warning("action.refused", extra={"user": ask.user, "action": action, "object": on, "outcome": outcome})
    async with deps.db.begin() as session:
        await audit.record(session, deps.now(), actor=ask.user, action=action, on=on, outcome=outcome)
