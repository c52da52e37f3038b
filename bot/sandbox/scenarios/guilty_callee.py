"""The guilty one does not fail: a new backend-service answers 200 with a profile that its callers cannot read.

The errors show in auth-service, which nobody deployed. What joins them to backend-service is the trace id.
"""

from dataclasses import replace
from typing import Final

from bot.sandbox.local_google import Answer, Line
from bot.sandbox.scenarios.apps import AUTH, BACKEND, BACKEND_APP, PROFILE
from bot.sandbox.scenarios.releases import release
from bot.sandbox.scenarios.scenario import Scenario, Stage

COMMIT: Final = "0b5e55edc0de11223344556677889900aabbccdd"
BUILD: Final = "00000120-5eed-4bad-8bad-000000000120"

IMAGE: Final = replace(
    BACKEND_APP,
    answers={
        PROFILE: (
            Answer('{"account": "a-1042", "plan": "team", "seats": 12}', weight=2),
            Answer(
                '{"account": "a-2210", "subscription": null}',
                (Line("account has no subscription yet, profile sent without plan", severity="WARNING"),),
                weight=3,
            ),
        )
    },
)


async def play(stage: Stage) -> None:
    """Deploy it and let its caller fail."""
    stage.tell(f'dana merges 0b5e55e "Plans move into subscriptions" in {BACKEND}; the pipeline deploys it.')
    await stage.pause(6)
    revision = await release(stage, BACKEND, IMAGE, commit=COMMIT, build=BUILD)
    stage.tell(f"{revision} is Ready, takes 100 % of the traffic and answers every request with 200.")
    await stage.pause(6)
    stage.tell(
        f"Three in five profiles have no plan any more. {AUTH} reads it when people sign in and fails with "
        f"KeyError: 'plan'; nobody deployed {AUTH}."
    )
    await stage.pause(14)
    stage.tell(
        f"Look at #auth-alerts: the errors show in {AUTH}, their traces lead to {BACKEND}, and the card blames {revision}."
    )


SCENARIO: Final = Scenario(
    "guilty-callee",
    "Errors in the caller of a bad release",
    "A new backend-service revision answers 200 to everybody, but auth-service cannot read its profiles and fails when "
    "people sign in. auth-service was not deployed: the card follows the traces and blames the backend-service revision.",
    play,
    begins_healthy=True,
)
