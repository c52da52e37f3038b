"""The tasks that a local service starts and must end: kept alive, watched, cancelled together."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

_log: Final = logging.getLogger(__name__)


class Background:
    """A group of tasks that outlives a `with` block: `start` may be called from any coroutine, `stop` ends all."""

    def __init__(self) -> None:
        """Begin empty."""
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> Callable[[], bool]:
        """Run `work` until it ends or `stop` is called; a failure is logged with its traceback. Returns how to cancel."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task.cancel

    async def stop(self) -> None:
        """Cancel what still runs and wait for it."""
        running = [task for task in self._tasks if not task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background_task_failed", exc_info=error, extra={"task": task.get_name()})
