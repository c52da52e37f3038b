"""Numbers in the sentences that verdicts and impacts explain themselves with."""

from __future__ import annotations

from datetime import timedelta

from bot.model.evidence import RequestCount


def percent(ratio: float) -> str:
    """0.97 → `97 %`, 0.013 → `1.3 %`; what is not quite nothing or all never reads as 0 % or 100 %."""
    value = ratio * 100
    if 0 < value < 0.1:
        return "<0.1 %"
    if 99.5 <= value < 100:
        return ">99 %"
    return f"{value:.1f} %" if 0 < value < 10 and value != round(value) else f"{value:.0f} %"


def span(length: timedelta) -> str:
    """`60 s`, `3 min`, `1.5 min`: as windows are written in the catalog."""
    seconds = length.total_seconds()
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"


def failures(count: RequestCount) -> str:
    """`1,204 of 1,241 requests failed (97 %)`; a cut reading says `at least 12 of 5,000 sampled requests …`."""
    at_least, sampled = ("", "") if count.complete else ("at least ", "sampled ")
    noun = "request" if count.total == 1 else "requests"
    share = f" ({percent(count.ratio)})" if count.total else ""
    return f"{at_least}{count.failed:,} of {count.total:,} {sampled}{noun} failed{share}"


def listed(things: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(things[:-1]), *things[-1:]]))
