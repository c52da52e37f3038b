"""A stored report is read where it cannot hold up the bot: a small one in a thread, any other in a process of its own.

The process reads the file, judges it and writes what it found; it has a time limit and a memory limit. What it cannot
read, what is too much for it and what kills it is an unreadable report, with the reason: nothing is tried for ever.

    python -m bot.workflows.read_report REPORT EXIT_CODE RESULT
"""

from __future__ import annotations

import asyncio
import logging
import resource
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from bot import reports
from bot.model.test_run import RunJudgement, RunVerdict, TestReport
from bot.reports.unpacking import Unpacked
from bot.store.packing import pack_cases, unpack_cases

log = logging.getLogger(__name__)

SMALL = 256 * 1024
"""Bytes, unpacked; a thread reads so much in some ten milliseconds, and lets the others run meanwhile."""

DEADLINE_S = 120.0
MEMORY = 2 * 1024 * 1024 * 1024
"""Bytes of address space of the process that reads."""

Read = tuple[TestReport | None, RunJudgement]


@dataclass(frozen=True)
class _Result:
    """What the process writes; the cases stand apart, packed."""

    report: TestReport | None
    judgement: RunJudgement


def read_file(path: Path, exit_code: int | None) -> Read:
    """The report (None where there is none to read) and what to make of it. Never raises for what is in the file."""
    with path.open("rb") as stream:
        try:
            report = reports.read(stream)
        except reports.Unreadable as why:
            silence = reports.judge_silence(exit_code) if exit_code is not None and _is_silent(path) else None
            return None, silence or RunJudgement(RunVerdict.UNREADABLE, str(why))
        except MemoryError:
            return None, RunJudgement(RunVerdict.UNREADABLE, "reading it takes more memory than a report may take")
    return report, reports.judge(report, exit_code)


async def read_report(path: Path, exit_code: int | None, *, deadline_s: float = DEADLINE_S) -> Read:
    """As `read_file`, beside the event loop."""
    if await asyncio.to_thread(_is_small, path):
        return await asyncio.to_thread(read_file, path, exit_code)
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result"
        trouble = await _run(path, exit_code, result, deadline_s)
        if trouble:
            log.warning("report.not_read", extra={"why": trouble})
            return None, RunJudgement(RunVerdict.UNREADABLE, trouble)
        return await asyncio.to_thread(_collect, result)


async def _run(path: Path, exit_code: int | None, result: Path, deadline_s: float) -> str:
    """Why the process did not read it; "" when it did."""
    code = "" if exit_code is None else str(exit_code)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.workflows.read_report", str(path), code, str(result)),
        stdin=asyncio.subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    try:
        async with asyncio.timeout(deadline_s):
            status = await child.wait()
    except TimeoutError:
        return f"reading it takes longer than {deadline_s:g} s"
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return "" if status == 0 else f"the process that read it ended with {status}: it takes more than a report may take"


def _is_silent(path: Path) -> bool:
    """Whether the runner printed nothing at all."""
    with path.open("rb") as stream:
        try:
            return not Unpacked(stream, reports.Limits()).head.strip()
        except reports.Unreadable:
            return False


def _is_small(path: Path) -> bool:
    limits = reports.Limits(unpacked=SMALL)
    with path.open("rb") as stream:
        try:
            unpacked = Unpacked(stream, limits)
            while unpacked.read(65_536):
                pass
        except reports.Unreadable:
            return False
    return True


def _collect(result: Path) -> Read:
    found = msgspec.json.decode(result.read_bytes(), type=_Result)
    if found.report is None:
        return None, found.judgement
    cases = unpack_cases(result.with_suffix(".cases").read_bytes())
    return replace(found.report, cases=cases), found.judgement


def main(path: str, exit_code: str, result: str) -> None:
    """Read and write; whoever started us reads the result and says what is wrong."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard), hard))
    report, judgement = read_file(Path(path), int(exit_code) if exit_code else None)
    if report is not None:
        Path(result).with_suffix(".cases").write_bytes(pack_cases(report.cases))
        report = replace(report, cases=())
    Path(result).write_bytes(msgspec.json.encode(_Result(report, judgement)))


if __name__ == "__main__":
    main(*sys.argv[1:])
