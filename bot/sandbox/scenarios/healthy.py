"""A release that simply works; the bot should say so in one quiet line."""

from typing import Final

from bot.sandbox.scenarios.apps import AUTH, AUTH_APP
from bot.sandbox.scenarios.releases import release
from bot.sandbox.scenarios.scenario import Scenario, Stage

COMMIT: Final = "600d600d5eed112233445566778899aabbccddee"
BUILD: Final = "00000285-5eed-4bad-8bad-000000000285"


async def play(stage: Stage) -> None:
    """Deploy it."""
    stage.tell('dana merges 600d600 "Shorten the session cookie"; the pipeline deploys it.')
    await stage.pause(2)
    revision = await release(stage, AUTH, AUTH_APP, commit=COMMIT, build=BUILD)
    stage.tell(f"{revision} is Ready, takes 100 % of the traffic and answers well.")


SCENARIO: Final = Scenario(
    "healthy",
    "A release that works",
    "A new auth-service revision takes over and everything stays fine: no card, one quiet line.",
    play,
)
