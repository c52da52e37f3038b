"""Numbers, money, durations and names in the words of a reader who was asleep a minute ago. Pure text."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from bot.model.cloud_run import TrafficSplit
from bot.model.judgement import Range

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
_SCALES = ((1e9, "B"), (1e6, "M"), (1e3, "K"))


def count(number: int, one: str, many: str = "") -> str:
    """1 → `1 request`, 1204 → `1,204 requests`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def money(amount: float, currency: str) -> str:
    """485_000, "USD" → `$485K`; three digits that count, trailing zeros dropped; unknown currencies by their code."""
    scale, letter = next(((size, letter) for size, letter in _SCALES if amount >= size * 0.9995), (1.0, ""))
    value = amount / scale
    digits = 0 if value >= 100 or not letter else 1 if value >= 10 else 2
    text = f"{value:.{digits}f}"
    text = (text.rstrip("0").rstrip(".") if "." in text else text) + letter
    return f"{_SIGNS[currency]}{text}" if currency in _SIGNS else f"{currency} {text}"


def money_range(amount: Range, currency: str) -> tuple[str, str]:
    """(`$485K`, `$480K–$490K`): expected and what it may be; the second is "" where it says nothing more."""
    low, expected, high = (money(value, currency) for value in (amount.low, amount.expected, amount.high))
    return expected, "" if low == high else f"{low}–{high}"


def duration(length: timedelta) -> str:
    """Two units at most: `40 s`, `3 min`, `4 min 12 s`, `2 h 5 min`, `6 d 3 h`; never negative."""
    seconds = max(0, round(length.total_seconds()))
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    for (size, name), (next_size, next_name) in pairwise(units):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            more = rest // next_size
            return f"{whole} {name} {more} {next_name}" if more else f"{whole} {name}"
    return f"{seconds} s"


def short(revision: str, service: str) -> str:
    """`auth-service-00281-kzq` of auth-service → `…-00281-kzq`: what tells revisions apart on a phone."""
    rest = revision.removeprefix(f"{service}-")
    return f"…-{rest}" if rest != revision else revision


def shares(split: TrafficSplit, service: str) -> tuple[tuple[str, int], ...]:
    """(short name, percent) of what serves, largest first."""
    return tuple((short(name, service), percent) for name, percent in split.serving.items())


def split_text(split: TrafficSplit) -> str:
    """`auth-service-00281-kzq 100 %`, full names, for plain text."""
    return ", ".join(f"{name} {percent} %" for name, percent in split.serving.items()) or "nothing"


def person(author: str | None) -> str:
    """dana@acme.example → `dana`; a service account says that it is one; "" when unknown."""
    if not author:
        return ""
    name, _, domain = author.partition("@")
    return f"{name} (service account)" if domain.endswith(".gserviceaccount.com") else name


def phrase(key: str) -> str:
    """golden-path → `golden path`: a catalog key as a reader says it."""
    return key.replace("-", " ").replace("_", " ")
