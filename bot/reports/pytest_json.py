"""pytest-json-report: `pytest --json-report`."""

from __future__ import annotations

from collections import Counter
from typing import Any, BinaryIO

import msgspec

from bot.model.test_run import Case, Declared, Failure, Outcome, TestReport
from bot.reports import json_text, numbers
from bot.reports.reader import Limits, Unreadable
from bot.reports.tally import Clipped, Tally, failure_of

_OUTCOMES = {
    "passed": Outcome.PASSED,
    "xpassed": Outcome.PASSED,
    "failed": Outcome.FAILED,
    "error": Outcome.ERROR,
    "skipped": Outcome.SKIPPED,
    "xfailed": Outcome.SKIPPED,
    "rerun": Outcome.PASSED,
}
_MARKS = frozenset({"exitcode", "collectors", "created", "root", "environment"})


class _Crash(msgspec.Struct):
    path: str = ""
    lineno: int = 0
    message: str = ""


class _Stage(msgspec.Struct):
    duration: float | None = None
    outcome: str = ""
    crash: _Crash | None = None
    longrepr: Any = None


class _Test(msgspec.Struct):
    nodeid: str
    outcome: str = ""
    lineno: int | None = None
    setup: _Stage | None = None
    call: _Stage | None = None
    teardown: _Stage | None = None


class _Collector(msgspec.Struct):
    nodeid: str = ""
    outcome: str = ""
    longrepr: Any = None


class _Warning(msgspec.Struct):
    category: str = ""
    message: str = ""
    filename: str = ""
    lineno: int = 0


class _Summary(msgspec.Struct):
    total: int | None = None
    collected: int | None = None
    deselected: int | None = None
    passed: int = 0
    failed: int = 0
    error: int = 0
    skipped: int = 0
    xfailed: int = 0
    xpassed: int = 0


class _Report(msgspec.Struct):
    exitcode: int | None = None
    duration: float | None = None
    summary: _Summary | None = None
    tests: list[_Test] | None = None
    collectors: list[_Collector] | None = None
    warnings: list[_Warning] | None = None


class PytestJson:
    """Reader of pytest-json-report."""

    name = "pytest-json-report"

    def recognises(self, head: bytes) -> bool:
        keys = set(json_text.top_level_keys(head))
        return "results" not in keys and (bool(keys & _MARKS) or {"tests", "summary"} <= keys)

    def read(self, stream: BinaryIO, limits: Limits) -> TestReport:
        document = json_text.decode(stream, _Report, limits)
        if document.summary is None and document.tests is None and document.collectors is None:
            raise Unreadable("not as this format is: neither summary nor tests")
        tally = Tally(limits)
        for position, test in enumerate(document.tests or []):
            _count(tally, test, position, limits)
        for collector in document.collectors or []:
            if collector.outcome in {"failed", "error"}:
                tally.lose(collector.nodeid or "the session", _clip(collector.longrepr, limits))
        return _report(document, tally, limits)


def _count(tally: Tally, test: _Test, position: int, limits: Limits) -> None:
    """Raises Unreadable for a node id told twice: pytest-json-report keeps its tests by node id."""
    where = f"tests[{position}]"
    if tally.has(test.nodeid):
        raise Unreadable(f"{where}: duplicate node id {test.nodeid[:200]!r}")
    outcome = _OUTCOMES.get(test.outcome)
    if outcome is None:
        raise Unreadable(f"{where}: unknown outcome {test.outcome[:40]!r}")
    stages = [stage for stage in (test.setup, test.call, test.teardown) if stage]
    durations = [numbers.seconds(stage.duration, where) for stage in stages]
    known = [duration for duration in durations if duration is not None]
    case = Case(test.nodeid, outcome, sum(known) if known else None)

    def failure() -> Failure:
        broken = next((stage for stage in stages if stage.outcome in {"failed", "error"}), _Stage())
        crash = broken.crash or _Crash()
        file = test.nodeid.partition("::")[0]
        line = test.lineno + 1 if test.lineno is not None else 0  # counted from 0 in this format
        return failure_of(case, crash.message, _clip(broken.longrepr, limits), file, line)

    tally.add(case, failure)
    if outcome is Outcome.SKIPPED:
        tally.note(next((str(stage.longrepr) for stage in stages if stage.longrepr), ""))


def _report(document: _Report, tally: Tally, limits: Limits) -> TestReport:
    summary = document.summary or _Summary()
    warnings = document.warnings or []
    said = Clipped(limits.text)
    for warning in warnings:
        said.add(f"{warning.filename}:{warning.lineno}: {warning.category}: {warning.message}\n")
    fields: dict[str, Any] = {"collected": summary.collected} if summary.collected is not None else {}
    if summary.collected is not None and summary.deselected:
        fields["collected"] = max(summary.collected - summary.deselected, tally.size)
    return tally.report(
        "pytest-json-report",
        dialect="pytest",
        declared=Declared(
            tests=numbers.natural(summary.total, "summary.total"),
            failed=numbers.natural(summary.failed, "summary.failed"),
            errors=numbers.natural(summary.error, "summary.error"),
            skipped=numbers.natural(summary.skipped + summary.xfailed, "summary.skipped"),
        )
        if document.summary
        else Declared(),
        deselected=summary.deselected,
        duration_s=numbers.seconds(document.duration, "duration"),
        warnings=dict(Counter(warning.category or "Warning" for warning in warnings)),
        exit_code=document.exitcode,
        said=f"{said}{tally.notes}",
        **fields,
    )


def _clip(longrepr: Any, limits: Limits) -> str:
    text = Clipped(limits.text)
    text.add(longrepr if isinstance(longrepr, str) else "" if longrepr is None else str(longrepr))
    return str(text)
