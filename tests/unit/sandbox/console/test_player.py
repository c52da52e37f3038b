"""Scenarios, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bot.sandbox.console.player import AlreadyPlaying, Player, Tell, UnknownScenario


@dataclass(frozen=True)
class Script:
    name: str
    play: Callable[[Tell], Awaitable[None]]
    title: str = "A drill"
    story: str = "Nothing burns."


async def tells_twice(tell: Tell) -> None:
    tell("the bell rings")
    await asyncio.sleep(0)
    tell("everybody leaves")


async def fails(tell: Tell) -> None:
    tell("the bell rings")
    raise RuntimeError("the bell fell off")


async def never_ends(_: Tell) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def playing(*scripts: Script) -> AsyncIterator[tuple[Player[Tell], Callable[[], Awaitable[None]]]]:
    """A running player, and how to wait until it plays nothing."""
    changed = asyncio.Event()
    player = Player(scripts, lambda tell: tell, changed=changed.set)

    async def idle() -> None:
        async with asyncio.timeout(1):
            while player.playing:
                changed.clear()
                await changed.wait()

    task = asyncio.create_task(player.run())
    try:
        yield player, idle
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_a_scenario_tells_is_kept_in_order() -> None:
    async with playing(Script("drill", tells_twice)) as (player, idle):
        player.play("drill")
        await idle()

    (card,) = player.snapshot()["list"]
    assert card["state"] == "done"
    assert [line["text"] for line in card["lines"]] == ["the bell rings", "everybody leaves"]


async def test_playing_again_begins_with_an_empty_story() -> None:
    async with playing(Script("drill", tells_twice)) as (player, idle):
        for _ in range(2):
            player.play("drill")
            await idle()

    assert len(player.snapshot()["list"][0]["lines"]) == 2


async def test_a_scenario_that_fails_says_why_and_the_next_one_can_be_played() -> None:
    async with playing(Script("broken", fails), Script("drill", tells_twice)) as (player, idle):
        player.play("broken")
        await idle()
        player.play("drill")
        await idle()

    broken, drill = player.snapshot()["list"]
    assert (broken["state"], broken["error"]) == ("failed", "It stopped: the bell fell off")
    assert drill["state"] == "done"


async def test_only_one_scenario_plays_at_a_time() -> None:
    async with playing(Script("endless", never_ends), Script("drill", tells_twice)) as (player, _):
        player.play("endless")

        with pytest.raises(AlreadyPlaying, match="endless"):
            player.play("drill")
        assert player.snapshot()["playing"] == "endless"


def test_a_misspelt_scenario_gets_the_nearest_name_and_the_list() -> None:
    player = Player([Script("bad-release", tells_twice), Script("healthy", tells_twice)], lambda tell: tell)

    with pytest.raises(UnknownScenario, match=r"did you mean bad-release\?.*bad-release, healthy"):
        player.play("bad-relase")


def test_a_name_like_no_other_gets_only_the_list() -> None:
    player = Player([Script("bad-release", tells_twice)], lambda tell: tell)

    with pytest.raises(UnknownScenario) as unknown:
        player.play("zzz")
    assert "did you mean" not in str(unknown.value)
