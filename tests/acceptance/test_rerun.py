"""A real pytest that finds no test, a P0, the fix, the button Rerun, and a card that is resolved: over the wire."""

from __future__ import annotations

import asyncio
from typing import Any

from support.sandbox import Console, Running, buttons, console, shown


async def test_zero_tests_collected_becomes_a_p0_and_a_rerun_after_the_fix_resolves_it(running: Running) -> None:
    async with console(running) as person:
        await person.play("zero-tests-collected")
        card = await person.card("P0", "e2e-staging", "0 tests collected", timeout_s=60)
        assert "shop" in shown(card)
        assert "rerun_suite" in buttons(card)

        await person.slash("outsider", "rerun e2e-staging all")
        refused = await person.until(lambda: person.ephemerals("outsider"))
        assert "Nothing was started" in refused[-1]

        await person.until(lambda: fixed(person), timeout_s=30)
        await asyncio.gather(
            person.click("responder", "rerun_suite", card), person.click("approver", "rerun_suite", card)
        )
        told = await person.until(lambda: rerun_of(person, card, "0 → 9 tests collected"), timeout_s=60)
        text = shown(told)
        assert "python -m pytest --collect-only -q tests/e2e/staging" in text
        assert "pytest.ini" in text
        assert "PYTHONPATH `not set`" in text
        resolved = await person.card("esolved", "e2e-staging", timeout_s=30)
        assert resolved["ts"] == card["ts"]
        assert "rerun_suite" not in buttons(resolved)
        assert len(await reruns(person, card)) == 1


async def fixed(person: Console) -> bool:
    return "Press Rerun" in str((await person.state())["scenarios"])


async def reruns(person: Console, card: dict[str, Any]) -> list[dict[str, Any]]:
    """Messages of reruns in the card's thread."""
    found = await person.messages()
    return [m for m in found if m.get("thread_ts") == card["ts"] and "--collect-only" in shown(m)]


async def rerun_of(person: Console, card: dict[str, Any], words: str) -> dict[str, Any] | None:
    return next((m for m in await reruns(person, card) if words in shown(m)), None)
