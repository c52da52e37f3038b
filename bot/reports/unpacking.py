"""Bytes in, unpacked and bounded: gzip is found by its first two bytes, a zip bomb by what comes out of it."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

from bot.reports.reader import Limits, Unreadable

HEAD = 65_536
_CHUNK = 65_536
_GZIP = b"\x1f\x8b"
_OTHER_PACKERS = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "packed by bzip2",
    b"\xfd7zXZ": "packed by xz",
    b"(\xb5/\xfd": "packed by zstd",
    b"7z\xbc\xaf": "a 7z archive",
}


class Unpacked(io.RawIOBase):
    """A readable view of `stream`, unpacked where it is gzip, that refuses to give more than the limits allow.

    Raises (from `read`):
        Unreadable: more bytes than allowed, damaged or cut-off gzip.
    """

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        super().__init__()
        self._stream, self._limits = stream, limits
        self._waiting = stream.read(_CHUNK)
        self._given, self._taken = 0, len(self._waiting)
        self._unpacker = zlib.decompressobj(wbits=31) if self._waiting.startswith(_GZIP) else None
        self._head = self._refill(HEAD)

    @property
    def head(self) -> bytes:
        """The first bytes, at most 64 KiB; reading still starts before them."""
        return self._head

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if size >= 0:
            part, self._head = self._head[:size], self._head[size:]
            return part or self._more(min(size, _CHUNK))
        parts, self._head = [self._head], b""
        while part := self._more(_CHUNK):
            parts.append(part)
        return b"".join(parts)

    def _refill(self, size: int) -> bytes:
        head = b""
        while len(head) < size and (part := self._more(size - len(head))):
            head += part
        return head

    def _more(self, size: int) -> bytes:
        part = self._plain(size) if self._unpacker is None else self._gunzipped(size)
        self._given += len(part)
        if self._given > self._limits.unpacked:
            packed = " unpacked" if self._unpacker is not None else ""
            raise Unreadable(f"more than {self._limits.unpacked:,} bytes{packed}: larger than a report may be")
        return part

    def _plain(self, size: int) -> bytes:
        part, self._waiting = self._waiting[:size], self._waiting[size:]
        return part or self._stream.read(size)

    def _gunzipped(self, size: int) -> bytes:
        assert self._unpacker is not None  # noqa: S101 - asked only of gzip
        while True:
            if self._unpacker.eof:  # members may follow one another; padding of zeros may follow the last
                self._waiting = (self._unpacker.unused_data or self._waiting).lstrip(b"\0") or self._next_packed()
                if not self._waiting.strip(b"\0"):
                    return b""
                self._unpacker = zlib.decompressobj(wbits=31)
            packed = self._unpacker.unconsumed_tail or self._waiting or self._next_packed()
            self._waiting = b""
            if not packed:
                raise Unreadable(f"the gzip data ends after {self._taken:,} bytes, in the middle")
            try:
                part = self._unpacker.decompress(packed, size)
            except zlib.error as error:
                raise Unreadable(f"damaged gzip data before byte {self._taken:,}: {error}") from error
            if part:
                return part

    def _next_packed(self) -> bytes:
        packed = self._stream.read(_CHUNK)
        self._taken += len(packed)
        if self._taken > self._limits.packed:
            raise Unreadable(f"more than {self._limits.packed:,} bytes packed: larger than a report may be")
        return packed


def other_packer(head: bytes) -> str:
    """What else a file that starts so was packed with; "" when it does not look packed."""
    return next((words for magic, words in _OTHER_PACKERS.items() if head.startswith(magic)), "")
