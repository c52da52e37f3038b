"""The first deploy ever of a service binds the wrong port: nothing serves, and there is nothing to go back to."""

from typing import Final

from bot.sandbox.scenarios.apps import NEW
from bot.sandbox.scenarios.port_mismatch import IMAGE
from bot.sandbox.scenarios.releases import release
from bot.sandbox.scenarios.scenario import Scenario, Stage

COMMIT: Final = "decade0fa1b2c3d4e5f60718293a4b5c6d7e8f90"
BUILD: Final = "00000001-5eed-4bad-8bad-000000000001"


async def play(stage: Stage) -> None:
    """Create the service and watch it fail."""
    stage.tell(f"dana creates {NEW}: the mails and pushes move out of backend-service.")
    await stage.pause(2)
    revision = await release(
        stage, NEW, IMAGE, commit=COMMIT, build=BUILD, env={"ENVIRONMENT": "staging"}, suffix="wpg", number=1
    )
    stage.tell(
        f"{revision} binds 8081, Cloud Run asks on 8080: never Ready. {NEW} has no other revision, nothing serves."
    )
    await stage.pause(4)
    stage.tell("The card says that there is nothing to roll back to, and what to fix.")


SCENARIO: Final = Scenario(
    "port-mismatch-new-service",
    "The first deploy of a service fails",
    f"{NEW} is created with an image that binds 8081 while Cloud Run expects 8080. There is no earlier revision: nothing "
    "serves, and a rollback is not possible.",
    play,
)
