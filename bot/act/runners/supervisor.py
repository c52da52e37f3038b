"""Stands beside one run of the local runner: limits it, keeps what it printed, and ends it with all its children.

A program of its own, with the standard library only: it outlives a bot that is killed, so that the next bot finds the
run where it left it, and it needs no bot to end a run whose time is up. What it is to do comes on stdin as JSON and is
never written to disk, for the environment in it may hold a secret of the tests. It leaves in its folder:

    supervisor  who it is, written first and only once: of two that are started, one goes away again
    group       the process group of what it runs
    probe       what the program says about itself when it is asked before the run
    output      everything printed, up to the limit
    result      how it ended, written last and at once
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_PROBE_S = 30.0
_PROBE_BYTES = 64 * 1024
_GRACE_S = 1.0
_LINGER_S = 0.5
_CHUNK = 65536


def main(folder: Path) -> None:
    """Run what stdin says and write how it ended. Who started us does not have to wait: we go on as nobody's child."""
    spec = json.loads(sys.stdin.buffer.read())
    if os.fork() or not _claim(folder):
        return
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what its children leave behind becomes ours, and is found
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    if spec["probe"]:
        (folder / "probe").write_bytes(_probe(spec))
    began = time.monotonic()
    try:
        result = _run(spec, folder, stopped)
    except OSError as error:
        result = {"ending": "exited", "exit_code": 127, "why": f"{error.strerror}: {error.filename or spec['argv'][0]}"}
    if folder.exists():
        _write(folder / "result", result | {"seconds": round(time.monotonic() - began, 3)})


def _claim(folder: Path) -> bool:
    """False: another supervisor has this run."""
    own = folder / f"supervisor.{os.getpid()}"
    own.write_text(f"{os.getpid()} {born(os.getpid())}", encoding="ascii")
    try:
        (folder / "supervisor").hardlink_to(own)  # all of it at once, and for one of two only
    except FileExistsError:
        return False
    finally:
        own.unlink()
    return True


def _probe(spec: dict[str, Any]) -> bytes:
    """What the program says about itself; a probe that fails says nothing and costs nothing."""
    try:
        child = _spawn(spec, spec["probe"])
    except OSError:
        return b""
    try:
        return child.communicate(timeout=min(_PROBE_S, spec["timeout_s"]))[0][:_PROBE_BYTES]
    except subprocess.TimeoutExpired:
        return b""
    finally:
        _end(child)


def _run(spec: dict[str, Any], folder: Path, stopped: list[int]) -> dict[str, Any]:
    deadline = time.monotonic() + spec["timeout_s"]
    with (folder / "output").open("wb") as output:
        child = _spawn(spec, spec["argv"])
        try:
            _write(folder / "group", {"group": child.pid})
            ending = _follow(child, output, folder, (deadline, spec["output_limit"]), stopped)
        finally:
            _end(child)
    return {"ending": ending, "exit_code": child.returncode}


def _spawn(spec: dict[str, Any], argv: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  the command is the catalog's, and no shell reads it
        argv,
        cwd=spec["directory"],
        env=spec["environment"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_as_child,  # noqa: PLW1509  one thread, and nothing else makes it die with us
    )


def _as_child() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _follow(
    child: subprocess.Popen[bytes], output: Any, folder: Path, limits: tuple[float, int], stopped: list[int]
) -> str:
    """Copy what it prints until it has ended, or must. Args: limits: when its time is up, and bytes of output."""
    deadline, limit = limits
    assert child.stdout is not None  # noqa: S101  it was asked for
    written, over_since = 0, None
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if stopped or not folder.exists():
                return "cancelled"
            if time.monotonic() >= deadline:
                return "timed_out"
            if selector.select(0.1):
                chunk = os.read(child.stdout.fileno(), _CHUNK)
                output.write(chunk[: limit - written])
                output.flush()
                written += len(chunk)
                if written > limit:
                    return "too_much_output"
                if not chunk:
                    child.wait(max(0.1, deadline - time.monotonic()))
                    return "exited"
            elif child.poll() is not None:
                over_since = over_since or time.monotonic()
                if time.monotonic() - over_since > _LINGER_S:
                    return "exited"  # what holds the pipe open now is something it left behind


def _end(child: subprocess.Popen[bytes]) -> None:
    """Nothing of it runs afterwards: not the program, not its group, not what left its group."""
    if child.poll() is None:
        _signal_group(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_S)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()
    while orphans := _children():
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _children() -> list[int]:
    """Our children, the adopted ones too; [] where the system does not tell."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()]
    except OSError:
        return []


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere the process group is all there is."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def born(pid: int) -> str:
    """When a process started, as the kernel counts: with it a pid that was given anew is not taken for the old one.

    "" for one that is not there, or is dead and only waits to be noticed; "?" where the system does not tell.
    """
    if not Path("/proc/self/stat").exists():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return ""
        except PermissionError:
            return "?"
        return "?"
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in {"Z", "X"} else fields[19]


def _write(path: Path, value: dict[str, Any]) -> None:
    """All of it or nothing, for whoever reads meanwhile."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(value), encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    os.umask(0o077)
    main(Path(sys.argv[1]))
