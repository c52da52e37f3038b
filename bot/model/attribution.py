"""Whose fault a rise in errors is, and what speaks for and against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Cause(StrEnum):
    """What made errors rise. Only REVISION is a blame."""

    REVISION = "revision"  # a deploy: of the failing service, or of one that it calls
    DEPENDENCY = "dependency"  # a database, a cache, another party: nobody here deployed it
    CONFIG = "config"  # a setting or a secret was changed, without a deploy
    TRAFFIC = "traffic"  # more requests than there is room for
    CLIENT = "client"  # callers send what cannot be answered (4xx)
    NONE = "none"  # looked like a rise and is none: cold starts, reworded messages, a raised log level


@dataclass(frozen=True)
class Vote:
    """One piece of evidence about a suspect.

    Attributes:
        name: stable word of the kind of evidence ("side_by_side").
        weight: natural logarithm of the likelihood ratio: > 0 speaks for, < 0 against; ± 2.3 is ten to one.
        says: the evidence in one sentence, with its numbers; may quote a log line (raw!).
    """

    name: str
    weight: float
    says: str


@dataclass(frozen=True)
class Attribution:
    """What one rise in errors is blamed on. Latched once said; taken back only with a reason.

    Attributes:
        service, revision: the suspect's, as Cloud Run names them; revision "" unless the cause is a revision; service
            "" where the cause belongs to none (a dependency of several).
        confidence: 0–1. why: one sentence for people. votes: heaviest first, for and against.
        at_s: when it was said, seconds on the clock of arrival times. since_s: when the rise began, by source times.
        seen_in: services whose errors rose, the suspect's own included if its errors did.
        culprit: what is to blame by name where it is no revision: "postgres at 10.1.2.3:5432", "secret jwt-key".
        withdrawn: why it was taken back, "" while it stands.
    """

    cause: Cause
    service: str
    revision: str
    confidence: float
    why: str
    at_s: float
    since_s: float
    votes: tuple[Vote, ...] = ()
    seen_in: tuple[str, ...] = ()
    culprit: str = ""
    withdrawn: str = field(default="")
