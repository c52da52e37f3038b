"""A release that starts and cannot work: the flagship.

gunicorn's master binds the port before its workers import the application, so the start-up probe succeeds, the revision
becomes Ready and takes all traffic, and then every worker dies of a module that is not in the image.
"""

from typing import Final

from bot.sandbox.local_google import Crash, Failure, Image, Line
from bot.sandbox.scenarios.apps import AUTH, NOISE
from bot.sandbox.scenarios.releases import release
from bot.sandbox.scenarios.scenario import Scenario, Stage

COMMIT: Final = "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678"
BUILD: Final = "00000283-5eed-4bad-8bad-000000000283"

_SITE: Final = "/usr/local/lib/python3.11/site-packages"
_LAST_WORDS: Final = f"""\
[{{time}}] [{{pid}}] [ERROR] Exception in worker process
Traceback (most recent call last):
  File "{_SITE}/gunicorn/arbiter.py", line 608, in spawn_worker
    worker.init_process()
  File "{_SITE}/uvicorn/workers.py", line 75, in init_process
    super().init_process()
  File "{_SITE}/gunicorn/workers/base.py", line 135, in init_process
    self.load_wsgi()
  File "{_SITE}/gunicorn/workers/base.py", line 147, in load_wsgi
    self.wsgi = self.app.wsgi()
                ^^^^^^^^^^^^^^^
  File "{_SITE}/gunicorn/app/wsgiapp.py", line 47, in load_wsgiapp
    return util.import_app(self.app_uri)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "{_SITE}/gunicorn/util.py", line 370, in import_app
    mod = importlib.import_module(module)
          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "<frozen importlib._bootstrap>", line 1204, in _gcd_import
  File "<frozen importlib._bootstrap>", line 1147, in _find_and_load_unlocked
  File "/app/app/main.py", line 14, in <module>
    from app.api.routes import login, session
  File "/app/app/api/routes/login.py", line 9, in <module>
    from app.services.monitoring import record_login
ModuleNotFoundError: No module named 'app.services.monitoring'
[{{time}}] [{{pid}}] [INFO] Worker exiting (pid: {{pid}})
[{{time}}] [1] [ERROR] Worker (pid:{{pid}}) exited with code 3
[{{time}}] [1] [ERROR] Shutting down: Master
[{{time}}] [1] [ERROR] Reason: Worker failed to boot."""

IMAGE: Final = Image(
    startup_seconds=0.3,
    crash=Crash((*NOISE, *(Line(text) for text in _LAST_WORDS.splitlines())), exit_code=3, every=2.5),
    fail_ratio=0.985,
    failure=Failure(status=503, latency=(0.02, 0.25), by_platform=True),
    healthy=False,
)


async def play(stage: Stage) -> None:
    """Deploy it and let it fail."""
    stage.tell(f"{AUTH} answers well; {stage.serving(AUTH)}.")
    await stage.pause(2)
    stage.tell('dana merges a1b2c3d "Move monitoring service"; the pipeline deploys it.')
    revision = await release(stage, AUTH, IMAGE, commit=COMMIT, build=BUILD, number=283, suffix="qab")
    stage.tell(f"{revision} is Ready and takes 100 % of the traffic: gunicorn's master had bound the port in time.")
    await stage.pause(4)
    stage.tell(
        "Every worker dies on import and the container exits with 3. People cannot sign in: the golden path is blocked."
    )
    await stage.pause(6)
    stage.tell("Look at #auth-alerts. An approver can press Approve rollback.")


SCENARIO: Final = Scenario(
    "bad-release",
    "A release that starts and cannot work",
    "A new auth-service revision becomes Ready and takes all traffic, but a module is missing from its image: workers die, "
    "requests get 503, nobody can sign in. The card proposes to go back to the revision before; an approver decides.",
    play,
)
