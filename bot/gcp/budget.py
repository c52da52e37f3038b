"""The read quota of Cloud Logging: 60 `entries.list` a minute and project, shared by everyone who reads.

A token bucket per project. A burst of `BURST` may be spent at once, the rest trickles in, so that no minute, wherever
one begins to count, sees more than `PER_MINUTE` calls. Other programs may spend the same quota: when Google says that
it is used up, the bucket is emptied.

When few are left, the more urgent read goes first: what explains an incident may spend the last token, routine counting
leaves `URGENT` tokens, and a further page of what is being read already leaves `RESERVE`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from bot.errors import Retryable

PER_MINUTE = 60
BURST = 15
RESERVE = 5
URGENT = 3


@dataclass(frozen=True)
class Bucket:
    """Tokens left at the instant `at` (seconds of a steady clock); below 0 while callers wait for theirs."""

    tokens: float
    at: float


@dataclass(frozen=True)
class Rate:
    """How a bucket fills: at most `burst` tokens, `per_minute` minus the burst trickling in each minute."""

    per_minute: int = PER_MINUTE
    burst: int = BURST

    @property
    def per_second(self) -> float:
        return (self.per_minute - self.burst) / 60


def refill(bucket: Bucket, rate: Rate, now: float) -> Bucket:
    """The same bucket later; a clock that seems to go back adds nothing."""
    passed = max(0.0, now - bucket.at)
    return Bucket(min(float(rate.burst), bucket.tokens + passed * rate.per_second), max(bucket.at, now))


def take(bucket: Bucket, rate: Rate, now: float) -> tuple[Bucket, float]:
    """Reserve one token: the bucket afterwards, and the seconds until the token may be used (0.0: at once)."""
    filled = refill(bucket, rate, now)
    left = Bucket(filled.tokens - 1, filled.at)
    return left, max(0.0, -left.tokens / rate.per_second)


@dataclass
class _Line:
    """Those who wait for a token that nobody needs more urgently, in the order in which they came."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class ReadBudget:
    """One bucket per project; among the equally urgent, those who come first are served first.

    Args:
        patience: how long a caller may be kept waiting; longer, and `spend` refuses at once.
    """

    def __init__(
        self,
        rate: Rate = Rate(),
        *,
        patience: timedelta = timedelta(seconds=5),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._patience = patience.total_seconds()
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[str, Bucket] = {}
        self._lines: dict[str, _Line] = {}

    async def spend(self, project: str, *, urgent: bool = False) -> None:
        """Wait until one more read of this project is allowed.

        Args:
            urgent: it tells about an incident that is, or may be, open: goes before all that is not.

        Raises:
            Retryable: it would take longer than `patience`; nothing was spent.
        """
        if urgent:
            await self._spend_next(project)
        else:
            await self._stand_in_line(project)

    async def _spend_next(self, project: str) -> None:
        left, wait = take(self._filled(project), self._rate, self._clock())
        if wait > self._patience:
            raise used_up(wait)
        self._buckets[project] = left
        if wait > 0:
            await self._sleep(wait)

    async def _stand_in_line(self, project: str) -> None:
        """Nothing is reserved while waiting: an urgent read that comes later still goes first."""
        give_up_at = self._clock() + self._patience
        line = self._lines.setdefault(project, _Line())
        if (wait := self._until_spare(project, in_front=line.length)) > self._patience:
            raise used_up(wait)
        line.length += 1
        try:
            async with line.turn:
                while not self.spend_spare(project, leaving=URGENT):
                    wait = self._until_spare(project)
                    if self._clock() + wait > give_up_at:
                        raise used_up(wait)
                    await self._sleep(wait)
        finally:
            line.length -= 1

    def _until_spare(self, project: str, in_front: int = 0) -> float:
        """Seconds until a token is there beyond those for urgent reads and for whoever stands in front."""
        missing = URGENT + in_front + 1 - self._filled(project).tokens
        # A little more than exact: after the wait there must be no need for another one of a rounding error's length.
        return max(0.0, missing) / self._rate.per_second + (1e-6 if missing > 0 else 0.0)

    def spend_spare(self, project: str, *, leaving: int = RESERVE) -> bool:
        """One read that may as well not be made, such as a further page: True when there is enough for it now.

        Never waits, and leaves tokens for those who have not read anything yet.
        """
        filled = self._filled(project)
        if filled.tokens < leaving + 1:
            return False
        self._buckets[project], _ = take(filled, self._rate, self._clock())
        return True

    def _filled(self, project: str) -> Bucket:
        now = self._clock()
        return refill(self._buckets.get(project, Bucket(self._rate.burst, now)), self._rate, now)

    def empty(self, project: str) -> None:
        """Google says that the quota is used up: begin again with nothing."""
        now = self._clock()
        known = refill(self._buckets.get(project, Bucket(0, now)), self._rate, now)
        self._buckets[project] = Bucket(min(0.0, known.tokens), now)


def used_up(retry_after: float | None = None) -> Retryable:
    """The same words whether we held back or Google refused."""
    return Retryable(
        f"Cloud Logging's read quota is used up ({PER_MINUTE} reads a minute and project)", retry_after=retry_after
    )
