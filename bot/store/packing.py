"""What is known of many tests in few bytes, without ever holding up the event loop: packed and unpacked in a thread.

Lines of JSON, compressed; each run is written once and meant by its number afterwards. A suite of 100,000 tests takes
a few hundred kilobytes. Small portions, so that a thread that decodes one lets the others run in between.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import TypeVar

import msgspec

from bot.model.suite import RunMark, TestState, TestStatus
from bot.model.test_run import Case, Outcome

T = TypeVar("T")

_PORTION = 5_000
_LEVEL = 1  # of zlib: most of what there is to gain, at a tenth of the time


class _Line(msgspec.Struct, array_like=True):
    node_id: str
    status: str
    since: int
    passed: int | None
    recent: str
    mixed: datetime | None


_Result = tuple[str, str, float | None, bool]


def pack_tests(tests: Mapping[str, TestState]) -> bytes:
    marks: dict[RunMark, int] = {}

    def number(mark: RunMark) -> int:
        return marks.setdefault(mark, len(marks))

    portions = [
        [
            _Line(
                node_id,
                test.status,
                number(test.since),
                None if test.passed is None else number(test.passed),
                test.recent,
                test.mixed,
            )
            for node_id, test in portion
        ]
        for portion in _portions(tests.items())
    ]
    return _packed([list(marks), *portions])


def unpack_tests(packed: bytes) -> dict[str, TestState]:
    """Raises: msgspec.DecodeError, zlib.error: not what `pack_tests` made."""
    first, *portions = _lines(packed)
    marks = msgspec.json.decode(first, type=list[RunMark])
    tests = {}
    for portion in portions:
        for line in msgspec.json.decode(portion, type=list[_Line]):
            tests[line.node_id] = TestState(
                TestStatus(line.status),
                marks[line.since],
                None if line.passed is None else marks[line.passed],
                line.recent,
                line.mixed,
            )
    return tests


def pack_cases(cases: Iterable[Case]) -> bytes:
    return _packed(
        [(case.node_id, case.outcome.value, case.duration_s, case.flaky) for case in portion]
        for portion in _portions(cases)
    )


def unpack_cases(packed: bytes) -> tuple[Case, ...]:
    return tuple(
        Case(node_id, Outcome(outcome), duration_s, flaky)
        for line in _lines(packed)
        for node_id, outcome, duration_s, flaky in msgspec.json.decode(line, type=list[_Result])
    )


def _packed(portions: Iterable[object]) -> bytes:
    compressor = zlib.compressobj(_LEVEL)
    parts = [compressor.compress(msgspec.json.encode(portion) + b"\n") for portion in portions]
    return b"".join([*parts, compressor.flush()])


def _lines(packed: bytes) -> list[bytes]:
    return zlib.decompress(packed).splitlines()


def _portions(things: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(things)
    while portion := list(islice(iterator, _PORTION)):
        yield portion
