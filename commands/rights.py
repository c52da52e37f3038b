"""Who may do what. Acting fails closed: nobody listed = nobody, Slack not answering = not now."""

from __future__ import annotations

import logging

from bot.deps import Deps
from bot.errors import Permanent, Retryable, UserError
from bot.model.catalog import Catalog, Place, Suite
from bot.model.rerun import RerunMode
from bot.store import audit
from bot.workflows.test_runs import channel_of
from commands.command import Ask

log = logging.getLogger(__name__)


async def must_be_approver(ask: Ask, place: Place, deps: Deps, *, action: str, on: str) -> None:
    """Return when the person may approve or reject rollbacks of this place.

    Raises:
        UserError: they may not, or it cannot be found out now; the refusal is logged and in the audit trail.
    """
    approvers = place.deployment.rollback.approvers
    if not await _is_one_of(ask, approvers, deps, action=action, on=on):
        await _refuse(ask, deps, action=action, on=on, outcome="refused: not an approver")
        raise UserError(_who_may(place, approvers))


async def may_rerun(ask: Ask, suite_key: str, suite: Suite, mode: RerunMode, deps: Deps) -> None:
    """Return when the person may have this suite run again.

    With `rerun: {who: …}` in the catalog it is those who are listed, whatever the mode. Without it everybody in one of
    the bot's channels may have tests *collected*, which runs none of them; running them is for those who may approve
    rollbacks of a service that lists the suite.

    Raises:
        UserError: they may not, or it cannot be found out now; the refusal is logged and in the audit trail.
    """
    listed = suite.rerun.who
    if not listed:
        if mode is RerunMode.COLLECT and ask.channel in _channels(deps.catalog):
            return
        services = deps.catalog.services_with(suite_key)
        places = [place for service in services for place in service.deployments.values()]
        listed = tuple(dict.fromkeys(person for place in places for person in place.rollback.approvers))
    action = f"rerun {mode}"
    if await _is_one_of(ask, listed, deps, action=action, on=suite_key):
        return
    await _refuse(ask, deps, action=action, on=suite_key, outcome="refused: not listed")
    if mode is RerunMode.COLLECT and not suite.rerun.who:
        where = channel_of(deps.catalog, suite_key)
        raise UserError(f"Ask in one of my channels, such as <#{where}>: what is found is for everybody there.")
    if not listed:
        raise UserError(
            f"Nobody may run the tests of `{suite_key}`: list Slack user or user-group ids under suites.{suite_key}.rerun.who "
            "in the catalog."
        )
    raise UserError(f"Only {_names(listed)} may have `{suite_key}` run again ({mode}). Nothing was started.")


def _channels(catalog: Catalog) -> set[str]:
    return {
        *(service.channel for service in catalog.services.values()),
        *(suite.channel for suite in catalog.suites.values() if suite.channel is not None),
    }


async def _is_one_of(ask: Ask, listed: tuple[str, ...], deps: Deps, *, action: str, on: str) -> bool:
    """Whether the person is listed, by themselves or in a group.

    Raises:
        UserError: Slack does not say who is in a group.
    """
    if ask.user in listed:
        return True
    groups = [person for person in listed if person.startswith("S")]
    try:
        for group in groups:
            if ask.user in await deps.members(group):
                return True
    except (Retryable, Permanent) as error:
        why = f"Slack did not say who is in <!subteam^{group}>: {error}. Nothing was done."
        await _refuse(ask, deps, action=action, on=on, outcome="refused: membership unknown")
        raise UserError(why) from error
    return False


def _who_may(place: Place, approvers: tuple[str, ...]) -> str:
    if not approvers:
        return (
            f"Nobody may approve rollbacks of {place.key}: list Slack user or user-group ids under "
            f"services.{place.service_key}.deployments.{place.environment}.rollback.approvers in the catalog."
        )
    return f"Only {_names(approvers)} may decide on rollbacks of {place.key}. Nothing was done."


def _names(people: tuple[str, ...]) -> str:
    return ", ".join(f"<!subteam^{each}>" if each.startswith("S") else f"<@{each}>" for each in people)


async def _refuse(ask: Ask, deps: Deps, *, action: str, on: str, outcome: str) -> None:
    log.warning("action.refused", extra={"user": ask.user, "action": action, "object": on, "outcome": outcome})
    async with deps.db.begin() as session:
        await audit.record(session, deps.now(), actor=ask.user, action=action, on=on, outcome=outcome)
