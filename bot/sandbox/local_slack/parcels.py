"""What is delivered to the app, and what comes back: the same whether over a socket or over HTTP."""

from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.local_slack.json_types import Json


class ParcelKind(StrEnum):
    EVENT = "events_api"
    COMMAND = "slash_commands"
    INTERACTIVE = "interactive"


@dataclass(frozen=True, slots=True)
class Retry:
    """Which repetition of a delivery this is, and why the one before failed."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery.

    Attributes:
        wants_answer: the acknowledgement may carry a payload (commands, view submissions).
    """

    kind: ParcelKind
    payload: Json
    wants_answer: bool = False
    retry: Retry | None = None


class NotDelivered(Exception):
    """The app did not acknowledge in time, or not at all.

    Attributes:
        shown: the code that a person sees, e.g. "operation_timeout".
        reason: the code that a repeated event carries, e.g. "http_timeout".
        again: False when the app asked not to be sent this again.
    """

    def __init__(self, shown: str, reason: str, *, again: bool = True) -> None:
        super().__init__(f"{shown} ({reason})")
        self.shown = shown
        self.reason = reason
        self.again = again
