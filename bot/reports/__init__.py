"""Test reports: bytes in, a TestReport and what to make of it out. Pure: no I/O of its own, no clock.

from bot.reports import read, judge, Unreadable

reader        the contract of a format, the limits, Unreadable; READERS below is the list of formats
unpacking     gzip, caps
junit         JUnit XML, streamed; dialects: who wrote it and what its tests are called
pytest_json   pytest-json-report; ctrf: CTRF; json_text is what they share
collect_only  pytest's own output; summary_line: its last line
tally         counts cases, in bounded memory; frames: the first line of ours in a traceback
discovery     report and exit code → verdict, reason, causes; causes: why tests were not found, one file per family
surroundings  what the folder where pytest ran looks like, for causes that an output does not show
"""

from __future__ import annotations

from typing import BinaryIO

from bot.model.test_run import TestReport
from bot.reports import json_text, unpacking
from bot.reports.collect_only import CollectOnly
from bot.reports.ctrf import Ctrf
from bot.reports.discovery import judge, judge_silence
from bot.reports.junit import JUnit
from bot.reports.pytest_json import PytestJson
from bot.reports.reader import Limits, Reader, Unreadable

__all__ = ["READERS", "Limits", "Reader", "Unreadable", "format_of", "judge", "judge_silence", "read"]

READERS: tuple[Reader, ...] = (JUnit(), Ctrf(), PytestJson(), CollectOnly())
"""In the order in which they are asked."""


def read(stream: BinaryIO, limits: Limits | None = None) -> TestReport:
    """The report in `stream`, gzipped or not, whatever its format: that is found from the content.

    An empty stream is Unreadable; `judge_silence` knows what an exit code makes of it.

    Raises:
        Unreadable: names what is wrong and where.
    """
    limits = limits or Limits()
    unpacked = unpacking.Unpacked(stream, limits)
    reader = _reader(unpacked.head)
    return reader.read(unpacked, limits)  # type: ignore[arg-type]  # a RawIOBase that reads


def format_of(stream: BinaryIO, limits: Limits | None = None) -> str:
    """The name of the format of what `stream` holds; "" when nothing knows it or it cannot be unpacked."""
    try:
        return _reader(unpacking.Unpacked(stream, limits or Limits()).head).name
    except Unreadable:
        return ""


def _reader(head: bytes) -> Reader:
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise Unreadable("the file is empty")
    for reader in READERS:
        if reader.recognises(head):
            return reader
    if packer := unpacking.other_packer(head):
        raise Unreadable(f"{packer}; gzip is the only packing that is read")
    if keys := json_text.top_level_keys(head):
        raise Unreadable(f"JSON, but neither pytest-json-report nor CTRF (keys {', '.join(keys[:5])})"[:300])
    nul = head.find(b"\0")
    what = f"binary data (a NUL at byte {nul:,})" if nul >= 0 else f"it starts with {head[:40]!r}"
    raise Unreadable(f"not a test report of a known format: {what}")
