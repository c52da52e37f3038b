"""From a bad deploy to a verified rollback, over the wire: the real bot, Slack's and Google's real clients."""

from __future__ import annotations

import asyncio
import time

from support.sandbox import Running, buttons, console, shown


async def test_a_bad_release_becomes_a_p0_and_an_approved_rollback_resolves_it(running: Running) -> None:
    async with console(running) as person:
        await person.play("bad-release")
        card = await person.card("P0", "auth-service", "app.services.monitoring", timeout_s=60)
        text = shown(card)
        assert "00281-kzq" in text
        assert "dana" in text
        assert "$500K" in text
        assert buttons(card) >= {"approve_rollback", "reject_rollback", "acknowledge"}

        await person.click("outsider", "approve_rollback", card)
        refused = await person.until(lambda: person.ephemerals("outsider"))
        assert "Nothing was done" in refused[-1]
        assert await serving(person) == {"auth-service-00283-qab": 100}

        await asyncio.gather(
            person.click("approver", "approve_rollback", card), person.click("approver", "approve_rollback", card)
        )
        await person.until(lambda: moved_back(person), timeout_s=30)
        resolved = await person.card("Resolved", "00281-kzq", timeout_s=120)
        assert "--to-latest" in shown(resolved)
        assert not buttons(resolved) & {"approve_rollback", "reject_rollback", "acknowledge"}
        assert resolved["ts"] == card["ts"]
        history = " ".join(await person.thread(resolved))
        assert "avery" in history or running.info["users"]["approver"] in history
        assert len([c for c in await person.cards() if "P0" in shown(c)]) == 1


async def moved_back(person) -> bool:
    return await serving(person) == {"auth-service-00281-kzq": 100}


async def serving(person) -> dict[str, int]:
    services = (await person.state())["cloud"]["services"]
    auth = next(s for s in services if s["name"] == "auth-service")
    return {r["name"]: r["percent"] for r in auth["revisions"] if r["percent"]}


async def test_a_port_mismatch_is_a_p0_without_a_rollback_because_users_are_served(running: Running) -> None:
    async with console(running) as person:
        await person.play("port-mismatch")
        await person.card("P0", "8081", "8080", timeout_s=60)
        card = await person.card("5 of 5", timeout_s=60)
        text = shown(card)
        assert "00281-kzq" in text
        assert "approve_rollback" not in buttons(card)
        assert "not needed" in text


async def test_status_answers_within_three_seconds_and_a_typo_gets_the_nearest_word(running: Running) -> None:
    async with console(running) as person:
        begun = time.monotonic()
        await person.slash("responder", "status")
        answers = await person.until(lambda: person.ephemerals("responder"), 3)
        assert time.monotonic() - begun < 3
        assert "auth-service" in answers[-1]

        await person.slash("outsider", "statsu")
        typo = await person.until(lambda: person.ephemerals("outsider"), 3)
        assert "status" in typo[-1]
