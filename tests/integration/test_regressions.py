"""What went wrong once, or would have: each test is one story of a weather that nobody had thought of."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.desk import desk, local_google
from support.stage import CHANNEL, Stage, stage
from support.values import BAD, GOOD, catalog, incident, place, plan

from bot.act.dry_run import DryRun
from bot.act.target import ShiftResult
from bot.decide.digest import plan_digest
from bot.decide.timing import WatchConfig
from bot.deps import Deps
from bot.errors import Permanent, Retryable, UserError
from bot.model.catalog import Catalog, Place, RollbackPolicy
from bot.model.cloud_run import ServiceState, TrafficSplit
from bot.model.incident import Decision, Incident, IncidentState, PlanState
from bot.model.judgement import Health
from bot.notify.notifier import MessageGone, Outgoing, Receipt
from bot.sandbox.local_google import LocalGoogle
from bot.sandbox.local_google.history import Past
from bot.store import incidents, messages, places
from bot.store.database import Database
from bot.workflows import sweep
from bot.workflows.deliver import Deliverer
from bot.workflows.engine import Engine
from bot.workflows.rollback import Rollback
from commands import approve_rollback
from commands.command import Ask, Desk

AVERY = "U0AVERY0001"


def now() -> datetime:
    return datetime.now(UTC)


async def store(
    db: Database, state: PlanState = PlanState.APPROVED, approved_at: datetime | None = None, **more
) -> None:
    """An open incident with a plan in this state and a card that is to be posted."""
    at = approved_at or now()
    decisions = () if state is PlanState.PROPOSED else (Decision("approve_rollback", AVERY, at),)
    draft = plan(state=state, created_at=at, expires_at=at + timedelta(minutes=30), decisions=decisions, **more)
    shown = replace(draft, digest=plan_digest(draft))
    async with db.begin() as session:
        opened = await incidents.add(session, incident(opened_at=at, since=at, last_seen=at, plan=shown))
        await messages.want_card(session, opened, CHANNEL, now())


async def stored(db: Database) -> Incident:
    async with db.read() as session:
        found = await incidents.read(session, "inc-1")
    assert found is not None
    assert found.plan is not None
    return found


async def plan_state(db: Database) -> PlanState:
    found = (await stored(db)).plan
    assert found is not None
    return found.state


@pytest.fixture
async def google() -> AsyncIterator[LocalGoogle]:
    async with local_google() as cloud:
        long_ago = now() - timedelta(days=6)
        await cloud.remember(
            "auth-service",
            Past(281, GOOD[-3:], long_ago, "dana@acme.example", "registry.example/auth:281"),
            Past(283, BAD[-3:], now() - timedelta(minutes=40), "dana@acme.example", "registry.example/auth:283"),
        )
        yield cloud


@pytest.fixture
async def deps(db: Database, google: LocalGoogle) -> AsyncIterator[Deps]:
    async with desk(db, google) as it:
        yield it


def generation(google: LocalGoogle) -> int:
    (service,) = google.snapshot()["services"]
    return int(service["generation"])


# --- a rollback is never under way for ever


async def until_plan_is(db: Database, wanted: PlanState, on: Stage, timeout_s: float = 60) -> None:
    async with asyncio.timeout(timeout_s):
        while await plan_state(db) is not wanted:
            await asyncio.sleep(0.1)


async def stop(bot: asyncio.subprocess.Process) -> None:
    bot.send_signal(signal.SIGTERM)
    await asyncio.wait_for(bot.wait(), 20)


@pytest.mark.parametrize("code", ["UNAVAILABLE", "PERMISSION_DENIED"])
async def test_a_rollback_that_cannot_be_carried_out_ends_and_says_so(
    code: str, db: Database, database_url: str, tmp_path: Path
) -> None:
    import grpc

    async with stage(tmp_path, database_url, RELIABILITY_GOOGLE__TIMEOUT="PT1S") as on:
        await store(db)
        on.google.fail("GetService", grpc.StatusCode[code])
        bot = await on.run_bot()

        await until_plan_is(db, PlanState.FAILED, on)

        await stop(bot)
    assert (await stored(db)).state is IncidentState.OPENED


async def test_a_rollback_whose_place_left_the_catalog_ends_and_says_so(deps: Deps, db: Database) -> None:
    await store(db)
    elsewhere = replace(deps, catalog=Catalog(services={}))
    steps = Rollback(elsewhere)
    with pytest.raises(Permanent):
        await steps.begin("plan-1-1")

    await steps.give_up("plan-1-1", "auth/staging is no longer in the catalog")

    assert await plan_state(db) is PlanState.FAILED
    async with db.read() as session:
        assert {row.id for row in await messages.due(session, now())} == {"inc-1"}


async def test_a_verification_that_breaks_off_leaves_the_plan_unverified(deps: Deps, db: Database) -> None:
    await store(db, PlanState.SHIFTED)

    await Rollback(deps).give_up("plan-1-1", "a fault")

    assert await plan_state(db) is PlanState.UNVERIFIED


@dataclass
class Known:
    """What DBOS says about a workflow."""

    status: str


@pytest.mark.parametrize(("workflow", "then"), [("ERROR", PlanState.FAILED), ("PENDING", PlanState.APPROVED)])
async def test_the_sweep_ends_a_plan_whose_workflow_ended_without_it_and_leaves_a_running_one_alone(
    workflow: str, then: PlanState, deps: Deps, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(db)
    engine = object.__new__(Engine)
    engine._rollback = Rollback(deps)

    async def known(_plan_id: str) -> Known:
        return Known(workflow)

    monkeypatch.setattr("bot.workflows.engine.DBOS.get_workflow_status_async", known)

    assert not await engine.tend_rollback("plan-1-1")

    assert await plan_state(db) is then


# --- what was shown and approved is what happens


async def test_a_plan_shown_as_a_dry_run_moves_nothing_after_a_restart_for_real(
    google: LocalGoogle, deps: Deps, db: Database
) -> None:
    await store(db, dry_run=True)
    before = generation(google)

    assert "dry run" in await Rollback(deps).shift("plan-1-1")

    assert generation(google) == before
    assert await plan_state(db) is PlanState.REFUSED


async def test_a_plan_for_real_is_refused_by_a_bot_that_was_restarted_as_a_dry_run(
    google: LocalGoogle, deps: Deps, db: Database
) -> None:
    await store(db)
    dry = replace(deps, dry_run=True, target=DryRun(deps.target.clients))

    assert "dry run" in await Rollback(dry).shift("plan-1-1")

    assert await plan_state(db) is PlanState.REFUSED


async def test_an_approval_of_hours_ago_is_not_carried_out(google: LocalGoogle, deps: Deps, db: Database) -> None:
    await store(db, approved_at=now() - timedelta(hours=5))
    before = generation(google)

    assert "approved at" in await Rollback(deps).shift("plan-1-1")

    assert generation(google) == before
    assert await plan_state(db) is PlanState.REFUSED


async def test_traffic_that_had_moved_before_a_long_outage_is_not_called_refused(
    google: LocalGoogle, deps: Deps, db: Database
) -> None:
    await store(db, approved_at=now() - timedelta(hours=5))
    await google.set_traffic("auth-service", {GOOD: 100}, by="the bot, before it died", wait=True)

    assert not await Rollback(deps).shift("plan-1-1")

    assert await plan_state(db) is PlanState.APPROVED


async def test_one_approval_does_not_do_where_the_catalog_asks_for_two_by_now(deps: Deps, db: Database) -> None:
    await store(db, PlanState.PROPOSED)
    stricter = replace(deps, catalog=catalog(policy=RollbackPolicy.TWO_APPROVERS))

    with pytest.raises(UserError, match="another approval"):
        await approve_rollback.run(Ask(AVERY, CHANNEL), "plan-1-1", Desk(stricter, _must_not_start, _must_not_start))

    assert await plan_state(db) is PlanState.PROPOSED


async def _must_not_start(plan_id: str) -> None:
    raise AssertionError(plan_id)


async def test_a_dry_run_does_not_say_that_somebody_changed_the_traffic(deps: Deps, db: Database) -> None:
    await store(db, PlanState.SHIFTED, dry_run=True)

    told = await Rollback(replace(deps, dry_run=True)).check("plan-1-1", now().isoformat(), True)

    assert told["health"] == Health.INCONCLUSIVE
    assert "nothing was moved" in told["why"]


@dataclass
class Busy:
    """A Cloud Run that serves as planned while something else keeps it reconciling."""

    seen: ServiceState

    async def state(self, where: Place) -> ServiceState:
        del where
        return self.seen

    async def shift(self, where: Place, to: TrafficSplit, *, expecting: TrafficSplit) -> ShiftResult:
        raise AssertionError((where, to, expecting))


async def test_traffic_that_moved_while_a_deploy_goes_on_is_not_called_a_failure(deps: Deps, db: Database) -> None:
    await store(db)
    live = await deps.target.state(place())
    busy = Busy(replace(live, fact=plan().after, reconciling=True))
    hurried = WatchConfig(shift_timeout=timedelta(seconds=0.3), shift_poll=timedelta(seconds=0.1))

    assert not await Rollback(replace(deps, target=busy, watch=hurried)).await_traffic("plan-1-1")

    assert await plan_state(db) is PlanState.APPROVED


# --- the outbox: once, in order, and nothing holds up the rest


@dataclass
class Recorder:
    """A notifier that answers as told and remembers what it was asked."""

    answers: dict[str, list[Exception]] = field(default_factory=dict)
    asked: list[Outgoing] = field(default_factory=list)

    async def notify(self, outgoing: Outgoing) -> Receipt:
        self.asked.append(outgoing)
        if waiting := self.answers.get(outgoing.card_id):
            raise waiting.pop(0)
        return Receipt(outgoing.channel, f"{len(self.asked)}.0")

    @property
    def ids(self) -> list[str]:
        return [outgoing.card_id for outgoing in self.asked]


@dataclass
class Clock:
    skipped: timedelta = timedelta()

    def __call__(self) -> datetime:
        return now() + self.skipped


def sender(deps: Deps, recorder: Recorder, clock: Clock) -> Deliverer:
    return Deliverer(replace(deps, notifiers=(recorder,), now=clock), asyncio.Event())


async def note(db: Database, moment: str, at: datetime) -> None:
    async with db.begin() as session:
        await messages.add_note(session, await _incident(session), moment, {"at": at, "by": AVERY}, CHANNEL, at)


async def _incident(session: Any) -> Incident:
    found = await incidents.read(session, "inc-1")
    assert found is not None
    return found


async def test_a_429_of_the_search_for_an_earlier_try_does_not_make_the_bot_forget_to_search(
    deps: Deps, db: Database
) -> None:
    await store(db)
    clock = Clock()
    recorder = Recorder({"inc-1": [Retryable("no answer"), Retryable("pause", retry_after=1.0)]})
    for _ in range(3):
        await sender(deps, recorder, clock).deliver_due()
        clock.skipped += timedelta(seconds=30)

    assert [outgoing.search_first for outgoing in recorder.asked] == [False, True, True]


async def test_a_note_does_not_overtake_an_earlier_one_that_is_tried_again(deps: Deps, db: Database) -> None:
    await store(db)
    clock = Clock()
    recorder = Recorder({"inc-1:acknowledged": [Retryable("pause", retry_after=20.0)]})
    await sender(deps, recorder, clock).deliver_due()
    await note(db, "acknowledged", now())
    await sender(deps, recorder, clock).deliver_due()
    await note(db, "rejected:plan-1-1", now())
    await sender(deps, recorder, clock).deliver_due()
    clock.skipped = timedelta(seconds=21)
    await sender(deps, recorder, clock).deliver_due()

    assert recorder.ids == ["inc-1", "inc-1:acknowledged", "inc-1:acknowledged", "inc-1:rejected:plan-1-1"]


async def test_a_refused_note_does_not_hold_up_those_after_it(deps: Deps, db: Database) -> None:
    await store(db)
    clock = Clock()
    recorder = Recorder({"inc-1:acknowledged": [Permanent("no")]})
    await sender(deps, recorder, clock).deliver_due()
    await note(db, "acknowledged", now())
    await sender(deps, recorder, clock).deliver_due()
    await note(db, "rejected:plan-1-1", now())
    await sender(deps, recorder, clock).deliver_due()

    assert recorder.ids[-1] == "inc-1:rejected:plan-1-1"


async def test_a_note_without_its_thread_brings_the_card_back_once_and_does_not_spin(deps: Deps, db: Database) -> None:
    await store(db)
    clock = Clock()
    recorder = Recorder({"inc-1:acknowledged": [MessageGone("thread_not_found")] * 100})
    await sender(deps, recorder, clock).deliver_due()
    await note(db, "acknowledged", now())
    for _ in range(30):
        await sender(deps, recorder, clock).deliver_due()
        clock.skipped += timedelta(seconds=1)

    assert recorder.ids.count("inc-1") == 2
    assert recorder.ids.count("inc-1:acknowledged") <= 6


async def test_a_card_whose_place_left_the_catalog_is_told_plainly_and_disturbs_nobody(
    deps: Deps, db: Database
) -> None:
    await store(db)
    recorder = Recorder()
    gone = replace(deps, catalog=Catalog(services={}))

    assert await sender(gone, recorder, Clock()).deliver_due() == 1

    (card,) = recorder.asked
    assert "no longer in the catalog" in str(card.message)
    assert "P0" in str(card.message)


async def test_a_row_that_cannot_be_told_is_tried_seldom_and_the_others_are_told(deps: Deps, db: Database) -> None:
    await store(db)
    async with db.begin() as session:
        await messages.add_line(session, "broken", "no/such/template", {}, CHANNEL, now() - timedelta(minutes=1))
    clock, recorder = Clock(), Recorder()

    assert await sender(deps, recorder, clock).deliver_due() == 1

    async with db.read() as session:
        (row,) = await messages.undelivered(session)
    assert row.id == "broken"
    assert row.due_at > now()


async def test_a_change_while_the_card_is_being_sent_is_shown_afterwards(deps: Deps, db: Database) -> None:
    await store(db)
    async with db.begin() as session:
        await messages.sent(session, "inc-1", version=0, ts="1.0", channel=CHANNEL, now=now(), fell_back="")

    async def sent() -> None:
        async with db.begin() as session:
            await messages.sent(session, "inc-1", version=1, ts="1.0", channel=CHANNEL, now=now(), fell_back="")

    async with db.begin() as session:
        changed = await incidents.save(session, await _incident(session))
        await messages.want_card(session, changed, CHANNEL, now())
        sending = asyncio.create_task(sent())
        await asyncio.sleep(0.3)
    await sending

    async with db.read() as session:
        row = await messages.card(session, "inc-1")
    assert row is not None
    assert (row.wanted, row.done) == (2, False)


# --- looks and sweeps


async def test_a_place_that_cannot_be_looked_at_does_not_leave_the_others_unwatched(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = catalog()
    auth = both.services["auth"]
    other = {"production": replace(auth.deployments["staging"], cloud_run="other")}
    services = {"auth": replace(auth, deployments={**auth.deployments, **other})}
    watching = replace(deps, catalog=replace(both, services=services))
    looker, done = Stubborn("auth/staging"), []
    monkeypatch.setattr(sweep, "pick_up", lambda *_: _nothing(done))
    monkeypatch.setattr(sweep, "forget", lambda *_: _nothing(done))

    await sweep.sweep_once(watching, None, looker)  # type: ignore[arg-type]

    assert looker.seen == ["auth/staging", "auth/production"]
    assert len(done) == 2


async def _nothing(done: list[int]) -> None:
    done.append(1)


@dataclass
class Stubborn:
    """A looker that fails at one place."""

    fails_at: str
    seen: list[str] = field(default_factory=list)

    async def look(self, where: Place) -> Any:
        self.seen.append(where.key)
        await asyncio.sleep(0.05)
        if where.key == self.fails_at:
            raise ValueError("a document that nobody can read")
        from bot.workflows.look import Sight

        return Sight(where, now(), None)


async def test_two_processes_that_see_a_revision_first_at_once_do_not_break_a_look(deps: Deps, db: Database) -> None:
    from bot.errors import Conflict
    from bot.workflows.look import Looker

    outcomes = await asyncio.gather(*(Looker(deps).look(place()) for _ in range(4)), return_exceptions=True)

    assert [o for o in outcomes if isinstance(o, Exception) and not isinstance(o, Conflict)] == []
    async with db.read() as session:
        assert "auth/staging" in await places.last_looks(session)


async def test_a_clock_that_was_set_back_does_not_make_the_watch_hurry(deps: Deps) -> None:
    engine = object.__new__(Engine)
    engine._deps = deps

    assert engine._pause(now() + timedelta(hours=1)) == deps.watch.fast_every.total_seconds()


# --- starting and stopping


async def test_a_slack_that_is_down_does_not_keep_a_bot_in_socket_mode_from_starting_and_stopping(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    import aiohttp

    async with stage(tmp_path, database_url) as on:
        more = {"SLACK_APP_TOKEN": on.slack.app_token, "SLACK_API_URL": "http://127.0.0.1:9/api/"}
        without = Stage(on.slack, on.google, {**on.environment, **more})
        bot = await without.run_bot()
        try:
            async with asyncio.timeout(30), aiohttp.ClientSession() as http:
                while not await _is_ready(http, on.environment["PORT"]):
                    await asyncio.sleep(0.2)
            await stop(bot)
        finally:
            if bot.returncode is None:
                bot.kill()
                await bot.wait()
    assert bot.returncode == 0


async def _is_ready(http: Any, port: str) -> bool:
    import aiohttp

    try:
        async with http.get(f"http://127.0.0.1:{port}/ready") as response:
            return bool(response.status == 200)
    except aiohttp.ClientConnectionError:
        return False
