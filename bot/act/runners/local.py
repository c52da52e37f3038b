"""Runs a suite on the bot's own machine: the catalog's command, no shell, limits, and none of the bot's secrets.

Each run has a folder of its own and a supervisor (see supervisor.py) that outlives the bot: after a restart the run is
followed on, and one whose supervisor is gone too is lost, with nothing of it left running.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.act.runner import RunRequest
from bot.act.runners import supervisor
from bot.act.runners.around import look_around
from bot.errors import Permanent
from bot.model.rerun import Around, Ending, Ran, RerunMode, RunProgress, RunResult
from bot.model.runner import LocalRunner

INHERITED = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE")
"""Of the bot's environment; PATH besides, and what the catalog lets pass."""
LARGEST_REPORT = 64 * 1024 * 1024
MOST_TESTS = 500
"""Node ids on one command line; with more of them pytest is asked for those that failed last."""
_TAIL = 8 * 1024
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,79}")
_NOT_COLLECTED = range(2, 6)  # pytest's exit codes for it
_BOOT_S = 10.0
_ENDS_WITHIN_S = 5.0
_PERCENT = re.compile(rb"\[\s*(\d{1,3})%\]")
_PLATFORM = re.compile(r"^platform .* -- Python ([^\s,]+), pytest-([^\s,]+)", re.MULTILINE)
_ROOTDIR = re.compile(r"^rootdir: (.*?)(?:, (?:configfile|inifile|testpaths): .*)?$", re.MULTILINE)
_CONFIG = re.compile(r"(?:^|, )configfile: (.*?)(?:, testpaths: .*| \(WARNING: .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class LocalProcess:
    """Implements `Runner`.

    Attributes:
        root: the catalog's directory: commands run in it or below. state: where the folders of the runs are.
    """

    root: Path
    state: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    async def start(self, request: RunRequest) -> str:
        return await asyncio.to_thread(self._start, request)

    async def poll(self, handle: str) -> RunProgress | RunResult:
        return await asyncio.to_thread(self._poll, handle)

    async def cancel(self, handle: str) -> None:
        await asyncio.to_thread(self._cancel, handle)

    def _start(self, request: RunRequest) -> str:
        runner = request.runner
        if not isinstance(runner, LocalRunner):
            raise Permanent(f"{request.suite} is not run on this machine")
        folder = self._folder(request.id)
        if (folder / "supervisor").exists():
            return request.id
        directory = self._directory(runner)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("home", "tmp"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        environment = self._environment(runner, folder)
        argv = _argv(request, runner, folder / "report.xml")
        ran = {
            "command": shlex.join(argv).replace(str(folder), "…"),
            "directory": str(directory),
            "pythonpath": environment.get("PYTHONPATH", ""),
            "ref": request.ref,
        }
        (folder / "ran").write_text(json.dumps(ran), encoding="utf-8")
        spec = {
            "argv": argv,
            "probe": _probe(runner),
            "directory": str(directory),
            "environment": environment,
            "timeout_s": request.timeout.total_seconds(),
            "output_limit": runner.output_limit,
        }
        self._spawn(folder, spec)
        return request.id

    def _spawn(self, folder: Path, spec: Mapping[str, Any]) -> None:
        with (folder / "log").open("ab") as log:
            subprocess.run(  # noqa: S603  our own program
                [sys.executable, "-I", "-S", supervisor.__file__, str(folder)],
                cwd=folder,
                env={"PATH": os.defpath},
                input=json.dumps(spec).encode(),
                stdout=log,
                stderr=log,
                start_new_session=True,
                timeout=_BOOT_S,
                check=False,
            )
        deadline = time.monotonic() + _BOOT_S
        while not (folder / "supervisor").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        if not (folder / "supervisor").exists():
            said = _text(folder / "log")[-300:].strip()
            raise Permanent(f"the run could not be supervised: {said or 'nobody says why'}")

    def _poll(self, handle: str) -> RunProgress | RunResult:
        folder = self._folder(handle)
        result = _json(folder / "result")
        if result is not None:
            return self._result(folder, result)
        if not _lives(folder):
            result = _json(folder / "result")  # it may have been written in between
            if result is not None:
                return self._result(folder, result)
            _end_group(folder)
            why = "the process that watched over it is gone; nothing of it runs any more"
            return RunResult(Ending.LOST, output=_bytes(folder / "output"), ran=_ran(folder), why=why)
        tail = _tail(folder / "output")
        percents = _PERCENT.findall(tail)
        fraction = min(100, int(percents[-1])) / 100 if percents else None
        lines = tail.decode(errors="replace").splitlines()
        return RunProgress(fraction, next((line for line in reversed(lines) if line.strip()), ""), _ran(folder))

    def _result(self, folder: Path, result: Mapping[str, Any]) -> RunResult:
        report, ran = folder / "report.xml", _ran(folder)
        why = str(result.get("why", ""))
        found = None
        if report.is_file() and not report.is_symlink():
            if report.stat().st_size <= LARGEST_REPORT:
                found = report.read_bytes()
            else:
                why = f"its report is larger than {LARGEST_REPORT >> 20} MiB"
        return RunResult(
            Ending(result["ending"]),
            exit_code=result.get("exit_code"),
            report=found,
            output=_bytes(folder / "output"),
            ran=ran,
            why=why,
            around=self._around(ran) if result.get("exit_code") in _NOT_COLLECTED else None,
        )

    def _around(self, ran: Ran | None) -> Around | None:
        root = self.root.resolve()
        directory = Path(ran.directory) if ran is not None else root
        return look_around(root, directory) if directory.is_relative_to(root) else None

    def _cancel(self, handle: str) -> None:
        folder = self._folder(handle)
        if not folder.exists():
            return
        watching = _watching(folder)
        if watching is not None and _lives(folder):
            with suppress(ProcessLookupError):
                os.kill(watching, signal.SIGTERM)
            deadline = time.monotonic() + _ENDS_WITHIN_S
            while _lives(folder) and time.monotonic() < deadline:
                time.sleep(0.02)
            if _lives(folder):
                with suppress(ProcessLookupError):
                    os.kill(watching, signal.SIGKILL)
        _end_group(folder)
        shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, handle: str) -> Path:
        if not _ID.fullmatch(handle):
            raise Permanent(f"{handle[:80]!r} is no run of this machine")
        return self.state / handle

    def _directory(self, runner: LocalRunner) -> Path:
        root = self.root.resolve()
        directory = (root / runner.directory).resolve()
        if not directory.is_relative_to(root):
            raise Permanent(f"{runner.directory} leads out of the catalog's directory {root}")
        if not directory.is_dir():
            raise Permanent(f"there is no directory {directory}")
        return directory

    def _environment(self, runner: LocalRunner, folder: Path) -> dict[str, str]:
        """The programs beside the bot's own Python come first: `python` is the one that the bot runs on."""
        own = {name: self.environ[name] for name in (*INHERITED, *runner.pass_on) if name in self.environ}
        path = os.pathsep.join([str(Path(sys.executable).parent), self.environ.get("PATH", os.defpath)])
        given = {
            "PATH": path,
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return {**own, **given, **runner.environment}


def default_state() -> Path:
    """Where the folders of the runs are when nobody says otherwise."""
    return Path(tempfile.gettempdir()) / f"reliability-runs-{os.getuid()}"


def _argv(request: RunRequest, runner: LocalRunner, report: Path) -> list[str]:
    """The command of the catalog, the mode's arguments, and what to run.

    Raises:
        Permanent: a ref that the command has no use for.
    """
    words = [*runner.command, *getattr(runner, str(request.mode))]
    if request.ref and not any("{ref}" in word for word in words):
        raise Permanent("this suite is run from the files that are there: its command takes no ref")
    argv = [word.replace("{ref}", request.ref).replace("{report}", str(report)) for word in words]
    if request.mode is not RerunMode.FAILED:
        return [*argv, *runner.tests]
    named = [test for test in request.tests if test and not test.startswith("-")]
    if runner.tests and 0 < len(named) == len(request.tests) <= MOST_TESTS:
        return [*argv, *named]
    return [*argv, "--lf", *runner.tests]


def _probe(runner: LocalRunner) -> list[str]:
    """Asks pytest for its header, which a quiet collection does not print; [] for other programs."""
    if not any(Path(word).name in {"pytest", "py.test"} for word in runner.command):
        return []
    quick = ["--collect-only", "--noconftest", "--ignore-glob=*", "-p", "no:cacheprovider", "-vv"]
    return [*runner.command, *quick, *runner.tests]


def _ran(folder: Path) -> Ran | None:
    known = _json(folder / "ran")
    if known is None:
        return None
    header = _text(folder / "probe")
    platform = _PLATFORM.search(header)
    rootdir, config = _ROOTDIR.search(header), _CONFIG.search(header)
    return Ran(
        **known,
        rootdir=rootdir.group(1) if rootdir else "",
        configfile=config.group(1) if config else "none" if rootdir else "",
        python=platform.group(1) if platform else "",
        pytest=platform.group(2) if platform else "",
    )


def _watching(folder: Path) -> int | None:
    """The supervisor's pid."""
    pid, _, _ = _text(folder / "supervisor").partition(" ")
    return int(pid) if pid.isdigit() else None


def _lives(folder: Path) -> bool:
    """Whether the supervisor does. Where the bot is a container's first process, the dead are its to bury."""
    if (watching := _watching(folder)) is not None:
        with suppress(ChildProcessError):
            os.waitpid(watching, os.WNOHANG)
    pid, _, born = _text(folder / "supervisor").partition(" ")
    return pid.isdigit() and bool(born) and supervisor.born(int(pid)) == born


def _end_group(folder: Path) -> None:
    """What a supervisor that was killed left behind. Its leader dies with it; the group's other members do here."""
    known = _json(folder / "group")
    if known is not None and not (folder / "result").exists():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(int(known["group"]), signal.SIGKILL)


def _json(path: Path) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return value


def _text(path: Path) -> str:
    return _bytes(path).decode(errors="replace")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            return file.read()
    except FileNotFoundError:
        return b""
