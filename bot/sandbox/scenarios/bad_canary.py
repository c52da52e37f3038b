"""A canary that fails: a tenth of the people get a new revision, and four in ten of their requests end in an exception.

Over the whole service that is four requests in a hundred; only a look at each revision's own share shows how bad it is.
"""

from dataclasses import replace
from typing import Final

from bot.sandbox.local_google import Failure, Line
from bot.sandbox.scenarios.apps import AUTH, AUTH_APP
from bot.sandbox.scenarios.releases import release
from bot.sandbox.scenarios.scenario import Scenario, Stage
from bot.sandbox.scenarios.start import DEPLOYER

COMMIT: Final = "ca9a27b0c0ffee99887766554433221100ffeedd"
BUILD: Final = "00000287-5eed-4bad-8bad-000000000287"
SHARE: Final = 10  # percent

_SITE: Final = "/usr/local/lib/python3.11/site-packages"
_TRACEBACK: Final = f"""\
ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "{_SITE}/uvicorn/protocols/http/httptools_impl.py", line 411, in run_asgi
    result = await app(  # type: ignore[func-returns-value]
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "{_SITE}/starlette/routing.py", line 715, in __call__
    await self.middleware_stack(scope, receive, send)
  File "/app/app/services/tokens.py", line 52, in sign
    return jwt.encode(claims, keys[claims["kid"]], algorithm="ES256")
                              ~~~~^^^^^^^^^^^^^^^
KeyError: '2025-11'"""

IMAGE: Final = replace(
    AUTH_APP,
    fail_ratio=0.4,
    failure=Failure(latency=(0.01, 0.1), lines=tuple(Line(text) for text in _TRACEBACK.splitlines())),
)


async def play(stage: Stage) -> None:
    """Deploy it without traffic, then give it a tenth."""
    old = max(stage.google.serving(AUTH))
    stage.tell(f'dana merges ca9a27b "Rotate the signing keys by month". {old} serves 100 %.')
    await stage.pause(2)
    revision = await release(stage, AUTH, IMAGE, commit=COMMIT, build=BUILD, traffic="none")
    stage.tell(f"{revision} is Ready and gets nothing yet: it was deployed with --no-traffic.")
    await stage.pause(6)
    await stage.google.set_traffic(AUTH, {old: 100 - SHARE, revision: SHARE}, by=DEPLOYER, wait=True)
    stage.tell(f"dana gives it a tenth: {stage.serving(AUTH)}.")
    await stage.pause(10)
    stage.tell(
        f"Four in ten requests to {revision} end in KeyError: '2025-11'; {old} answers the same questions well at the "
        "same time."
    )
    await stage.pause(10)
    stage.tell("Look at #auth-alerts: the card blames the canary. An approver can take its share away.")


SCENARIO: Final = Scenario(
    "bad-canary",
    "A canary that fails",
    "A new auth-service revision gets 10 % of the traffic and fails four in ten of its requests, while the old revision "
    "beside it answers well. Over all requests that is little; the card compares the two revisions and names the new one.",
    play,
    begins_healthy=True,
)
