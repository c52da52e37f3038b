"""The services' own HTTP, and what it leaves in the logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.sandbox.local_google import Failure, Image, Line, LocalGoogle, Pace, Past

SOON = timedelta(milliseconds=10)
DANA = "dana@acme.example"
GOOD = "auth-service-00281-kzq"
QUICK = (0.0, 0.001)
TRACEBACK = tuple(map(Line, ("Traceback (most recent call last):", '  File "x.py", line 1', "ValueError: no")))


@pytest.fixture
async def google() -> AsyncIterator[LocalGoogle]:
    pace = Pace(provision=SOON, startup_limit=SOON, traffic_shift=SOON)
    local = LocalGoogle(project="acme-staging", region="us-central1", pace=pace, seed=1)
    local.images["app:281"] = Image(latency=QUICK)
    local.images["broken"] = Image(
        startup_seconds=0.0,
        fail_ratio=1.0,
        failure=Failure(latency=QUICK, lines=TRACEBACK),
        healthy=True,
        latency=QUICK,
    )
    local.images["gone"] = Image(
        startup_seconds=0.0, fail_ratio=1.0, failure=Failure(503, QUICK, by_platform=True), healthy=False
    )
    local.images["json"] = Image(
        startup_seconds=0.0,
        fail_ratio=1.0,
        failure=Failure(500, QUICK, (Line("boom", stream="stdout", severity="CRITICAL"),)),
    )
    await local.start()
    await local.remember("auth-service", Past(281, "kzq", datetime.now(UTC) - timedelta(days=6), DANA, "app:281"))
    yield local
    await local.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def status(http: aiohttp.ClientSession, url: str, method: str = "GET", **headers: str) -> int:
    async with http.request(method, url, headers=headers) as answer:
        return answer.status


def logged(google: LocalGoogle, log: str) -> list[Any]:
    return [entry for entry in google.logs.entries("acme-staging") if entry.log_name.endswith(log)]


async def test_a_good_answer_leaves_one_line_in_the_request_log(google: LocalGoogle, http: aiohttp.ClientSession):
    url = google.uri("auth-service") + "/session?user=7"

    answered = await status(http, url, "GET", **{"User-Agent": "Firefox/130", "X-Forwarded-For": "198.51.100.9"})

    (entry,) = logged(google, "requests")
    request = entry.http_request
    assert answered == request.status == 200
    assert (request.request_method, request.request_url, request.user_agent) == ("GET", url, "Firefox/130")
    assert request.remote_ip == "198.51.100.9"
    assert request.response_size > 0
    assert request.latency.ToTimedelta() > timedelta(0)
    assert entry.severity == 200
    assert entry.resource.labels["revision_name"] == GOOD
    assert entry.labels["instanceId"]
    assert entry.trace.startswith("projects/acme-staging/traces/")
    assert not entry.text_payload


async def test_an_exception_prints_its_traceback_line_by_line_without_severity(
    google: LocalGoogle, http: aiohttp.ClientSession
):
    revision = await google.deploy("auth-service", image="broken", by=DANA, wait=True)

    answered = await status(http, google.uri("auth-service") + "/login", "POST")

    printed = [entry for entry in logged(google, "stderr") if "gunicorn" not in entry.text_payload]
    assert answered == 500
    assert [entry.text_payload for entry in printed[-3:]] == [line.text for line in TRACEBACK]
    assert {entry.severity for entry in printed} == {0}
    assert {entry.resource.labels["revision_name"] for entry in printed} == {revision}
    assert logged(google, "requests")[-1].severity == 500


async def test_the_platform_answers_for_an_instance_that_is_gone(google: LocalGoogle, http: aiohttp.ClientSession):
    await google.deploy("auth-service", image="gone", by=DANA, wait=True)

    answered = await status(http, google.uri("auth-service") + "/login", "POST")

    entry = logged(google, "requests")[-1]
    assert answered == 503
    assert "malformed or connection to the instance had an error" in entry.text_payload
    assert entry.severity == 500


async def test_structured_lines_have_their_severity_lifted_out(google: LocalGoogle, http: aiohttp.ClientSession):
    await google.deploy("auth-service", image="json", by=DANA, wait=True)

    await status(http, google.uri("auth-service") + "/")

    (entry,) = [one for one in logged(google, "stdout") if one.HasField("json_payload")]
    assert entry.json_payload["message"] == "boom"
    assert entry.severity == 600


async def test_health_tells_what_the_image_says_of_itself(google: LocalGoogle, http: aiohttp.ClientSession):
    health = google.uri("auth-service") + "/health"

    before = await status(http, health)
    await google.deploy("auth-service", image="broken", by=DANA, wait=True)
    fooled = await status(http, health)
    await google.deploy("auth-service", image="gone", by=DANA, wait=True)
    down = await status(http, health)

    assert (before, fooled, down) == (200, 200, 503)


async def test_requests_follow_the_traffic_split(google: LocalGoogle, http: aiohttp.ClientSession):
    google.images["also-good"] = Image(startup_seconds=0.0, latency=QUICK)
    other = await google.deploy("auth-service", image="also-good", by=DANA, traffic="none", wait=True)
    await google.set_traffic("auth-service", {GOOD: 75, other: 25}, by=DANA, wait=True)

    for _ in range(80):
        await status(http, google.uri("auth-service") + "/")

    seen = Counter(entry.resource.labels["revision_name"] for entry in logged(google, "requests"))
    assert seen[GOOD] + seen[other] == 80
    assert 8 <= seen[other] <= 34


async def test_a_tagged_revision_answers_at_its_own_address_only(google: LocalGoogle, http: aiohttp.ClientSession):
    tagged = await google.deploy("auth-service", image="broken", by=DANA, traffic="tag:candidate", wait=True)
    (service,) = google.snapshot()["services"]
    address = next(part["uri"] for part in service["traffic"] if part["tag"] == "candidate")

    assert await status(http, google.uri("auth-service") + "/") == 200
    assert await status(http, address + "/") == 500

    assert logged(google, "requests")[-1].resource.labels["revision_name"] == tagged


async def test_a_service_without_a_ready_revision_has_nobody_to_answer(
    google: LocalGoogle, http: aiohttp.ClientSession
):
    google.images["deaf"] = Image(port=None)
    await google.deploy("agent-service", image="deaf", by=DANA, wait=True)

    assert await status(http, google.uri("agent-service") + "/") == 404
    assert logged(google, "requests") == []


async def test_a_container_that_dies_at_boot_says_so_before_the_probe_fails(google: LocalGoogle):
    from bot.sandbox.local_google import Crash

    google.images["dead"] = Image(boot=(), dies_at_boot=Crash((Line("KeyError: 'JWT_SECRET'"),), exit_code=1))
    await google.deploy("auth-service", image="dead", by=DANA, wait=True)

    lines = [(entry.severity, entry.text_payload.split(" failed")[0]) for entry in logged(google, "varlog%2Fsystem")]
    assert lines[1:] == [(400, "Container called exit(1)."), (500, "Default STARTUP TCP probe")]
    assert logged(google, "varlog%2Fsystem")[0].labels["container_name"] == "auth-service-1"


async def test_the_panel_hears_of_changes_and_sees_what_flows(google: LocalGoogle, http: aiohttp.ClientSession):
    heard: list[dict[str, Any]] = []
    stop = google.listen(heard.append)

    revision = await google.deploy("auth-service", image="broken", by=DANA, wait=True)
    await status(http, google.uri("auth-service") + "/")
    stop()
    (service,) = google.snapshot()["services"]

    assert [change["service"]["state"] for change in heard][-1] == "ready"
    assert heard[0]["service"]["state"] == "deploying"
    assert service["revisions"][0]["name"] == revision
    assert service["revisions"][0]["percent"] == 100
    assert service["live"] == {"per_second": 0.2, "failing_ratio": 1.0}
    assert service["pinned"] is False
