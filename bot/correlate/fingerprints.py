"""A stable name for the error that a log text shows.

    fingerprint(text)  → "v1:6f0c…", equal for what is the same error

With a traceback, the same error is the same exception type raised on the same path through our code: message, line
numbers and library frames do not count. Without one, it is the same masked message (bot.correlate.masking). A line
that is a JSON object is the message in it.

Merging two different errors is the worse mistake, so words are never masked. Changing any of these rules changes every
stored fingerprint: raise `VERSION` with it.

Memories, each bounded, none of which can change an answer: the text itself; what it is like (bot.correlate.likeness);
its shape, with digits as 0; its template. A burst says the same few things, so most lines cost one or two look-ups.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from bot.correlate.entry_json import json_message
from bot.correlate.likeness import RESIDUE, like
from bot.correlate.masking import mask, shape_of, template
from bot.correlate.tracebacks import Frame, Traceback, find_traceback, language_of

__all__ = ["VERSION", "fingerprint", "frame_key", "mask"]

VERSION = "v1"

_MAX_TEXT = 8_192  # what is looked at of one entry: the head, and the tail where tracebacks name the exception
_MAX_FRAMES = 20
_MAX_JSON = 65_536

# Together a few MiB in practice and some 60 MiB at worst (floods of 512 four-byte characters each).
_SHORT = 512
_MAX_SHORT = 16_384
_MAX_TEXTS = 16_384
_MAX_LONG = 256

_MAX_ALIKE = 4_096
_OFTEN = 16
_NOTHING = re.compile(r"(?!)")  # matches no text

_texts: dict[str, str] = {}
_alike: dict[bytes, tuple[re.Pattern[str], str, int]] = {}  # pattern, name, how often the pattern did not match
_shapes: dict[bytes, str] = {}
_templates: dict[str, str] = {}
_long_shapes: dict[bytes, str] = {}


def fingerprint(text: str) -> str:
    """`v1:<16 hexadecimal digits>` of the error that this log text shows; the same for "" as for any empty text.

    Deterministic across processes and platforms; any text is accepted, lone surrogates and NULs included. Of a text
    longer than 8,192 characters the first and last 4,096 count.
    """
    name = _texts.get(text)
    if name is None:
        if len(text) > _SHORT:
            return _by_shape(text)
        rest = text.encode("utf-8", "surrogatepass").translate(None, RESIDUE)
        known = _alike.get(rest)
        name = known[1] if known is not None and known[0].fullmatch(text) else _newly(text, rest)
        if len(_texts) >= _MAX_TEXTS:
            _texts.clear()
        _texts[text] = name
    return name


def frame_key(frame: Frame, traceback: Traceback) -> str:
    """A frame without what changes between builds: line number, bundle hashes, numbers of lambdas, generated names."""
    stable = language_of(traceback).stable
    return f"{mask(stable(frame.file))}:{mask(stable(frame.function))}"


def _newly(text: str, rest: bytes) -> str:
    """The name of a line by its shape; the 16th line of a kind makes a pattern for those to come.

    Making one costs as much as masking a hundred lines, and a flood of unrelated lines must not pay for it.
    """
    known = _alike.get(rest)
    if known is None:
        name, _ = _by_reading(text, shape_of(text))
        if len(_alike) >= _MAX_ALIKE:
            _alike.clear()
        _alike[rest] = (_NOTHING, name, 1)
    else:
        name = _by_shape(text)
        seen = known[2] + 1
        if seen <= _OFTEN:
            _alike[rest] = ((seen == _OFTEN and like(text)) or _NOTHING, name, seen)
    return name


def _by_shape(text: str) -> str:
    if len(text) > _MAX_TEXT and text[:1] != "{":
        text = _ends(text)
    shape = shape_of(text)
    shapes, limit = (_shapes, _MAX_SHORT) if len(shape) <= _SHORT else (_long_shapes, _MAX_LONG)
    name = shapes.get(shape)
    if name is None:
        name, shape_tells = _by_reading(text, shape)
        if shape_tells and len(shape) <= 2 * _MAX_TEXT:
            if len(shapes) >= limit:
                shapes.clear()
            shapes[shape] = name
    return name


def _by_reading(text: str, shape: bytes) -> tuple[str, bool]:
    """The name without any memory of other lines, and whether every text of this shape has it."""
    if text[:1] == "{" and (message := _message_in(text)):
        return fingerprint(message), False  # 012 is no number in JSON, 112 is one
    if len(text) > _MAX_TEXT:
        text = _ends(text)
        shape = shape_of(text)
    traceback = find_traceback(text) if "\n" in text else None
    if traceback is None:
        return _named(template(shape)), True
    has_digit = any(character.isdigit() for character in traceback.exception)
    return _digest(_of_traceback(traceback)), not has_digit  # Http404 and Http500 have one shape


def _named(masked: str) -> str:
    name = _templates.get(masked)
    if name is None:
        name = _digest(masked)
        if len(masked) <= _SHORT:
            if len(_templates) >= _MAX_SHORT:
                _templates.clear()
            _templates[masked] = name
    return name


def _digest(subject: str) -> str:
    return f"{VERSION}:{hashlib.blake2b(subject.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"


def _message_in(text: str) -> str:
    """The message of a log line that is a JSON object, "" where it is none or says nothing."""
    if len(text) > _MAX_JSON or not text.rstrip().endswith("}"):
        return ""
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    message = json_message(payload) if isinstance(payload, Mapping) else ""
    return message if len(message) < len(text) else ""


def _of_traceback(traceback: Traceback) -> str:
    """Exception type and our frames; all frames where none is ours; a recursion counts as one frame.

    Go's panics and errors have no type: what they say, masked, takes its place.
    """
    kind = traceback.exception
    if traceback.language == "go":
        kind = f"{kind}: {mask(traceback.message)}"
    keys = [frame_key(frame, traceback) for frame in traceback.frames if frame.ours]
    keys = keys or [frame_key(frame, traceback) for frame in traceback.frames]
    once = [key for key, previous in zip(keys, [None, *keys], strict=False) if key != previous]
    return "\n".join([traceback.language, kind, *once[-_MAX_FRAMES:]])


def _ends(text: str) -> str:
    half = _MAX_TEXT // 2
    return text if len(text) <= _MAX_TEXT else f"{text[:half]}\n{text[-half:]}"
