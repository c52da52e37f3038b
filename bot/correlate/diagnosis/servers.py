"""Where a container's own log says that it listens, and how its server is told to listen elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.correlate.diagnosis.rule import Hit, Scene

_HOST_PORT = r"(?P<host>\[[0-9a-fA-F:]{0,40}\]|\*|[\w.-]{0,100}):(?P<port>\d{2,5})\b"
_URL = rf"https?://{_HOST_PORT}"
_LISTENS = (
    r"(?i:\b(?:listening|running|serving|start(?:ed|ing)|ready|available)\b(?: \w{1,20}){0,4}? (?:on|at):? {1,2})"
)

# What servers say when they are up, the first that matches wins; the nameless ones are what people write by hand.
_SERVERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("gunicorn", re.compile(rf"\[INFO\] Listening at: {_URL}")),
    ("uvicorn", re.compile(rf"\bUvicorn running on {_URL}")),
    ("hypercorn", re.compile(rf"\[INFO\] Running on {_URL}")),
    ("flask", re.compile(rf"^ ?\* Running on {_URL}", re.MULTILINE)),
    ("django", re.compile(rf"\bStarting development server at {_URL}")),
    ("aiohttp", re.compile(rf"=+ Running on {_URL}")),
    ("spring", re.compile(r"\b(?:Tomcat|Netty|Undertow|Jetty) started on ports?(?:\(s\))? (?P<port>\d{2,5})")),
    ("spring", re.compile(r"\bTomcat started on port\(s\): (?P<port>\d{2,5})")),
    ("quarkus", re.compile(rf"\bListening on: {_URL}")),
    ("micronaut", re.compile(rf"\bServer Running: {_URL}")),
    ("ktor", re.compile(rf"\bResponding at {_URL}")),
    ("dotnet", re.compile(rf"\bNow listening on: {_URL}")),
    ("php", re.compile(rf"\bPHP [\d.]+ Development Server \({_URL}\) started")),
    ("puma", re.compile(rf"^\* Listening on {_URL}", re.MULTILINE)),
    ("next", re.compile(rf"\bstarted server on {_HOST_PORT}")),
    ("next", re.compile(rf"^[^\w\n]{{0,8}}Local: {{1,10}}{_URL}", re.MULTILINE)),
    ("gin", re.compile(rf"\bListening and serving HTTPS? on {_HOST_PORT}")),
    ("echo", re.compile(rf"\bhttp server started on {_HOST_PORT}")),
    (
        "",
        re.compile(
            r"(?i)\b(?:listening|running|started|serving|ready)\b[^\n]{0,60}?\bport[ :=]{1,3}(?P<port>\d{2,5})\b"
        ),
    ),
    ("", re.compile(_LISTENS + _URL)),
    ("", re.compile(_LISTENS + _HOST_PORT)),
    ("", re.compile(_LISTENS + r"(?P<port>\d{4,5})\b")),
)
_SIDECAR = re.compile(r"cloud[-_ ]?sql|proxy|\bmetrics\b|prometheus|debugger|\binspector\b", re.IGNORECASE)
_LOOKED_AT = 2_000
_LOCALHOST = frozenset({"127.0.0.1", "localhost", "[::1]"})

_BIND = {
    "gunicorn": "start gunicorn with `--bind 0.0.0.0:$PORT`",
    "uvicorn": "start uvicorn with `--host 0.0.0.0 --port $PORT`",
    "hypercorn": "start hypercorn with `--bind 0.0.0.0:$PORT`",
    "flask": "serve the app with gunicorn (`--bind 0.0.0.0:$PORT`) instead of Flask's development server",
    "django": "serve the app with gunicorn (`--bind 0.0.0.0:$PORT`) instead of runserver",
    "spring": "set `server.port=${PORT:8080}`",
    "php": "start PHP with `php -S 0.0.0.0:$PORT`, or better behind Apache or nginx and php-fpm",
    "quarkus": "set `quarkus.http.port=${PORT:8080}`",
    "micronaut": "set `micronaut.server.port: ${PORT:8080}`",
    "dotnet": "set `ASPNETCORE_URLS=http://0.0.0.0:${PORT}`",
    "next": "start Next.js with `next start -H 0.0.0.0 -p $PORT`",
    "gin": 'pass `":" + os.Getenv("PORT")` to the server',
    "echo": 'pass `":" + os.Getenv("PORT")` to the server',
}


@dataclass(frozen=True)
class Listener:
    """One announcement: who listens where, and the line that says so. `host` is "" where the line names none."""

    server: str
    host: str
    port: int
    hit: Hit

    @property
    def is_local(self) -> bool:
        """Bound to the loopback interface: nothing outside the container can reach it."""
        return self.host in _LOCALHOST


def listeners(scene: Scene) -> Iterator[Listener]:
    """Announcements in the container's log, oldest first; sidecars, metrics and debugger ports are left out."""
    for text, entry in {entry.text[:_LOOKED_AT]: entry for entry in scene.shapes}.items():
        if entry.status is not None or _SIDECAR.search(text):
            continue
        for server, pattern in _SERVERS:
            if match := pattern.search(text):
                hit = Hit(match, text, entry)
                yield Listener(server, hit["host"], int(hit["port"]), hit)
                break


def bind_advice(server: str) -> str:
    """How to make this server listen where Cloud Run looks, as the rest of a sentence."""
    return _BIND.get(
        server,
        "listen on 0.0.0.0 and on $PORT (read the environment variable PORT, do not write the number into the code)",
    )
