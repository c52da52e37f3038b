"""Suites over the wire: a real pytest in the sandbox's pipeline, its reports, and what the bot makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.sandbox import Console, Running, buttons, console, sandbox, shown

FIRST = "test_it_works_right_after_signing_in"
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("suites")]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with sandbox(tmp_path, "--http", "--speed", "4") as started:
        yield started


async def told(person: Console, words: str) -> bool:
    return words in str((await person.state())["scenarios"])


async def serving(person: Console) -> dict[str, int]:
    services = (await person.state())["cloud"]["services"]
    auth = next(each for each in services if each["name"] == "auth-service")
    return {revision["name"]: revision["percent"] for revision in auth["revisions"] if revision["percent"]}


async def test_a_green_run_with_fewer_tests_is_an_alarm_with_the_list_until_a_rerun_finds_them(running: Running):
    async with console(running) as person:
        await person.play("tests-vanished")
        card = await person.card("e2e-staging", "3 tests vanished", timeout_s=60)
        listed = "\n".join(await person.until(lambda: person.thread(card)))
        await person.until(lambda: told(person, "Press Rerun"), timeout_s=30)
        await person.click("responder", "rerun_suite", card)
        resolved = await person.card("esolved", "9 tests collected", timeout_s=60)

    text = shown(card)
    assert "test_first_answer.py` (3 tests)" in text
    assert "Moved, not lost: `tests/e2e/staging/test_sign_in.py`" in text
    assert "TestFirstAnswer::test_a_question_gets_an_answer" in listed
    assert "test_sign_in" not in listed
    assert resolved["ts"] == card["ts"]


async def test_a_red_commit_that_is_deployed_all_the_same_is_told_blamed_and_rolled_back(running: Running):
    async with console(running) as person:
        await person.play("red-suite-behind-a-bad-deploy")
        await person.card("e2e-staging", "5 tests fail", timeout_s=60)
        warning = await person.card("was deployed", "although e2e-staging failed (5 of 9), first:", timeout_s=60)
        card = await person.card("P0", "auth-service", "Responsible (", "e2e-staging failed (5 of 9)", timeout_s=120)
        votes = await person.until(lambda: votes_of(person, card), timeout_s=30)
        await person.click("approver", "approve_rollback", card)
        resolved = await person.card("Resolved", "00281-kzq", "Verified", timeout_s=90)
        after = await serving(person)

    assert FIRST in shown(warning)
    assert "*Tests of " in shown(card)
    assert FIRST in shown(card)
    assert "00282" in shown(card)
    assert "e2e-staging failed on its commit (5 of 9 tests)" in votes
    assert resolved["ts"] == card["ts"]
    assert not buttons(resolved) & {"approve_rollback", "reject_rollback"}
    assert after == {"auth-service-00281-kzq": 100}


async def votes_of(person: Console, card: dict) -> str:
    said = "\n".join(await person.thread(card))
    return said if "For:" in said else ""


@pytest.mark.parametrize(("seed", "why"), [(1, "working directory"), (3, "deselected")])
async def test_another_seed_loses_all_tests_another_way_and_its_fix_finds_them(tmp_path: Path, seed: int, why: str):
    with sandbox(tmp_path, "--http", "--speed", "20", "--seed", str(seed)) as running:
        async with console(running) as person:
            await person.play("zero-tests-collected")
            card = await person.card("P0", "e2e-staging", why, timeout_s=60)
            await person.until(lambda: told(person, "Press Rerun"), timeout_s=30)
            await person.click("responder", "rerun_suite", card)
            resolved = await person.card("esolved", "9 tests collected", timeout_s=60)
            thread = await person.until(lambda: collected(person, card), timeout_s=30)

    assert resolved["ts"] == card["ts"]
    assert "0 → 9 tests collected" in thread


async def collected(person: Console, card: dict) -> str:
    found = [shown(m) for m in await person.messages() if m.get("thread_ts") == card["ts"]]
    return next((text for text in found if "→" in text), "")
