"""Every runner keeps the contract of bot/act/runner.py: the same run once, followed to its end, ended when told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest
from pydantic import SecretStr
from support.local_github import JUNIT, TOKEN, LocalGitHub, local_github
from support.local_jobs import LocalJobs, local_jobs

from bot.act.runner import Runner, RunRequest
from bot.act.runners.cloud_run_job import LOG_WITHIN, CloudRunJobs
from bot.act.runners.github_actions import GitHubActions
from bot.act.runners.github_api import GitHubApi
from bot.act.runners.local import LocalProcess
from bot.errors import Permanent, Retryable
from bot.gcp.clients import open_clients
from bot.gcp.config import GoogleConfig
from bot.model.rerun import Ending, RerunMode, RunProgress, RunResult
from bot.model.runner import CloudRunJobRunner, GitHubActionsRunner, LocalRunner, SuiteRunner


class Bench(Protocol):
    """A runner with something to run on."""

    runner: Runner

    def request(self, what: str) -> RunRequest:
        """Args: what: "passes", "fails" or "hangs"."""

    async def come_to_its_end(self, what: str) -> None:
        """Let what was started end, where it does not do so by itself."""

    def runs(self) -> int:
        """How many runs were begun."""


def request(runner: SuiteRunner, run_id: str = "rerun-1", **more) -> RunRequest:
    asked = RunRequest(run_id, "e2e", runner, RerunMode.COLLECT, "", (), timedelta(seconds=20), datetime.now(UTC))
    return replace(asked, **more)


@dataclass
class Local:
    root: Path
    runner: Runner = field(init=False)

    def __post_init__(self) -> None:
        self.runner = LocalProcess(self.root, self.root / "state")

    def request(self, what: str) -> RunRequest:
        rest = {"passes": "exit 0", "fails": "exit 1", "hangs": "sleep 60"}[what]
        script = f"echo begun >> {self.root / 'begun'}; {rest}"
        return request(LocalRunner("local", ("sh", "-c", script), collect=()))

    async def come_to_its_end(self, what: str) -> None:
        """It does so by itself."""

    def runs(self) -> int:
        path = self.root / "begun"
        return len(path.read_text().splitlines()) if path.exists() else 0


@dataclass
class GitHub:
    github: LocalGitHub
    runner: Runner

    def request(self, what: str) -> RunRequest:
        return request(GitHubActionsRunner("github_actions", "acme/auth", "e2e.yml", inputs={"run": "{id}"}))

    async def come_to_its_end(self, what: str) -> None:
        if what != "hangs":
            self.github.finish(7_000, {"passes": "success", "fails": "failure"}[what])

    def runs(self) -> int:
        return len(self.github.runs)


@dataclass
class CloudRun:
    jobs: LocalJobs
    runner: Runner

    def request(self, what: str) -> RunRequest:
        return request(JOB_RUNNER)

    async def come_to_its_end(self, what: str) -> None:
        if what != "hangs":
            self.jobs.finish(0, {"passes": 0, "fails": 1}[what], "1 test collected in 0.1s")

    def runs(self) -> int:
        return len(self.jobs.executions)


JOB_RUNNER = CloudRunJobRunner(
    "cloud_run_job",
    "acme-staging",
    "us-central1",
    "e2e",
    arguments=("{tests}", "--mode={mode}"),
    environment={"R": "{id}"},
)


@asynccontextmanager
async def cloud_run() -> AsyncIterator[CloudRun]:
    async with local_jobs() as jobs:
        clients = await open_clients(GoogleConfig(endpoint=jobs.address, timeout=timedelta(seconds=2)))
        try:
            yield CloudRun(jobs, CloudRunJobs(clients, lambda: datetime.now(UTC)))
        finally:
            await clients.close()


@pytest.fixture(params=["local", "github_actions", "cloud_run_job"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "local":
        yield Local(tmp_path)
        return
    if request.param == "cloud_run_job":
        async with cloud_run() as found:
            yield found
        return
    async with local_github() as github, aiohttp.ClientSession() as http:
        api = GitHubApi(http, SecretStr(TOKEN), github.url, timedelta(seconds=2))
        yield GitHub(github, GitHubActions(api, lambda: datetime.now(UTC)))


async def result(runner: Runner, handle: str) -> RunResult:
    deadline = time.monotonic() + 20
    while isinstance(found := await runner.poll(handle), RunProgress):
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.03)
    return found


def went_well(ended: RunResult) -> bool:
    return ended.succeeded is True or ended.exit_code == 0


@pytest.mark.parametrize("what", ["passes", "fails"])
async def test_a_run_is_followed_to_its_end_and_says_how_it_went_as_often_as_it_is_asked(bench: Bench, what: str):
    handle = await bench.runner.start(bench.request(what))
    await bench.come_to_its_end(what)

    ended = await result(bench.runner, handle)

    assert ended.ending is Ending.EXITED
    assert went_well(ended) == (what == "passes")
    assert await bench.runner.poll(handle) == ended


async def test_a_run_that_may_have_been_started_already_is_not_started_again(bench: Bench):
    wish = bench.request("hangs")
    first = await bench.runner.start(wish)
    await until_begun(bench)

    second = await bench.runner.start(replace(wish, again=True))

    assert isinstance(await bench.runner.poll(first), RunProgress)
    assert isinstance(await bench.runner.poll(second), RunProgress)
    assert bench.runs() == 1
    await bench.runner.cancel(first)


async def test_a_run_that_is_cancelled_is_over_and_may_be_cancelled_again(bench: Bench):
    handle = await bench.runner.start(bench.request("hangs"))
    await until_begun(bench)

    await bench.runner.cancel(handle)
    await bench.runner.cancel(handle)

    assert (await result(bench.runner, handle)).ending in {Ending.CANCELLED, Ending.LOST}


async def test_a_suite_of_another_kind_is_refused(bench: Bench):
    class Other:
        kind = "other"

    with pytest.raises(Permanent):
        await bench.runner.start(request(Other()))  # type: ignore[arg-type]


async def test_what_is_no_handle_of_its_own_is_lost_or_refused(bench: Bench):
    try:
        found = await bench.runner.poll("rerun-that-nobody-started")
    except Permanent:
        return

    assert isinstance(found, RunResult)
    assert found.ending is Ending.LOST


async def until_begun(bench: Bench) -> None:
    deadline = time.monotonic() + 10
    while not bench.runs():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


# --- GitHub Actions alone


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHub]:
    async with local_github() as server, aiohttp.ClientSession() as http:
        api = GitHubApi(http, SecretStr(TOKEN), server.url, timedelta(seconds=2))
        yield GitHub(server, GitHubActions(api, lambda: datetime.now(UTC)))


async def test_an_older_github_that_does_not_tell_the_run_has_it_found_by_the_id_in_its_title(github: GitHub):
    github.github.tells_run = False
    first = await github.runner.start(github.request("passes"))
    wish = replace(github.request("passes"), id="rerun-2")
    second = await github.runner.start(wish)
    github.github.finish(7_001, "success")

    assert isinstance(await github.runner.poll(first), RunProgress)
    assert isinstance(await github.runner.poll(second), RunResult)


async def test_an_answer_that_was_lost_starts_no_second_run(github: GitHub):
    github.github.lose_answers = 1
    with pytest.raises(Retryable):
        await github.runner.start(github.request("passes"))

    await github.runner.start(replace(github.request("passes"), again=True))

    assert len(github.github.dispatched) == 1


async def test_the_report_is_taken_from_the_artifact_and_the_token_never_goes_to_the_storage(github: GitHub):
    runner = GitHubActionsRunner("github_actions", "acme/auth", "e2e.yml", artifact="junit")
    handle = await github.runner.start(request(runner))
    github.github.finish(7_000, "failure", JUNIT)

    ended = await result(github.runner, handle)

    assert (ended.report, ended.succeeded) == (JUNIT, False)
    assert github.github.seen_tokens == [""]
    assert ended.ran
    assert ended.ran.url.endswith("/runs/7000")


async def test_an_artifact_without_a_report_says_so(github: GitHub):
    runner = GitHubActionsRunner("github_actions", "acme/auth", "e2e.yml", artifact="junit")
    handle = await github.runner.start(request(runner))
    github.github.finish(7_000, "success", b"png", name="screen.png")

    ended = await result(github.runner, handle)

    assert ended.report is None
    assert "no report" in ended.why


async def test_inputs_are_filled_in_once_and_progress_is_that_of_the_steps(github: GitHub):
    inputs = {"mode": "{mode}", "tests": "{tests}", "run": "{id}"}
    runner = GitHubActionsRunner("github_actions", "acme/auth", "e2e.yml", inputs=inputs)
    handle = await github.runner.start(request(runner, tests=("tests/test_a.py::test_{mode}",), ref="release-7"))
    steps = [{"name": "Check out", "status": "completed"}, {"name": "Test", "status": "in_progress"}]
    github.github.jobs = [{"steps": steps}]

    found = await github.runner.poll(handle)

    [sent] = github.github.dispatched
    assert sent["ref"] == "release-7"
    assert sent["inputs"] == {"mode": "collect", "tests": "tests/test_a.py::test_{mode}", "run": "rerun-1"}
    assert isinstance(found, RunProgress)
    assert (found.fraction, found.said) == (0.5, "Test")


@pytest.mark.parametrize(
    ("runner", "ref", "said"),
    [
        (GitHubActionsRunner("github_actions", "acme/auth", "nightly.yml"), "", "no workflow nightly.yml"),
        (GitHubActionsRunner("github_actions", "acme/auth", "e2e.yml"), "no-such-branch", "No ref found"),
    ],
)
async def test_what_github_refuses_is_told_in_its_words(github: GitHub, runner, ref: str, said: str):
    with pytest.raises(Permanent, match=said):
        await github.runner.start(request(runner, ref=ref))


async def test_a_run_that_github_never_shows_is_lost_after_a_while(github: GitHub):
    github.github.tells_run, github.github.silent = False, True
    handle = await github.runner.start(github.request("passes"))
    late = replace(github.runner, now=lambda: datetime.now(UTC) + timedelta(minutes=3))

    assert isinstance(await github.runner.poll(handle), RunProgress)
    assert (await result(late, handle)).ending is Ending.LOST


async def test_a_github_that_is_down_is_asked_again_and_the_token_is_in_no_error(github: GitHub):
    github.github.down = True
    with pytest.raises(Retryable) as down:
        await github.runner.start(github.request("passes"))
    github.github.down = False
    stranger = replace(github.runner, api=replace(github.runner.api, token=SecretStr("github_pat_wrong")))

    with pytest.raises(Permanent) as refused:
        await stranger.start(github.request("passes"))

    assert "github_pat" not in f"{down.value} {refused.value} {stranger!r}"


# --- Cloud Run jobs alone


async def test_an_execution_gets_one_argument_for_each_test_and_is_marked_with_its_rerun() -> None:
    async with cloud_run() as it:
        await it.runner.start(request(JOB_RUNNER, tests=("a.py::test_x y", "b.py::test_z"), mode=RerunMode.FAILED))

        [sent] = it.jobs.requests
        [override] = sent.overrides.container_overrides
        assert list(override.args) == ["a.py::test_x y", "b.py::test_z", "--mode=failed"]
        assert {(each.name, each.value) for each in override.env} == {("RERUN_ID", "rerun-1"), ("R", "rerun-1")}
        assert sent.overrides.timeout.seconds == 20


async def test_an_execution_is_over_when_its_log_has_arrived_and_its_output_is_the_log() -> None:
    async with cloud_run() as it:
        handle = await it.runner.start(request(JOB_RUNNER))
        it.jobs.finish(0, 5)

        waiting = await it.runner.poll(handle)
        it.jobs.lines["e2e-0"] = ["no tests collected in 0.1s"]
        ended = await result(it.runner, handle)

        assert isinstance(waiting, RunProgress)
        assert (ended.exit_code, ended.output) == (5, b"no tests collected in 0.1s\n")
        assert ended.ran
        assert ended.ran.url == "https://console.example/logs"


async def test_a_log_that_stays_empty_is_not_waited_for_for_ever() -> None:
    async with cloud_run() as it:
        handle = await it.runner.start(request(JOB_RUNNER))
        it.jobs.finish(0, 1)
        late = replace(it.runner, now=lambda: datetime.now(UTC) + LOG_WITHIN)

        ended = await result(late, handle)

        assert (ended.exit_code, ended.succeeded, ended.output) == (1, False, b"")


async def test_a_job_that_is_not_there_and_a_ref_it_cannot_use_are_told() -> None:
    async with cloud_run() as it:
        with pytest.raises(Permanent, match="no job nightly in us-central1 of acme-staging"):
            await it.runner.start(request(replace(JOB_RUNNER, job="nightly")))
        with pytest.raises(Permanent, match="takes no ref"):
            await it.runner.start(request(JOB_RUNNER, ref="main"))
