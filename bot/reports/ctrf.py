"""CTRF, the Common Test Report Format: `{"reportFormat": "CTRF", "results": {"tool", "summary", "tests"}}`.

Durations are milliseconds. "pending" is not run, and "other" (neither passed nor failed) is no proof of anything: both
count as skipped.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import msgspec

from bot.model.test_run import Case, Declared, Failure, Outcome, TestReport
from bot.reports import json_text, numbers
from bot.reports.reader import Limits, Unreadable
from bot.reports.tally import Clipped, Tally, failure_of

_OUTCOMES = {
    "passed": Outcome.PASSED,
    "failed": Outcome.FAILED,
    "skipped": Outcome.SKIPPED,
    "pending": Outcome.SKIPPED,
    "other": Outcome.SKIPPED,
}
_MS = 0.001


class _Test(msgspec.Struct, rename="camel"):
    name: str
    status: str
    duration: float | None = None
    message: str | None = None
    trace: str | None = None
    suite: str | list[str] | None = None
    file_path: str | None = None
    line: int | None = None
    flaky: bool | None = None


class _Summary(msgspec.Struct):
    tests: int | None = None
    passed: int | None = None
    failed: int | None = None
    skipped: int = 0
    pending: int = 0
    other: int = 0
    start: float | None = None
    stop: float | None = None


class _Tool(msgspec.Struct):
    name: str = ""


class _Results(msgspec.Struct):
    tests: list[_Test]
    summary: _Summary | None = None
    tool: _Tool | None = None


class _Report(msgspec.Struct):
    results: _Results


class Ctrf:
    """Reader of CTRF."""

    name = "ctrf"

    def recognises(self, head: bytes) -> bool:
        keys = json_text.top_level_keys(head)
        return "results" in keys or "reportFormat" in keys

    def read(self, stream: BinaryIO, limits: Limits) -> TestReport:
        results = json_text.decode(stream, _Report, limits).results
        summary = results.summary or _Summary()
        tally = Tally(limits)
        for position, test in enumerate(results.tests):
            _count(tally, test, f"results.tests[{position}]", limits)
        fields: dict[str, Any] = {}
        if results.summary:
            where = "results.summary"
            fields["declared"] = Declared(
                tests=numbers.natural(summary.tests, where),
                failed=numbers.natural(summary.failed, where),
                skipped=numbers.natural(summary.skipped + summary.pending + summary.other, where),
            )
        return tally.report(
            "ctrf",
            dialect=results.tool.name[:100] if results.tool else "",
            duration_s=_duration(summary),
            **fields,
        )


def _duration(summary: _Summary) -> float | None:
    """From start to stop; clocks that went backwards say nothing about the tests, so they are no error."""
    if summary.start is None or summary.stop is None or summary.stop < summary.start:
        return None
    return numbers.seconds(summary.stop - summary.start, "results.summary", _MS)


def _count(tally: Tally, test: _Test, where: str, limits: Limits) -> None:
    outcome = _OUTCOMES.get(test.status)
    if outcome is None:
        raise Unreadable(f"{where}: unknown status {test.status[:40]!r}")
    suite = " > ".join(test.suite) if isinstance(test.suite, list) else test.suite
    node_id = "::".join(part for part in (test.file_path, suite, test.name) if part)
    case = Case(
        node_id=node_id or "(no name)",
        outcome=outcome,
        duration_s=numbers.seconds(test.duration, where, _MS),
        flaky=bool(test.flaky) and outcome is Outcome.PASSED,
    )

    def failure() -> Failure:
        text = Clipped(limits.text)
        text.add(test.trace or "")
        return failure_of(case, test.message or "", str(text), test.file_path or "", test.line or 0)

    tally.add(case, failure)
