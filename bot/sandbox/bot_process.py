"""The bot as a child process: started with an environment made from scratch, watched, started again, ended.

The child leads a process group of its own, so that ending it ends whatever it started too, and a Ctrl-C in the
terminal reaches the sandbox only, which then ends the child in order. A bot that dies is started again after a
pause that doubles; one that dies too often in a row stays down until somebody asks for it.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TextIO

import aiohttp

LEASH: Final = Path(__file__).with_name("leash.py")
BOT_COMMAND: Final = (sys.executable, "-m", "bot", "run")
INHERITED: Final = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT")
LOG_LINES: Final = 200
SHOWN_LINES: Final = 25
LINE_LIMIT: Final = 1 << 20


class BotState(StrEnum):
    ABSENT = "absent"  # --no-bot: somebody else's business
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"  # died; waits before the next start
    DEAD = "dead"  # died too often; waits to be asked
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class BotStatus:
    state: BotState
    detail: str = ""
    address: str = ""
    log: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"state": self.state.value, "detail": self.detail, "address": self.address, "log": list(self.log)}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what.

    Attributes:
        ready: from the start until /ready answers 200; a bot that takes longer is ended and counts as dead.
        ready_poll: between two looks at /ready.
        stop: from SIGTERM to SIGKILL.
        first_pause: before the first restart; doubles with each death in a row.
        deaths: so many in a row, and it stays down.
        settled: ready for so long, and the count begins anew.
    """

    ready: timedelta = timedelta(seconds=60)
    ready_poll: timedelta = timedelta(milliseconds=100)
    stop: timedelta = timedelta(seconds=6)
    first_pause: timedelta = timedelta(milliseconds=500)
    deaths: int = 6
    settled: timedelta = timedelta(seconds=30)


class BotFailedToStart(Exception):
    """The bot was never ready; the text says why, with what it said last."""


@dataclass
class BotProcess:
    """`run()` keeps the bot alive until it is cancelled; everything else may be called meanwhile.

    Attributes:
        environment: the bot's own variables; only a few harmless ones are inherited beside them.
        address: base URL; /ready below it answers 200 when the bot can work.
        tell: called with each new status.
        output: where the child's lines are passed on to, prefixed.
    """

    environment: Mapping[str, str]
    address: str
    tell: Callable[[BotStatus], None]
    output: TextIO
    command: Sequence[str] = BOT_COMMAND
    prefix: str = "bot │ "
    patience: Patience = field(default_factory=Patience)
    status: BotStatus = field(default_factory=lambda: BotStatus(BotState.STARTING))
    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    _was_ready: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def last_lines(self) -> tuple[str, ...]:
        return tuple(self._lines)[-SHOWN_LINES:]

    async def wait_until_ready(self) -> None:
        """Return when the bot was ready for the first time."""
        await self._was_ready.wait()

    def restart(self) -> bool:
        """Start a bot that stays down again; False if it is not down."""
        if self.status.state is not BotState.DEAD:
            return False
        self._asked.set()
        return True

    async def run(self) -> None:
        """Keep the bot running.

        Raises:
            BotFailedToStart: it ended, or was not ready in time, before it was ready for the first time.
        """
        deaths = 0
        try:
            while True:
                settled, ending = await self._one_life()
                if not self._was_ready.is_set():
                    raise BotFailedToStart("\n".join([ending, *self.last_lines]))
                deaths = 1 if settled else deaths + 1
                await self._mourn(ending, deaths)
                if deaths >= self.patience.deaths:
                    deaths = 0
        finally:
            self._change(BotState.STOPPED, "")

    async def _one_life(self) -> tuple[bool, str]:
        """From start to end; whether it was ready for long enough to count as settled, and how it ended."""
        self._change(BotState.STARTING, "")
        child = await self._start()
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._pass_on(child))
            ready = group.create_task(self._wait_for_ready())
            try:
                return await self._live(child, ready)
            finally:
                ready.cancel()
                await end(child, self.patience.stop)
                await asyncio.wait({reader}, timeout=1)  # its last words
                reader.cancel()

    async def _live(self, child: asyncio.subprocess.Process, ready: asyncio.Task[bool]) -> tuple[bool, str]:
        # Watching for the end and waiting for /ready race: a bot that dies early is noticed at once.
        async with asyncio.TaskGroup() as group:
            ended = group.create_task(child.wait())
            await asyncio.wait({ended, ready}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done() and not ready.result():
                ended.cancel()
                return False, f"was not ready after {self.patience.ready.total_seconds():.0f} s"
            since = asyncio.get_running_loop().time()
            if not ended.done():
                self._was_ready.set()
                self._change(BotState.READY, "")
            code = await ended
            settled = asyncio.get_running_loop().time() - since >= self.patience.settled.total_seconds()
            return settled, ending_words(code)

    async def _mourn(self, ending: str, deaths: int) -> None:
        """Say that the bot died; return when it is time to start it again."""
        if deaths >= self.patience.deaths:
            self._asked.clear()
            self._say(f"The bot {ending}, {deaths} times in a row; it stays down until restarted from the console")
            self._change(BotState.DEAD, f"It {ending}, {deaths} times in a row")
            await self._asked.wait()
            return
        pause = self.patience.first_pause * 2 ** (deaths - 1)
        self._say(f"The bot {ending}; starting it again in {pause.total_seconds():g} s")
        self._change(BotState.RESTARTING, f"It {ending}; starting again in {pause.total_seconds():g} s")
        await asyncio.sleep(pause.total_seconds())

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *leashed(self.command),
            env=child_environment(self.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=LINE_LIMIT,
        )

    async def _pass_on(self, child: asyncio.subprocess.Process) -> None:
        """Read the child's lines until it closes its output."""
        assert child.stdout is not None  # noqa: S101 - PIPE was asked for
        while True:
            try:
                raw = await child.stdout.readline()
            except ValueError:  # a line longer than LINE_LIMIT; what was read of it is lost
                self._keep("(a line of more than 1 MiB was left out)")
                continue
            if not raw:
                return
            self._keep(raw.decode(errors="replace").rstrip())

    def _keep(self, line: str) -> None:
        self._lines.append(line)
        self.output.write(f"{self.prefix}{line}\n")
        self.output.flush()

    async def _wait_for_ready(self) -> bool:
        """True when /ready answered 200, False when it did not in time."""
        try:
            async with asyncio.timeout(self.patience.ready.total_seconds()), aiohttp.ClientSession() as client:
                while not await answers(client, f"{self.address}/ready"):  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(self.patience.ready_poll.total_seconds())
        except TimeoutError:
            return False
        return True

    def _change(self, state: BotState, detail: str) -> None:
        failed = state in {BotState.DEAD, BotState.RESTARTING}
        self.status = BotStatus(state, detail, self.address, self.last_lines if failed else ())
        self.tell(self.status)

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


async def answers(client: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with client.get(url, timeout=aiohttp.ClientTimeout(total=2)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def end(child: asyncio.subprocess.Process, patience: timedelta) -> None:
    """SIGTERM to the whole group, SIGKILL to what is left of it after `patience`."""
    try:
        signal_group(child.pid, signal.SIGTERM)
        async with asyncio.timeout(patience.total_seconds()):
            await child.wait()
    except TimeoutError:
        pass  # it had its chance
    finally:
        signal_group(child.pid, signal.SIGKILL)
        await child.wait()


def signal_group(leader: int, sent: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, sent)


def leashed(command: Sequence[str]) -> Sequence[str]:
    """The command, so started that it does not outlive a sandbox that is killed by SIGKILL; Linux only."""
    if sys.platform != "linux":
        return command
    return (sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command)


def child_environment(own: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **own}


def ending_words(code: int) -> str:
    """As in: it "ended with exit code 3", it "was killed by SIGKILL"."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def absent(address: str) -> BotStatus:
    """The status when the sandbox runs without a bot of its own."""
    return replace(BotStatus(BotState.ABSENT), address=address)
