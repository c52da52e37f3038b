"""The users: how many requests they make, and what they do when nobody answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from bot.sandbox.scenarios import Traffic

BOUND = 12


@dataclass
class Services:
    """Stands where the local Google stands: one server plays all services and remembers what it was asked."""

    answers: asyncio.Event = field(default_factory=asyncio.Event)
    uris: dict[str, str] = field(default_factory=dict)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    agents: dict[str, set[str]] = field(default_factory=dict)

    def services(self) -> list[str]:
        return list(self.uris)

    def uri(self, service: str) -> str:
        return self.uris[service]

    async def answer(self, request: web.Request) -> web.Response:
        self.asked[request.method, request.path] += 1
        self.agents.setdefault(request.path, set()).add(request.headers["User-Agent"])
        await self.answers.wait()
        return web.Response()

    @asynccontextmanager
    async def used(self, per_second: float) -> AsyncIterator[None]:
        users = asyncio.create_task(Traffic(self, per_second=per_second, seed=7).run())
        yield
        users.cancel()
        await asyncio.gather(users, return_exceptions=True)


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    made = Services()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.uris["auth-service"] = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    made.answers.set()
    await runner.cleanup()


async def test_unanswered_requests_are_few_and_do_not_pile_up_behind_them(services: Services):
    async with services.used(per_second=200):
        await asyncio.sleep(0.4)
        unanswered = services.asked.total()
        services.answers.set()
        await asyncio.sleep(0.1)

    assert unanswered == BOUND
    assert BOUND < services.asked.total() < 4 * BOUND  # 80 people wanted to ask meanwhile


async def test_a_service_is_used_as_its_people_use_it_and_probed_by_a_machine(services: Services):
    services.answers.set()

    async with services.used(per_second=1_000):
        await asyncio.sleep(0.3)

    assert {("POST", "/login"), ("GET", "/session"), ("GET", "/health")} <= set(services.asked)
    assert all(agent.startswith(("Mozilla", "acme-mobile")) for agent in services.agents["/session"])
    assert len(services.agents["/health"]) == 1


async def test_a_service_that_is_gone_does_not_end_the_others_traffic(services: Services):
    services.answers.set()
    services.uris["backend-service"] = "http://127.0.0.1:9"  # the discard port: nobody listens

    async with services.used(per_second=500):
        await asyncio.sleep(0.2)

    assert services.asked.total() > BOUND
