"""One way to run an effect: named, logged before and after, checkpointed by DBOS."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from dbos import DBOS
from dbos import error as dbos_error
from sqlalchemy.exc import InterfaceError, OperationalError

from bot.errors import Retryable

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)

MAY_PASS = (Retryable, OperationalError, InterfaceError)
"""Google is busy, or the database is restarting: the same step may succeed in a moment."""


async def step(name: str, func: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `func` as a step: after a crash its recorded result is used and it is not run again.

    A crash between the effect and the record runs it twice: `func` must be idempotent.
    What may pass is tried again with growing pauses (1 s, 2 s, 4 s … five times), then raised as it is.
    """

    async def logged(*args: P.args, **kwargs: P.kwargs) -> R:
        log.debug("step.begun", extra={"step": name})
        result = await func(*args, **kwargs)
        log.debug("step.done", extra={"step": name})
        return result

    try:
        return await DBOS.run_step_async(
            {
                "name": name,
                "retries_allowed": True,
                "max_attempts": 6,
                "interval_seconds": 1.0,
                "backoff_rate": 2.0,
                "should_retry": lambda error: isinstance(error, MAY_PASS),
            },
            logged,
            *args,
            **kwargs,
        )
    except dbos_error.DBOSMaxStepRetriesExceeded as exhausted:
        raise exhausted.errors[-1] from exhausted
