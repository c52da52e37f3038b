"""A release that works, and shortly after it the database goes away: near in time, and not the cause.

backend-service, which nobody deployed, fails in the same moment and names the same server.
"""

from typing import Final

from bot.sandbox.scenarios.apps import AUTH, AUTH_APP, BACKEND, POSTGRES
from bot.sandbox.scenarios.releases import release
from bot.sandbox.scenarios.scenario import Scenario, Stage

COMMIT: Final = "1dea5a1ad51122334455667788990aabbccddeef"
BUILD: Final = "00000286-5eed-4bad-8bad-000000000286"
UNTIL_OUTAGE: Final = 20.0  # seconds of the script in which the new revision answers well
OUTAGE: Final = 60.0


async def play(stage: Stage) -> None:
    """Deploy what is harmless, take the database away, bring it back."""
    stage.tell(f'dana merges 1dea5a1 "Reword the sign-in page"; the pipeline deploys it. {stage.serving(AUTH)}.')
    await stage.pause(2)
    revision = await release(stage, AUTH, AUTH_APP, commit=COMMIT, build=BUILD)
    stage.tell(f"{revision} is Ready, takes 100 % of the traffic and answers well.")
    await stage.pause(UNTIL_OUTAGE)
    stage.google.dependencies.take_down(POSTGRES)
    try:
        stage.tell(
            f"The database at 10.20.0.5 refuses connections. {AUTH} and {BACKEND} both need it: both fail, and nobody "
            f"deployed {BACKEND}."
        )
        await stage.pause(OUTAGE / 2)
        stage.tell(
            "Look at #auth-alerts: the cause is the database, and going back to the old revision would not help."
        )
        await stage.pause(OUTAGE / 2)
    finally:
        stage.google.dependencies.bring_up(POSTGRES)
    stage.tell(f"The database answers again, and so do {AUTH} and {BACKEND}; {revision} serves on.")


SCENARIO: Final = Scenario(
    "innocent-deploy-dependency-outage",
    "A good release, then no database",
    "A harmless auth-service revision takes over; soon after, the database that auth-service and backend-service share "
    "refuses connections. Both fail at once, deployed or not: the card blames the database and not the release.",
    play,
    begins_healthy=True,
)
