"""Model values to JSON and back. Unknown fields are ignored, so that a newer database can be read by an older bot."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")


def dump(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


def load(text: str, kind: type[T]) -> T:
    """Args: text: what `dump` wrote. Raises: msgspec.ValidationError: it is not a `kind`."""
    return msgspec.json.decode(text, type=kind)
