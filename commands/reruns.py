"""What the slash subcommand and the button of a rerun share: check the right, decide who is first, start it."""

from __future__ import annotations

from bot.workflows.rerun_requests import Wanted, request
from commands.command import Ask, Desk, Reply
from commands.rights import may_rerun


async def ask_for(ask: Ask, what: Wanted, desk: Desk) -> tuple[Reply, bool]:
    """(answer, whether it was started): somebody may have been faster."""
    await may_rerun(ask, what.suite_key, what.suite, what.mode, desk.deps)
    rerun, is_new = await request(desk.deps, what, ask.user)
    if is_new:
        await desk.start_rerun(rerun.id)
    context = {"rerun": rerun, "is_new": is_new, "channel": rerun.channel, "here": ask.channel}
    return Reply("reply/rerun", context), is_new
