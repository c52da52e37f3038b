"""Runs a suite by GitHub Actions: starts a workflow by `workflow_dispatch`, then follows its run.

GitHub answers with the run's id where it is new enough to be asked for it. Otherwise the run is looked for: the one
whose title holds the rerun's id (give `{id}` to an input and show that in `run-name`), else the first that was
dispatched since on the same ref.
Source: GitHub's REST reference, "Workflows" and "Workflow runs".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from bot.act.runner import RunRequest
from bot.act.runners.github_api import Answer, GitHubApi, report_in
from bot.errors import Permanent
from bot.model.rerun import Ending, Ran, RunProgress, RunResult
from bot.model.runner import GitHubActionsRunner

_SLACK = timedelta(seconds=5)  # between GitHub's clock and ours
_SHOWS_WITHIN = timedelta(minutes=2)
"""A dispatched run that nobody can find after this was never made."""

_ENDINGS = {"cancelled": Ending.CANCELLED, "timed_out": Ending.TIMED_OUT}
_NOT_RUN = {"skipped", "stale", "startup_failure", "action_required"}


class Handle(msgspec.Struct, frozen=True):
    """How a run is known. run: GitHub's id, 0 while it has to be looked for."""

    id: str
    repository: str
    workflow: str
    ref: str
    since: datetime
    run: int = 0
    artifact: str | None = None


@dataclass(frozen=True)
class GitHubActions:
    """Implements `Runner`. now: aware UTC."""

    api: GitHubApi
    now: Callable[[], datetime]

    async def start(self, request: RunRequest) -> str:
        runner = request.runner
        if not isinstance(runner, GitHubActionsRunner):
            raise Permanent(f"{request.suite} is not run by GitHub Actions")
        ref = request.ref or runner.ref
        handle = Handle(request.id, runner.repository, runner.workflow, ref, request.since, artifact=runner.artifact)
        if request.again and (found := await self._find(handle)):
            return _written(msgspec.structs.replace(handle, run=found))
        inputs = {name: request.filled(text) for name, text in runner.inputs.items()}
        answer = await self._dispatch(handle, {"ref": ref, "inputs": inputs})
        return _written(msgspec.structs.replace(handle, run=int(answer.body.get("workflow_run_id") or 0)))

    async def _dispatch(self, handle: Handle, body: Mapping[str, Any]) -> Answer:
        path = f"/repos/{handle.repository}/actions/workflows/{quote(handle.workflow)}/dispatches"
        answer = await self.api.call("POST", path, {**body, "return_run_details": True})
        if answer.status == 422 and "return_run_details" in str(answer.body):
            answer = await self.api.call("POST", path, body)  # an older GitHub Enterprise
        said = str(answer.body.get("message", ""))[:300]
        if answer.status == 404:
            raise Permanent(
                f"GitHub has no workflow {handle.workflow} in {handle.repository}, or hides it from the token"
            )
        if answer.status >= 300:
            raise Permanent(f"GitHub does not start {handle.workflow} on {handle.ref}: {said}")
        return answer

    async def poll(self, handle: str) -> RunProgress | RunResult:
        known = _read(handle)
        run = known.run or await self._find(known)
        if not run:
            if self.now() - known.since > _SHOWS_WITHIN:
                return RunResult(Ending.LOST, why="GitHub took the request and shows no run of it")
            return RunProgress(said="waits for GitHub to show the run")
        answer = await self.api.call("GET", f"/repos/{known.repository}/actions/runs/{run}")
        if answer.status == 404:
            return RunResult(Ending.LOST, why="GitHub does not know this run any more")
        ran = _ran(known, answer.body)
        if answer.body.get("status") != "completed":
            return await self._progress(known, run, ran, str(answer.body.get("status", "")))
        return await self._result(known, run, ran, str(answer.body.get("conclusion", "")))

    async def _progress(self, known: Handle, run: int, ran: Ran, status: str) -> RunProgress:
        answer = await self.api.call("GET", f"/repos/{known.repository}/actions/runs/{run}/jobs", per_page="100")
        steps = [step for job in answer.body.get("jobs", ()) for step in job.get("steps") or ()]
        done = sum(step.get("status") == "completed" for step in steps)
        current = next((str(step.get("name", "")) for step in steps if step.get("status") == "in_progress"), "")
        return RunProgress(done / len(steps) if steps else None, current or status.replace("_", " "), ran)

    async def _result(self, known: Handle, run: int, ran: Ran, conclusion: str) -> RunResult:
        ending = _ENDINGS.get(conclusion, Ending.EXITED)
        why = f"GitHub says {conclusion.replace('_', ' ')}"
        if ending is not Ending.EXITED or conclusion in _NOT_RUN:
            return RunResult(ending, ran=ran, why=why)
        report, missing = await self._report(known, run) if known.artifact else (None, "")
        return RunResult(ending, succeeded=conclusion == "success", report=report, ran=ran, why=missing or why)

    async def _report(self, known: Handle, run: int) -> tuple[bytes | None, str]:
        path = f"/repos/{known.repository}/actions/runs/{run}/artifacts"
        answer = await self.api.call("GET", path, name=known.artifact or "", per_page="100")
        artifacts = [each for each in answer.body.get("artifacts", ()) if each.get("name") == known.artifact]
        if not artifacts:
            return None, f"it left no artifact {known.artifact}"
        archive = await self.api.archive(f"/repos/{known.repository}/actions/artifacts/{int(artifacts[0]['id'])}/zip")
        if archive is None:
            return None, f"its artifact {known.artifact} is not there any more"
        return await asyncio.to_thread(report_in, archive)

    async def cancel(self, handle: str) -> None:
        """A run that is over answers 409: nothing is left to end."""
        known = _read(handle)
        run = known.run or await self._find(known)
        if run:
            await self.api.call("POST", f"/repos/{known.repository}/actions/runs/{run}/cancel")

    async def _find(self, known: Handle) -> int:
        """GitHub's id of the run, 0 while there is none."""
        since = (known.since - _SLACK).astimezone(UTC)
        path = f"/repos/{known.repository}/actions/workflows/{quote(known.workflow)}/runs"
        answer = await self.api.call(
            "GET", path, event="workflow_dispatch", created=f">={since:%Y-%m-%dT%H:%M:%SZ}", per_page="100"
        )
        runs = sorted(answer.body.get("workflow_runs", ()), key=lambda run: str(run.get("created_at", "")))
        named = [run for run in runs if known.id in str(run.get("display_title", "")) + str(run.get("name", ""))]
        likely = named or [run for run in runs if run.get("head_branch") == known.ref]
        return int(likely[0]["id"]) if likely else 0


def _ran(known: Handle, run: Mapping[str, Any]) -> Ran:
    url = str(run.get("html_url", ""))
    return Ran(
        command=f"{known.repository}: {known.workflow}",
        ref=str(run.get("head_branch") or known.ref),
        url=url if url.startswith("https://") else "",
    )


def _written(handle: Handle) -> str:
    return msgspec.json.encode(handle).decode()


def _read(handle: str) -> Handle:
    try:
        return msgspec.json.decode(handle, type=Handle)
    except msgspec.DecodeError as error:
        raise Permanent("this is no run of GitHub's") from error
