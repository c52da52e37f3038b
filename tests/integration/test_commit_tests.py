"""Reports and deploys joined by commit, in whatever order they come. Over the wire to Google, both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from support.desk import desk, local_google
from support.suites import judged, report, run, suite_catalog

from bot.deps import Deps
from bot.gcp.budget import Rate
from bot.model.commit_tests import Said
from bot.model.incident import Incident
from bot.model.judgement import IncidentKind
from bot.notify.render import render, render_card
from bot.sandbox.local_google import LocalGoogle
from bot.sandbox.local_google.history import Past
from bot.sandbox.local_google.image import Failure, Image, Line
from bot.store import incidents, messages
from bot.store.database import Database
from bot.workflows.commit_tests import quiet_line
from bot.workflows.look import Looker
from bot.workflows.test_runs import record_run

AUTH, WELL, BROKEN = "auth-service", "registry.example/auth:new", "registry.example/auth:broken"
OLD = "5b1e7d09c8a7f6e5d4c3b2a190817263544536ab"
COMMIT = "4be1c2d00112233445566778899aabbccddeeff0"
SSO, SIGN_OUT = "tests/test_login.py::test_sso", "tests/test_login.py::test_sign_out"
RED, GREEN = {SSO: "f", SIGN_OUT: "p"}, {SSO: "p", SIGN_OUT: "p"}


@dataclass
class World:
    google: LocalGoogle
    deps: Deps
    runs: int = 0

    async def deploy(self, image: str = WELL, commit: str = COMMIT) -> str:
        labels = {"commit-sha": commit}
        revision = await self.google.deploy(AUTH, image=image, by="dana@acme.example", labels=labels, wait=True)
        await self.look()
        return revision

    async def look(self) -> Incident | None:
        (place,) = self.deps.catalog.places
        await Looker(self.deps).look(place)
        async with self.deps.db.read() as session:
            return (await incidents.open_at(session, place.key)).get(IncidentKind.SERVING_FAILURE)

    async def visit(self, times: int = 12) -> None:
        async with aiohttp.ClientSession() as http:
            for _ in range(times):
                async with http.post(f"{self.google.uri(AUTH)}/login") as response:
                    await response.read()

    async def test(self, results: dict[str, str] | None, commit: str = COMMIT, ago: timedelta = timedelta(0)) -> None:
        """A run of the suite; None: its report cannot be read, {}: nothing was collected."""
        self.runs += 1
        told = None if results is None else report(results)
        at = datetime.now(UTC) - ago
        await record_run(self.deps, run(self.runs, commit=commit, at=at), told, judged(told))

    async def said_of(self, revision: str) -> str:
        """What the channel reads of a deploy's tests; "" for nothing."""
        async with self.deps.db.read() as session:
            told = await messages.context_of(session, f"tests:auth/staging:{revision}")
        return render("deploy/tests", told).text if told else ""

    async def quiet_line(self, revision: str) -> str:
        (place,) = self.deps.catalog.places
        async with self.deps.db.read() as session:
            told = await messages.context_of(session, quiet_line(place, revision))
        return render("deploy/quiet", told).text if told else ""

    def card(self, incident: Incident | None) -> str:
        assert incident is not None
        (place,) = self.deps.catalog.places
        return str(render_card(incident, place, self.deps.catalog).blocks)


@pytest.fixture
async def world(db: Database) -> AsyncIterator[World]:
    async with local_google() as google, desk(db, google, rate=Rate(6_000, 300)) as deps:
        google.images[BROKEN] = Image(fail_ratio=1.0, failure=Failure(500, lines=(Line("KeyError: 'plan'"),)))
        week_ago = datetime.now(UTC) - timedelta(days=6)
        labels = {"commit-sha": OLD}
        past = Past(281, "kzq", week_ago, "dana@acme.example", "registry.example/auth:281", labels=labels)
        await google.remember(AUTH, past)
        made = World(google, replace(deps, catalog=suite_catalog()))
        await made.look()
        yield made


async def test_a_deploy_of_a_red_commit_is_told_at_once_with_its_first_failing_test(world: World) -> None:
    await world.test(RED)

    revision = await world.deploy(commit=COMMIT[:7])

    said = await world.said_of(revision)
    assert "although e2e failed (1 of 2), first: `tests/test_login.py::test_sso`" in said


@pytest.mark.parametrize(("results", "words"), [({}, "did not find its tests"), (None, "cannot be read")])
async def test_nothing_collected_and_unreadable_are_told_too(
    world: World, results: dict[str, str] | None, words: str
) -> None:
    await world.test(results)

    assert words in await world.said_of(await world.deploy())


async def test_a_deploy_of_a_green_or_untested_commit_is_no_warning(world: World) -> None:
    await world.test(GREEN)
    await world.test(RED, commit="0123456789abcdef")

    assert await world.said_of(await world.deploy()) == ""
    assert await world.said_of(await world.deploy(commit="fedcba9876543210")) == ""


async def test_a_report_that_comes_after_the_deploy_is_told_and_taken_back_when_it_turns_green(world: World) -> None:
    revision = await world.deploy()

    await world.test(RED)
    red = await world.said_of(revision)
    await world.test(GREEN)
    green = await world.said_of(revision)

    assert "and since then e2e failed (1 of 2)" in red
    assert green.startswith("✅")
    assert "e2e passed (2)" in green


async def test_a_run_that_was_overtaken_by_a_newer_one_of_another_commit_still_tells_of_its_deploy(
    world: World,
) -> None:
    await world.test(GREEN, commit="0123456789abcdef")
    revision = await world.deploy()

    await world.test(RED, ago=timedelta(hours=1))

    assert "although e2e failed" in await world.said_of(revision)


async def test_the_line_of_a_healthy_deploy_says_that_no_run_is_known_and_later_what_the_run_said(world: World) -> None:
    detection = replace(world.deps.catalog.detection, window=timedelta(seconds=1), min_requests=1)
    world.deps = replace(world.deps, catalog=replace(world.deps.catalog, detection=detection))
    revision = await world.deploy()
    for _ in range(3):  # judged healthy once a whole window of a second was seen
        await world.visit(4)
        await asyncio.sleep(0.5)
        await world.look()

    before = await world.quiet_line(revision)
    await world.test(GREEN)

    assert "tests: e2e has no run so far" in before
    assert "tests: e2e passed (2)" in await world.quiet_line(revision)


async def test_the_incident_of_a_red_commit_shows_its_tests_and_follows_them(world: World) -> None:
    revision = await world.deploy(BROKEN)
    await world.visit()
    untested = await world.look()
    await world.test(RED)
    async with world.deps.db.read() as session:
        (red,) = await incidents.all_open(session)
    again = await world.look()

    assert untested is not None
    assert untested.tests is not None
    assert untested.tests.suites[0].said is Said.NO_RUN
    assert (red.tests.revision, red.tests.suites[0].tests) == (revision, (SSO,))  # type: ignore[union-attr]
    assert "e2e failed (1 of 2), first: `tests/test_login.py::test_sso`" in world.card(again)


async def test_a_revision_that_was_there_before_the_bot_is_no_news(world: World) -> None:
    await world.test(RED, commit=OLD)

    assert await world.said_of("auth-service-00281-kzq") == ""
