"""Cloud Run jobs: start an execution with overrides, ask how far it is, read what it printed, end it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from google.api_core.exceptions import FailedPrecondition, NotFound
from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse
from google.cloud.run_v2.types import (
    Condition,
    EnvVar,
    Execution,
    ListExecutionsResponse,
    ListTasksResponse,
    RunJobRequest,
)

from bot.gcp.clients import Clients, first_page
from bot.gcp.errors import Call, translated
from bot.gcp.logging import PAGE_SIZE

MAX_PAGES = 10
"""Of a run's log: ten thousand lines."""
MARK = "RERUN_ID"
"""The variable by which an execution is found again; the tests may use it too."""

_DEVELOPER, _VIEWER = "roles/run.developer", "roles/run.viewer"
_STREAMS = ("run.googleapis.com%2Fstdout", "run.googleapis.com%2Fstderr")


@dataclass(frozen=True)
class Job:
    """A Cloud Run job, by its catalog entry."""

    project: str
    region: str
    name: str

    @property
    def resource_name(self) -> str:
        return f"projects/{self.project}/locations/{self.region}/jobs/{self.name}"


@dataclass(frozen=True)
class Overrides:
    """What is different in one execution. container: "" for the only one; arguments: () leaves the job's own."""

    run_id: str
    timeout: timedelta
    container: str = ""
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True)
class ExecutionState:
    """How far an execution is.

    Attributes:
        ended_at: None while it goes on. succeeded: None likewise. cancelled: somebody ended it.
        done, total: its tasks. exit_code: of its only task; None with several, or where Google does not say.
        message: Google's words for a failure, "" for none. log_url: its page in the console.
    """

    ended_at: datetime | None
    succeeded: bool | None
    cancelled: bool
    done: int
    total: int
    exit_code: int | None
    message: str
    log_url: str


async def start_execution(clients: Clients, job: Job, overrides: Overrides) -> str:
    """The execution's full name. Never sent twice by itself: after a Retryable, look with `find_execution` first.

    Raises:
        Retryable, Permanent: as all readings of Google.
    """
    environment = {MARK: overrides.run_id, **(overrides.environment or {})}
    container = RunJobRequest.Overrides.ContainerOverride(
        name=overrides.container,
        args=list(overrides.arguments),
        env=[EnvVar(name=name, value=value) for name, value in environment.items()],
    )
    request = RunJobRequest(
        name=job.resource_name,
        overrides=RunJobRequest.Overrides(container_overrides=[container], timeout=overrides.timeout),
    )
    async with translated(_call(clients, job, _DEVELOPER)):
        operation = await clients.jobs.run_job(request, retry=None, timeout=clients.seconds)
    return str(operation.metadata.name)


async def find_execution(clients: Clients, job: Job, run_id: str, since: datetime) -> str:
    """The execution that was started with this id, "" where there is none since then."""
    async with translated(_call(clients, job, _VIEWER)):
        pager = await clients.executions.list_executions(
            parent=job.resource_name, retry=clients.retry, timeout=clients.seconds
        )
        page = ListExecutionsResponse.pb(await first_page(pager))
    for execution in page.executions:
        marks = {
            (variable.name, variable.value) for container in execution.template.containers for variable in container.env
        }
        if (MARK, run_id) in marks and execution.create_time.ToDatetime(tzinfo=since.tzinfo) >= since:
            return str(execution.name)
    return ""


async def read_execution(clients: Clients, job: Job, name: str) -> ExecutionState | None:
    """How far it is; None when Cloud Run does not know it (any more)."""
    async with translated(_call(clients, job, _VIEWER)):
        try:
            wrapped = await clients.executions.get_execution(name=name, retry=clients.retry, timeout=clients.seconds)
        except NotFound:
            return None
        found = Execution.pb(wrapped)
        over = found.HasField("completion_time")
        exit_code = await _exit_code(clients, name) if over and found.task_count <= 1 else None
    completed = next((condition for condition in found.conditions if condition.type == "Completed"), None)
    return ExecutionState(
        ended_at=wrapped.completion_time if over else None,
        succeeded=found.failed_count + found.cancelled_count == 0 if over else None,
        cancelled=found.cancelled_count > 0,
        done=found.succeeded_count + found.failed_count + found.cancelled_count,
        total=found.task_count,
        exit_code=exit_code,
        message=completed.message if completed and completed.state == Condition.State.CONDITION_FAILED else "",
        log_url=found.log_uri,
    )


async def _exit_code(clients: Clients, execution: str) -> int | None:
    pager = await clients.tasks.list_tasks(parent=execution, retry=clients.retry, timeout=clients.seconds)
    tasks = ListTasksResponse.pb(await first_page(pager)).tasks
    if len(tasks) != 1 or not tasks[0].HasField("last_attempt_result"):
        return None
    return int(tasks[0].last_attempt_result.exit_code)


async def read_output(clients: Clients, job: Job, name: str) -> tuple[str, bool]:
    """(what an execution printed, oldest line first, and whether that is all); "" while nothing has arrived.

    Lines that the program wrote as JSON are its own log, not a test runner's output: they are left out.
    """
    short = name.rpartition("/")[2]
    query = " AND ".join(
        (
            'resource.type="cloud_run_job"',
            f'resource.labels.job_name="{job.name}"',
            f'resource.labels.location="{job.region}"',
            f'labels."run.googleapis.com/execution_name"="{short}"',
            "(" + " OR ".join(f'logName="projects/{job.project}/logs/{stream}"' for stream in _STREAMS) + ")",
        )
    )
    request = ListLogEntriesRequest(
        resource_names=[f"projects/{job.project}"], filter=query, order_by="timestamp asc", page_size=PAGE_SIZE
    )
    lines: list[str] = []
    for _ in range(MAX_PAGES):
        await clients.budget.spend(job.project)
        async with translated(clients.call("Cloud Logging", job.project, "roles/logging.viewer")):
            pager = await clients.logging.list_log_entries(request, retry=clients.retry, timeout=clients.seconds)
            page: Any = ListLogEntriesResponse.pb(await first_page(pager))
        lines += [entry.text_payload for entry in page.entries if entry.HasField("text_payload")]
        if not page.next_page_token:
            return "".join(f"{line}\n" for line in lines), True
        request.page_token = page.next_page_token
    return "".join(f"{line}\n" for line in lines), False


async def cancel_execution(clients: Clients, job: Job, name: str) -> None:
    """End it; one that is over, or gone, stays as it is."""
    async with translated(_call(clients, job, _DEVELOPER)):
        try:
            await clients.executions.cancel_execution(name=name, retry=None, timeout=clients.seconds)
        except (NotFound, FailedPrecondition):
            return


def _call(clients: Clients, job: Job, role: str) -> Call:
    missing = f"Cloud Run has no job {job.name} in {job.region} of {job.project}"
    return clients.call("Cloud Run", job.project, role, missing=missing)
