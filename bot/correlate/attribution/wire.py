"""The lines of `reliability judge`: JSON → signal, attribution → JSON.

Lenient where it costs nothing: unknown fields and kinds are passed over, nulls count as absent, numbers may be written as
strings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bot.correlate.attribution.signals import Config, Deploy, Log, Requests, Signal
from bot.model.attribution import Attribution


class Tick(msgspec.Struct, tag_field="kind", tag="tick", gc=False):
    """Time of arrival now is `rt`."""

    rt: float


class Reset(msgspec.Struct, tag_field="kind", tag="reset", gc=False):
    """Forget everything: another episode begins."""

    episode: Any = None


_SIGNALS = Log | Requests | Deploy | Config | Tick | Reset
_decode: Callable[[bytes], Signal | Tick | Reset] = msgspec.json.Decoder(_SIGNALS).decode
_loose = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode
_KINDS = frozenset({"log", "request_count", "deploy", "config", "tick", "reset"})


def decode(line: bytes) -> Signal | Tick | Reset | None:
    """One line; None for a kind that is not known here.

    Raises:
        msgspec.MsgspecError: no JSON object, or one that lacks what its kind needs.
    """
    try:
        signal: Signal | Tick | Reset = _decode(line)
    except msgspec.ValidationError:
        return _decode_loosely(line)
    return signal


def encode(said: Attribution) -> bytes:
    """One line with its newline."""
    fields = {
        "cause": said.cause,
        "service": said.service,
        "revision": said.revision,
        "confidence": said.confidence,
        "why": said.why,
    }
    return _encode(fields) + b"\n"


def _decode_loosely(line: bytes) -> Signal | Tick | Reset | None:
    fields = _loose(line)
    if fields.get("kind") not in _KINDS:
        return None
    kept = {key: value for key, value in fields.items() if value is not None}
    if "rt" not in kept and "t" in kept:
        kept["rt"] = kept["t"]
    if "t" not in kept and "rt" in kept:
        kept["t"] = kept["rt"]
    for key in ("service", "revision", "prev", "message", "trace", "insert_id", "severity", "name"):
        if key in kept and not isinstance(kept[key], str):
            kept[key] = str(kept[key])
    signal: Signal | Tick | Reset = msgspec.convert(kept, _SIGNALS, strict=False)
    return signal
