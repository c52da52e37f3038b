"""`/reliability rerun <suite> [collect|failed|all] [ref]`: have a suite's tests collected or run again."""

from __future__ import annotations

from typing import NamedTuple

from bot.workflows.rerun_requests import wanted
from commands.command import Ask, Command, Desk, Reply
from commands.reruns import ask_for


class Args(NamedTuple):
    suite: str
    what: str = "collect"
    ref: str = ""


async def run(ask: Ask, args: Args, desk: Desk) -> Reply:
    what = wanted(desk.deps, args.suite, args.what, args.ref)
    answer, _ = await ask_for(ask, what, desk)
    return answer


COMMAND = Command(
    "rerun", "Collect a suite's tests again, or run them; what: `collect` (default), `failed` or `all`", Args, run
)
