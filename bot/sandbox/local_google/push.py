"""A log sink to Pub/Sub with a push subscription: each audit entry is POSTed until somebody acknowledges it.

At least once: anything but 102, 200, 201, 202 or 204 comes again, with growing pauses; `duplicates` sends each message
twice on purpose. Not imitated: ordering keys, dead letters, retention, flow control beyond a bound on open deliveries.
"""

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final

import aiohttp

from bot.sandbox.local_google.audit import ACTIVITY, SYSTEM_EVENT
from bot.sandbox.local_google.background import Background
from bot.sandbox.local_google.oidc import Signer
from bot.sandbox.local_google.pace import Pace
from bot.sandbox.local_google.wire_json import to_json

ACKNOWLEDGED: Final = frozenset({102, 200, 201, 202, 204})
_AT_ONCE: Final = 20
_EXPORTED: Final = tuple(f"/logs/{log.replace('/', '%2F')}" for log in (ACTIVITY, SYSTEM_EVENT))
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where to push: `name` is `projects/P/subscriptions/S`."""

    name: str
    url: str
    duplicates: bool = False


class Push:
    """The sink and its subscription."""

    def __init__(
        self,
        subscription: Subscription,
        signer: Signer,
        background: Background,
        pace: Pace,
        clock: Callable[[], datetime],
    ) -> None:
        """Nothing is open until the first entry."""
        self.subscription = subscription
        self._signer = signer
        self._background = background
        self._pace = pace
        self._clock = clock
        self._ids = count(10_000_000_000_001)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    def notice(self, entry: Any) -> None:
        """A watcher of the log store: audit entries go out, others do not."""
        if entry.log_name.endswith(_EXPORTED):
            body = self.envelope(entry)
            for _ in range(2 if self.subscription.duplicates else 1):
                self._background.start(self._deliver(body), f"push {body['message']['messageId']}")

    def envelope(self, entry: Any) -> dict[str, Any]:
        """The body of the push."""
        data = json.dumps(to_json(entry), separators=(",", ":")).encode()
        message_id = str(next(self._ids))
        published = self._clock().isoformat().replace("+00:00", "Z")
        return {
            "message": {
                "data": base64.b64encode(data).decode(),
                "messageId": message_id,
                "message_id": message_id,
                "publishTime": published,
                "publish_time": published,
                "attributes": {"logging.googleapis.com/timestamp": entry.timestamp.ToJsonString()},
            },
            "subscription": self.subscription.name,
        }

    async def stop(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _deliver(self, body: dict[str, Any]) -> None:
        pause = self._pace.push_backoff
        while not await self._acknowledged(body):
            await asyncio.sleep(pause.total_seconds())
            pause = min(pause * 2, self._pace.push_backoff_limit)

    async def _acknowledged(self, body: dict[str, Any]) -> bool:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._pace.push_deadline.total_seconds())
            self._session = aiohttp.ClientSession(timeout=timeout)
        headers = {"Authorization": f"Bearer {self._signer.token()}", "User-Agent": "APIs-Google"}
        async with self._slots:
            try:
                async with self._session.post(self.subscription.url, json=body, headers=headers) as answer:
                    return answer.status in ACKNOWLEDGED
            except (aiohttp.ClientError, TimeoutError) as error:
                _log.debug("push_not_delivered", extra={"error": str(error)})
                return False
