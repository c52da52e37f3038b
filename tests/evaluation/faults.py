"""What can go wrong in a world, as values; what comes of it is in `world`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .words import Wording


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at a service, for one revision or for all of them.

    Attributes:
        chance: per request, at a true time. revision: "" is every one.
        status: what is answered; 200 with `wording` is an error that is only logged, with `garbles` an answer no caller
            can read. wording: None is a failure the application says nothing about.
        also: further lines that the platform adds. wait_s: how long it takes until the failure.
        main: belongs to what the episode is about (the guilty error, where a revision is guilty).
    """

    service: str
    chance: Callable[[float], float]
    wording: Wording | None
    revision: str = ""
    status: int = 500
    garbles: bool = False
    also: tuple[Wording, ...] = ()
    wait_s: tuple[float, float] = (0.0, 0.0)
    main: bool = True


@dataclass(frozen=True, slots=True)
class Outage:
    """A dependency fails this share of its uses from `start` to `end`, after `wait_s` of trying."""

    dependency: str
    start: float
    end: float
    share: float
    wait_s: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Surge:
    """`factor` times the usual requests from outside at a service, from `start` to `end`."""

    service: str
    start: float
    end: float
    factor: float


@dataclass(frozen=True, slots=True)
class Answer:
    """How a visit ended: `done` in true seconds, `main` if the episode's cause had a part in it.

    `told`: the application wrote a line about the failure. `text`: what the platform writes into the request log entry.
    """

    status: int
    done: float
    main: bool
    garbled: bool = False
    told: bool = False
    text: str | None = None
