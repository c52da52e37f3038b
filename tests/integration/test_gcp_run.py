"""The real Cloud Run client reads the local Google over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from bot.errors import Permanent, Retryable
from bot.gcp.clients import Clients, open_clients
from bot.gcp.config import GoogleConfig
from bot.gcp.run import MAX_REVISIONS, read_service
from bot.model.catalog import Deployment, Detection, Place, Service
from bot.model.cloud_run import TrafficSplit, TrafficTarget
from bot.sandbox.local_google import Image, LocalGoogle, Pace, Past

PROJECT, REGION, NAME = "acme-staging", "us-central1", "auth-service"
DEPLOYED = datetime(2025, 9, 8, 9, 0, tzinfo=UTC)
FAST = Pace(
    provision=timedelta(milliseconds=1),
    startup_limit=timedelta(milliseconds=30),
    traffic_shift=timedelta(milliseconds=1),
)


@pytest.fixture
async def google() -> AsyncIterator[LocalGoogle]:
    local = LocalGoogle(project=PROJECT, region=REGION, pace=FAST, seed=1)
    await local.start()
    await local.remember(
        NAME,
        Past(280, "old", DEPLOYED - timedelta(days=7), "dana@acme.example", "acme/auth:280"),
        Past(
            281,
            "kzq",
            DEPLOYED,
            "dana@acme.example",
            "acme/auth:281",
            {"commit-sha": "a1b2c3d"},
            {"ENVIRONMENT": "staging"},
        ),
    )
    yield local
    await local.stop()


@pytest.fixture
async def clients(google: LocalGoogle) -> AsyncIterator[Clients]:
    opened = await open_clients(GoogleConfig(endpoint=google.grpc_address, timeout=timedelta(milliseconds=600)))
    yield opened
    await opened.close()


def place_of(cloud_run: str = NAME) -> Place:
    deployment = Deployment(PROJECT, REGION, cloud_run)
    return Place("auth", "staging", Service(1, "C0", {"staging": deployment}), deployment, Detection())


async def test_a_service_is_read_with_its_revisions_newest_first(clients: Clients):
    state = await read_service(clients, place_of())

    assert (state.name, state.latest_created, state.latest_ready) == (NAME, f"{NAME}-00281-kzq", f"{NAME}-00281-kzq")
    assert state.wish == TrafficSplit((TrafficTarget(None, 100),))
    assert state.fact == TrafficSplit((TrafficTarget(f"{NAME}-00281-kzq", 100),))
    assert not state.reconciling
    assert not state.failed
    assert [r.name for r in state.revisions] == [f"{NAME}-00281-kzq", f"{NAME}-00280-old"]


async def test_a_revision_tells_what_runs_in_it_and_since_when(clients: Clients):
    state = await read_service(clients, place_of())

    revision = state.revision(f"{NAME}-00281-kzq")
    assert revision is not None
    assert revision.ready is True
    assert revision.ready_at == DEPLOYED
    assert revision.created_at == DEPLOYED
    assert revision.port == 8080
    assert revision.env_names == ("ENVIRONMENT",)
    assert revision.labels["commit-sha"] == "a1b2c3d"
    assert revision.creator == "dana@acme.example"
    assert revision.image.startswith("acme/auth")


async def test_a_revision_that_never_listens_is_not_ready_and_says_why(google: LocalGoogle, clients: Clients):
    google.images["acme/auth:282"] = Image(port=8081, startup_seconds=0.001)
    name = await google.deploy(NAME, image="acme/auth:282", by="dana@acme.example", wait=True)

    state = await read_service(clients, place_of())

    revision = state.revision(name)
    assert revision is not None
    assert revision.ready is False
    assert revision.reason == "HEALTH_CHECK_CONTAINER_ERROR"
    assert "PORT=8080" in revision.message
    assert state.failed
    assert state.latest_created == name
    assert str(state.fact) == f"{NAME}-00281-kzq 100 %"


async def test_a_serving_revision_older_than_the_newest_page_is_there_all_the_same(
    google: LocalGoogle, clients: Clients
):
    await google.set_traffic(NAME, {f"{NAME}-00280-old": 100}, by="dana@acme.example", wait=True)
    await google.remember(
        "busy-service",
        *(
            Past(n, "abc", DEPLOYED + timedelta(minutes=n), "dana@acme.example", "acme/busy", failed=n > 2)
            for n in range(1, 60)
        ),
    )

    state = await read_service(clients, place_of("busy-service"))
    wanted = await read_service(clients, place_of("busy-service"), also=["busy-service-00001-abc"])

    assert len(state.revisions) == MAX_REVISIONS + 1
    assert state.revision("busy-service-00002-abc") is not None
    assert state.revision("busy-service-00001-abc") is None
    assert wanted.revision("busy-service-00001-abc") is not None


async def test_a_service_that_is_not_there_is_permanent_and_tells_the_mend(clients: Clients):
    with pytest.raises(Permanent, match=r"no service gone-service in us-central1 of acme-staging: .*reliability.yaml"):
        await read_service(clients, place_of("gone-service"))


async def test_a_moment_without_answer_is_bridged(google: LocalGoogle, clients: Clients):
    google.fail("GetService", times=1)

    state = await read_service(clients, place_of())

    assert state.name == NAME


async def test_google_down_is_retryable_and_told_within_the_deadline(google: LocalGoogle, clients: Clients):
    google.fail("GetService")
    begun = datetime.now(UTC)

    with pytest.raises(Retryable, match=r"Cloud Run did not answer within 0.6 s"):
        await read_service(clients, place_of())

    assert datetime.now(UTC) - begun < timedelta(seconds=1.5)


async def test_nobody_listening_is_retryable(google: LocalGoogle, clients: Clients):
    await google.stop()

    with pytest.raises(Retryable, match=r"Cloud Run did not answer"):
        await read_service(clients, place_of())


async def test_a_missing_permission_is_permanent_and_tells_the_line_that_grants_it(
    google: LocalGoogle, clients: Clients
):
    google.fail("GetService", grpc.StatusCode.PERMISSION_DENIED)

    with pytest.raises(
        Permanent, match=r"gcloud projects add-iam-policy-binding acme-staging .*--role=roles/run.viewer"
    ):
        await read_service(clients, place_of())
