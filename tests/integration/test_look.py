"""One look at a deployment: what the books say afterwards. Google's real clients on a local Google Cloud."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import grpc
import pytest
from support.desk import desk, local_google
from support.values import place

from bot.deps import Deps
from bot.model.event import DeployEvent, EventKind
from bot.model.incident import Incident, IncidentState, PlanState
from bot.model.judgement import Health, IncidentKind
from bot.sandbox.local_google import LocalGoogle
from bot.sandbox.local_google.history import Past
from bot.sandbox.local_google.image import Failure, Image, Line
from bot.store import incidents, messages, places
from bot.store.database import Database
from bot.store.inbox import DatabaseInbox
from bot.workflows.look import Looker

SERVICE, OLD = "auth-service", "auth-service-00281-kzq"
BROKEN, DEAF = "registry.example/auth:broken", "registry.example/auth:deaf"
TRACEBACK = (
    Line("Traceback (most recent call last):"),
    Line('  File "/app/app/main.py", line 7, in login'),
    Line("    from app.services import monitoring"),
    Line("ModuleNotFoundError: No module named 'app.services.monitoring'"),
)


@pytest.fixture
async def google() -> AsyncIterator[LocalGoogle]:
    async with local_google() as cloud:
        cloud.images[BROKEN] = Image(fail_ratio=1.0, failure=Failure(500, lines=TRACEBACK))
        cloud.images[DEAF] = Image(port=8081)
        week_ago = datetime.now(UTC) - timedelta(days=6)
        await cloud.remember(SERVICE, Past(281, "kzq", week_ago, "dana@acme.example", "registry.example/auth:281"))
        yield cloud


@pytest.fixture
async def deps(db: Database, google: LocalGoogle) -> AsyncIterator[Deps]:
    async with desk(db, google) as it:
        yield it


async def visit(google: LocalGoogle, times: int = 12) -> None:
    async with aiohttp.ClientSession() as http:
        for _ in range(times):
            async with http.post(f"{google.uri(SERVICE)}/login") as response:
                await response.read()


async def deploy(google: LocalGoogle, image: str, traffic: str = "latest", **more) -> str:
    return await google.deploy(SERVICE, image=image, by="dana@acme.example", traffic=traffic, wait=True, **more)


async def look(deps: Deps) -> dict[IncidentKind, Incident]:
    await Looker(deps).look(place())
    async with deps.db.read() as session:
        return await incidents.open_at(session, "auth/staging")


async def test_a_failing_revision_opens_one_incident_with_cause_credit_impact_and_a_plan(
    google: LocalGoogle, deps: Deps
) -> None:
    await look(deps)
    failing = await deploy(google, BROKEN, labels={"commit-sha": "a1b2c3d4"})
    await visit(google)

    found = (await look(deps))[IncidentKind.SERVING_FAILURE]
    again = (await look(deps))[IncidentKind.SERVING_FAILURE]

    assert [(r.name, r.commit, r.author) for r in found.revisions] == [(failing, "a1b2c3d4", "dana@acme.example")]
    assert found.diagnosis is not None
    assert found.diagnosis.code == "missing_module"
    assert found.impact is not None
    assert found.impact.arr_at_risk is not None
    assert found.plan is not None
    assert (found.plan.before.serving, found.plan.after.serving) == ({failing: 100}, {OLD: 100})
    assert again.id == found.id
    async with deps.db.read() as session:
        assert [row.id for row in await messages.due(session, deps.now())] == [found.id]


async def test_a_revision_without_traffic_is_not_judged_as_serving(google: LocalGoogle, deps: Deps) -> None:
    await deploy(google, BROKEN, traffic="none")
    await visit(google)

    assert await look(deps) == {}


async def test_a_revision_that_never_listens_blocks_deploys_while_the_old_one_serves(
    google: LocalGoogle, deps: Deps
) -> None:
    failed = [await deploy(google, DEAF) for _ in range(3)]

    found = (await look(deps))[IncidentKind.DEPLOY_BLOCKED]

    assert {r.name for r in found.revisions} == set(failed)
    assert (found.failed_attempts, found.attempts) == (3, 3)
    assert found.serving.serving == {OLD: 100}
    assert found.plan is None
    assert "not needed" in found.no_plan
    assert found.diagnosis is not None
    assert found.diagnosis.code == "port_mismatch"
    assert found.impact is not None
    assert not found.impact.now


async def test_a_later_ready_revision_ends_a_blocked_deploy(google: LocalGoogle, deps: Deps) -> None:
    await deploy(google, DEAF)
    blocked = (await look(deps))[IncidentKind.DEPLOY_BLOCKED]
    await deploy(google, "registry.example/auth:fixed")

    assert await look(deps) == {}

    async with deps.db.read() as session:
        ended = await incidents.read(session, blocked.id)
    assert ended is not None
    assert ended.state is IncidentState.RESOLVED
    assert "deploys work again" in ended.resolution


async def test_logging_that_does_not_answer_is_a_gap_and_an_error_never_healthy(
    google: LocalGoogle, deps: Deps
) -> None:
    google.fail("ListLogEntries", grpc.StatusCode.UNAVAILABLE)

    await look(deps)

    async with deps.db.read() as session:
        seen = (await places.last_looks(session))["auth/staging"]
    serving = next(v for v in seen.verdicts if v.kind is IncidentKind.SERVING_FAILURE)
    assert serving.health is Health.ERROR
    assert seen.gaps[0].source == "Cloud Logging"


async def test_an_incident_survives_a_cloud_run_that_does_not_answer(google: LocalGoogle, deps: Deps) -> None:
    await deploy(google, BROKEN)
    await visit(google)
    before = (await look(deps))[IncidentKind.SERVING_FAILURE]
    google.fail("GetService", grpc.StatusCode.UNAVAILABLE)

    after = (await look(deps))[IncidentKind.SERVING_FAILURE]

    assert (after.id, after.state, after.diagnosis, after.plan) == (
        before.id,
        before.state,
        before.diagnosis,
        before.plan,
    )
    assert [gap.source for gap in after.gaps] == ["Cloud Run"]


async def test_traffic_moved_by_hand_withdraws_the_plan_and_a_healthy_service_ends_the_incident(
    google: LocalGoogle, deps: Deps
) -> None:
    await deploy(google, BROKEN)
    await visit(google)
    before = (await look(deps))[IncidentKind.SERVING_FAILURE]
    await google.set_traffic(SERVICE, {OLD: 100}, by="dana@acme.example", wait=True)
    await visit(google, 25)

    assert await look(deps) == {}

    async with deps.db.read() as session:
        ended = await incidents.read(session, before.id)
    assert ended is not None
    assert ended.plan is not None
    assert ended.plan.state is PlanState.WITHDRAWN
    assert ended.state is IncidentState.RESOLVED


async def test_a_second_failing_revision_joins_the_incident_and_the_plan_follows(
    google: LocalGoogle, deps: Deps
) -> None:
    first = await deploy(google, BROKEN)
    await visit(google)
    before = (await look(deps))[IncidentKind.SERVING_FAILURE]
    second = await deploy(google, BROKEN, env={"RETRY": "1"})
    await visit(google)

    after = (await look(deps))[IncidentKind.SERVING_FAILURE]

    assert after.id == before.id
    assert [r.name for r in after.revisions] == [second, first]
    assert after.plan is not None
    assert after.plan.before.serving == {second: 100}
    assert after.plan.after.serving == {OLD: 100}


async def test_an_open_card_says_that_logging_does_not_answer_and_later_that_it_does(
    google: LocalGoogle, deps: Deps
) -> None:
    await deploy(google, BROKEN)
    await visit(google)
    before = (await look(deps))[IncidentKind.SERVING_FAILURE]
    google.fail("ListLogEntries", grpc.StatusCode.UNAVAILABLE)

    blind = (await look(deps))[IncidentKind.SERVING_FAILURE]
    google.heal()
    await visit(google)
    seeing = (await look(deps))[IncidentKind.SERVING_FAILURE]

    assert before.gaps == ()
    assert [gap.source for gap in blind.gaps] == ["Cloud Logging"]
    assert blind.diagnosis == before.diagnosis
    assert seeing.gaps == ()


async def test_a_deploy_that_cannot_be_judged_is_told_once_in_its_channel(google: LocalGoogle, deps: Deps) -> None:
    box = DatabaseInbox(deps.db, deps.catalog, deps.now)
    told = DeployEvent(
        "e1", "webhook", EventKind.DEPLOY, "acme-staging", "us-central1", SERVICE, None, deps.now(), deps.now()
    )
    await box.take("webhook", "e1", b"{}", [told])
    google.fail("ListLogEntries", grpc.StatusCode.UNAVAILABLE)
    await look(deps)
    later = replace(deps, now=lambda: datetime.now(UTC) + timedelta(seconds=30))

    await look(later)
    await look(later)

    async with deps.db.read() as session:
        (row,) = await messages.due(session, later.now())
    assert row.template == "deploy/blind"
    assert "Cloud Logging" in row.context


async def test_the_revision_that_served_before_is_the_one_that_was_seen_serving(
    google: LocalGoogle, deps: Deps
) -> None:
    await look(deps)
    await deploy(google, "registry.example/auth:unused", traffic="none")
    await deploy(google, BROKEN)
    await visit(google)

    found = (await look(deps))[IncidentKind.SERVING_FAILURE]

    assert found.previous_good == OLD


async def test_a_service_with_little_traffic_ends_its_incident_by_all_requests_since_it_failed(
    google: LocalGoogle, deps: Deps
) -> None:
    await deploy(google, BROKEN)
    await visit(google)
    before = (await look(deps))[IncidentKind.SERVING_FAILURE]
    await google.set_traffic(SERVICE, {OLD: 100}, by="dana@acme.example", wait=True)
    await visit(google, 10)
    minutes_later = replace(deps, now=lambda: datetime.now(UTC) + timedelta(minutes=2))

    assert list(await look(minutes_later)) == [IncidentKind.SERVING_FAILURE]  # 10 requests are too few
    await visit(google, 15)
    assert await look(minutes_later) == {}

    async with deps.db.read() as session:
        ended = await incidents.read(session, before.id)
    assert ended is not None
    assert ended.state is IncidentState.RESOLVED
