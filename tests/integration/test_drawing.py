"""Drawing in a process of its own: the bot keeps listening, and a process that hangs or dies is told."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import Permanent, Retryable
from bot.model.evidence import Window
from bot.model.series import ErrorSeries, RevisionErrors
from bot.notify.drawing import Drawing, Wish

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SERIES = ErrorSeries(
    Window(NOON, NOON + timedelta(minutes=30)),
    timedelta(minutes=1),
    tuple(RevisionErrors(f"auth-{number}", (number,) * 30) for number in range(6)),
)


async def test_the_event_loop_goes_on_while_a_chart_is_drawn():
    pauses: list[float] = []

    async def listen() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.002)
            pauses.append(time.perf_counter() - began)

    listening = asyncio.create_task(listen())
    png = await Drawing().draw(Wish(SERIES, "auth (staging)", "auth"))
    listening.cancel()

    assert png.startswith(b"\x89PNG")
    assert sorted(pauses)[-3] < 0.05  # the machine itself may look away once or twice


async def test_a_chart_that_takes_too_long_is_tried_again():
    with pytest.raises(Retryable, match="within"):
        await Drawing(deadline_s=0.01).draw(Wish(SERIES, "auth", "auth"))


async def test_a_chart_that_cannot_be_drawn_is_told_and_not_tried_for_ever():
    uneven = ErrorSeries(SERIES.window, SERIES.step, (RevisionErrors("auth-1", (1, 2, 3)),))

    with pytest.raises(Permanent, match="could not be drawn"):
        await Drawing().draw(Wish(uneven, "auth", "auth"))
