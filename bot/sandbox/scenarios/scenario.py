"""What a scenario is, and the stage it plays on."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.sandbox.local_google import LocalGoogle
from bot.sandbox.pipeline import Pipeline
from bot.sandbox.scenarios.put_back import put_back
from bot.sandbox.scenarios.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scenario may touch.

    Attributes:
        google: the local Google Cloud.
        traffic: the users, who are there all the time.
        tell: says aloud, in the console's side panel, what happens.
        speed: 2.0 halves the pauses of the script; the platform and the clocks keep their own pace.
        pipeline: runs the sample project's tests and reports to the bot; None: there is neither.
        seed: chooses among the ways in which a story can go; the same one plays the same.
    """

    google: LocalGoogle
    traffic: Traffic
    tell: Callable[[str], None]
    speed: float = 1.0
    pipeline: Pipeline | None = None
    seed: int = 0

    def serving(self, service: str) -> str:
        """Who serves, in words: "auth-service-00281-kzq serves 100 %"."""
        shown = next(one for one in self.google.snapshot()["services"] if one["name"] == service)
        shares = [(part["revision"], part["percent"]) for part in shown["traffic"] if part["percent"]]
        return " and ".join(f"{revision} serves {percent} %" for revision, percent in shares) or "nothing serves"

    async def pause(self, seconds: float) -> None:
        """Let so much of the script's time pass."""
        await asyncio.sleep(seconds / self.speed)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that can happen to a team.

    Attributes:
        name: how it is called on the command line.
        title: one line for a button.
        story: two or three sentences: what happens and what to look at.
        script: returns when it is over; what it started (a failing revision) goes on.
        begins_healthy: the story makes sense only if auth-service answers well before it.
    """

    name: str
    title: str
    story: str
    script: Callable[[Stage], Awaitable[None]]
    begins_healthy: bool = False

    async def play(self, stage: Stage) -> None:
        """Put back what the scenario before left, then follow the script."""
        await put_back(stage.google, healthy=self.begins_healthy)
        await self.script(stage)
