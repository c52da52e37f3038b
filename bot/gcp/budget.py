"""The read quota of Cloud Logging: 60 `entries.list` a minute and project, shared by everyone who reads.

A token bucket per project. A burst of `BURST` may be spent at once, the rest trickles in, so that no minute, wherever
one begins to count, sees more than `PER_MINUTE` calls. Other programs may spend the same quota: when Google says that
it is used up, the bucket is emptied.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.errors import Retryable

PER_MINUTE = 60
BURST = 15
RESERVE = 5


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


class ReadBudget:
    """One bucket per project; those who come first are served first.

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

    async def spend(self, project: str) -> None:
        """Wait until one more read of this project is allowed.

        Raises:
            Retryable: it would take longer than `patience`; nothing was spent.
        """
        now = self._clock()
        bucket = self._buckets.get(project, Bucket(self._rate.burst, now))
        left, wait = take(bucket, self._rate, now)
        if wait > self._patience:
            raise used_up(wait)
        self._buckets[project] = left
        if wait > 0:
            await self._sleep(wait)

    def spend_spare(self, project: str) -> bool:
        """One read that may as well not be made, such as a further page: True when there is enough for it now.

        Never waits, and leaves `RESERVE` for those who have not read anything yet.
        """
        now = self._clock()
        bucket = refill(self._buckets.get(project, Bucket(self._rate.burst, now)), self._rate, now)
        if bucket.tokens < RESERVE + 1:
            return False
        self._buckets[project], _ = take(bucket, self._rate, now)
        return True

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
