"""JSON objects out of a file, one at a time: an array, JSON lines, or objects one after the other, also indented.

`gcloud logging read --format=json` writes an indented array, a log sink JSON lines, `jq .` neither. All of them are
objects with white space, commas and brackets between them, and are read as such; only a window of the file is in memory.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

_CHUNK = 1 << 20
_LONGEST = 8 << 20
"""Characters of one object. Cloud Logging takes entries of 256 KiB; indented and escaped they grow."""

_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
_ONE_LINE_NEXT = re.compile(r"\}\s*,\s*(?=\{)")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_GZIP = b"\x1f\x8b"


class SupportsRead(Protocol):
    """A file, or what is packed in it."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Broken:
    """A place in a file that is no JSON object. `line` counts from 1."""

    line: int
    why: str


def objects(path: Path, advance: Callable[[int], None]) -> Iterator[tuple[int, dict[str, Any]] | Broken]:
    """(line on which it begins, object) in the order of the file, and what is broken between them.

    Args:
        path: plain or gzip; UTF-8 with or without byte order mark, UTF-16 with one (PowerShell's `>` writes that).
            Bytes that are no characters become U+FFFD.
        advance: called with the number of bytes (as stored) that were read since the last call.

    Raises:
        OSError: the file cannot be read, or is damaged gzip.
    """
    with path.open("rb") as stored:
        head = stored.read(4)
        stored.seek(0)
        with contextlib.ExitStack() as closing:
            packed = closing.enter_context(gzip.GzipFile(fileobj=stored)) if head.startswith(_GZIP) else None
            yield from _Scanner(_characters(packed or stored, stored, advance)).run()


def _characters(stream: SupportsRead, stored: IO[bytes], advance: Callable[[int], None]) -> Iterator[str]:
    """The text in pieces; byte positions are those of the file on disk, so that a progress bar is right for gzip too."""
    decoder: codecs.IncrementalDecoder | None = None
    before = 0
    while chunk := _read(stream):
        if decoder is None:
            encoding = next((name for bom, name in _BOMS if chunk.startswith(bom)), "utf-8")
            decoder = codecs.getincrementaldecoder(encoding)("replace")
        yield decoder.decode(chunk)
        here = stored.tell()
        advance(here - before)
        before = here
    yield decoder.decode(b"", final=True) if decoder else ""


def _read(stream: SupportsRead) -> bytes:
    try:
        return stream.read(_CHUNK)
    except (EOFError, zlib.error) as error:
        raise OSError("the compressed file is damaged or ends too early") from error


class _Scanner:
    """A window over the text: `_text[_at:]` is still to be read, `_line` is the line on which `_at` lies."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text, self._at, self._line, self._ended = "", 0, 1, False
        self._decode = json.JSONDecoder().raw_decode

    def run(self) -> Iterator[tuple[int, dict[str, Any]] | Broken]:
        while self._to_next():
            line = self._line
            found = self._one()
            if isinstance(found, str):
                yield Broken(line, found)
            elif isinstance(found, dict):
                yield line, found
            else:
                yield Broken(line, f"not an object but {json.dumps(found)[:40]}")

    def _to_next(self) -> bool:
        """Go to where the next object begins; False at the end."""
        while True:
            between = _BETWEEN.match(self._text, self._at)
            self._go_to(between.end() if between else self._at)
            if self._at < len(self._text):
                return True
            if not self._more():
                return False

    def _one(self) -> Any:
        """The object here, or in a str why there is none; goes behind it."""
        while True:
            try:
                found, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._may_be_cut(error) and self._more():
                    continue
                return self._skip(f"{error.msg[:1].lower()}{error.msg[1:]}")
            except (ValueError, RecursionError) as error:
                return self._skip("nested too deeply" if isinstance(error, RecursionError) else "a number too long")
            if not isinstance(found, dict | list | str) and end == len(self._text) and self._more():
                continue  # a number may go on in the next piece
            raw = self._text[self._at : end]
            self._go_to(end)
            if isinstance(found, str):
                return f"not an object but {raw[:40]}"
            return _without_surrogates(found) if _SURROGATE.search(raw) else found

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether the object goes on behind what is in memory."""
        if len(self._text) - self._at > _LONGEST:
            return False
        # words and escapes at the very end: `tru`, `\u00`; an unclosed string is told by where it begins
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - 8

    def _skip(self, why: str) -> str:
        """Go to where the next object is likely to begin: on a line indented as this one is, or behind `},`."""
        begin = self._text.rfind("\n", 0, self._at) + 1
        indent = self._text[begin : self._at]
        marker = re.compile(rf"\n{re.escape(indent) if not indent.strip() else ''}(?=\{{)|{_ONE_LINE_NEXT.pattern}")
        while True:
            found = marker.search(self._text, self._at + 1)
            if found is not None:
                self._go_to(found.end())
                return why
            self._go_to(max(self._at, len(self._text) - len(indent) - 8))
            if not self._more():
                self._go_to(len(self._text))
                return why

    def _go_to(self, position: int) -> None:
        self._line += self._text.count("\n", self._at, position)
        self._at = position

    def _more(self) -> bool:
        piece = next(self._pieces, None)
        if piece is None:
            return False
        begin = self._text.rfind("\n", 0, self._at) + 1  # the indentation is still looked at
        begin = begin if self._at - begin < 200 else self._at
        self._text, self._at = self._text[begin:] + piece, self._at - begin
        return True


def _without_surrogates(found: Any) -> Any:
    """Half a surrogate pair is valid in JSON and cannot be printed or stored."""
    return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
