"""Flaky tests: both results on one commit, or one result after the other without end. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from bot.decide.phrases import percent
from bot.model.suite import TestState

REMEMBERED = timedelta(days=14)
"""Two results on one commit are held against a test for so long."""

KEPT = 20
"""Results that are remembered of a test that ever failed."""

_LOOKED_AT = 10
_FLIPS = 3
"""A test that broke, was mended and broke again has flipped three times: rarely a change every time."""


def remember(recent: str, result: str) -> str:
    return (recent + result)[-KEPT:]


def why_flaky(test: TestState, now: datetime) -> str:
    """`flaky: failed 3 of its last 10 runs (30 %), both results on one commit`; "" when it is not."""
    last = test.recent[-_LOOKED_AT:]
    flips = sum(before != after for before, after in pairwise(last))
    mixed = test.mixed is not None and now - test.mixed <= REMEMBERED
    if not mixed and flips < _FLIPS:
        return ""
    measured = (
        f"failed {last.count('F')} of its last {len(last)} runs ({percent(last.count('F') / len(last))})"
        if last
        else ""
    )
    reasons = [measured, "both results on one commit" if mixed else f"flipped {flips} times"]
    return f"flaky: {', '.join(filter(None, reasons))}"
