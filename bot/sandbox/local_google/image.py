"""What a container image does when Cloud Run starts it: lines it prints, the port it binds, how it answers, how it dies.

Texts may contain `{time}` (gunicorn's own format), `{pid}` and `{port}` (what the image binds), those of a `Call` also
`{answer}`; nothing else is replaced.
Not imitated: memory, CPU, disks, sidecars, health probes other than the TCP one on the container port.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Severity = Literal["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output.

    Attributes:
        text: without line end.
        after: seconds after the line before it.
        stream: where it is printed.
        severity: None = a plain line (the entry then carries no severity); else the app logs JSON with this level, and
            with the trace of the request that it is about.
    """

    text: str
    after: float = 0.0
    stream: Literal["stdout", "stderr"] = "stderr"
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Crash:
    """The container prints its last words and exits; while it is wanted it is started again and dies again.

    Attributes:
        lines: printed before the exit.
        exit_code: as in `Container called exit(3).`
        every: seconds between two deaths.
    """

    lines: tuple[Line, ...]
    exit_code: int = 3
    every: float = 3.0


@dataclass(frozen=True, slots=True)
class Failure:
    """How a request fails.

    Attributes:
        status: HTTP status.
        latency: seconds, from and to.
        lines: printed by the container for each failed request.
        by_platform: the front end answers because the instance is gone; its words stand in the request log.
    """

    status: int = 500
    latency: tuple[float, float] = (0.01, 0.08)
    lines: tuple[Line, ...] = ()
    by_platform: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """A dependency that requests cannot be answered without.

    Attributes:
        dependency: its name, see `Dependencies`.
        paths: those that use it; others never notice.
        without: how they fail while it does not answer.
    """

    dependency: str
    paths: tuple[str, ...]
    without: Failure


@dataclass(frozen=True, slots=True)
class Call:
    """A request to another service, made while a request of one's own is answered.

    Attributes:
        service: who is asked, by name, in the same project and region.
        path: what is asked for, with GET.
        paths: one's own paths that lead to it.
        reads: keys that the JSON object in the answer must have.
        refused: how one fails when the answer is an error or does not come; `{answer}` in its lines is what came, such
            as "500 Internal Server Error".
        unusable: how one fails when the answer is fine by its status and lacks what is read.
    """

    service: str
    path: str
    paths: tuple[str, ...]
    reads: tuple[str, ...]
    refused: Failure
    unusable: Failure


@dataclass(frozen=True, slots=True)
class Answer:
    """One good answer.

    Attributes:
        body: what is sent.
        lines: printed each time.
        weight: how often it is chosen in relation to the path's other answers.
    """

    body: str
    lines: tuple[Line, ...] = ()
    weight: int = 1


def gunicorn_boot(port: str = "{port}") -> tuple[Line, ...]:
    """What gunicorn prints when it starts and binds."""
    return (
        Line("[{time}] [1] [INFO] Starting gunicorn 23.0.0"),
        Line(f"[{{time}}] [1] [INFO] Listening at: http://0.0.0.0:{port} (1)", after=0.05),
        Line("[{time}] [1] [INFO] Using worker: uvicorn.workers.UvicornWorker"),
        Line("[{time}] [{pid}] [INFO] Booting worker with pid: {pid}", after=0.05),
    )


@dataclass(frozen=True, slots=True)
class Image:
    """An image's behaviour; the default is a well-behaved service.

    Attributes:
        boot: printed at the start.
        port: what it binds: "PORT" = whatever Cloud Run asks for, a number = always that one, None = nothing.
        startup_seconds: from start to listening.
        pullable: False = the image does not exist in the registry.
        dies_at_boot: exits before it binds.
        crash: dies again and again after it has bound.
        fail_ratio: part of the requests that fail, 0–1.
        failure: how they fail.
        healthy: whether `/health` answers 200; None = as any other path.
        latency: seconds a good answer takes, from and to.
        unauthorized_ratio: part of the POSTs that a healthy service answers with 401 (mistyped passwords).
        needs: dependencies, tried in this order.
        calls: other services that are asked, in this order, once the dependencies answer.
        answers: good answers by path; a path that is not there is answered with the status's phrase.
    """

    boot: tuple[Line, ...] = field(default_factory=gunicorn_boot)
    port: int | Literal["PORT"] | None = "PORT"
    startup_seconds: float = 0.4
    pullable: bool = True
    dies_at_boot: Crash | None = None
    crash: Crash | None = None
    fail_ratio: float = 0.0
    failure: Failure = field(default_factory=Failure)
    healthy: bool | None = True
    latency: tuple[float, float] = (0.008, 0.09)
    unauthorized_ratio: float = 0.0
    needs: tuple[Need, ...] = ()
    calls: tuple[Call, ...] = ()
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)

    def binds(self, asked: int) -> int | None:
        """The port it listens on when Cloud Run sets PORT to `asked`."""
        return asked if self.port == "PORT" else self.port


WELL_BEHAVED: Final = Image()
NOT_THERE: Final = Image(pullable=False)


def image_for(reference: str, images: Mapping[str, Image]) -> Image:
    """The registered behaviour; unknown references behave well, unless "missing" in the name says otherwise."""
    if reference in images:
        return images[reference]
    return NOT_THERE if "missing" in reference else WELL_BEHAVED
