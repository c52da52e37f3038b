"""The scenarios' first seconds, with the users' traffic."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.local_google import LocalGoogle, Pace
from bot.sandbox.scenarios import SCENARIOS, Stage, Traffic, set_up

QUICKLY = 200.0
SOON = timedelta(milliseconds=50)


@dataclass
class Theatre:
    google: LocalGoogle
    told: list[str] = field(default_factory=list)

    async def play(self, name: str) -> None:
        (scenario,) = [one for one in SCENARIOS if one.name == name]
        await scenario.play(Stage(self.google, Traffic(self.google), self.told.append, QUICKLY))

    def service(self, name: str = "auth-service") -> dict[str, Any]:
        (found,) = [one for one in self.google.snapshot()["services"] if one["name"] == name]
        return found

    def served(self) -> dict[str, int]:
        return {part["revision"]: part["percent"] for part in self.service()["traffic"] if part["percent"]}

    def entries(self, revision: str, log: str) -> list[Any]:
        return [
            entry
            for entry in self.google.logs.entries("acme-staging")
            if entry.resource.labels["revision_name"] == revision and entry.log_name.endswith(log)
        ]

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not happened():
                await asyncio.sleep(0.02)


@pytest.fixture
async def theatre() -> AsyncIterator[Theatre]:
    google = LocalGoogle(
        project="acme-staging",
        region="us-central1",
        pace=Pace(provision=SOON, startup_limit=SOON, traffic_shift=SOON),
        seed=7,
    )
    await google.start()
    await set_up(google)
    users = asyncio.create_task(Traffic(google, per_second=60, seed=7).run())
    yield Theatre(google)
    users.cancel()
    await asyncio.gather(users, return_exceptions=True)
    await google.stop()


async def test_the_world_begins_healthy(theatre: Theatre):
    await theatre.until(lambda: len(theatre.entries("auth-service-00281-kzq", "requests")) >= 20)

    services = theatre.google.snapshot()["services"]
    statuses = Counter(entry.http_request.status // 100 for entry in theatre.google.logs.entries("acme-staging"))

    assert [service["name"] for service in services] == ["auth-service", "backend-service", "websocket-service"]
    assert {service["state"] for service in services} == {"ready"}
    assert theatre.served() == {"auth-service-00281-kzq": 100}
    assert theatre.service()["pinned"] is False
    assert statuses[5] == 0


async def test_bad_release_is_ready_takes_all_traffic_and_fails(theatre: Theatre):
    await theatre.play("bad-release")
    bad = "auth-service-00283-qab"
    await theatre.until(lambda: len(theatre.entries(bad, "requests")) >= 60)

    failing = [entry.http_request.status == 503 for entry in theatre.entries(bad, "requests")]
    printed = [entry.text_payload for entry in theatre.entries(bad, "stderr")]
    system = [entry.text_payload for entry in theatre.entries(bad, "varlog%2Fsystem")]

    assert theatre.service()["state"] == "ready"
    assert theatre.served() == {bad: 100}
    assert sum(failing) / len(failing) > 0.85
    assert "ModuleNotFoundError: No module named 'app.services.monitoring'" in printed
    assert any(line.endswith("[ERROR] Exception in worker process") for line in printed)
    assert any("[ERROR] Worker (pid:" in line and line.endswith("exited with code 3") for line in printed)
    assert printed.index(next(line for line in printed if "Listening at: http://0.0.0.0:8080" in line)) < printed.index(
        "ModuleNotFoundError: No module named 'app.services.monitoring'"
    )
    assert "Container called exit(3)." in system
    assert theatre.service()["revisions"][0]["labels"]["commit-sha"].startswith("a1b2c3d")
    assert theatre.told


async def test_bad_release_ends_for_the_users_when_traffic_is_moved_back(theatre: Theatre):
    await theatre.play("bad-release")

    await theatre.google.set_traffic(
        "auth-service", {"auth-service-00281-kzq": 100}, by="avery@acme.example", wait=True
    )
    seen = len(theatre.entries("auth-service-00281-kzq", "requests"))
    await theatre.until(lambda: len(theatre.entries("auth-service-00281-kzq", "requests")) >= seen + 20)

    after = theatre.entries("auth-service-00281-kzq", "requests")[seen:]
    assert all(entry.http_request.status < 500 for entry in after)


async def test_bad_release_can_be_played_again_after_a_rollback(theatre: Theatre):
    await theatre.play("bad-release")
    await theatre.google.set_traffic(
        "auth-service", {"auth-service-00281-kzq": 100}, by="avery@acme.example", wait=True
    )

    await theatre.play("bad-release")

    (again,) = theatre.served()
    assert again.startswith("auth-service-00284-")


async def test_port_mismatch_fails_five_times_while_users_are_served(theatre: Theatre):
    await theatre.play("port-mismatch")

    service = theatre.service()
    failed = [revision for revision in service["revisions"] if revision["state"] == "failed"]
    printed = [entry.text_payload for entry in theatre.entries("auth-service-00282-lsb", "stderr")]

    assert len(failed) == 5
    assert failed[0]["name"] == service["latest_created"] == "auth-service-00282-lsb"
    assert service["state"] == "failed"
    assert theatre.served() == {"auth-service-00281-kzq": 100}
    assert any("Listening at: http://0.0.0.0:8081" in line for line in printed)
    assert failed[0]["reason"] == "HEALTH_CHECK_CONTAINER_ERROR"
    assert "PORT=8080" in failed[0]["message"]
    assert theatre.entries("auth-service-00282-lsb", "requests") == []


async def test_port_mismatch_new_service_leaves_nothing_that_serves(theatre: Theatre):
    await theatre.play("port-mismatch-new-service")

    service = theatre.service("notifications-service")

    assert (service["state"], service["traffic"], service["latest_ready"]) == ("failed", [], "")
    assert len(service["revisions"]) == 1


async def test_errors_after_deploy_fails_for_some_while_health_is_fine(theatre: Theatre):
    await theatre.play("errors-after-deploy")
    (revision,) = theatre.served()
    await theatre.until(lambda: len(theatre.entries(revision, "requests")) >= 100)

    failing = [entry.http_request.status == 500 for entry in theatre.entries(revision, "requests")]
    printed = [entry.text_payload for entry in theatre.entries(revision, "stderr")]

    assert 0.12 < sum(failing) / len(failing) < 0.5
    assert "AttributeError: 'NoneType' object has no attribute 'tenant_id'" in printed


async def test_healthy_changes_hands_without_a_failing_request(theatre: Theatre):
    await theatre.play("healthy")
    (revision,) = theatre.served()
    await theatre.until(lambda: len(theatre.entries(revision, "requests")) >= 30)

    assert revision.startswith("auth-service-00282-")
    assert all(
        entry.http_request.status < 500
        for entry in theatre.google.logs.entries("acme-staging")
        if entry.log_name.endswith("requests")
    )


async def test_every_scenario_can_follow_every_other(theatre: Theatre):
    for scenario in reversed(SCENARIOS):
        await theatre.play(scenario.name)

    names = [revision["name"] for revision in theatre.service()["revisions"]]
    assert len(names) == len(set(names))
    assert theatre.service()["state"] == "ready"
