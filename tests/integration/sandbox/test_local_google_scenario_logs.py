"""What the scenarios leave in the logs, line by line: the bot's diagnosis reads exactly this."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.local_google import LocalGoogle, Pace
from bot.sandbox.scenarios import SCENARIOS, Stage, Traffic, set_up

AUTH, BAD, PORT = "auth-service", "auth-service-00283-qab", "auth-service-00282-lsb"
DEFAULT, WARNING, ERROR = 0, 400, 500
MISSING = "ModuleNotFoundError: No module named 'app.services.monitoring'"
FAST = Pace(
    provision=timedelta(milliseconds=1),
    startup_limit=timedelta(milliseconds=20),
    traffic_shift=timedelta(milliseconds=1),
)


class Watched:
    """A stage with users on it, and its logs."""

    def __init__(self, google: LocalGoogle, users: Traffic) -> None:
        self.google = google
        self.told: list[str] = []
        self.stage = Stage(google, users, self.told.append, speed=1_000)

    async def play(self, name: str) -> None:
        await next(scenario for scenario in SCENARIOS if scenario.name == name).play(self.stage)

    def entries(self, revision: str, log: str) -> list[Any]:
        ending = f"run.googleapis.com%2F{log.replace('/', '%2F')}"
        return [
            entry
            for entry in self.google.logs.entries("acme-staging")
            if entry.log_name.endswith(ending) and entry.resource.labels["revision_name"] == revision
        ]

    def failures(self, revision: str) -> list[Any]:
        return [entry for entry in self.entries(revision, "requests") if entry.http_request.status >= 500]

    def revision(self, name: str) -> dict[str, Any]:
        auth = next(service for service in self.google.snapshot()["services"] if service["name"] == AUTH)
        return next(revision for revision in auth["revisions"] if revision["name"] == name)

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not happened():
                await asyncio.sleep(0.02)


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    google = LocalGoogle(project="acme-staging", region="us-central1", pace=FAST, seed=7)
    await google.start()
    await set_up(google)
    users = Traffic(google, per_second=60, seed=7)
    asking = asyncio.create_task(users.run())
    yield Watched(google, users)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await google.stop()


async def test_the_revision_that_serves_in_the_beginning_is_six_days_old(watched: Watched):
    age = datetime.now(UTC) - datetime.fromisoformat(watched.revision("auth-service-00281-kzq")["created"])

    assert watched.google.revisions(AUTH) == [
        "auth-service-00279-wvd",
        "auth-service-00280-nxt",
        "auth-service-00281-kzq",
    ]
    assert timedelta(days=6) <= age < timedelta(days=6, minutes=5)


async def test_requests_look_like_peoples(watched: Watched):
    await watched.until(lambda: len(watched.entries("auth-service-00281-kzq", "requests")) >= 40)

    asked = [entry.http_request for entry in watched.entries("auth-service-00281-kzq", "requests")]
    assert {"GET", "POST"} == {request.request_method for request in asked}
    assert len({request.user_agent for request in asked}) > 3
    assert all(request.remote_ip.startswith("198.51.100.") for request in asked)
    assert all(request.request_url.startswith(f"{watched.google.uri(AUTH)}/") for request in asked)
    assert any(request.request_url.endswith("/login") for request in asked)


async def test_the_workers_of_a_bad_release_die_of_the_missing_module_line_by_line(watched: Watched):
    await watched.play("bad-release")
    await watched.until(lambda: len(watched.entries(BAD, "varlog/system")) >= 3)

    printed = watched.entries(BAD, "stderr")
    lines = [entry.text_payload for entry in printed]
    began, cause = lines.index("Traceback (most recent call last):"), lines.index(MISSING)
    assert lines[began - 1].endswith("[ERROR] Exception in worker process")
    assert all(line.startswith("  ") for line in lines[began + 1 : cause])
    assert [re.sub(r"^\[[^]]*\] \[\d+\] |\d+(?=\))", "", line) for line in lines[cause + 1 :]] == [
        "[INFO] Worker exiting (pid: )",
        "[ERROR] Worker (pid:) exited with code 3",
        "[ERROR] Shutting down: Master",
        "[ERROR] Reason: Worker failed to boot.",
    ]
    assert {entry.severity for entry in printed} == {DEFAULT}
    assert [entry.timestamp.ToNanoseconds() for entry in printed] == sorted(
        {entry.timestamp.ToNanoseconds() for entry in printed}
    )


async def test_the_platform_says_that_the_probe_succeeded_and_then_that_the_container_exited(watched: Watched):
    await watched.play("bad-release")
    await watched.until(lambda: len(watched.entries(BAD, "varlog/system")) >= 3)

    _, probe, death = watched.entries(BAD, "varlog/system")[:3]
    assert probe.text_payload.startswith("Default STARTUP TCP probe succeeded")
    assert (death.text_payload, death.severity) == ("Container called exit(3).", WARNING)


async def test_harmless_noise_comes_before_the_cause_and_with_healthy_releases_too(watched: Watched):
    await watched.play("healthy")
    await watched.play("bad-release")
    await watched.until(lambda: len(watched.entries(BAD, "varlog/system")) >= 3)

    bad = [entry.text_payload for entry in watched.entries(BAD, "stderr")]
    well = [entry.text_payload for entry in watched.entries(watched.google.revisions(AUTH)[3], "stderr")]
    noise = [line for line in bad[: bad.index(MISSING)] if "Sentry SDK" in line or "DeprecationWarning" in line]
    assert len(noise) == 2
    assert set(noise) <= set(well)
    assert well[-1].endswith("Application startup complete.")


async def test_a_request_to_a_bad_release_fails_within_two_seconds_of_the_deploy(watched: Watched):
    await watched.play("bad-release")
    await watched.until(lambda: bool(watched.failures(BAD)))

    deployed = datetime.fromisoformat(watched.revision(BAD)["created"])
    first = watched.failures(BAD)[0]
    assert first.timestamp.ToDatetime(UTC) - deployed < timedelta(seconds=2)
    assert first.severity == ERROR
    assert "malformed or connection to the instance had an error" in first.text_payload


async def test_the_uptime_check_of_a_bad_release_fails_always(watched: Watched):
    def probes() -> list[Any]:
        return [e for e in watched.entries(BAD, "requests") if e.http_request.request_url.endswith("/health")]

    await watched.play("bad-release")
    await watched.until(lambda: len(probes()) >= 3)

    assert {probe.http_request.status for probe in probes()} == {503}
    assert all("UptimeChecks" in probe.http_request.user_agent for probe in probes())


async def test_a_wrong_port_is_in_the_log_beside_the_expected_one(watched: Watched):
    await watched.play("port-mismatch")

    lines = [entry.text_payload for entry in watched.entries(PORT, "stderr")]
    last = watched.entries(PORT, "varlog/system")[-1]
    assert any("Listening at: http://0.0.0.0:8081" in line for line in lines)
    assert last.severity == ERROR
    assert "probe failed" in last.text_payload
    assert "on port 8080" in last.text_payload


async def test_errors_after_a_deploy_are_the_containers_own_answers(watched: Watched):
    await watched.play("errors-after-deploy")
    revision = watched.google.revisions(AUTH)[-1]
    await watched.until(lambda: len(watched.failures(revision)) >= 5)

    failures = watched.failures(revision)
    assert {failure.http_request.status for failure in failures} == {500}
    assert not any(failure.text_payload for failure in failures)
    assert not any(failure.http_request.request_url.endswith("/health") for failure in failures)


async def test_failed_deploys_after_a_bad_release_leave_the_bad_one_serving(watched: Watched):
    await watched.play("bad-release")
    await watched.play("port-mismatch")

    assert watched.stage.serving(AUTH) == f"{BAD} serves 100 %"
    assert all(name.startswith("auth-service-00284-") for name in watched.google.revisions(AUTH)[4:])


async def test_a_service_that_nothing_serves_is_told_as_that(watched: Watched):
    await watched.play("port-mismatch-new-service")

    assert watched.stage.serving("notifications-service") == "nothing serves"


NEEDS_A_PIPELINE = {"zero-tests-collected", "tests-vanished"}
"""They say so where there is none, as here."""


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
async def test_each_scenario_tells_what_it_does_in_sentences(name: str, watched: Watched):
    await watched.play(name)

    assert len(watched.told) >= (1 if name in NEEDS_A_PIPELINE else 2)
    assert all(text.endswith(".") for text in watched.told)
