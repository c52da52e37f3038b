"""One way to run an effect: named, logged before and after, checkpointed by DBOS."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from dbos import DBOS

from bot.errors import Retryable

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)


async def step(name: str, func: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `func` as a step: after a crash its recorded result is used and it is not run again.

    A crash between the effect and the record runs it twice: `func` must be idempotent.
    `Retryable` is tried again with growing pauses (1 s, 2 s, 4 s … five times), then raised.
    """

    async def logged(*args: P.args, **kwargs: P.kwargs) -> R:
        log.info("step.begun", extra={"step": name})
        result = await func(*args, **kwargs)
        log.info("step.done", extra={"step": name})
        return result

    return await DBOS.run_step_async(
        {
            "name": name,
            "retries_allowed": True,
            "max_attempts": 6,
            "interval_seconds": 1.0,
            "backoff_rate": 2.0,
            "should_retry": lambda error: isinstance(error, Retryable),
        },
        logged,
        *args,
        **kwargs,
    )
