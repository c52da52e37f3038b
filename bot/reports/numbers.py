"""Numbers of a report as people's tools write them: with a comma, missing, or not a number at all."""

from __future__ import annotations

import math

from bot.reports.reader import Unreadable

_MAX_COUNT_DIGITS = 12


def seconds(text: str | float | None, where: str, unit: float = 1.0) -> float | None:
    """A duration in seconds; None when the report says nothing that can be read as one.

    "1,234.5" (Surefire, English) is 1234.5 and "0,123" (a German locale) 0.123. `unit` is the length of one in seconds.

    Raises:
        Unreadable: negative or not finite: whoever wrote this could not measure.
    """
    if text is None or text == "":
        return None
    if isinstance(text, str):
        text = text.strip()
        written = text.replace(",", "") if "." in text or text.count(",") > 1 else text.replace(",", ".")
    try:
        value = float(written if isinstance(text, str) else text) * unit
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(value):
        raise Unreadable(f"{where}: time {text!r} is not a number")
    if value < 0:
        raise Unreadable(f"{where}: time {text!r} is negative")
    return value


def count(text: str | None, where: str) -> int | None:
    """A total that the file states; None when it states none that can be read.

    Raises:
        Unreadable: negative.
    """
    written = (text or "").strip().replace(",", "")
    if written.startswith("-") and written[1:].isdecimal() and int(written[1:][:_MAX_COUNT_DIGITS]):
        raise Unreadable(f"{where}: a total of {written[:20]} tests")
    return int(written) if written.isdecimal() and len(written) <= _MAX_COUNT_DIGITS else None


def natural(value: int | None, where: str) -> int | None:
    """A total from JSON.

    Raises:
        Unreadable: negative.
    """
    if value is not None and value < 0:
        raise Unreadable(f"{where}: {value} is negative")
    return value
