"""The programs of the world: what they print, whom they ask, what they need; releases are variations of them.

auth-service looks up who signs in (postgres) and asks backend-service for the person's plan; backend-service reads the
same postgres. Errors that the programs handle are one JSON entry with the request's trace; what they do not handle is
uvicorn's plain traceback on stderr.
"""

from typing import Final

from bot.sandbox.local_google import Answer, Call, Failure, Image, Line, Need, gunicorn_boot

AUTH: Final = "auth-service"
BACKEND: Final = "backend-service"
WEBSOCKET: Final = "websocket-service"
NEW: Final = "notifications-service"  # in the catalog, but nobody deployed it before `port-mismatch-new-service`
POSTGRES: Final = "postgres"  # at 10.20.0.5:5432
PROFILE: Final = "/internal/profile"  # asked by other services, not by people

NOISE: Final = (  # what each start of the application prints and nobody minds
    Line("/app/app/config.py:7: DeprecationWarning: pkg_resources is deprecated as an API."),
    Line("  import pkg_resources"),
    Line("Sentry SDK not installed, error reporting is off"),
)
APP_BOOT: Final = (
    *gunicorn_boot(),
    *NOISE,
    Line("[{time}] [{pid}] [INFO] Started server process [{pid}]"),
    Line("[{time}] [{pid}] [INFO] Waiting for application startup."),
    Line("[{time}] [{pid}] [INFO] Application startup complete."),
)

_SITE: Final = "/usr/local/lib/python3.11/site-packages"
_AUTH_WITHOUT_POSTGRES: Final = f"""\
Cannot look up the account
Traceback (most recent call last):
  File "{_SITE}/sqlalchemy/pool/base.py", line 896, in __connect
    self.dbapi_connection = connection = pool._invoke_creator(self)
  File "{_SITE}/psycopg2/__init__.py", line 122, in connect
    conn = _connect(dsn, connection_factory=connection_factory, **kwasync)
psycopg2.OperationalError: connection to server at "10.20.0.5", port 5432 failed: Connection refused
	Is the server running on that host and accepting TCP/IP connections?

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/app/repositories/accounts.py", line 38, in by_email
    row = session.execute(query, {{"email": email}}).one_or_none()
sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at "10.20.0.5", port 5432 failed: \
Connection refused
	Is the server running on that host and accepting TCP/IP connections?"""
_BACKEND_WITHOUT_POSTGRES: Final = f"""\
Request failed
Traceback (most recent call last):
  File "/app/backend/db.py", line 21, in connection
    return await AsyncConnection.connect(DSN, connect_timeout=3)
  File "{_SITE}/psycopg/connection_async.py", line 145, in connect
    raise last_ex.with_traceback(None)
psycopg.OperationalError: connection failed: connection to server at "10.20.0.5", port 5432 failed: Connection refused
	Is the server running on that host and accepting TCP/IP connections?"""
_BACKEND_REFUSES: Final = f"""\
backend-service did not answer the question for a profile
Traceback (most recent call last):
  File "/app/app/clients/backend.py", line 27, in profile
    answer.raise_for_status()
  File "{_SITE}/httpx/_models.py", line 763, in raise_for_status
    raise HTTPStatusError(message, request=request, response=self)
httpx.HTTPStatusError: backend-service answered {{answer}} to GET {PROFILE}"""
_PROFILE_WITHOUT_PLAN: Final = """\
Cannot read the profile
Traceback (most recent call last):
  File "/app/app/services/sessions.py", line 74, in open_session
    plan = Plan(profile["plan"])
KeyError: 'plan'"""


def _logged(text: str, status: int = 500, latency: tuple[float, float] = (0.004, 0.03)) -> Failure:
    """A failure that the program handles: one JSON entry and an error page."""
    return Failure(status, latency, (Line(text, severity="ERROR"),))


AUTH_APP: Final = Image(
    boot=APP_BOOT,
    unauthorized_ratio=0.02,
    needs=(Need(POSTGRES, ("/login", "/session", "/token/refresh"), _logged(_AUTH_WITHOUT_POSTGRES)),),
    calls=(
        Call(
            BACKEND,
            PROFILE,
            paths=("/login", "/session"),
            reads=("account", "plan"),
            refused=_logged(_BACKEND_REFUSES, status=502),
            unusable=_logged(_PROFILE_WITHOUT_PLAN),
        ),
    ),
)
BACKEND_APP: Final = Image(
    needs=(
        Need(
            POSTGRES,
            ("/api/answers", "/api/conversations", "/api/profile", PROFILE),
            _logged(_BACKEND_WITHOUT_POSTGRES),
        ),
    ),
    answers={PROFILE: (Answer('{"account": "a-1042", "plan": "team", "seats": 12}'),)},
)
