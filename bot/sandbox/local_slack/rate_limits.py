"""How often each method may be called: Slack's tiers, and one message a second in each channel.

Slack promises the rate and a "generous burst", without figures. Here a bucket holds a minute's worth (at least
BURST), refilled evenly. Not imitated: limits per user for events, the 1-a-minute limit of history calls for
commercially distributed apps, and limits of the number of workspaces.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus

from bot.sandbox.local_slack.ids import Clock
from bot.sandbox.local_slack.refusals import Refused

BURST = 20


class Tier(IntEnum):
    """Calls a minute, as documented; the special ones have rules of their own."""

    TWO = 20
    THREE = 50
    FOUR = 100
    POSTING = 60  # in each channel; see WORKSPACE_POSTS for all of them together
    UNLIMITED = 0


WORKSPACE_POSTS = 300  # "several hundred messages per minute"


@dataclass(slots=True)
class Bucket:
    tokens: float
    filled_at: float


class RateLimits:
    """Raises Refused("ratelimited") with HTTP 429 and Retry-After when a bucket is empty.

    `scale` multiplies every rate and burst; 0 turns the limits off.
    """

    def __init__(self, clock: Clock, *, scale: float = 1.0) -> None:
        self.clock = clock
        self.scale = scale
        self._buckets: dict[Hashable, Bucket] = {}

    def spend(self, method: str, tier: Tier, *, token: str, channel: str = "") -> None:
        if self.scale <= 0 or tier is Tier.UNLIMITED:
            return
        if tier is Tier.POSTING:
            self._take((method, token, channel), Tier.POSTING.value, burst=BURST)
            self._take((method, token), WORKSPACE_POSTS, burst=WORKSPACE_POSTS)
        else:
            self._take((method, token), tier.value, burst=max(tier.value, BURST))

    def _take(self, key: Hashable, per_minute: int, *, burst: int) -> None:
        now = self.clock().timestamp()
        per_second = per_minute * self.scale / 60
        most = max(1.0, burst * self.scale)
        bucket = self._buckets.setdefault(key, Bucket(most, now))
        bucket.tokens = min(most, bucket.tokens + max(0.0, now - bucket.filled_at) * per_second)
        bucket.filled_at = now
        if bucket.tokens < 1:
            raise ratelimited(math.ceil((1 - bucket.tokens) / per_second))
        bucket.tokens -= 1


def ratelimited(retry_after: float) -> Refused:
    seconds = str(max(1, math.ceil(retry_after)))
    return Refused("ratelimited", status=HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": seconds})
