"""Plays one scenario at a time and keeps what it tells, for the side panel.

A scenario that fails is shown as failed with its reason; the sandbox goes on.
"""

import asyncio
import difflib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

logger = logging.getLogger(__name__)

Tell = Callable[[str], None]
Stage = TypeVar("Stage")
Stage_contra = TypeVar("Stage_contra", contravariant=True)


class Scenario(Protocol[Stage_contra]):
    """What the player needs of a scenario; the real ones are in bot/sandbox/scenarios."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def story(self) -> str: ...
    @property
    def play(self) -> Callable[[Stage_contra], Awaitable[None]]: ...


class PlayState(StrEnum):
    PLAYING = "playing"
    DONE = "done"
    FAILED = "failed"


class UnknownScenario(LookupError):
    """No scenario has this name; the text lists those that there are."""


class AlreadyPlaying(RuntimeError):
    """One scenario at a time."""


@dataclass
class Performance:
    """How the last play of one scenario went."""

    state: PlayState
    lines: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""


@dataclass
class Player(Generic[Stage]):
    """`run()` plays what `play()` asked for.

    Attributes:
        stage: makes the stage of one play; what the scenario tells goes to the given function.
        changed: called whenever `snapshot()` would answer something new.
    """

    scenarios: Sequence[Scenario[Stage]]
    stage: Callable[[Tell], Stage]
    changed: Callable[[], None] = lambda: None
    playing: str | None = None
    _performances: dict[str, Performance] = field(default_factory=dict)
    _asked: asyncio.Queue[Scenario[Stage]] = field(default_factory=asyncio.Queue)

    def find(self, name: str) -> Scenario[Stage]:
        for scenario in self.scenarios:
            if scenario.name == name:
                return scenario
        names = [scenario.name for scenario in self.scenarios]
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        meant = f"; did you mean {nearest[0]}?" if nearest else ""
        raise UnknownScenario(f"No scenario is called {name!r}{meant} There are: {', '.join(names)}")

    def play(self, name: str) -> None:
        """Begin a scenario; returns at once."""
        scenario = self.find(name)
        if self.playing is not None:
            raise AlreadyPlaying(f"{self.playing} is still playing")
        self.playing = scenario.name
        self._performances[scenario.name] = Performance(PlayState.PLAYING)
        self._asked.put_nowait(scenario)
        self.changed()

    async def run(self) -> None:
        """Play what is asked for, one after the other, until cancelled."""
        while True:
            scenario = await self._asked.get()
            performance = self._performances[scenario.name]
            await self._perform(scenario, performance)
            self.playing = None
            self.changed()

    async def _perform(self, scenario: Scenario[Stage], performance: Performance) -> None:
        def tell(text: str) -> None:
            performance.lines.append({"at": time.time(), "text": text})
            self.changed()

        try:
            await scenario.play(self.stage(tell))
        except Exception as failure:
            logger.exception("A scenario failed", extra={"scenario": scenario.name})
            performance.state = PlayState.FAILED
            performance.error = f"It stopped: {failure}"
        else:
            performance.state = PlayState.DONE

    def snapshot(self) -> dict[str, Any]:
        return {"playing": self.playing, "list": [self._card(scenario) for scenario in self.scenarios]}

    def _card(self, scenario: Scenario[Stage]) -> dict[str, Any]:
        card: dict[str, Any] = {"name": scenario.name, "title": scenario.title, "story": scenario.story}
        performance = self._performances.get(scenario.name)
        if performance is None:
            return card | {"state": None, "lines": []}
        lines = list(performance.lines)
        return card | {"state": performance.state.value, "lines": lines, "error": performance.error}
