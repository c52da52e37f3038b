"""The bot is killed with SIGKILL while a local run goes on: the next bot follows it on, and nothing is run twice."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from support.stage import CHANNEL, Stage, stage

from bot.model.rerun import Rerun, RerunMode, RerunState
from bot.store import reruns
from bot.store.database import Database

COLLECTED = "tests/test_a.py::test_one"


def lay_out(folder: Path, script: str) -> None:
    """A catalog with a suite whose command is this shell script."""
    path = folder / "reliability.yaml"
    known = path.read_text().replace("    health: /health\n", "    health: /health\n    suites: [e2e]\n")
    (folder / "run.sh").write_text(script)
    runner = "{kind: local, command: [sh, run.sh], collect: []}"
    path.write_text(f"{known}\nsuites:\n  e2e: {{runner: {runner}, rerun: {{timeout: 60s, cooldown: 0s}}}}\n")


async def requested(db: Database) -> Rerun:
    """As a press leaves it when the bot dies right after it was stored."""
    rerun = Rerun("rerun-1", "e2e", RerunMode.COLLECT, "U0RILEY0001", CHANNEL, datetime.now(UTC))
    async with db.begin() as session:
        assert await reruns.add(session, rerun, at_once=1)
    return rerun


async def read(db: Database) -> Rerun:
    async with db.read() as session:
        found = await reruns.read(session, "rerun-1")
    assert found is not None
    return found


async def until(what: Callable, why: Callable[[], object], timeout_s: float = 45) -> None:
    deadline = time.monotonic() + timeout_s
    while not await what():
        assert time.monotonic() < deadline, why()
        await asyncio.sleep(0.05)


def told(on: Stage) -> list[str]:
    return [message["text"] for message in on.messages() if "e2e" in message["text"]]


async def killed_while_it_runs(on: Stage, db: Database) -> None:
    bot = await on.run_bot()

    async def runs() -> bool:
        return (await read(db)).state is RerunState.STARTED

    await until(runs, lambda: told(on))
    bot.kill()
    await bot.wait()


async def to_the_end(on: Stage, db: Database) -> None:
    bot = await on.run_bot()

    async def is_told() -> bool:
        return (await read(db)).state.is_over and any("runs" not in text for text in told(on))

    await until(is_told, lambda: told(on))
    bot.send_signal(signal.SIGTERM)
    await asyncio.wait_for(bot.wait(), 20)


async def test_a_run_that_outlives_its_bot_is_followed_on_and_told_once(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    state = tmp_path / "runs"
    async with stage(tmp_path, database_url, RELIABILITY_RERUN__DIRECTORY=str(state)) as on:
        lay_out(
            tmp_path,
            f"echo begun >> begun\nwhile [ ! -e go ]; do sleep 0.05; done\necho {COLLECTED}\necho\necho '1 test collected in 0.1s'",
        )
        await requested(db)
        await killed_while_it_runs(on, db)

        (tmp_path / "go").touch()
        await to_the_end(on, db)

        ended = await read(db)
        assert (ended.state, ended.verdict) == (RerunState.FINISHED, "passed")
        assert (tmp_path / "begun").read_text() == "begun\n"
        assert len(told(on)) == 1
        assert "1 test collected" in told(on)[0]
        assert list(state.iterdir()) == []


async def test_a_run_that_is_gone_when_the_next_bot_looks_is_told_as_lost_and_nothing_of_it_runs(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    state = tmp_path / "runs"
    async with stage(tmp_path, database_url, RELIABILITY_RERUN__DIRECTORY=str(state)) as on:
        lay_out(tmp_path, "echo $$ > leader\nexec sleep 60\n")
        await requested(db)
        await killed_while_it_runs(on, db)
        os.kill(int((state / "rerun-1" / "supervisor").read_text().split()[0]), signal.SIGKILL)

        await to_the_end(on, db)

        assert (await read(db)).state is RerunState.LOST
        assert "lost" in told(on)[0]
        assert not Path(f"/proc/{(tmp_path / 'leader').read_text().strip()}").exists()
