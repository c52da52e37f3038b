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
from bot.correlate.likeness import RESIDUE, Kinds
from bot.correlate.masking import mask, shape_of, template
from bot.correlate.tracebacks import Frame, Traceback, find_traceback, language_of

__all__ = ["VERSION", "fingerprint", "frame_key", "mask"]

VERSION = "v1"

_MAX_TEXT = 8_192  # what is looked at of one entry: the head, and the tail where tracebacks name the exception
_MAX_FRAMES = 20
_SEPARATOR = re.compile(r"[/\\]")
_TYPELESS = frozenset({"go", "rust"})
_MAX_JSON = 65_536

# Together a few MiB in practice and some 60 MiB at worst (floods of 512 four-byte characters each).
_SHORT = 512
_MAX_SHORT = 16_384
_MAX_TEXTS = 8_192
_WORTH = 4  # remembering a text costs a quarter of what it saves when the text comes again
_PAUSE = 100_000  # lines
_MAX_LONG = 256

_texts: dict[str, str] = {}
_kinds = Kinds()
_known = _kinds.known
_paid = 0  # answers that `_texts` gave since it was last empty
_pause = 0  # lines that `_texts` is left alone for, before it is tried again
_shapes: dict[bytes, str] = {}
_templates: dict[str, str] = {}
_long_shapes: dict[bytes, str] = {}


def fingerprint(text: str) -> str:
    """`v1:<16 hexadecimal digits>` of the error that this log text shows; the same for "" as for any empty text.

    Deterministic across processes and platforms; any text is accepted, lone surrogates and NULs included. Of a text
    longer than 8,192 characters the first and last 4,096 count.
    """
    global _paid, _pause  # noqa: PLW0603 — two counters of the memory `_texts`, on the hottest path there is
    if _pause:
        _pause -= 1
    else:
        name = _texts.get(text)
        if name is not None:
            _paid += 1
            return name
    if len(text) > _SHORT:
        return _by_shape(text)
    try:
        residue = text.encode().translate(None, RESIDUE)
    except UnicodeEncodeError:  # a lone surrogate; too rare to be remembered by more than its shape
        return _by_shape(text)
    kind = _known.get(residue)
    name = kind[1] if kind is not None and kind[0](text) else _newly(text, residue)
    if not _pause:
        if len(_texts) >= _MAX_TEXTS:
            _forget_texts()
        _texts[text] = name
    return name


def frame_key(frame: Frame, traceback: Traceback) -> str:
    """A frame without what changes between builds: line number, bundle hashes, numbers of lambdas, generated names.

    Its file keeps its folders, masked one by one: in a message a path is a value, here it says which code it was.
    """
    stable = language_of(traceback).stable
    file = "/".join(mask(part) for part in _SEPARATOR.split(stable(frame.file)))
    return f"{file}:{mask(stable(frame.function))}"


def _forget_texts() -> None:
    """Starts the memory of texts anew; where nearly no line was said twice, only after a pause."""
    global _paid, _pause  # noqa: PLW0603 — see fingerprint
    _pause = 0 if _paid * _WORTH >= _MAX_TEXTS else _PAUSE
    _paid = 0
    _texts.clear()


def _newly(text: str, residue: bytes) -> str:
    name = _kinds.near(text, residue)
    if name is None:
        name = _by_shape(text)
        _kinds.count(text, residue, name)
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
    traceback = find_traceback(text)
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

    Panics and Go's errors have no type: what they say, masked, takes its place.
    """
    kind = traceback.exception
    if traceback.language in _TYPELESS:
        kind = f"{kind}: {mask(traceback.message)}"
    keys = [frame_key(frame, traceback) for frame in traceback.frames if frame.ours]
    keys = keys or [frame_key(frame, traceback) for frame in traceback.frames]
    once = [key for key, previous in zip(keys, [None, *keys], strict=False) if key != previous]
    return "\n".join([traceback.language, kind, *once[-_MAX_FRAMES:]])


def _ends(text: str) -> str:
    half = _MAX_TEXT // 2
    return text if len(text) <= _MAX_TEXT else f"{text[:half]}\n{text[-half:]}"
