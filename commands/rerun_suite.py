"""The button *Rerun* on the card of a suite's alarm. Its value is `<suite>:<alarm id>:<mode>`."""

from __future__ import annotations

from bot.errors import UserError
from bot.workflows.rerun_requests import wanted
from commands.command import Action, Ask, Desk, Reply
from commands.reruns import ask_for


async def run(ask: Ask, value: str, desk: Desk) -> Reply | None:
    """The rerun's own message, in the card's thread, is the answer; only a second press gets one of its own."""
    suite, _, rest = value.partition(":")
    alarm, _, mode = rest.rpartition(":")
    if not suite or not alarm:
        raise UserError("I do not know this button any more: use `/reliability rerun`.")
    answer, is_new = await ask_for(ask, wanted(desk.deps, suite, mode, alarm=alarm), desk)
    return None if is_new else answer


ACTION = Action("rerun_suite", run)
