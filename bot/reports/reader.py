"""The contract of a report reader, the limits it keeps, and how it says that a file cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Protocol

from bot.errors import ReliabilityError
from bot.model.test_run import TestReport

_MIB = 1024 * 1024


class Unreadable(ReliabilityError):
    """A report that says nothing, because it cannot be read; the text names what is wrong and where (line or byte)."""


@dataclass(frozen=True)
class Limits:
    """What a report may cost.

    Attributes:
        packed: bytes of a gzipped file. unpacked: bytes after unpacking, and of a file that is not packed.
        cases: results in one report.
        token: bytes of one XML tag, comment or attribute; expat holds each of them whole.
        depth: how deep XML elements may be nested.
        failures: how many failures (and lost modules) are kept with their text; all are counted.
        text: characters kept of one traceback, and of a runner's output 16 times as many.
    """

    packed: int = 32 * _MIB
    unpacked: int = 128 * _MIB
    cases: int = 500_000
    token: int = 4 * _MIB
    depth: int = 200
    failures: int = 200
    text: int = 16_384


class Reader(Protocol):
    """One format of test reports."""

    @property
    def name(self) -> str: ...

    def recognises(self, head: bytes) -> bool:
        """Whether a file that starts with `head` (unpacked, up to 64 KiB) is of this format."""

    def read(self, stream: BinaryIO, limits: Limits) -> TestReport:
        """The report in `stream` (unpacked, bounded by `limits.unpacked`), read to its end.

        Raises:
            Unreadable: the file is broken, hostile or beyond the limits.
        """
