"""The line to the app: over an open Socket Mode connection if there is one, else signed HTTP to its request URL.

Events are sent again up to three times, as Slack does; commands and clicks are not.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, Literal

from bot.sandbox.local_slack.http_delivery import HttpDelivery
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.parcels import NotDelivered, Parcel, Retry
from bot.sandbox.local_slack.socket_mode import SocketMode

logger = logging.getLogger(__name__)

# Nearly at once, after a minute, after five.
RETRY_AFTER: Final = (timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=5))

Connected = Literal["socket", "http"]


class AppLine:
    def __init__(
        self,
        socket: SocketMode,
        http: HttpDelivery,
        *,
        request_url: str | None,
        retry_after: tuple[timedelta, ...] = RETRY_AFTER,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Build the line.

        Args:
            retry_after: the pauses before an event is sent again.
            changed: called when HTTP begins or ceases to find somebody; connections tell of themselves.
        """
        self.socket = socket
        self.http = http
        self.request_url = request_url
        self.retry_after = retry_after
        self._changed = changed
        self._http_failed = False
        self._errands: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> Connected | None:
        """How the app is reached; None when there is no way or the last HTTP delivery found nobody."""
        if self.socket.connections:
            return "socket"
        return "http" if self.request_url and not self._http_failed else None

    async def deliver(self, parcel: Parcel) -> Json | None:
        """Deliver once; the payload of the acknowledgement. Raises NotDelivered."""
        if self.socket.connections or not self.request_url:
            return await self.socket.send(parcel)
        failed_before, self._http_failed = self._http_failed, False
        try:
            return await self.http.send(self.request_url, parcel)
        except NotDelivered as failed:
            self._http_failed = failed.reason == "connection_failed"
            raise
        finally:
            if self._http_failed != failed_before:
                self._changed()

    def send_event(self, parcel: Parcel) -> None:
        """Deliver in the background, again and again if need be."""
        self._run_errand(self._deliver(parcel, self.retry_after))

    def send_once(self, parcel: Parcel) -> None:
        """Deliver in the background, once: nobody waits for it and nobody is told if it fails."""
        self._run_errand(self._deliver(parcel, ()))

    def _run_errand(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._finished)

    async def settle(self) -> None:
        """Wait until nothing is under way; for tests."""
        while self._errands:
            await asyncio.wait(tuple(self._errands))

    async def close(self) -> None:
        for errand in tuple(self._errands):
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)
        await self.socket.disconnect("link_disabled")
        await self.http.close()

    async def _deliver(self, parcel: Parcel, retry_after: tuple[timedelta, ...]) -> None:
        for number, pause in enumerate((*retry_after, None), start=1):
            try:
                await self.deliver(parcel)
            except NotDelivered as failed:
                logger.info("delivery.failed", extra={"reason": failed.reason, "attempt": number})
                if pause is None or not failed.again:
                    return
                await asyncio.sleep(pause.total_seconds())
                parcel = replace(parcel, retry=Retry(number, failed.reason))
            else:
                return

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        if not task.cancelled() and task.exception():
            logger.error("errand.failed", exc_info=task.exception())
