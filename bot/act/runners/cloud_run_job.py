"""Runs a suite as an execution of a Cloud Run job, and reads what it printed out of its log.

The log arrives seconds after the execution has ended: until then the run is not over for us.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from bot.act.runner import RunRequest
from bot.errors import Permanent
from bot.gcp.clients import Clients
from bot.gcp.jobs import (
    ExecutionState,
    Job,
    Overrides,
    cancel_execution,
    find_execution,
    read_execution,
    read_output,
    start_execution,
)
from bot.model.rerun import Ending, Ran, RunProgress, RunResult
from bot.model.runner import CloudRunJobRunner

LOG_WITHIN = timedelta(seconds=30)
"""A log that is empty for so long after the end is one."""
_CLOCKS = timedelta(seconds=5)  # between Google's and ours


class Handle(msgspec.Struct, frozen=True):
    """How a run is known. execution: full resource name."""

    project: str
    region: str
    job: str
    execution: str
    command: str


@dataclass(frozen=True)
class CloudRunJobs:
    """Implements `Runner`. now: aware UTC."""

    clients: Clients
    now: Callable[[], datetime]

    async def start(self, request: RunRequest) -> str:
        runner = request.runner
        if not isinstance(runner, CloudRunJobRunner):
            raise Permanent(f"{request.suite} is not run by a Cloud Run job")
        if request.ref and not _uses_ref(runner):
            raise Permanent("this suite's job runs its own image: it takes no ref")
        job = Job(runner.project, runner.region, runner.job)
        arguments = [word for text in runner.arguments for word in _words(text, request)]
        overrides = Overrides(
            request.id,
            request.timeout,
            runner.container or "",
            arguments,
            {name: request.filled(text) for name, text in runner.environment.items()},
        )
        found = await find_execution(self.clients, job, request.id, request.since - _CLOCKS) if request.again else ""
        execution = found or await start_execution(self.clients, job, overrides)
        command = " ".join([f"gcloud run jobs execute {runner.job}", *arguments])
        handle = Handle(runner.project, runner.region, runner.job, execution, command)
        return msgspec.json.encode(handle).decode()

    async def poll(self, handle: str) -> RunProgress | RunResult:
        known, job = _read(handle)
        state = await read_execution(self.clients, job, known.execution)
        if state is None:
            return RunResult(Ending.LOST, why="Cloud Run does not know this execution any more")
        ran = Ran(known.command, url=state.log_url if state.log_url.startswith("https://") else "")
        if state.ended_at is None:
            fraction = state.done / state.total if state.total > 1 else None
            return RunProgress(fraction, f"{state.done} of {state.total} tasks done", ran)
        if state.cancelled:
            return RunResult(Ending.CANCELLED, ran=ran, why=state.message or "it was cancelled")
        return await self._result(job, known.execution, state, ran)

    async def _result(self, job: Job, execution: str, state: ExecutionState, ran: Ran) -> RunProgress | RunResult:
        output, is_all = await read_output(self.clients, job, execution)
        if not output and state.ended_at is not None and self.now() - state.ended_at < LOG_WITHIN:
            return RunProgress(1.0, "has ended; its log is on its way", ran)
        return RunResult(
            Ending.EXITED,
            exit_code=state.exit_code,
            succeeded=state.succeeded,
            output=output.encode() if is_all else b"",
            ran=ran,
            why=state.message if is_all else "it printed more lines than are read from a log",
        )

    async def cancel(self, handle: str) -> None:
        known, job = _read(handle)
        await cancel_execution(self.clients, job, known.execution)


def _uses_ref(runner: CloudRunJobRunner) -> bool:
    return any("{ref}" in text for text in (*runner.arguments, *runner.environment.values()))


def _words(text: str, request: RunRequest) -> list[str]:
    """An argument that is `{tests}` becomes one argument for each test; any other stays one."""
    return list(request.tests) if text == "{tests}" else [request.filled(text)]


def _read(handle: str) -> tuple[Handle, Job]:
    try:
        known = msgspec.json.decode(handle, type=Handle)
    except msgspec.DecodeError as error:
        raise Permanent("this is no run of a Cloud Run job") from error
    return known, Job(known.project, known.region, known.job)
