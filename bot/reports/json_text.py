"""JSON reports: which kind it is by its first keys, and decoding that builds only the fields that are asked for."""

from __future__ import annotations

import re
from typing import BinaryIO, TypeVar

import msgspec

from bot.reports.reader import Limits, Unreadable

T = TypeVar("T")

_BOM = b"\xef\xbb\xbf"
_OBJECTS_PER_CASE = 4
_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*(:?)|[{}\[\]]', re.DOTALL)
_CONSTANT = re.compile(rb"[:,\[]\s*(-?(?:NaN|Infinity))")


def top_level_keys(head: bytes) -> tuple[str, ...]:
    """Keys of the outermost object, as far as `head` shows them; () when it is not an object."""
    text = head.removeprefix(_BOM).lstrip()
    if not text.startswith(b"{"):
        return ()
    depth, keys = 0, []
    for token in _TOKEN.finditer(text):
        sign = token[0][:1]
        if sign in b"{[":
            depth += 1
        elif sign in b"}]":
            depth -= 1
        elif depth == 1 and token[2]:
            keys.append(token[1].decode(errors="replace"))
    return tuple(keys)


def decode(stream: BinaryIO, kind: type[T], limits: Limits) -> T:
    """The document as `kind`, a msgspec Struct; what the Struct does not name is skipped without being built.

    Raises:
        Unreadable: not UTF-8, not JSON (with the byte), NaN or Infinity (with the line), a field of the wrong type, more
            objects than the cases that are allowed could need.
    """
    text = stream.read().removeprefix(_BOM)
    if text.count(b"{") > _OBJECTS_PER_CASE * limits.cases:
        raise Unreadable(f"more than {_OBJECTS_PER_CASE * limits.cases:,} JSON objects: larger than a report may be")
    try:
        return msgspec.json.decode(text, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise Unreadable(f"not as this format is: {error}") from error
    except msgspec.DecodeError as error:
        if constant := _CONSTANT.search(text):
            line = text.count(b"\n", 0, constant.start(1)) + 1
            raise Unreadable(f"line {line}: {constant[1].decode()} is not JSON") from error
        raise Unreadable(f"not JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 at byte {_first_bad_byte(text, error):,}") from error
    except RecursionError as error:
        raise Unreadable("JSON nested too deep") from error


def _first_bad_byte(text: bytes, error: UnicodeDecodeError) -> int:
    """Where in the whole document; the decoder counts from the start of a string."""
    try:
        text.decode()
    except UnicodeDecodeError as whole:
        return whole.start
    return error.start
