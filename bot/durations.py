"""Durations as people write them: "4h", "1h30m", "60s", or ISO 8601: "PT4H", "P1DT12H"."""

from __future__ import annotations

import re
from datetime import timedelta

_NUMBER = r"\d{1,9}(?:\.\d{1,6})?"
_CLOCK = rf"(?:(?P<hours>{_NUMBER})h)?(?:(?P<minutes>{_NUMBER})m)?(?:(?P<seconds>{_NUMBER})s)?"
_SHORT = re.compile(rf"(?:(?P<days>{_NUMBER})d)?{_CLOCK}", re.IGNORECASE)
_ISO = re.compile(rf"P(?:(?P<days>{_NUMBER})D)?(?:T{_CLOCK})?", re.IGNORECASE)


def parse(text: str) -> timedelta:
    """The duration in `text`.

    Raises:
        ValueError: it is none. A bare number is none either: 60 of what?
    """
    written = text.strip()
    match = _SHORT.fullmatch(written) or _ISO.fullmatch(written)
    found = {unit: float(number) for unit, number in match.groupdict().items() if number} if match else {}
    if not found:
        raise ValueError("is no duration")
    try:
        return timedelta(**found)
    except OverflowError as error:
        raise ValueError("is longer than 2.7 million years") from error


def iso(value: timedelta) -> str:
    """ISO 8601: PT5S, PT1M30S, PT26H; negative values are not written."""
    minutes, seconds = divmod(value.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = [f"{hours}H" * bool(hours), f"{minutes}M" * bool(minutes), f"{seconds:g}S" * bool(seconds)]
    return "PT" + ("".join(parts) or "0S")
