"""The lines of `reliability judge`: JSON → signal, attribution → JSON.

Lenient where it costs nothing: unknown fields and kinds are passed over, nulls count as absent, numbers may be written as
strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from bot.correlate.attribution.signals import Config, Deploy, Log, Requests, Signal
from bot.model.attribution import Attribution, Cause


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
_HALF_CHARACTER = re.compile(
    rb"\\u[dD][89a-bA-B][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
)  # of a pair, and the other is not there
_KINDS = frozenset({"log", "request_count", "deploy", "config", "tick", "reset"})


def decode(line: bytes) -> Signal | Tick | Reset | None:
    """One line; None for a kind that is not known here. Bytes that are no UTF-8 are replaced.

    Raises:
        msgspec.MsgspecError: no JSON object, or one that lacks what its kind needs.
    """
    try:
        return _decode(line)
    except msgspec.ValidationError:
        return _decode_loosely(line)
    except UnicodeDecodeError:  # a message cut in the middle of a character is still a message
        return decode(line.decode("utf-8", "replace").encode())
    except msgspec.DecodeError:
        whole = _HALF_CHARACTER.sub(rb"\\ufffd", line)
        if whole == line:
            raise
        return decode(whole)
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error


def encode(said: Attribution) -> bytes:
    """One line with its newline."""
    fields = {
        "cause": said.cause,
        "service": said.service,
        "revision": said.revision,
        "confidence": said.confidence,
        "why": f"{_suspect(said)}: {said.why}",
    }
    return _encode(fields) + b"\n"


def _suspect(said: Attribution) -> str:
    return {
        Cause.REVISION: f"revision {said.revision} of {said.service}",
        Cause.DEPENDENCY: f"a dependency{f' ({said.culprit})' if said.culprit else ''}",
        Cause.CONFIG: f"the change of {said.culprit or 'a setting'} of {said.service}",
        Cause.TRAFFIC: "more requests than there is room for",
        Cause.CLIENT: "what clients send",
        Cause.NONE: "nothing that is wrong",
    }[said.cause]


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
