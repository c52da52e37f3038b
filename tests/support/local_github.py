"""A GitHub on this computer: the calls of its REST API that reruns make, over real HTTP."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

TOKEN = "github_pat_of_the_sandbox_only"
JUNIT = b'<testsuite tests="1"><testcase classname="tests.test_a" name="test_b"/></testsuite>'


@dataclass
class LocalGitHub:
    """Attributes:
    runs: by id, as GitHub shows them. dispatched: bodies that were taken.
    tells_run: as GitHub does since 2026; False as an older Enterprise. silent: dispatches that make no run.
    lose_answers: dispatches that are carried out and answered with 502.
    """

    url: str = ""
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    dispatched: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    artifacts: dict[int, bytes] = field(default_factory=dict)
    seen_tokens: list[str] = field(default_factory=list)
    tells_run: bool = True
    silent: bool = False
    lose_answers: int = 0
    down: bool = False
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def finish(self, run: int, conclusion: str, report: bytes | None = None, name: str = "report.xml") -> None:
        self.runs[run] |= {"status": "completed", "conclusion": conclusion}
        if report is not None:
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                archive.writestr(name, report)
            self.artifacts[run] = packed.getvalue()

    def routes(self) -> list[web.RouteDef]:
        repo = "/repos/{owner}/{repo}/actions"
        return [
            web.post(f"{repo}/workflows/{{workflow}}/dispatches", self._dispatch),
            web.get(f"{repo}/workflows/{{workflow}}/runs", self._list),
            web.get(f"{repo}/runs/{{run}}", self._run),
            web.get(f"{repo}/runs/{{run}}/jobs", self._jobs),
            web.get(f"{repo}/runs/{{run}}/artifacts", self._artifacts),
            web.get(f"{repo}/artifacts/{{run}}/zip", self._redirect),
            web.post(f"{repo}/runs/{{run}}/cancel", self._cancel),
            web.get("/storage/{run}", self._storage),
        ]

    @web.middleware
    async def checked(self, request: web.Request, handler):
        if self.down:
            return web.json_response({"message": "unicorn"}, status=503)
        if request.path.startswith("/repos/") and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"message": "Bad credentials"}, status=401)
        return await handler(request)

    async def _dispatch(self, request: web.Request) -> web.Response:
        body = await request.json()
        if "return_run_details" in body and not self.tells_run:
            return web.json_response({"message": '"return_run_details" is not a permitted key.'}, status=422)
        if request.match_info["workflow"] != "e2e.yml":
            return web.json_response({"message": "Not Found"}, status=404)
        if body["ref"] == "no-such-branch":
            return web.json_response({"message": "No ref found for: no-such-branch"}, status=422)
        self.dispatched.append(body)
        number = 7_000 + len(self.runs)
        if not self.silent:
            self.runs[number] = {
                "id": number,
                "status": "queued",
                "conclusion": None,
                "head_branch": body["ref"],
                "display_title": f"e2e {body['inputs'].get('run', '')}",
                "event": "workflow_dispatch",
                "created_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "html_url": f"https://github.example/acme/auth/actions/runs/{number}",
            }
        if self.lose_answers:
            self.lose_answers -= 1
            return web.json_response({"message": "bad gateway"}, status=502)
        if body.get("return_run_details"):
            return web.json_response({"workflow_run_id": number, "html_url": "https://github.example"})
        return web.Response(status=204)

    async def _list(self, request: web.Request) -> web.Response:
        since = request.query["created"].removeprefix(">=")
        found = [run for run in self.runs.values() if run["created_at"] >= since]
        return web.json_response({"total_count": len(found), "workflow_runs": found})

    async def _run(self, request: web.Request) -> web.Response:
        run = self.runs.get(int(request.match_info["run"]))
        return web.json_response(run) if run else web.json_response({"message": "Not Found"}, status=404)

    async def _jobs(self, request: web.Request) -> web.Response:
        return web.json_response({"total_count": len(self.jobs), "jobs": self.jobs})

    async def _artifacts(self, request: web.Request) -> web.Response:
        run = int(request.match_info["run"])
        found = [{"id": run, "name": "junit"}] if run in self.artifacts else []
        return web.json_response({"total_count": len(found), "artifacts": found})

    async def _redirect(self, request: web.Request) -> web.Response:
        raise web.HTTPFound(f"{self.url}/storage/{request.match_info['run']}")

    async def _storage(self, request: web.Request) -> web.Response:
        self.seen_tokens.append(request.headers.get("Authorization", ""))
        return web.Response(body=self.artifacts[int(request.match_info["run"])])

    async def _cancel(self, request: web.Request) -> web.Response:
        run = int(request.match_info["run"])
        if self.runs[run]["status"] == "completed":
            return web.json_response({"message": "Cannot cancel a workflow run that is completed."}, status=409)
        self.cancelled.append(run)
        self.finish(run, "cancelled")
        return web.json_response({}, status=202)


@asynccontextmanager
async def local_github() -> AsyncIterator[LocalGitHub]:
    github = LocalGitHub()
    app = web.Application(middlewares=[github.checked])
    app.add_routes(github.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    github.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield github
    finally:
        await runner.cleanup()
