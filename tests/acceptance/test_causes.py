"""Whose fault it is, over the wire: the cause on the card, the votes and a chart in its thread, the right rollback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.sandbox import Console, Running, buttons, console, sandbox, shown

AUTH, BACKEND = "auth-service", "backend-service"
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("causes")]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with sandbox(tmp_path, "--http") as started:
        yield started


async def serving(person: Console, service: str) -> dict[str, int]:
    services = (await person.state())["cloud"]["services"]
    found = next(each for each in services if each["name"] == service)
    return {revision["name"]: revision["percent"] for revision in found["revisions"] if revision["percent"]}


async def thread_with(person: Console, card: dict, *words: str) -> str:
    """The card's thread once all the words are in it."""

    async def look() -> str | None:
        said = "\n".join(await person.thread(card))
        return said if all(word in said for word in words) else None

    return await person.until(look, 60, f"{words} in the thread")


async def test_a_dependency_that_fails_after_an_innocent_deploy_is_named_and_nothing_is_rolled_back(running: Running):
    async with console(running) as person:
        await person.play("innocent-deploy-dependency-outage")
        card = await person.card("P0", AUTH, "Responsible", "postgres at 10.20.0.5", "not a deploy", timeout_s=150)
        await thread_with(person, card, "For:", BACKEND, "📊")

    assert "moving traffic back would not help" in shown(card)
    assert "approve_rollback" not in buttons(card)


async def test_a_bad_canary_is_blamed_by_what_it_does_beside_the_old_revision(running: Running):
    async with console(running) as person:
        await person.play("bad-canary")
        card = await person.card("P0", AUTH, "Responsible (sure)", "00282", timeout_s=120)
        said = await thread_with(person, card, "For:", "📊")
        before = await serving(person, AUTH)
        await person.click("approver", "approve_rollback", card)
        await person.card("Resolved", "00281-kzq", timeout_s=90)
        after = await serving(person, AUTH)

    assert "1 new" in shown(card)
    assert "10 %" in said
    assert sorted(before.values()) == [10, 90]
    assert after == {"auth-service-00281-kzq": 100}


async def test_a_callee_whose_errors_show_in_its_caller_is_blamed_and_rolled_back_from_the_callers_card(
    running: Running,
):
    async with console(running) as person:
        await person.play("guilty-callee")
        card = await person.card("P0", AUTH, "Responsible", BACKEND, "Rollback of backend-service", timeout_s=120)
        said = await thread_with(person, card, "traces", "📊")
        auth_before = await serving(person, AUTH)
        await person.click("approver", "approve_rollback", card)
        half = await person.card("1 more", "Rollback of backend-service")
        await person.click("owner", "approve_rollback", half)  # the backend asks for two
        resolved = await person.card("Resolved", "00119", timeout_s=90)
        after = await serving(person, BACKEND)

    assert "For:" in said
    assert "KeyError: 'plan'" in shown(card)
    assert [name for name in after if name.startswith("backend-service-00119")] == [*after]
    assert auth_before == {"auth-service-00281-kzq": 100}
    assert "update-traffic backend-service" in shown(resolved)
