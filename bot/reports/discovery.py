"""The verdict on a report: did the tests pass, fail, or were they never found? And the reason, in one line.

pytest's exit codes: 0 all passed, 1 tests failed, 2 aborted (also by errors during collection), 3 internal error, 4 usage
error, 5 nothing collected. pytest-xdist turns 2 into 1 and goes on: errors of collection count whatever the exit code.
Source: pytest's reference, "Exit codes".
"""

from __future__ import annotations

from bot.model.test_run import DiscoveryCause, RunJudgement, RunVerdict, TestReport
from bot.reports.causes import Evidence, causes_of
from bot.reports.surroundings import Surroundings

_MAX_REASON = 600
_OTHER_RUNNERS = frozenset(
    {"jest", "mocha", "cargo-nextest", "gotestsum", "surefire", "catch2", "dotnet", "phpunit", "gradle"}
)
MEANINGS = {
    2: "the session was aborted",
    3: "pytest met an internal error",
    4: "pytest could not start: usage error",
    5: "pytest collected nothing",
}
_DISCOVERY = frozenset(MEANINGS)
_FROM_OUTSIDE = 124  # `timeout` answers 124, a shell 128 + the number of the signal
_ENDINGS = frozenset({"internal_error", "interrupted", "usage_error", "conftest_error"})
_ASKED_BY_COLLECTING = frozenset({"async_without_plugin", "class_with_init"})  # also true of a run that had tests


def judge(report: TestReport, exit_code: int | None = None, surroundings: Surroundings | None = None) -> RunJudgement:
    """Verdict and reason.

    Args:
        exit_code: of the runner; None takes the one that the report holds, if any.
        surroundings: what the folder looks like where pytest ran, if somebody looked.
    """
    code = report.exit_code if exit_code is None else exit_code
    causes = causes_of(Evidence(report, code, surroundings))
    headline = _not_discovered(report, code, causes)
    if headline:
        return RunJudgement(RunVerdict.DISCOVERY_FAILURE, _line(headline, causes, report), causes)
    proven = tuple(cause for cause in causes if cause.code in _ASKED_BY_COLLECTING)
    if red := _red(report, code):
        return RunJudgement(RunVerdict.FAILED, _line(red, proven, report), proven)
    return RunJudgement(RunVerdict.PASSED, _line(_green(report), proven, report), proven)


def judge_silence(exit_code: int) -> RunJudgement | None:
    """A runner that printed nothing: pytest tells of a broken conftest or a wrong option on stderr only.

    None when the exit code does not say that tests were not found.
    """
    if exit_code not in _DISCOVERY:
        return None
    reason = f"{MEANINGS[exit_code]} (exit code {exit_code}) and printed nothing here; its stderr has the cause"
    return RunJudgement(RunVerdict.DISCOVERY_FAILURE, reason)


def _not_discovered(report: TestReport, code: int | None, causes: tuple[DiscoveryCause, ...]) -> str:
    """Why this is a matter of collection; "" when it is not."""
    return _modules_lost(report) or _ended_early(report, code, causes) or _found_none(report, causes)


def _modules_lost(report: TestReport) -> str:
    if not report.modules_lost:
        return ""
    found = _collected(report) if report.collected else "nothing was collected"
    return f"{found}, {_number(report.modules_lost, 'module')} lost to collection errors"


def _ended_early(report: TestReport, code: int | None, causes: tuple[DiscoveryCause, ...]) -> str:
    """The runner itself gave up, or was made to."""
    pytests = report.dialect not in _OTHER_RUNNERS and report.format != "ctrf"
    if pytests and code in _DISCOVERY and code is not None:
        return f"{MEANINGS[code]} (exit code {code})"
    if any(cause.code in _ENDINGS for cause in causes):
        return "the session ended before its tests did" if report.collected else "nothing was collected"
    if code is not None and (code < 0 or code >= _FROM_OUTSIDE) and not report.red:
        return f"the runner was ended from outside (exit code {code})"
    if not report.finished:
        before = "the session ended early" if report.collected else "nothing was collected"
        return f"{before}: pytest's last line is missing"
    return ""


def _found_none(report: TestReport, causes: tuple[DiscoveryCause, ...]) -> str:
    if not report.collected and not report.totals.tests:
        declared = report.declared.tests
        return f"the file declares {declared} tests and lists none" if declared else "collected 0 tests"
    if report.totals.skipped == report.totals.tests > 0 and any(
        cause.code == "async_without_plugin" for cause in causes
    ):
        return "every test was left out"
    return ""


def _red(report: TestReport, code: int | None) -> str:
    """Why this is a failed run; "" when it is not."""
    if report.red:
        first = report.failures[0] if report.failures else None
        what = f"{report.totals.failed} failed" if report.totals.failed else ""
        errors = f"{report.totals.errors} with errors" if report.totals.errors else ""
        counted = f"{' and '.join(part for part in (what, errors) if part)} of {_number(report.totals.tests, 'test')}"
        return f"{counted}; first: {first.node_id}: {first.message}" if first else counted
    declared = (report.declared.failed or 0) + (report.declared.errors or 0)
    if declared:
        return f"the file declares {declared} failing tests and lists none of them"
    if report.outside:
        return f"{report.outside} failures are told outside of any test"
    if code:
        return f"exit code {code}, though no test of the report failed"
    return ""


def _green(report: TestReport) -> str:
    totals = report.totals
    flaky = sum(case.flaky for case in report.cases)
    if not totals.passed and totals.skipped:
        return f"nothing ran: {_number(totals.skipped, 'test')} skipped"
    if not totals.passed:
        return _collected(report)
    parts = [f"{totals.passed} of {_number(totals.tests, 'test')} passed"]
    parts += [f"{totals.skipped} skipped"] if totals.skipped else []
    parts += [f"{flaky} only when run again"] if flaky else []
    return ", ".join(parts)


def _collected(report: TestReport) -> str:
    return f"{_number(report.collected, 'test')} collected"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _line(headline: str, causes: tuple[DiscoveryCause, ...], report: TestReport) -> str:
    """One line: headline, the first cause with its place, how many more, what does not add up."""
    parts = [headline]
    if causes:
        at = f" ({causes[0].culprit})" if causes[0].culprit and causes[0].culprit not in causes[0].title else ""
        more = (
            f", and {len(causes) - 1} more causes"
            if len(causes) > 2
            else ", and another cause"
            if len(causes) == 2
            else ""
        )
        parts.append(f"{causes[0].title}{at}{more}; {causes[0].fix}")
    if report.disagreement:
        parts.append(report.disagreement)
    if report.repeated:
        parts.append(f"{_number(report.repeated, 'node id')} told again")
    line = " · ".join(" ".join(part.split()) for part in parts)
    return line if len(line) <= _MAX_REASON else f"{line[: _MAX_REASON - 1]}…"
