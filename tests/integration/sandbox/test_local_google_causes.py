"""The scenarios that look alike at first sight: what they leave in the log, read by Google's own client."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.cloud.logging_v2 import types
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcAsyncIOTransport

from bot.sandbox.local_google import LocalGoogle, Pace
from bot.sandbox.scenarios import SCENARIOS, Stage, Traffic, remember_minutes, set_up

AUTH, BACKEND = "auth-service", "backend-service"
OLD_AUTH, OLD_BACKEND = "auth-service-00281-kzq", "backend-service-00119-mtc"
POSTGRES = 'connection to server at "10.20.0.5", port 5432 failed: Connection refused'
FAST = Pace(
    provision=timedelta(milliseconds=1),
    startup_limit=timedelta(milliseconds=20),
    traffic_shift=timedelta(milliseconds=1),
)


@dataclass
class World:
    google: LocalGoogle
    client: LoggingServiceV2AsyncClient
    told: list[str] = field(default_factory=list)
    tell: Callable[[str], None] = lambda _: None

    async def play(self, name: str, speed: float = 1_000) -> None:
        (scenario,) = [one for one in SCENARIOS if one.name == name]
        stage = Stage(self.google, Traffic(self.google), self._told, speed)
        await scenario.play(stage)

    def _told(self, text: str) -> None:
        self.told.append(text)
        self.tell(text)

    async def find(self, query: str) -> list[types.LogEntry]:
        request = types.ListLogEntriesRequest(
            resource_names=["projects/acme-staging"], filter=query, page_size=1_000, order_by="timestamp asc"
        )
        return [entry async for entry in await self.client.list_log_entries(request)]

    async def requests(self, service: str, since: datetime | None = None) -> list[types.LogEntry]:
        later = f' timestamp>="{since.isoformat()}"' if since else ""
        return await self.find(
            f'log_id("run.googleapis.com/requests") resource.labels.service_name="{service}"' + later
        )

    async def statuses(self, service: str, since: datetime | None = None) -> Counter[tuple[str, int]]:
        """How often which revision answered with which status."""
        return Counter(
            (entry.resource.labels["revision_name"], entry.http_request.status)
            for entry in await self.requests(service, since)
        )

    async def messages(self, service: str, severity: str) -> list[types.LogEntry]:
        found = await self.find(f'resource.labels.service_name="{service}" severity={severity}')
        return [entry for entry in found if entry.json_payload is not None and "message" in entry.json_payload]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    google = LocalGoogle(project="acme-staging", region="us-central1", pace=FAST, seed=7)
    await google.start()
    await set_up(google)
    users = asyncio.create_task(Traffic(google, per_second=80, seed=7).run())
    channel = grpc.aio.insecure_channel(google.grpc_address, options=[("grpc.max_receive_message_length", -1)])
    yield World(google, LoggingServiceV2AsyncClient(transport=LoggingServiceV2GrpcAsyncIOTransport(channel=channel)))
    await channel.close()
    users.cancel()
    await asyncio.gather(users, return_exceptions=True)
    await google.stop()


async def test_an_outage_fails_the_deployed_and_the_undeployed_service_in_words_that_name_the_database(world: World):
    await world.play("innocent-deploy-dependency-outage", speed=60)

    (deployed,) = world.google.serving(AUTH)
    auth, backend = await world.messages(AUTH, "ERROR"), await world.messages(BACKEND, "ERROR")
    assert (await world.statuses(AUTH))[deployed, 500] > 5
    assert (await world.statuses(BACKEND))[OLD_BACKEND, 500] > 5
    assert world.google.revisions(BACKEND)[-1] == OLD_BACKEND
    assert any(POSTGRES in entry.json_payload["message"] for entry in auth)
    assert all(POSTGRES in entry.json_payload["message"] for entry in backend)


async def test_the_innocent_revision_answers_well_before_the_outage_and_after_it(world: World):
    await world.play("innocent-deploy-dependency-outage", speed=60)
    over = datetime.now(UTC) + timedelta(milliseconds=200)  # those under way have ended
    await asyncio.sleep(0.5)

    (deployed,) = world.google.serving(AUTH)
    failed = [e for e in await world.requests(AUTH) if e.http_request.status >= 500]
    before = [e for e in await world.requests(AUTH) if e.timestamp < failed[0].timestamp]
    after = await world.statuses(AUTH, over)
    assert sum(e.resource.labels["revision_name"] == deployed for e in before) > 5
    assert after[deployed, 200] > 5
    assert not any(status >= 500 for _, status in after)


async def test_a_canary_gets_a_tenth_and_fails_alone_with_its_own_exception(world: World):
    await world.play("bad-canary")
    (canary,) = set(world.google.serving(AUTH)) - {OLD_AUTH}
    since = datetime.now(UTC)
    seen = await world.statuses(AUTH, since)
    while seen.total() < 200:
        await asyncio.sleep(0.2)
        seen = await world.statuses(AUTH, since)

    by_canary = sum(count for (revision, _), count in seen.items() if revision == canary)
    printed = await world.find(f'log_id("run.googleapis.com/stderr") resource.labels.revision_name="{canary}"')
    assert world.google.serving(AUTH) == {OLD_AUTH: 90, canary: 10}
    assert 0.03 < by_canary / seen.total() < 0.25
    assert seen[canary, 500] > 0
    assert seen[OLD_AUTH, 200] > 50
    assert not any(revision == OLD_AUTH and status >= 500 for revision, status in seen)
    assert "KeyError: '2025-11'" in [entry.text_payload for entry in printed]


async def test_a_guilty_callee_answers_200_while_its_caller_fails_in_the_same_trace(world: World):
    await world.play("guilty-callee")
    (guilty,) = world.google.serving(BACKEND)
    await asyncio.sleep(0.5)

    failed = {entry.trace: entry for entry in await world.messages(AUTH, "ERROR")}
    hints = {entry.trace for entry in await world.messages(BACKEND, "WARNING")}
    asked = {
        entry.trace: entry.resource.labels["revision_name"]
        for entry in await world.requests(BACKEND)
        if entry.http_request.request_url.endswith("/internal/profile")
    }
    assert len(failed) > 5
    assert all(entry.json_payload["message"].endswith("KeyError: 'plan'") for entry in failed.values())
    assert {asked[trace] for trace in failed} == {guilty}
    assert failed.keys() <= hints
    assert {status for _, status in await world.statuses(BACKEND)} == {200}
    assert (await world.statuses(AUTH))[OLD_AUTH, 500] > 5


@pytest.mark.parametrize("left", ["bad-canary", "guilty-callee", "innocent-deploy-dependency-outage"])
async def test_the_next_scenario_finds_nothing_of_the_last(world: World, left: str):
    await world.play(left)
    await world.play("healthy")
    since = datetime.now(UTC) + timedelta(milliseconds=200)
    await asyncio.sleep(0.5)

    both = await world.statuses(AUTH, since) + await world.statuses(BACKEND, since)
    assert list(world.google.serving(AUTH).values()) == [100]
    assert world.google.serving(BACKEND) == {OLD_BACKEND: 100}
    assert both.total() > 20
    assert not any(status >= 500 for _, status in both)


async def test_a_scenario_that_is_given_up_in_the_outage_leaves_the_database_up(world: World):
    down = asyncio.Event()
    world.tell = lambda text: down.set() if "refuses connections" in text else None
    playing = asyncio.create_task(world.play("innocent-deploy-dependency-outage", speed=60))
    await asyncio.wait_for(down.wait(), 5)
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)

    assert world.google.dependencies.answers("postgres")


@pytest.mark.parametrize("after", ["bad-canary", "innocent-deploy-dependency-outage", "guilty-callee"])
async def test_a_story_about_innocence_begins_with_a_healthy_service(world: World, after: str):
    await world.play("bad-release")
    bad = next(iter(world.google.serving(AUTH)))

    await world.play(after)

    assert bad not in world.google.serving(AUTH)


async def test_the_minutes_before_the_start_are_in_the_request_log_with_their_traces():
    google = LocalGoogle(project="acme-staging", region="us-central1", pace=FAST, seed=7)
    await google.start()
    await set_up(google)

    began = datetime.now(UTC)
    remember_minutes(google, minutes=3, per_second=4, seed=7)
    entries = list(google.logs.entries("acme-staging"))
    await google.stop()

    moments = [entry.timestamp.ToDatetime(UTC) for entry in entries]
    of_auth = {entry.trace for entry in entries if entry.resource.labels["service_name"] == AUTH}
    inner = {entry.trace for entry in entries if entry.http_request.request_url.endswith("/internal/profile")}
    by_minute = Counter(int((began - moment) / timedelta(minutes=1)) for moment in moments)
    assert moments == sorted(moments)
    assert set(by_minute) == {0, 1, 2}
    assert min(by_minute.values()) > 600  # three services, 240 each, less chance
    assert inner
    assert len(inner - of_auth) <= 1  # the last one may have been answered only after the start
    assert {entry.http_request.status for entry in entries} <= {200, 401}
    assert all(entry.receive_timestamp.ToDatetime(UTC) > entry.timestamp.ToDatetime(UTC) for entry in entries)
