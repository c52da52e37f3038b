"""Two services, one of them to blame: whose rollback is offered where, and who hears of it. Over the wire, both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import grpc
import msgspec
import pytest
from support.desk import desk, local_google
from support.values import catalog

from bot.decide.timing import WatchConfig
from bot.deps import Deps
from bot.errors import Permanent, Retryable
from bot.gcp.budget import Rate
from bot.model.attribution import Attribution, Cause
from bot.model.catalog import Catalog, Deployment, Place, RollbackPolicy, RollbackRule, Service
from bot.model.evidence import LogEntry, Window
from bot.model.incident import Decision, Incident, IncidentState, PlanState
from bot.model.judgement import Health, IncidentKind
from bot.model.novelty import NoveltyKind
from bot.notify.render import render, render_card
from bot.sandbox.local_google import LocalGoogle
from bot.sandbox.local_google.history import Past
from bot.sandbox.local_google.image import Failure, Image, Line
from bot.store import incidents, messages, places
from bot.store.database import Database
from bot.store.tables import MessageRow
from bot.workflows.look import Looker
from bot.workflows.rollback import Rollback

AUTH, BACKEND, BILLING = "auth-service", "backend-service", "billing-service"
GOOD_BACKEND = "backend-service-00119-mtc"
BROKEN = "registry.example/any:broken"
TWO_APPROVERS = RollbackRule(RollbackPolicy.TWO_APPROVERS, ("U0AVERY0001", "U0OLIVE0001"))


def fleet() -> Catalog:
    """auth and billing, which call backend; backend's people read another channel."""
    alone = catalog()
    rule = alone.services["auth"].deployments["staging"].rollback
    more = {
        "backend": Service(
            1, "C0BACKEND01", {"staging": Deployment("acme-staging", "us-central1", BACKEND, TWO_APPROVERS)}
        ),
        "billing": Service(1, "C0BILLING01", {"staging": Deployment("acme-staging", "us-central1", BILLING, rule)}),
    }
    return replace(alone, services={**alone.services, **more})


@dataclass
class World:
    google: LocalGoogle
    deps: Deps

    def __post_init__(self) -> None:
        self.deps = replace(self.deps, catalog=fleet())

    async def deploy(self, service: str, image: str, traffic: str = "latest") -> str:
        return await self.google.deploy(service, image=image, by="dana@acme.example", traffic=traffic, wait=True)

    async def visit(self, service: str = AUTH, times: int = 12) -> None:
        async with aiohttp.ClientSession() as http:

            async def one() -> None:
                async with http.post(f"{self.google.uri(service)}/login") as response:
                    await response.read()

            await asyncio.gather(*(one() for _ in range(times)))

    async def look_at(self, name: str) -> None:
        place = self.deps.catalog.place(f"{name}/staging")
        assert place is not None
        await Looker(self.deps).look(place)

    async def look(self, name: str = "auth") -> Incident:
        """What the open serving failure of a place is after one more look."""
        await self.look_at(name)
        return await self.incident(name)

    async def incident(self, name: str = "auth") -> Incident:
        async with self.deps.db.read() as session:
            return (await incidents.open_at(session, f"{name}/staging"))[IncidentKind.SERVING_FAILURE]

    async def blame(self, name: str, service: str, revision: str) -> Incident:
        """As if attribution had just said so."""
        now = self.deps.now()
        said = Attribution(
            Cause.REVISION,
            service,
            revision,
            0.97,
            f"revision {revision} of {service}",
            now.timestamp(),
            now.timestamp() - 30,
            seen_in=(AUTH, BILLING),
        )
        known = await self.incident(name)
        long_ago = now - self.deps.watch.refresh_after
        async with self.deps.db.begin() as session:
            await incidents.save(session, replace(known, attribution=said, attributed_at=now, last_seen=long_ago))
        return await self.look(name)

    async def weigh_again(self, name: str) -> None:
        """As if whose fault it is had been weighed long ago."""
        known = await self.incident(name)
        async with self.deps.db.begin() as session:
            await incidents.save(session, replace(known, attributed_at=self.deps.now() - timedelta(hours=1)))

    async def advance(self, incident: Incident, state: PlanState) -> None:
        assert incident.plan is not None
        async with self.deps.db.begin() as session:
            moved = replace(incident.plan, state=state)
            assert await incidents.advance_plan(session, moved, expecting=PlanState.PROPOSED)

    async def said_in(self, channel: str) -> list[MessageRow]:
        async with self.deps.db.read() as session:
            rows = await messages.due(session, self.deps.now(), limit=1000)
        return [row for row in rows if row.channel == channel]


@pytest.fixture
async def world(db: Database) -> AsyncIterator[World]:
    async with local_google() as google, desk(db, google, rate=Rate(6_000, 300)) as deps:
        lines = (Line("KeyError: 'plan'", severity="ERROR"),)
        google.images[BROKEN] = Image(fail_ratio=1.0, failure=Failure(500, lines=lines))
        week_ago = datetime.now(UTC) - timedelta(days=6)
        for service, number, suffix in ((AUTH, 281, "kzq"), (BACKEND, 119, "mtc"), (BILLING, 7, "abc")):
            past = Past(number, suffix, week_ago, "dana@acme.example", f"registry.example/{service}:{number}")
            await google.remember(service, past)
        yield World(google, deps)


async def guilty_backend(world: World, *callers: str) -> str:
    """auth fails because of a new revision of backend, which answers everything with 200; both were looked at."""
    revision = await world.deploy(BACKEND, "registry.example/backend:new")
    await world.look_at("backend")
    for service in callers or (AUTH,):
        await world.deploy(service, BROKEN)
        await world.visit(service)
        await world.look(service.removesuffix("-service"))
    return revision


async def test_the_rollback_of_the_guilty_service_stays_on_the_card_from_look_to_look(world: World) -> None:
    guilty = await guilty_backend(world)

    first = await world.blame("auth", BACKEND, guilty)
    seen = [await world.look() for _ in range(3)]

    assert first.plan is not None
    assert (first.plan.place, first.plan.after.serving) == ("backend/staging", {GOOD_BACKEND: 100})
    assert first.plan.policy is RollbackPolicy.TWO_APPROVERS
    assert {each.plan.id for each in seen if each.plan} == {first.plan.id}
    assert {each.version for each in seen} == {first.version}


async def test_the_innocent_caller_is_not_rolled_back_while_the_guilty_service_cannot_be_read(world: World) -> None:
    guilty = await guilty_backend(world)
    await world.blame("auth", BACKEND, guilty)
    world.google.fail("GetService", grpc.StatusCode.UNAVAILABLE)
    await world.look_at("backend")
    world.google.heal()

    blind = await world.look()

    assert blind.plan is None or blind.plan.state is PlanState.WITHDRAWN
    assert "is not known now" in blind.no_plan


async def test_a_guilty_service_that_fails_itself_offers_the_rollback_and_its_callers_say_where(world: World) -> None:
    guilty = await guilty_backend(world, BACKEND, AUTH)
    own = await world.incident("backend")

    caller = await world.blame("auth", BACKEND, own.revisions[0].name)

    assert guilty != own.revisions[0].name
    assert own.plan is not None
    assert (own.plan.place, own.plan.state) == ("backend/staging", PlanState.PROPOSED)
    assert caller.plan is None or caller.plan.state is PlanState.WITHDRAWN
    assert caller.no_plan == f"incident #{own.number} (backend in staging) is the cause of this one and offers it"


async def test_traffic_that_a_callers_card_moves_is_not_offered_again_by_the_guilty_service_itself(
    world: World,
) -> None:
    guilty = await guilty_backend(world)
    caller = await world.blame("auth", BACKEND, guilty)
    await world.advance(caller, PlanState.APPROVED)
    await world.deploy(BACKEND, BROKEN)
    await world.visit(BACKEND)

    own = await world.look("backend")

    assert own.plan is None
    assert own.no_plan == f"incident #{caller.number} (auth in staging) moves this traffic already"


async def test_two_callers_of_one_guilty_revision_offer_its_rollback_once(world: World) -> None:
    guilty = await guilty_backend(world, AUTH, BILLING)

    first = await world.blame("auth", BACKEND, guilty)
    second = await world.blame("billing", BACKEND, guilty)

    assert first.plan is not None
    assert first.plan.place == "backend/staging"
    assert second.plan is None or second.plan.state is PlanState.WITHDRAWN
    assert f"incident #{first.number} " in second.no_plan
    await world.advance(first, PlanState.REJECTED)
    assert "rejected" in (await world.look("billing")).no_plan


async def test_the_owners_of_the_service_that_would_be_rolled_back_hear_of_it_once_in_their_channel(
    world: World,
) -> None:
    guilty = await guilty_backend(world)

    caller = await world.blame("auth", BACKEND, guilty)
    await world.look()

    (row,) = await world.said_in("C0BACKEND01")
    said = str(render(row.template, msgspec.json.decode(row.context)))
    assert f"#{caller.number}" in said
    assert BACKEND in said
    assert GOOD_BACKEND in said
    assert AUTH in said


async def test_what_another_incident_of_the_same_rise_found_out_holds_here_and_marks_the_guilty_revision(
    world: World,
) -> None:
    guilty = await guilty_backend(world, AUTH, BILLING)
    await world.blame("billing", BACKEND, guilty)

    adopted = await world.look()

    assert adopted.attribution is not None
    assert adopted.attribution.revision == guilty
    async with world.deps.db.read() as session:
        ledger = {row.name: row.incidents for row in await places.ledger(session, "backend/staging")}
    assert ledger[guilty] == 1


async def test_what_was_taken_back_here_is_not_believed_again_because_another_incident_still_says_so(
    world: World,
) -> None:
    guilty = await guilty_backend(world, AUTH, BILLING)
    billing = await world.blame("billing", BACKEND, guilty)
    assert billing.attribution is not None
    said = replace(billing.attribution, cause=Cause.DEPENDENCY, revision="", service="", culprit="postgres")
    async with world.deps.db.begin() as session:
        await incidents.save(session, replace(billing, attribution=said))
        gone = (replace(said, withdrawn="it answers everybody"),)
        await incidents.save(session, replace(await world.incident(), withdrawn=gone))

    assert (await world.look()).attribution is None


async def test_incidents_of_one_rise_point_at_each_other(world: World) -> None:
    guilty = await guilty_backend(world, AUTH, BILLING)
    first = await world.blame("auth", BACKEND, guilty)

    second = await world.blame("billing", BACKEND, guilty)
    first = await world.look("auth")

    assert [(other.number, other.service) for other in first.same_rise] == [(second.number, "billing")]
    assert [(other.number, other.service) for other in second.same_rise] == [(first.number, "auth")]
    place = world.deps.catalog.place("auth/staging")
    assert place is not None
    assert f"#{second.number} (billing)" in str(render_card(first, place, world.deps.catalog))


async def test_while_it_is_undecided_the_card_says_what_is_missing(world: World) -> None:
    await world.deploy(AUTH, BROKEN)
    await world.visit(AUTH, 5)

    found = await world.look()

    assert found.attribution is None
    assert found.undecided
    place = world.deps.catalog.place("auth/staging")
    assert place is not None
    assert "not decided yet" in str(render_card(found, place, world.deps.catalog))


async def test_two_revisions_that_fail_at_once_are_one_calm_card(world: World) -> None:
    other = Image(fail_ratio=1.0, failure=Failure(500, lines=(Line("MemoryError", severity="ERROR"),)))
    world.google.images["registry.example/any:other"] = other
    one = await world.deploy(AUTH, BROKEN)
    two = await world.deploy(AUTH, "registry.example/any:other", traffic="none")
    await world.google.set_traffic(AUTH, {one: 50, two: 50}, by="dana@acme.example", wait=True)
    await world.visit(AUTH, 24)

    first = await world.look()
    assert first.read_to is not None
    (silent,) = {one, two} - {first.read_to.revision}
    shares = {silent: 90, first.read_to.revision: 10}
    world.deps = replace(world.deps, watch=WatchConfig(refresh_after=timedelta(0)))
    await world.google.set_traffic(AUTH, shares, by="dana@acme.example", wait=True)
    seen = []
    for _ in range(3):
        await world.visit(AUTH, 20)
        seen.append(await world.look())

    assert {r.name for r in first.revisions} == {one, two}
    assert {each.read_to.revision for each in seen if each.read_to} == {first.read_to.revision}
    assert [each.diagnosis for each in seen] == [first.diagnosis] * 3
    assert {tuple(group.fingerprint for group in each.groups) for each in seen} == {
        tuple(group.fingerprint for group in first.groups)
    }


async def test_a_blamed_service_that_is_well_again_is_cleared_when_its_caller_fails_on_by_its_own_fault(
    world: World,
) -> None:
    guilty = await guilty_backend(world)
    await world.blame("auth", BACKEND, guilty)
    await world.google.set_traffic(BACKEND, {GOOD_BACKEND: 100}, by="dana@acme.example", wait=True)
    await world.look_at("backend")
    await world.weigh_again("auth")

    cleared = await world.look()
    await world.weigh_again("auth")
    again = await world.look()

    assert [said.revision for said in cleared.withdrawn] == [guilty]
    assert "serves nobody any more" in cleared.withdrawn[0].withdrawn
    assert cleared.plan is not None
    assert (cleared.plan.place, cleared.plan.state) == ("auth/staging", PlanState.PROPOSED)
    assert again.attribution is None or again.attribution.revision != guilty
    assert again.plan == cleared.plan


async def approved_for_backend(world: World) -> tuple[Incident, str]:
    """auth's incident with the approved rollback of backend; the plan's id."""
    guilty = await guilty_backend(world)
    shown = await world.blame("auth", BACKEND, guilty)
    assert shown.plan is not None
    said = tuple(Decision("approve_rollback", by, world.deps.now()) for by in ("U0AVERY0001", "U0OLIVE0001"))
    async with world.deps.db.begin() as session:
        approved = replace(shown.plan, state=PlanState.APPROVED, decisions=said)
        assert await incidents.advance_plan(session, approved, expecting=PlanState.PROPOSED)
    return shown, approved.id


async def test_a_rollback_of_the_guilty_service_is_verified_by_the_service_that_failed_however_often_a_step_is_run(
    world: World,
) -> None:
    shown, plan_id = await approved_for_backend(world)
    steps = Rollback(world.deps)
    for _ in range(2):
        assert await steps.begin(plan_id)
        assert await steps.shift(plan_id) == ""
        assert await steps.await_traffic(plan_id) == ""
        moved_at = await steps.mitigate(plan_id)
    await world.visit(BACKEND, 25)
    await world.visit(AUTH, 25)
    still_failing = await steps.check(plan_id, moved_at, True)

    await world.google.set_traffic(AUTH, {"auth-service-00281-kzq": 100}, by="dana@acme.example", wait=True)
    well_since = world.deps.now().isoformat()
    await world.visit(BACKEND, 25)
    await world.visit(AUTH, 25)
    well = await steps.check(plan_id, well_since, True)
    for _ in range(2):
        await steps.finish(plan_id, well["health"], well["why"])

    assert still_failing["health"] == Health.UNHEALTHY
    assert well["health"] == Health.HEALTHY
    async with world.deps.db.read() as session:
        ended = await incidents.read(session, shown.id)
    assert ended is not None
    assert ended.plan is not None
    assert (ended.state, ended.plan.state) == (IncidentState.RESOLVED, PlanState.VERIFIED)
    assert (ended.pinned_to, ended.pinned_place) == (GOOD_BACKEND, "backend/staging")
    assert [row.id.partition(":")[0] for row in await world.said_in("C0BACKEND01")] == ["wanted", "moved"]


async def test_a_guilty_service_that_leaves_the_catalog_while_it_is_rolled_back_is_given_up_and_harms_nobody(
    world: World,
) -> None:
    shown, plan_id = await approved_for_backend(world)
    assert await Rollback(world.deps).shift(plan_id) == ""
    smaller = {key: service for key, service in world.deps.catalog.services.items() if key != "backend"}
    restarted = replace(world.deps, catalog=replace(world.deps.catalog, services=smaller))

    with pytest.raises(Permanent, match="no longer in the catalog") as gone:
        await Rollback(restarted).mitigate(plan_id)
    await Rollback(restarted).give_up(plan_id, str(gone.value))

    async with restarted.db.read() as session:
        known = await incidents.read(session, shown.id)
    place = restarted.catalog.place("auth/staging")
    assert known is not None
    assert known.plan is not None
    assert place is not None
    assert known.plan.state is PlanState.FAILED
    assert "update-traffic auth-service" not in str(render_card(known, place, restarted.catalog))


async def test_what_is_new_is_told_once_the_log_of_the_revision_before_can_be_read_again(world: World) -> None:
    old = "auth-service-00281-kzq"
    await world.look_at("auth")
    await world.deploy(AUTH, BROKEN)
    await world.visit()
    seeing = world.deps.read_entries

    async def blind_for_the_old_one(place: Place, revision: str, window: Window) -> tuple[list[LogEntry], bool]:
        if revision == old:
            raise Retryable("its read quota is used up")
        return await seeing(place, revision, window)

    world.deps = replace(world.deps, read_entries=blind_for_the_old_one)
    blind = await world.look()
    world.deps = replace(world.deps, read_entries=seeing, watch=WatchConfig(refresh_after=timedelta(0)))
    told = await world.look()

    assert blind.novelty == ()
    assert [news.kind for news in told.novelty][:1] == [NoveltyKind.NEW]
