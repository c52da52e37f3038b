"""The console's feed of news."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bot.sandbox.console import stream as stream_module
from bot.sandbox.console.stream import News, Stream


class Page:
    """A reader that remembers the events it was sent."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, Any]] = []
        self.arrived = asyncio.Event()

    async def send(self, chunk: bytes) -> None:
        lines = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if not line.startswith(":") and line)
        if "event" in lines:
            self.events.append((lines["id"], lines["event"], json.loads(lines["data"])))
            self.arrived.set()

    async def has(self, count: int) -> None:
        async with asyncio.timeout(1):
            while len(self.events) < count:
                self.arrived.clear()
                await self.arrived.wait()


async def read(stream: Stream, position: str) -> list[tuple[str, Any]]:
    """Everything the stream has for a page at this position."""
    page = Page()
    stream.close()
    stream._closed = False
    reading = asyncio.create_task(stream.serve(position, page.send))
    await asyncio.sleep(0)
    stream.close()
    await reading
    return [(kind, data) for _, kind, data in page.events]


async def test_a_page_that_comes_back_gets_what_it_missed_in_order() -> None:
    stream = Stream()
    stream.publish(News.SLACK, "before")
    position = stream.position
    stream.publish(News.SLACK, "first")
    stream.publish(News.BOT, {"state": "ready"})
    stream.publish(News.SLACK, "second")

    assert await read(stream, position) == [("slack", "first"), ("bot", {"state": "ready"}), ("slack", "second")]


async def test_of_a_state_only_the_newest_value_is_replayed() -> None:
    stream = Stream()
    position = stream.position
    for number in range(3):
        stream.publish(News.CLOUD, {"revision": number})

    assert await read(stream, position) == [("cloud", {"revision": 2})]


async def test_a_state_that_did_not_change_is_not_news() -> None:
    stream = Stream()
    stream.publish(News.CLOUD, {"services": []})
    position = stream.position
    stream.publish(News.CLOUD, {"services": []})

    assert stream.position == position


async def test_two_equal_slack_changes_are_both_told() -> None:
    stream = Stream()
    position = stream.position
    stream.publish(News.SLACK, {"kind": "notice"})
    stream.publish(News.SLACK, {"kind": "notice"})

    assert len(await read(stream, position)) == 2


@pytest.mark.parametrize("position", ["", "nonsense", "otherrun-1", "otherrun-", "-1"])
async def test_a_page_of_another_run_is_told_to_begin_anew(position: str) -> None:
    stream = Stream(run="thisrun")
    stream.publish(News.SLACK, "old")

    assert await read(stream, position) == [("reset", {})]


async def test_a_page_that_was_away_for_too_long_is_told_to_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    position = stream.position
    for number in range(stream_module.KEPT + 1):
        stream.publish(News.SLACK, number)

    assert await read(stream, position) == [("reset", {})]


async def test_a_page_that_has_all_but_the_oldest_kept_event_is_not_reset() -> None:
    stream = Stream()
    stream.publish(News.SLACK, "seen")
    position = stream.position
    for number in range(stream_module.KEPT):
        stream.publish(News.SLACK, number)

    assert len(await read(stream, position)) == stream_module.KEPT


async def test_news_reaches_every_page_that_is_listening() -> None:
    stream, pages = Stream(), (Page(), Page())
    async with asyncio.TaskGroup() as group:
        for page in pages:
            group.create_task(stream.serve(stream.position, page.send))
        await asyncio.sleep(0)
        stream.publish(News.SLACK, "hello")
        for page in pages:
            await page.has(1)
        stream.close()

    assert all(page.events[0][1:] == ("slack", "hello") for page in pages)


async def test_the_id_of_an_event_is_the_position_after_it() -> None:
    stream, page = Stream(), Page()
    async with asyncio.TaskGroup() as group:
        group.create_task(stream.serve(stream.position, page.send))
        await asyncio.sleep(0)
        stream.publish(News.SLACK, "hello")
        await page.has(1)
        stream.close()

    assert page.events[0][0] == stream.position


async def test_a_line_break_in_a_message_does_not_break_the_event() -> None:
    stream = Stream()
    position = stream.position
    stream.publish(News.SLACK, {"text": "one\n\nevent: bot\ndata: {}\r\n\u2028"})

    assert await read(stream, position) == [("slack", {"text": "one\n\nevent: bot\ndata: {}\r\n\u2028"})]


async def test_a_quiet_stream_says_that_it_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "HEARTBEAT_SECONDS", 0.005)
    stream, sent = Stream(), []

    async def send(chunk: bytes) -> None:
        sent.append(chunk)
        if len(sent) == 3:
            stream.close()

    async with asyncio.timeout(1):
        await stream.serve(stream.position, send)

    assert sent[1:] == [b": still here\n\n", b": still here\n\n"]
