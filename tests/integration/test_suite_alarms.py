"""Reports over the wire, cards in Slack: the whole bot as a process of its own, killed where it hurts. On both databases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.deliveries import SECRET
from support.sandbox import shown
from support.stage import Stage, stage
from support.suites import EMPTY_JUNIT, NOTHING_COLLECTED, Ci, write_catalog

GREEN = {f"tests/test_{name}.py::test_{number}": "passed" for name in ("cart", "login") for number in range(5)}


@pytest.fixture
async def on(tmp_path: Path, database_url: str) -> AsyncIterator[Stage]:
    """A stage whose catalog has the suite e2e-staging; no bot runs yet."""
    settings = {"RELIABILITY_CATALOG": write_catalog(tmp_path), "RELIABILITY_WEBHOOK_SECRET": SECRET}
    async with stage(tmp_path, database_url, **settings) as staged:
        yield staged


@pytest.fixture
async def ci(on: Stage) -> AsyncIterator[Ci]:
    async with aiohttp.ClientSession() as http:
        yield Ci(http, f"http://127.0.0.1:{on.environment['PORT']}")


async def until(what: Callable[[], Any], why: Callable[[], object], timeout_s: float = 30) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < deadline, why()
        await asyncio.sleep(0.05)
    return found


async def started(on: Stage, ci: Ci, *options: str) -> asyncio.subprocess.Process:
    bot = await on.run_bot(*options)
    deadline = time.monotonic() + 30
    while True:
        try:
            async with ci.http.get(f"{ci.url}/ready") as answer:
                if answer.status == 200:
                    return bot
        except aiohttp.ClientError:
            pass
        assert bot.returncode is None
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def card(on: Stage, *words: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        return next((c for c in on.cards() if all(word in shown(c) for word in words)), None)

    return await until(look, lambda: (words, [shown(c) for c in on.cards()]))


@pytest.mark.parametrize(("body", "exit_code"), [(EMPTY_JUNIT, "5"), (NOTHING_COLLECTED, "5")])
async def test_a_run_that_collected_nothing_is_a_p0_with_why_and_fix_within_seconds(
    on: Stage, ci: Ci, body: bytes, exit_code: str
) -> None:
    await started(on, ci)

    status, _ = await ci.post(body, exit_code=exit_code, commit="a1b2c3d")

    assert status == 202
    told = shown(await card(on, "P0 · e2e-staging (main) · 0 tests collected"))
    assert "*Why:*" in told
    assert "*Fix:*" in told
    assert "exposed *$500K*" in told
