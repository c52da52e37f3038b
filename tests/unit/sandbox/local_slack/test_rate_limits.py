"""How often each method may be called."""

from __future__ import annotations

import pytest
from support.local_slack import Hands

from bot.sandbox.local_slack.rate_limits import BURST, WORKSPACE_POSTS, RateLimits, Tier
from bot.sandbox.local_slack.refusals import Refused

TOKEN = "xoxb-1"


@pytest.fixture
def clock() -> Hands:
    return Hands()


def spend(
    limits: RateLimits, times: int, tier: Tier = Tier.POSTING, *, channel: str = "C1", token: str = TOKEN
) -> None:
    for _ in range(times):
        limits.spend("method", tier, token=token, channel=channel)


def refused(limits: RateLimits, tier: Tier = Tier.POSTING, **where: str) -> Refused:
    with pytest.raises(Refused) as caught:
        spend(limits, 1, tier, **where)
    return caught.value


@pytest.mark.parametrize("tier", [Tier.TWO, Tier.THREE, Tier.FOUR])
def test_a_tier_allows_a_minutes_worth_at_once_and_then_refuses(clock: Hands, tier: Tier) -> None:
    limits = RateLimits(clock)
    spend(limits, tier.value, tier)

    no = refused(limits, tier)

    assert (no.error, no.status) == ("ratelimited", 429)


def test_retry_after_says_when_the_next_call_is_taken(clock: Hands) -> None:
    limits = RateLimits(clock)
    spend(limits, 20, Tier.TWO)

    wait = refused(limits, Tier.TWO).headers["Retry-After"]

    assert wait == "3"
    clock.advance(seconds=float(wait))
    spend(limits, 1, Tier.TWO)


def test_a_channel_takes_a_burst_and_then_one_message_a_second(clock: Hands) -> None:
    limits = RateLimits(clock)
    spend(limits, BURST)

    assert refused(limits).headers["Retry-After"] == "1"
    clock.advance(seconds=1)
    spend(limits, 1)
    assert refused(limits).status == 429


def test_channels_do_not_share_their_limit(clock: Hands) -> None:
    limits = RateLimits(clock)
    spend(limits, BURST)

    spend(limits, 1, channel="C2")


def test_all_channels_together_have_a_limit_too(clock: Hands) -> None:
    limits = RateLimits(clock)
    for number in range(WORKSPACE_POSTS):
        spend(limits, 1, channel=f"C{number}")

    assert refused(limits, channel="another").error == "ratelimited"


def test_tokens_do_not_share_their_limit(clock: Hands) -> None:
    limits = RateLimits(clock)
    spend(limits, 20, Tier.TWO)

    spend(limits, 1, Tier.TWO, token="xoxp-2")


def test_no_more_than_the_burst_is_saved_up(clock: Hands) -> None:
    limits = RateLimits(clock)
    spend(limits, 1)
    clock.advance(hours=1)

    spend(limits, BURST)

    assert refused(limits).status == 429


def test_a_scale_multiplies_the_limits(clock: Hands) -> None:
    limits = RateLimits(clock, scale=0.1)
    spend(limits, 2)

    assert refused(limits).headers["Retry-After"] == "10"


def test_scale_zero_turns_the_limits_off(clock: Hands) -> None:
    spend(RateLimits(clock, scale=0), 1000)


def test_some_methods_have_no_limit(clock: Hands) -> None:
    spend(RateLimits(clock), 1000, Tier.UNLIMITED)
