"""The whole product in a child process, driven as people drive it: through the console's HTTP interface."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[2]
AUTH_ALERTS = "C0AUTHOPS01"


@dataclass(frozen=True)
class Running:
    """A sandbox that runs. `info` is its JSON line; `log` what it and its bot said on stderr."""

    info: dict[str, Any]
    log: Path
    process: subprocess.Popen[bytes]


@contextmanager
def sandbox(folder: Path, *options: str, timeout_s: float = 60, **environment: str) -> Iterator[Running]:
    """Start `reliability sandbox --json`, yield it when it says that it is ready, stop it with SIGINT."""
    folder.mkdir(parents=True, exist_ok=True)
    out, log = folder / "sandbox.out", folder / "sandbox.log"
    command = [sys.executable, "-m", "bot", "sandbox", "--json", "--port", "0", *options]
    with out.open("wb") as stdout, log.open("wb") as stderr:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=stdout, stderr=stderr, stdin=subprocess.DEVNULL, env=os.environ | environment
        )
    try:
        yield Running(_first_line(process, out, log, timeout_s), log, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _first_line(process: subprocess.Popen[bytes], out: Path, log: Path, timeout_s: float) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        text = out.read_text()
        if "\n" in text:
            return json.loads(text.splitlines()[0])
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"the sandbox did not start:\n{log.read_text()[-4000:]}")


class Console:
    """A person at the console."""

    def __init__(self, http: aiohttp.ClientSession, info: dict[str, Any]) -> None:
        self._http = http
        self.info = info

    async def state(self) -> dict[str, Any]:
        async with self._http.get("/console/state") as response:
            return await response.json()

    async def post(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        async with self._http.post(f"/console/{path}", json=body) as response:
            return response.status, await response.json()

    async def play(self, scenario: str) -> None:
        status, answer = await self.post(f"scenarios/{scenario}/play", user=self.info["users"]["responder"])
        assert status == 200, answer

    async def click(self, role: str, action_id: str, message: dict[str, Any], channel: str = AUTH_ALERTS) -> None:
        user = self.info["users"][role]
        status, answer = await self.post(
            "click", user=user, channel=channel, message_ts=message["ts"], action_id=action_id
        )
        assert status == 200, answer

    async def slash(self, role: str, text: str, channel: str = AUTH_ALERTS) -> None:
        user = self.info["users"][role]
        status, answer = await self.post("slash", user=user, channel=channel, command="/reliability", text=text)
        assert status == 200, answer

    async def channel(self, channel: str = AUTH_ALERTS) -> dict[str, Any]:
        return next(each for each in (await self.state())["channels"] if each["id"] == channel)

    async def messages(self, channel: str = AUTH_ALERTS) -> list[dict[str, Any]]:
        return (await self.channel(channel))["messages"]

    async def cards(self, channel: str = AUTH_ALERTS) -> list[dict[str, Any]]:
        """Messages that are not in a thread and have buttons or once had: the cards."""
        return [m for m in await self.messages(channel) if m.get("thread_ts", m["ts"]) == m["ts"] and m.get("blocks")]

    async def thread(self, card: dict[str, Any], channel: str = AUTH_ALERTS) -> list[str]:
        found = await self.messages(channel)
        return [m["text"] for m in found if m.get("thread_ts") == card["ts"] and m["ts"] != card["ts"]]

    async def ephemerals(self, role: str, channel: str = AUTH_ALERTS) -> list[str]:
        user = self.info["users"][role]
        return [shown(e["message"]) for e in (await self.channel(channel))["ephemerals"] if e["user"] == user]

    async def until(self, what: Callable[[], Any], timeout_s: float = 20, why: str = "") -> Any:
        """Ask again every 0.2 s until `what()` is truthy; returns it."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = await what()
            if found:
                return found
            assert time.monotonic() < deadline, why or "it did not happen in time"
            await asyncio.sleep(0.2)

    async def card(self, *words: str, timeout_s: float = 20, channel: str = AUTH_ALERTS) -> dict[str, Any]:
        """The first card whose shown text has all these words."""

        async def look() -> dict[str, Any] | None:
            return next((c for c in await self.cards(channel) if all(w in shown(c) for w in words)), None)

        seen = "\n---\n".join(shown(c) for c in await self.cards(channel))
        return await self.until(look, timeout_s, f"no card with {words}; before: {seen}")


@asynccontextmanager
async def console(running: Running) -> AsyncIterator[Console]:
    async with aiohttp.ClientSession(base_url=running.info["console"]) as http:
        yield Console(http, running.info)


def shown(message: dict[str, Any]) -> str:
    """Everything a person can read on a message, buttons included."""
    texts: list[str] = []

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("text"), str):
                texts.append(node["text"])
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    collect(message.get("blocks") or [])
    return "\n".join(texts) or message.get("text", "")


def buttons(message: dict[str, Any]) -> set[str]:
    """action_ids of the buttons on a message."""
    return {
        element["action_id"]
        for block in message.get("blocks") or []
        if block["type"] == "actions"
        for element in block["elements"]
        if element["type"] == "button"
    }
