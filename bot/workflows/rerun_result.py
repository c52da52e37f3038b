"""What a run that is over says: read, judged, and compared with what was known before it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bot import reports
from bot.decide.rerun import difference
from bot.decide.suites.results import results_of
from bot.model.catalog import Suite
from bot.model.rerun import Difference, Ending, Rerun, RerunMode, RerunState, RunResult
from bot.model.suite import SuiteState, TestRun
from bot.model.test_run import RunJudgement, RunVerdict, TestReport
from bot.notify.words import duration
from bot.reports.surroundings import Surroundings
from bot.store.packing import unpack_tests
from bot.workflows.read_report import read_report

_ENDED_BY_US = frozenset({Ending.TIMED_OUT, Ending.TOO_MUCH_OUTPUT, Ending.CANCELLED})
_NOT_FOUND = 127  # as shells say it: the program is not there
_NOT_COLLECTED = range(2, 6)  # pytest's exit codes whose cause is in what it printed, not in its report


def says_something(result: RunResult) -> bool:
    """Whether there is a report, or what a runner printed, to judge."""
    if result.ending is not Ending.EXITED or result.exit_code == _NOT_FOUND:
        return False
    return result.report is not None or bool(result.output) or result.exit_code in _NOT_COLLECTED


async def understood(result: RunResult) -> tuple[TestReport | None, RunJudgement]:
    """The report of a run, or else what it printed, read where it holds up nobody."""
    printed = result.report is None or (result.exit_code in _NOT_COLLECTED and bool(result.output))
    body = result.output if printed else result.report
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report"
        await asyncio.to_thread(path.write_bytes, body or b"")
        report, judgement = await read_report(path, result.exit_code)
    if report is None or result.around is None or judgement.verdict is not RunVerdict.DISCOVERY_FAILURE:
        return report, judgement
    around = Surroundings(result.around.files, result.around.directory, result.around.sources)
    return report, await asyncio.to_thread(reports.judge, report, result.exit_code, around)


def explained(rerun: Rerun, judgement: RunJudgement) -> Rerun:
    """The rerun with its verdict and the likeliest cause."""
    cause = judgement.causes[0] if judgement.causes else None
    return replace(
        rerun,
        verdict=judgement.verdict,
        why=judgement.reason,
        cause=cause.title if cause else "",
        fix=cause.fix if cause else "",
    )


def compared(
    mode: RerunMode, report: TestReport | None, known: SuiteState, packed: bytes, last: TestRun | None
) -> Difference:
    """Args: known, packed: the suite's state before this run, and its tests. last: the run before, if there was one."""
    before = replace(known, tests=unpack_tests(packed) if packed else {})
    cases = report.cases if report else ()
    return difference(before, last, results_of(cases), report.collected if report else 0, mode)


def state_of(result: RunResult) -> RerunState:
    """How a rerun ends whose run ended like this."""
    if result.ending is Ending.LOST:
        return RerunState.LOST
    if result.ending in _ENDED_BY_US:
        return RerunState.TIMED_OUT
    return RerunState.FAILED if result.exit_code == _NOT_FOUND else RerunState.FINISHED


def ended_because(result: RunResult, suite: Suite) -> str:
    """Why there is nothing to judge, raw; "" when it just ended."""
    match result.ending:
        case Ending.TIMED_OUT:
            limit = duration(suite.rerun.timeout)
            return f"it had not ended after {limit} and was ended, with everything it had started"
        case Ending.TOO_MUCH_OUTPUT:
            return "it printed more than the catalog allows and was ended, with everything it had started"
        case Ending.CANCELLED:
            return result.why or "it was cancelled"
        case Ending.LOST | Ending.EXITED:
            return result.why
