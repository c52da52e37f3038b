"""Five deploys in a row that never become Ready: the image binds 8081, Cloud Run asks on 8080.

The pipeline numbers a revision after the last release that worked, so all attempts share a number. Users notice nothing:
the revision before goes on serving. What is blocked is every release of a tier-1 service.
"""

from typing import Final

from bot.sandbox.local_google import Image
from bot.sandbox.scenarios.apps import APP_BOOT, AUTH
from bot.sandbox.scenarios.releases import release
from bot.sandbox.scenarios.scenario import Scenario, Stage

WRONG_PORT: Final = 8081
IMAGE: Final = Image(boot=APP_BOOT, port=WRONG_PORT)
NUMBER: Final = 282
ATTEMPTS: Final = (
    ("hbx", "f00dfeed11223344556677889900aabbccddeeff"),
    ("jmw", "f00dfeed11223344556677889900aabbccddeeff"),
    ("rtc", "bada55e5aabbccddeeff00112233445566778899"),
    ("vdn", "0ddba11c0123456789abcdef0123456789abcdef"),
    ("lsb", "0ddba11c0123456789abcdef0123456789abcdef"),
)


async def play(stage: Stage) -> None:
    """Try to deploy it five times."""
    stage.tell("The Dockerfile of auth-service now starts gunicorn on port 8081. Cloud Run still expects $PORT = 8080.")
    number = max(NUMBER, stage.google.newest_number(AUTH) + 1)
    for attempt, (suffix, commit) in enumerate(ATTEMPTS, start=1):
        await stage.pause(3)
        revision = await release(
            stage,
            AUTH,
            IMAGE,
            commit=commit,
            build=f"{number:08d}-5eed-4bad-8bad-{attempt:012d}",
            number=number,
            suffix=suffix if number == NUMBER else None,
            traffic="keep",
        )
        stage.tell(
            f"Attempt {attempt} of {len(ATTEMPTS)}: {revision} never became Ready; the revision before goes on serving."
        )
    stage.tell("Look at #auth-alerts: deploys are blocked, users are not. There is nothing to roll back.")


SCENARIO: Final = Scenario(
    "port-mismatch",
    "Deploys that never become Ready",
    "The image binds 8081 while Cloud Run expects 8080, so five deploys in a row fail and no release of auth-service is "
    "possible. Users are still served by the revision before: the card names both ports and offers no rollback.",
    play,
)
