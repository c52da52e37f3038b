"""Cloud Run's jobs on this computer, as far as reruns need them: the real clients talk to it over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
from google.api import monitored_resource_pb2
from google.cloud import logging_v2, run_v2
from google.longrunning import operations_pb2

from bot.sandbox.local_google.faults import Faults
from bot.sandbox.local_google.grpc_service import Method, service
from bot.sandbox.local_google.refusals import not_found

JOB = "projects/acme-staging/locations/us-central1/jobs/e2e"


@dataclass
class LocalJobs:
    """Attributes: executions: by full name. lines: what each printed, once its log has arrived."""

    address: str = ""
    executions: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    exit_codes: dict[str, int] = field(default_factory=dict)
    requests: list[Any] = field(default_factory=list)
    faults: Faults = field(default_factory=lambda: Faults(lambda: datetime.now(UTC)))

    def finish(self, number: int, exit_code: int, *lines: str) -> None:
        name = f"{JOB}/executions/e2e-{number}"
        execution = self.executions[name]
        execution.completion_time.FromDatetime(datetime.now(UTC))
        execution.succeeded_count, execution.failed_count = int(exit_code == 0), int(exit_code != 0)
        self.exit_codes[name], self.lines[f"e2e-{number}"] = exit_code, list(lines)

    def handlers(self) -> tuple[Any, ...]:
        jobs = {"RunJob": Method(run_v2.RunJobRequest.pb(), self._run)}
        executions = {
            "GetExecution": Method(run_v2.GetExecutionRequest.pb(), self._get),
            "ListExecutions": Method(run_v2.ListExecutionsRequest.pb(), self._list),
            "CancelExecution": Method(run_v2.CancelExecutionRequest.pb(), self._cancel),
        }
        tasks = {"ListTasks": Method(run_v2.ListTasksRequest.pb(), self._tasks)}
        logs = {"ListLogEntries": Method(logging_v2.types.ListLogEntriesRequest.pb(), self._entries)}
        return (
            service("google.cloud.run.v2.Jobs", jobs, self.faults),
            service("google.cloud.run.v2.Executions", executions, self.faults),
            service("google.cloud.run.v2.Tasks", tasks, self.faults),
            service("google.logging.v2.LoggingServiceV2", logs, self.faults),
        )

    async def _run(self, request: Any) -> Any:
        if request.name != JOB:
            raise not_found("no such job")
        self.requests.append(request)
        execution = run_v2.Execution.pb(run_v2.Execution(name=f"{JOB}/executions/e2e-{len(self.executions)}"))
        execution.task_count, execution.running_count = 1, 1
        execution.create_time.FromDatetime(datetime.now(UTC))
        execution.log_uri = "https://console.example/logs"
        container = execution.template.containers.add()
        for override in request.overrides.container_overrides:
            container.env.extend(override.env)
        self.executions[execution.name] = execution
        return self._operation(execution)

    def _operation(self, execution: Any) -> Any:
        operation = operations_pb2.Operation(name=f"operations/{execution.name.rpartition('/')[2]}")
        operation.metadata.Pack(execution)
        return operation

    def _known(self, name: str) -> Any:
        if name not in self.executions:
            raise not_found("no such execution")
        return self.executions[name]

    async def _get(self, request: Any) -> Any:
        return self._known(request.name)

    async def _list(self, request: Any) -> Any:
        return run_v2.ListExecutionsResponse.pb()(executions=list(self.executions.values()))

    async def _cancel(self, request: Any) -> Any:
        execution = self._known(request.name)
        if not execution.HasField("completion_time"):
            execution.completion_time.FromDatetime(datetime.now(UTC))
            execution.cancelled_count = 1
        return self._operation(execution)

    async def _tasks(self, request: Any) -> Any:
        reply = run_v2.ListTasksResponse.pb()()
        if request.parent in self.exit_codes:
            task = reply.tasks.add()
            task.last_attempt_result.exit_code = self.exit_codes[request.parent]
        return reply

    async def _entries(self, request: Any) -> Any:
        reply = logging_v2.types.ListLogEntriesResponse.pb()()
        resource = monitored_resource_pb2.MonitoredResource(type="cloud_run_job")
        for execution, lines in self.lines.items():
            if f'"{execution}"' in request.filter:
                for line in lines:
                    reply.entries.add(text_payload=line, resource=resource)
        return reply


@asynccontextmanager
async def local_jobs() -> AsyncIterator[LocalJobs]:
    jobs = LocalJobs()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(jobs.handlers())
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    jobs.address = f"127.0.0.1:{port}"
    try:
        yield jobs
    finally:
        await server.stop(None)
