"""The console's feed: what happened, numbered, replayed to a page that was away for a moment.

Two sorts of news. *Slack* changes are events: each one counts, so they are kept (the last few thousand) and
replayed from the position a page names. *Cloud*, *scenarios* and *bot* are states: only the newest counts.
A page whose position is too old, or from another run, is told to `reset`: it reads the whole state again.

Positions are opaque text, "<run>-<number>"; the server-sent events' `id` carries them, so a browser that lost
the connection says by itself where it was.
"""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

KEPT = 4000
HEARTBEAT_SECONDS = 15.0

Send = Callable[[bytes], Awaitable[None]]


class News(StrEnum):
    SLACK = "slack"
    CLOUD = "cloud"
    SCENARIOS = "scenarios"
    BOT = "bot"


@dataclass(frozen=True, slots=True)
class Item:
    number: int
    kind: News
    data: Any


@dataclass
class Stream:
    """Many readers, one writer, no queue per reader: a reader only remembers its position."""

    run: str = field(default_factory=lambda: secrets.token_hex(4))
    _number: int = 0
    _events: deque[Item] = field(default_factory=lambda: deque(maxlen=KEPT))
    _states: dict[News, Item] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: bool = False

    @property
    def position(self) -> str:
        return f"{self.run}-{self._number}"

    def publish(self, kind: News, data: Any) -> None:
        """Tell every reader. A state equal to the last one is not news."""
        known = self._states.get(kind)
        if known is not None and known.data == data:
            return
        self._number += 1
        item = Item(self._number, kind, data)
        if kind is News.SLACK:
            self._events.append(item)
        else:
            self._states[kind] = item
        self._wake()

    def close(self) -> None:
        """End every reader, so that the server can stop."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def since(self, number: int) -> list[Item] | None:
        """What came after `number`, in order; None if some of it is no longer kept."""
        oldest = self._events[0].number if len(self._events) == KEPT else 0
        if number > self._number or number < oldest - 1:
            return None
        news = [*self._events, *self._states.values()]
        return sorted((item for item in news if item.number > number), key=lambda item: item.number)

    def parse(self, position: str) -> int | None:
        """The number in a position of this run; None if it is of another run or no position at all."""
        run, _, number = position.rpartition("-")
        return int(number) if run == self.run and number.isdecimal() else None

    async def serve(self, position: str, send: Send) -> None:
        """Send server-sent events from `position` on until the stream is closed or `send` fails."""
        number = self.parse(position)
        await send(b"retry: 1000\n\n")
        while not self._closed:
            news = self._news
            items = None if number is None else self.since(number)
            if items is None:
                number = self._number
                await send(self._frame("reset", number, {}))
            else:
                for item in items:
                    await send(self._frame(item.kind, item.number, item.data))
                    number = item.number
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await news.wait()
            except TimeoutError:
                await send(b": still here\n\n")

    def _frame(self, event: str, number: int, data: Any) -> bytes:
        # JSON has no bare line break, so one data line is enough.
        return f"id: {self.run}-{number}\nevent: {event}\ndata: {json.dumps(data)}\n\n".encode()
