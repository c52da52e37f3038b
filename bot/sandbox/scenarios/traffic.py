"""The users: a steady stream of real HTTP requests to every service, like the golden path's.

Requests come at random moments around a rate; too many unanswered ones are not piled up but skipped, as a load balancer
with a limit would. Not imitated: sessions that depend on each other, retries by browsers, daily rhythm.
"""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from bot.sandbox.local_google import LocalGoogle

PER_SECOND: Final = 10.0
_AT_ONCE: Final = 12  # per service
_DEADLINE: Final = aiohttp.ClientTimeout(total=10)

USER_AGENTS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    "acme-mobile/4.12.1 (Android 14; Pixel 8) okhttp/4.12.0",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One kind of request and how often it is made in relation to the others."""

    method: str
    path: str
    weight: int
    agent: str = ""  # "" = one of the people's browsers


UPTIME_CHECK: Final = Ask(
    "GET", "/health", 1, "GoogleStackdriverMonitoring-UptimeChecks(https://cloud.google.com/monitoring)"
)
DEFAULT_ASKS: Final = (Ask("GET", "/", 8), UPTIME_CHECK)
ASKS: Final[Mapping[str, tuple[Ask, ...]]] = {
    "auth-service": (
        Ask("POST", "/login", 4),
        Ask("GET", "/session", 6),
        Ask("POST", "/token/refresh", 2),
        Ask("GET", "/.well-known/jwks.json", 1),
        UPTIME_CHECK,
    ),
    "backend-service": (
        Ask("POST", "/api/answers", 5),
        Ask("GET", "/api/conversations", 4),
        Ask("GET", "/api/profile", 2),
        UPTIME_CHECK,
    ),
    "websocket-service": (Ask("GET", "/ws/ticket", 3), Ask("GET", "/ws/poll", 5), UPTIME_CHECK),
}


def person(ask: Ask, chance: random.Random) -> tuple[str, str]:
    """Who asks: user agent and address."""
    return ask.agent or chance.choice(USER_AGENTS), f"198.51.100.{chance.randint(1, 254)}"


class Traffic:
    """Users of the services that exist when it starts; `run` until cancelled."""

    def __init__(self, google: LocalGoogle, *, per_second: float = PER_SECOND, seed: int | None = None) -> None:
        """Nobody asks anything yet.

        Args:
            google: whose services are used.
            per_second: requests to each service.
            seed: makes the order of requests repeatable.
        """
        self._google = google
        self._per_second = per_second
        self._chance = random.Random(seed)  # noqa: S311 - believable, not secret

    async def run(self) -> None:
        """Ask until cancelled."""
        async with (
            aiohttp.ClientSession(timeout=_DEADLINE, cookie_jar=aiohttp.DummyCookieJar()) as http,
            asyncio.TaskGroup() as users,
        ):
            for service in self._google.services():
                users.create_task(self._use(service, http, users), name=f"users of {service}")

    async def _use(self, service: str, http: aiohttp.ClientSession, users: asyncio.TaskGroup) -> None:
        uri, asks = self._google.uri(service), ASKS.get(service, DEFAULT_ASKS)
        open_requests = asyncio.Semaphore(_AT_ONCE)
        while True:
            await asyncio.sleep(self._chance.expovariate(self._per_second))
            if not open_requests.locked():
                ask = self._chance.choices(asks, [one.weight for one in asks])[0]
                users.create_task(self._ask(http, uri, ask, open_requests))

    async def _ask(self, http: aiohttp.ClientSession, uri: str, ask: Ask, open_requests: asyncio.Semaphore) -> None:
        agent, address = person(ask, self._chance)
        headers = {"User-Agent": agent, "X-Forwarded-For": address}
        async with open_requests:
            try:
                async with http.request(ask.method, uri + ask.path, headers=headers) as answer:
                    await answer.read()
            except (aiohttp.ClientError, TimeoutError):
                return  # a user sees an error page and goes on; the request log knows more
