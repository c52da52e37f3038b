"""Trouble on demand: "Google is down", "quota is used up", "the answer got lost".

A drill or a test says which calls fail, how, and how often; everything else goes on working. Not imitated: latency.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import grpc

from bot.sandbox.local_google.refusals import Refusal

_WORDS: Final = {
    grpc.StatusCode.UNAVAILABLE: "The service is currently unavailable.",
    grpc.StatusCode.DEADLINE_EXCEEDED: "Deadline Exceeded",
    grpc.StatusCode.RESOURCE_EXHAUSTED: (
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service "
        "'logging.googleapis.com' for consumer 'project_number:100000000001'."
    ),
    grpc.StatusCode.PERMISSION_DENIED: "The caller does not have permission",
    grpc.StatusCode.INTERNAL: "Internal error encountered.",
}


@dataclass(slots=True)
class Fault:
    """One wish for trouble.

    Attributes:
        api: text found in the full method name, case ignored: "run", "logging", "UpdateService", "ListLogEntries".
        code: the status the caller gets.
        times: calls still to fail; None = no limit.
        until: fails calls before this moment; None = no end.
        after_effect: do what was asked first, then lose the answer.
    """

    api: str
    code: grpc.StatusCode
    times: int | None = None
    until: datetime | None = None
    after_effect: bool = False


class Faults:
    """The wishes in force."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Begin with none."""
        self._clock = clock
        self._wishes: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """From now on, calls that match fail."""
        self._wishes.append(fault)

    def heal(self) -> None:
        """Forget all wishes."""
        self._wishes.clear()

    def strike(self, method: str) -> Fault | None:
        """The fault that this call meets, counted down; None = all is well."""
        now = self._clock()
        self._wishes = [wish for wish in self._wishes if wish.times != 0 and (wish.until is None or now < wish.until)]
        for wish in self._wishes:
            if wish.api.casefold() in method.casefold():
                if wish.times is not None:
                    wish.times -= 1
                return wish
        return None

    @contextmanager
    def around(self, method: str) -> Iterator[None]:
        """Do inside what the call does; the fault it meets, if any, is raised before or after that."""
        fault = self.strike(method)
        if fault is not None and not fault.after_effect:
            raise _as_refusal(fault)
        yield
        if fault is not None:
            raise _as_refusal(fault)


def _as_refusal(fault: Fault) -> Refusal:
    """The answer that the caller gets."""
    return Refusal(fault.code, _WORDS.get(fault.code, fault.code.name))
