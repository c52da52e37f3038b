"""Trouble on purpose, for tests and drills: failures to come, lost answers, an outage.

A lost answer is the case that tells whether a caller posts exactly once: the call takes effect, and the
connection breaks before the answer.
"""

from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.local_slack.rate_limits import ratelimited
from bot.sandbox.local_slack.refusals import Refused


class Outage(StrEnum):
    UNAVAILABLE = "unavailable"  # HTTP 503 to everything
    DROPPED = "dropped"  # connections are closed without an answer


@dataclass(frozen=True, slots=True)
class Failure:
    error: str
    status: int
    retry_after: float

    def refusal(self) -> Refused:
        if self.error == "ratelimited":
            return ratelimited(self.retry_after)
        return Refused(self.error, status=self.status)


class Faults:
    """What is to go wrong. `"*"` as a method means whichever method is called next."""

    def __init__(self) -> None:
        self.outage: Outage | None = None
        self._failures: defaultdict[str, deque[Failure]] = defaultdict(deque)
        self._lost: defaultdict[str, int] = defaultdict(int)

    def fail_next(self, method: str, failure: Failure, times: int) -> None:
        self._failures[method].extend([failure] * times)

    def lose_answer(self, method: str, times: int) -> None:
        self._lost[method] += times

    def take_failure(self, method: str) -> Failure | None:
        for name in (method, "*"):
            if self._failures[name]:
                return self._failures[name].popleft()
        return None

    def take_loss(self, method: str) -> bool:
        for name in (method, "*"):
            if self._lost[name]:
                self._lost[name] -= 1
                return True
        return False

    def clear(self) -> None:
        self.outage = None
        self._failures.clear()
        self._lost.clear()
