"""Time stamps and ids of Slack's shape.

A `ts` is the time in seconds with six decimals, unique within the workspace and always increasing; it is a
message's id. Not imitated: ids here are random, the real ones are not, and `ts` decimals count microseconds
where Slack counts messages.
"""

import re
import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

Clock = Callable[[], datetime]

ALPHABET = string.ascii_uppercase + string.digits
MICROSECONDS = 1_000_000
TS: Final = re.compile(r"\d{1,12}\.\d{6}")


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """An id like C0123ABCDEF: the kind's letter, a zero and nine characters."""
    return f"{prefix}0" + "".join(secrets.choice(ALPHABET) for _ in range(9))


def short_id() -> str:
    """What Slack calls a block that was sent without a block_id."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(5))


class TimeStamps:
    """Gives out `ts` values: the present, or a microsecond after the last one if that is later."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._last = 0

    def next(self) -> str:
        now = self.clock()
        self._last = max(int(now.timestamp()) * MICROSECONDS + now.microsecond, self._last + 1)
        return f"{self._last // MICROSECONDS}.{self._last % MICROSECONDS:06d}"
