"""Red tests that nobody waited for: the commit is deployed anyway and fails in service the way it failed in its tests."""

from dataclasses import replace
from typing import Final

from bot.sandbox.local_google import Failure, Line
from bot.sandbox.pipeline import SUITE
from bot.sandbox.sample_project import NO_PLAN
from bot.sandbox.scenarios.apps import AUTH, AUTH_APP
from bot.sandbox.scenarios.releases import release
from bot.sandbox.scenarios.reports import commit_of, send
from bot.sandbox.scenarios.scenario import Scenario, Stage

BUILD: Final = "00000288-5eed-4bad-8bad-000000000288"

_SITE: Final = "/usr/local/lib/python3.11/site-packages"
_TRACEBACK: Final = f"""\
ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "{_SITE}/uvicorn/protocols/http/httptools_impl.py", line 411, in run_asgi
    result = await app(  # type: ignore[func-returns-value]
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "{_SITE}/starlette/routing.py", line 715, in __call__
    await self.middleware_stack(scope, receive, send)
  File "/app/backend/shop/client.py", line 6, in sign_in
    return {{"account": token["sub"], "plan": token["plan"]}}
                                            ~~~~~^^^^^^^^
KeyError: 'plan'"""

IMAGE: Final = replace(
    AUTH_APP,
    fail_ratio=0.55,  # of all paths but /health: whoever signs in
    failure=Failure(latency=(0.01, 0.1), lines=tuple(Line(text) for text in _TRACEBACK.splitlines())),
)


async def play(stage: Stage) -> None:
    """A green run, a red one of the next commit, and that commit deployed all the same."""
    good, bad = (commit_of(f"red-suite/{name}", stage.seed) for name in ("good", "bad"))
    pipeline = stage.pipeline
    if pipeline is not None:
        pipeline.lay_out()
        stage.tell(f"The pipeline runs {SUITE} on {good[:7]}.")
        if not await send(stage, pipeline, await pipeline.run(), good):
            return
        await stage.pause(3)
        pipeline.change(NO_PLAN)
        stage.tell(f'dana pushes {bad[:7]} "Read the plan from the token". The pipeline runs {SUITE}.')
        if not await send(stage, pipeline, await pipeline.run(), bad):
            return
        await stage.pause(4)
    stage.tell(f"The step is allowed to fail, and so {bad[:7]} is deployed.")
    revision = await release(stage, AUTH, IMAGE, commit=bad, build=BUILD)
    stage.tell(f"{revision} is Ready and takes 100 % of the traffic. Its health check is fine.")
    await stage.pause(6)
    stage.tell("More than half of the requests end as the tests did: KeyError: 'plan'.")
    await stage.pause(10)
    stage.tell("Look at #auth-alerts: the card blames the revision and shows its red tests. An approver can go back.")


SCENARIO: Final = Scenario(
    "red-suite-behind-a-bad-deploy",
    "Red tests, deployed all the same",
    "The end-to-end suite fails on a commit, the pipeline lets it pass, and the commit is deployed. The deploy is told with "
    "its red tests at once; when errors rise, the card blames the revision, shows the failing tests and offers to go back.",
    play,
    begins_healthy=True,
)
