"""A release that works for most: Ready, healthy by its own account, and three requests in ten end in an exception."""

from dataclasses import replace
from typing import Final

from bot.sandbox.local_google import Failure, Line
from bot.sandbox.scenarios.apps import AUTH, AUTH_APP
from bot.sandbox.scenarios.releases import release
from bot.sandbox.scenarios.scenario import Scenario, Stage

COMMIT: Final = "7e57ab1e00c0ffee1122334455667788990aabbc"
BUILD: Final = "00000284-5eed-4bad-8bad-000000000284"

_SITE: Final = "/usr/local/lib/python3.11/site-packages"
_TRACEBACK: Final = f"""\
ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "{_SITE}/uvicorn/protocols/http/httptools_impl.py", line 411, in run_asgi
    result = await app(  # type: ignore[func-returns-value]
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "{_SITE}/starlette/routing.py", line 715, in __call__
    await self.middleware_stack(scope, receive, send)
  File "/app/app/middleware/tenant.py", line 31, in __call__
    scope["tenant"] = session.account.tenant_id
                      ^^^^^^^^^^^^^^^^^^^^^^^^^
AttributeError: 'NoneType' object has no attribute 'tenant_id'"""

IMAGE: Final = replace(
    AUTH_APP,
    fail_ratio=0.32,  # of all paths but /health: three requests in ten
    failure=Failure(status=500, latency=(0.01, 0.12), lines=tuple(Line(text) for text in _TRACEBACK.splitlines())),
)


async def play(stage: Stage) -> None:
    """Deploy it and let people run into it."""
    stage.tell('dana merges 7e57ab1 "Resolve the tenant in a middleware"; accounts made before March have no tenant.')
    await stage.pause(2)
    revision = await release(stage, AUTH, IMAGE, commit=COMMIT, build=BUILD)
    stage.tell(f"{revision} is Ready and takes 100 % of the traffic. Its health check is fine.")
    await stage.pause(5)
    stage.tell("About 30 % of the requests end in an unhandled exception and a 500.")


SCENARIO: Final = Scenario(
    "errors-after-deploy",
    "A release that fails for some",
    "A new auth-service revision becomes Ready and healthy, then answers three requests in ten with 500 because of an "
    "unhandled exception. The health check does not see it; the request log does.",
    play,
)
