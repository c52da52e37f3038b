"""The local runner with real processes: what it lets through, what it limits, what it leaves behind (nothing)."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.act.runner import RunRequest, checked_ref
from bot.act.runners.local import LocalProcess
from bot.errors import Permanent, UserError
from bot.model.rerun import Ending, RerunMode, RunProgress, RunResult
from bot.model.runner import LocalRunner

PYTEST = LocalRunner("local", ("python", "-m", "pytest", "-p", "no:cacheprovider"), tests=("tests",))


@pytest.fixture
def runner(tmp_path: Path) -> LocalProcess:
    return LocalProcess(tmp_path / "catalog", tmp_path / "state", dict(os.environ))


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Path:
    """A package in `backend/` that the tests beside it cannot import by themselves."""
    root = tmp_path / "catalog"
    for name, text in {
        "backend/shop/__init__.py": "PRICE = 7\n",
        "tests/test_price.py": "from shop import PRICE\n\ndef test_price():\n    assert PRICE == 7\n",
        "tests/test_more.py": "def test_one():\n    assert 1\n\ndef test_two():\n    assert 0\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def asked(runner: LocalRunner, mode: RerunMode = RerunMode.COLLECT, **more) -> RunRequest:
    wish = RunRequest("rerun-1", "e2e", runner, mode, "", (), timedelta(seconds=30), datetime.now(UTC))
    return replace(wish, **more)


def shell(script: str, **more) -> LocalRunner:
    return LocalRunner("local", ("sh", "-c", script), collect=(), **more)


async def end_of(runner: LocalProcess, handle: str) -> RunResult:
    deadline = time.monotonic() + 30
    while isinstance(found := await runner.poll(handle), RunProgress):
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.03)
    return found


async def run(runner: LocalProcess, wish: RunRequest) -> RunResult:
    return await end_of(runner, await runner.start(wish))


async def appears(path: Path) -> str:
    deadline = time.monotonic() + 10
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    return path.read_text().strip()


def is_alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_collection_that_fails_says_what_was_run_and_where(runner: LocalProcess, project: Path):
    ended = await run(runner, asked(PYTEST))

    assert ended.exit_code == 2
    assert b"No module named 'shop'" in ended.output
    assert ended.ran
    assert ended.ran.command == "python -m pytest -p no:cacheprovider --collect-only -q tests"
    assert (ended.ran.directory, ended.ran.rootdir) == (str(project), str(project))
    assert (ended.ran.configfile, ended.ran.pythonpath) == ("none", "")
    assert ended.ran.python.startswith("3.")
    assert ended.ran.pytest
    assert ended.around
    assert "backend/shop/__init__.py" in ended.around.files


async def test_the_same_collection_finds_its_tests_where_pythonpath_says_where_the_package_is(runner: LocalProcess):
    ended = await run(runner, asked(replace(PYTEST, environment={"PYTHONPATH": "backend"})))

    assert ended.exit_code == 0
    assert b"tests/test_price.py::test_price" in ended.output
    assert ended.ran
    assert ended.ran.pythonpath == "backend"


async def test_failed_runs_only_the_tests_that_are_named_and_never_takes_a_name_for_an_option(runner: LocalProcess):
    named = asked(PYTEST, RerunMode.FAILED, tests=("tests/test_more.py::test_two",))
    crafted = asked(PYTEST, RerunMode.FAILED, tests=("--pdb", "-c/etc/passwd"), id="rerun-2")

    first, second = await run(runner, named), await run(runner, crafted)

    assert first.report
    assert first.report.count(b"<testcase ") == 1
    assert second.ran
    assert "pdb" not in second.ran.command
    assert "--lf" in second.ran.command


async def test_a_ref_that_the_command_has_no_use_for_is_refused(runner: LocalProcess):
    with pytest.raises(Permanent, match="takes no ref"):
        await runner.start(asked(PYTEST, ref="main"))

    ended = await run(runner, asked(LocalRunner("local", ("echo", "checked out {ref}"), collect=()), ref="release-7"))

    assert ended.output == b"checked out release-7\n"


@pytest.mark.parametrize(
    "ref", ["--upload-pack=sh", "-", "a b", "main;id", "../../etc", "a..b", "$(id)", "x@{1}", "", "é"]
)
def test_what_could_be_taken_for_an_option_or_a_path_is_no_ref(ref: str):
    with pytest.raises(UserError):
        checked_ref(ref)


@pytest.mark.parametrize("ref", ["main", "release/2026-11", "v1.2.3", "a1b2c3d", "dependabot/pip/x+y"])
def test_names_of_branches_tags_and_commits_are_refs(ref: str):
    assert checked_ref(ref) == ref


async def test_no_shell_reads_the_command(runner: LocalProcess):
    ended = await run(runner, asked(LocalRunner("local", ("echo", "$HOME; id", "`id`", "*"), collect=())))

    assert ended.output == b"$HOME; id `id` *\n"


async def test_nothing_of_the_bots_environment_is_seen_but_what_the_catalog_passes_on(tmp_path: Path):
    own = {"PATH": os.environ["PATH"], "SLACK_BOT_TOKEN": "xoxb-fake", "DATABASE_URL": "secret", "E2E_USER": "ana"}
    runner = LocalProcess(tmp_path / "catalog", tmp_path / "state", own)

    ended = await run(runner, asked(LocalRunner("local", ("env",), collect=(), pass_on=("E2E_USER",))))

    names = {line.partition(b"=")[0] for line in ended.output.splitlines()}
    assert names <= {
        b"PATH",
        b"HOME",
        b"TMPDIR",
        b"PYTHONUNBUFFERED",
        b"PYTHONDONTWRITEBYTECODE",
        b"E2E_USER",
        b"LC_CTYPE",
    }
    assert b"xoxb" not in ended.output
    assert str(Path.home()).encode() + b"\n" not in ended.output
    assert "xoxb" not in "".join(path.read_text() for path in (tmp_path / "state").rglob("*") if path.is_file())


@pytest.mark.parametrize("ending", ["exit 0", "sleep 60"])
async def test_everything_that_a_run_started_is_gone_when_it_is_over(runner: LocalProcess, project: Path, ending: str):
    script = f"sleep 61 & echo $! > in-group; setsid sleep 62 & setsid sh -c 'echo $$ > away; exec sleep 63' & sleep 0.3; {ending}"

    ended = await run(runner, asked(shell(script), timeout=timedelta(seconds=1.5)))

    assert ended.ending is (Ending.EXITED if ending == "exit 0" else Ending.TIMED_OUT)
    assert not is_alive(await appears(project / "in-group"))
    assert not is_alive(await appears(project / "away"))


async def test_a_run_that_prints_without_end_is_ended_and_what_it_printed_is_kept_up_to_the_limit(runner: LocalProcess):
    ended = await run(runner, asked(shell("yes", output_limit=100_000)))

    assert ended.ending is Ending.TOO_MUCH_OUTPUT
    assert len(ended.output) == 100_000


async def test_a_program_that_is_not_there_is_told_by_its_name(runner: LocalProcess):
    ended = await run(runner, asked(LocalRunner("local", ("no-such-program",), collect=())))

    assert (ended.exit_code, ended.why) == (127, "No such file or directory: no-such-program")


async def test_a_directory_that_leads_out_of_the_catalogs_own_is_refused_links_included(
    runner: LocalProcess, project: Path
):
    (project / "link").symlink_to("/etc")

    for directory in ("..", "link", "missing"):
        with pytest.raises(Permanent):
            await runner.start(asked(replace(shell("pwd"), directory=directory)))


async def test_another_bot_follows_the_run_of_one_that_is_gone(runner: LocalProcess, tmp_path: Path):
    handle = await runner.start(asked(shell("sleep 0.3; echo done; exit 1")))
    next_bot = LocalProcess(tmp_path / "catalog", tmp_path / "state")

    ended = await end_of(next_bot, handle)

    assert (ended.ending, ended.exit_code, ended.output) == (Ending.EXITED, 1, b"done\n")


async def test_a_run_whose_supervisor_was_killed_is_lost_and_nothing_of_it_runs(
    runner: LocalProcess, project: Path, tmp_path: Path
):
    handle = await runner.start(asked(shell("sleep 64 & echo $! > child; echo $$ > leader; sleep 65")))
    child, leader = await appears(project / "child"), await appears(project / "leader")

    os.kill(int((tmp_path / "state" / handle / "supervisor").read_text().split()[0]), signal.SIGKILL)
    ended = await end_of(runner, handle)

    assert ended.ending is Ending.LOST
    await asyncio.sleep(0.1)
    assert not is_alive(child)
    assert not is_alive(leader)


async def test_a_cancelled_run_leaves_neither_processes_nor_files(runner: LocalProcess, project: Path, tmp_path: Path):
    handle = await runner.start(asked(shell("echo $$ > leader; sleep 66")))
    leader = await appears(project / "leader")

    await runner.cancel(handle)

    assert not is_alive(leader)
    assert list((tmp_path / "state").iterdir()) == []


async def test_progress_is_the_percentage_that_pytest_prints(runner: LocalProcess):
    handle = await runner.start(asked(shell("printf 'tests/a.py ...   [ 42%%]\\n'; sleep 60")))
    deadline = time.monotonic() + 10
    while (found := await runner.poll(handle)).fraction is None:  # type: ignore[union-attr]
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)

    assert isinstance(found, RunProgress)
    assert (found.fraction, found.said) == (0.42, "tests/a.py ...   [ 42%]")
    await runner.cancel(handle)
