"""Killed with SIGKILL before and after each step of a rollback: one card, one shift, the same end. On both databases."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from support.stage import CHANNEL, Stage, stage
from support.values import BAD, GOOD, incident, plan

from bot.decide.digest import plan_digest
from bot.model.incident import Decision, IncidentState, PlanState
from bot.store import incidents, messages
from bot.store.database import Database

STEPS = ("begin", "shift", "await_traffic", "mitigate", "check", "finish")


async def approved(db: Database) -> None:
    """An open incident whose rollback somebody approved a moment ago."""
    await proposed(db, state=PlanState.APPROVED, decisions=(Decision("approve_rollback", "U0AVERY0001", _now()),))


async def proposed(db: Database, **fields) -> None:
    draft = plan(created_at=_now(), expires_at=_now() + timedelta(minutes=30), **fields)
    shown = replace(draft, digest=plan_digest(draft))
    async with db.begin() as session:
        opened = await incidents.add(session, incident(opened_at=_now(), since=_now(), last_seen=_now(), plan=shown))
        await messages.want_card(session, opened, CHANNEL, _now())


def _now() -> datetime:
    return datetime.now(UTC)


async def state_of(db: Database) -> tuple[PlanState, IncidentState]:
    async with db.read() as session:
        found = await incidents.read(session, "inc-1")
    assert found is not None
    assert found.plan is not None
    return found.plan.state, found.state


async def until(what: Callable, why: Callable[[], object], timeout_s: float = 45) -> None:
    deadline = time.monotonic() + timeout_s
    while not await what():
        assert time.monotonic() < deadline, why()
        await asyncio.sleep(0.1)


async def runs_to_the_end(on: Stage, db: Database, *options: str) -> None:
    bot = await on.run_bot(*options)
    try:

        async def done() -> bool:
            cards = on.cards()
            over = await state_of(db) == (PlanState.VERIFIED, IncidentState.RESOLVED)
            return over and bool(cards) and "resolved" in cards[0]["text"].lower()

        await until(done, lambda: (on.serving(), [m["text"] for m in on.messages()]))
    finally:
        bot.send_signal(signal.SIGTERM)
        await asyncio.wait_for(bot.wait(), 20)


def moved_once_and_told_once(on: Stage, generation: int) -> None:
    assert on.generation() == generation + 1
    assert on.serving() == {GOOD: 100}
    assert len(on.cards()) == 1
    assert len(on.notes()) == len(set(on.notes()))


@pytest.mark.parametrize("moment", ["begun", "done"])
@pytest.mark.parametrize("name", STEPS)
async def test_a_rollback_killed_around_a_step_is_finished_by_the_next_process(
    name: str, moment: str, db: Database, database_url: str, tmp_path: Path
) -> None:
    async with stage(tmp_path, database_url) as on:
        await approved(db)
        generation = on.generation()

        bot = await on.run_bot("--die", f"{name}:{moment}")
        assert await asyncio.wait_for(bot.wait(), 45) == -signal.SIGKILL
        await runs_to_the_end(on, db)

        moved_once_and_told_once(on, generation)


async def test_an_answer_of_cloud_run_that_was_lost_moves_traffic_once(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    async with stage(tmp_path, database_url) as on:
        await approved(db)
        generation = on.generation()
        on.google.fail("UpdateService", times=1, after_effect=True)

        await runs_to_the_end(on, db)

        moved_once_and_told_once(on, generation)


async def test_a_post_that_slack_took_but_did_not_answer_is_found_and_not_repeated(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    async with stage(tmp_path, database_url) as on:
        await approved(db)
        generation = on.generation()
        on.slack.lose_answer("chat.postMessage", times=2)

        await runs_to_the_end(on, db)

        moved_once_and_told_once(on, generation)


async def test_a_rollback_begun_by_this_release_is_finished_by_a_later_one_with_one_more_step(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    async with stage(tmp_path, database_url) as on:
        await approved(db)
        generation = on.generation()
        bot = await on.run_bot("--die", "check:begun")
        assert await asyncio.wait_for(bot.wait(), 45) == -signal.SIGKILL

        await runs_to_the_end(on, db, "--later-release")

        moved_once_and_told_once(on, generation)


async def test_an_approval_that_waits_survives_a_crash_and_a_later_release(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    async with stage(tmp_path, database_url) as on:
        await proposed(db)
        generation = on.generation()
        bot = await on.run_bot()
        await until(lambda: _card_with_buttons(on), on.messages)
        bot.kill()
        await bot.wait()

        later = await on.run_bot("--later-release")
        await until(lambda: _answers(on), on.messages)
        card = on.cards()[0]
        for _ in range(2):
            await on.slack.click(
                user="U0AVERY0001",
                channel=CHANNEL,
                message_ts=card["ts"],
                block_id="actions",
                action_id="approve_rollback",
            )

        async def verified() -> bool:
            return await state_of(db) == (PlanState.VERIFIED, IncidentState.RESOLVED)

        await until(verified, on.messages)
        later.send_signal(signal.SIGTERM)
        await asyncio.wait_for(later.wait(), 20)
        moved_once_and_told_once(on, generation)


async def _card_with_buttons(on: Stage) -> bool:
    return any("approve_rollback" in str(card["blocks"]) for card in on.cards())


async def _answers(on: Stage) -> bool:
    url = f"http://127.0.0.1:{on.environment['PORT']}/ready"
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as response:
            return response.status == 200
    except aiohttp.ClientConnectionError:
        return False


async def test_a_dry_run_makes_every_check_moves_nothing_and_says_so(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    async with stage(tmp_path, database_url, RELIABILITY_DRY_RUN="true") as on:
        await proposed(db, state=PlanState.APPROVED, dry_run=True)
        generation = on.generation()
        bot = await on.run_bot()

        async def told() -> bool:
            return any("DRY RUN, checked anyway" in note for note in on.notes())

        await until(told, on.notes)
        bot.send_signal(signal.SIGTERM)
        await asyncio.wait_for(bot.wait(), 20)
        assert on.generation() == generation
        assert on.serving() == {BAD: 100}
        assert "dry run" in str(on.cards()[0]["blocks"]).lower()


async def test_traffic_that_moved_after_the_approval_is_left_alone(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    async with stage(tmp_path, database_url) as on:
        await approved(db)
        await on.google.set_traffic("auth-service", {GOOD: 50, BAD: 50}, by="dana@acme.example", wait=True)
        generation = on.generation()
        bot = await on.run_bot()
        try:

            async def refused() -> bool:
                return (await state_of(db))[0] is PlanState.REFUSED

            await until(refused, on.messages)
        finally:
            bot.send_signal(signal.SIGTERM)
            await asyncio.wait_for(bot.wait(), 20)

        assert on.generation() == generation
        assert on.serving() == {GOOD: 50, BAD: 50}
