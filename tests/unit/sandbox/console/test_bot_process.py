"""The bot as a child process; a few lines of Python stand in for it."""

from __future__ import annotations

import asyncio
import io
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.sandbox.bot_process import BotFailedToStart, BotProcess, BotState, Patience, child_environment, leashed

SERVE = """
import http.server, os, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die": os._exit(7)
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
    def log_message(self, *_): pass
print("listening on", os.environ["PORT"], flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Ready).serve_forever()
"""
QUICK = Patience(
    ready=timedelta(seconds=10),
    ready_poll=timedelta(milliseconds=20),
    stop=timedelta(seconds=3),
    first_pause=timedelta(milliseconds=10),
    deaths=2,
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Watched(BotProcess):
    """A BotProcess whose statuses can be waited for."""

    @classmethod
    def of(cls, code: str, *, patience: Patience = QUICK, **environment: str) -> Watched:
        port = free_port()
        bot = cls(
            environment={"PORT": str(port), **environment},
            address=f"http://127.0.0.1:{port}",
            tell=lambda _: None,
            output=io.StringIO(),
            command=(sys.executable, "-I", "-c", code),
            patience=patience,
        )
        bot.seen = []
        bot.tell = bot.seen.append
        return bot

    async def has(self, met: Callable[[list[BotState]], bool]) -> None:
        async with asyncio.timeout(10):
            while not met([status.state for status in self.seen]):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(bot: Watched) -> AsyncIterator[Watched]:
    task = asyncio.create_task(bot.run())
    try:
        yield bot
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def visit(bot: Watched, path: str) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", int(bot.environment["PORT"]))
    writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    await writer.drain()
    writer.close()


async def test_a_bot_is_ready_when_it_says_so() -> None:
    async with running(Watched.of(SERVE)) as bot:
        await bot.wait_until_ready()

        assert [status.state for status in bot.seen] == [BotState.STARTING, BotState.READY]


async def test_a_bot_that_dies_is_started_again_and_it_is_said_why(capsys: pytest.CaptureFixture[str]) -> None:
    async with running(Watched.of(SERVE)) as bot:
        await bot.wait_until_ready()
        await visit(bot, "/die")
        await bot.has(lambda states: states.count(BotState.READY) == 2)

    mourned = next(status for status in bot.seen if status.state is BotState.RESTARTING)
    assert "ended with exit code 7" in mourned.detail
    assert any("listening on" in line for line in mourned.log)
    assert "The bot ended with exit code 7" in capsys.readouterr().err


async def test_a_bot_that_dies_again_and_again_stays_down_until_somebody_asks() -> None:
    async with running(Watched.of(SERVE)) as bot:
        await bot.wait_until_ready()
        assert not bot.restart()
        await visit(bot, "/die")
        await bot.has(lambda states: states.count(BotState.READY) == 2)
        await visit(bot, "/die")
        await bot.has(lambda states: states[-1] is BotState.DEAD)

        assert bot.restart()
        await bot.has(lambda states: states.count(BotState.READY) == 3)


async def test_a_bot_that_never_becomes_ready_fails_with_its_last_words() -> None:
    bot = Watched.of("print('the catalog has no services'); raise SystemExit(2)")

    with pytest.raises(BotFailedToStart, match=r"ended with exit code 2\n(?s:.*)the catalog has no services"):
        await bot.run()


async def test_a_bot_that_hangs_before_it_is_ready_is_ended() -> None:
    hasty = Patience(ready=timedelta(milliseconds=200), stop=timedelta(seconds=3))
    bot = Watched.of("import time; print('thinking', flush=True); time.sleep(60)", patience=hasty)

    with pytest.raises(BotFailedToStart, match="was not ready"):
        await bot.run()


GRANDCHILD = """
import socket, time
listening = socket.create_server(("127.0.0.1", 0))
print("grandchild on", listening.getsockname()[1], flush=True)
time.sleep(60)
"""
STUBBORN_WITH_A_CHILD = f"""
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-I", "-c", {GRANDCHILD!r}], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline(), flush=True)
{SERVE}
"""


def answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


async def test_stopping_leaves_no_process_behind_however_stubborn_it_is() -> None:
    patience = Patience(ready_poll=timedelta(milliseconds=20), stop=timedelta(milliseconds=100))
    async with running(Watched.of(STUBBORN_WITH_A_CHILD, patience=patience)) as bot:
        await bot.wait_until_ready()
        grandchild = next(int(line.split()[-1]) for line in bot.last_lines if line.startswith("grandchild"))
        assert answers(grandchild)

    assert bot.seen[-1].state is BotState.STOPPED
    assert not answers(grandchild)


async def test_a_killed_bot_is_named_by_its_signal() -> None:
    killed_by_itself = SERVE.replace("os._exit(7)", f"os.kill(os.getpid(), {int(signal.SIGKILL)})")
    async with running(Watched.of(killed_by_itself)) as bot:
        await bot.wait_until_ready()
        await visit(bot, "/die")
        await bot.has(lambda states: BotState.RESTARTING in states)

    assert any("was killed by SIGKILL" in status.detail for status in bot.seen)


async def test_what_the_bot_prints_is_passed_on_with_a_prefix() -> None:
    async with running(Watched.of(SERVE)) as bot:
        await bot.wait_until_ready()

    assert f"bot │ listening on {bot.environment['PORT']}\n" in bot.output.getvalue()


def test_the_environment_is_made_from_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "of-a-real-workspace")
    monkeypatch.setenv("RELIABILITY_DRY_RUN", "true")
    monkeypatch.setenv("PATH", "/usr/bin")

    environment = child_environment({"PORT": "1234"})

    assert environment["PATH"] == "/usr/bin"
    assert environment["PORT"] == "1234"
    assert not {"SLACK_BOT_TOKEN", "RELIABILITY_DRY_RUN"} & set(environment)


STARTS_AND_WAITS = """
import subprocess, sys
from bot.sandbox.bot_process import leashed
child = subprocess.Popen(leashed([sys.executable, "-I", "-c", "import time; print('up', flush=True); time.sleep(3); print('outlived')"]))
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_bot_does_not_outlive_a_sandbox_that_was_killed() -> None:
    with subprocess.Popen((sys.executable, "-c", STARTS_AND_WAITS), stdout=subprocess.PIPE, text=True) as sandbox:
        assert sandbox.stdout is not None
        lines = {sandbox.stdout.readline().strip() for _ in range(2)}  # "up", and the child's id
        [child] = lines - {"up"}
        sandbox.kill()
        left = sandbox.stdout.read()  # ends when nobody holds the other end any more: neither of the two runs

    assert left == ""
    assert child.isdigit()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_the_leash_becomes_the_command_itself() -> None:
    with subprocess.Popen(
        leashed([sys.executable, "-I", "-c", "import os; print(os.getpid())"]), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert int(child.stdout.read()) == child.pid
