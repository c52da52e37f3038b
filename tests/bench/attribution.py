"""How fast attribution takes signals in, through the library and through `reliability judge`, and what a burst costs.

Each measurement runs in a process of its own, so that memory is its own, too. CPU seconds count: a shared machine's wall
clock tells of its other tenants.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from bot.correlate.attribution import Attributor, Deploy, Log
from tests.bench.table import Table

_SIGNALS = 300_000
_BURST = 1_000_000
_MIB = 2**20
_PAGE = 4_096


def measure() -> Table:
    """Run every measurement; about half a minute."""
    library = [_measured("library", shape) for shape in ("repeated", "distinct")]
    command = [_measured("command", shape) for shape in ("repeated", "distinct")]
    burst = _measured("burst", "")
    rows = [
        ("library, equal messages", *_rate(library[0]), "≥ 200,000/s"),
        ("library, no two messages equal, traced", *_rate(library[1]), "≥ 200,000/s"),
        ("judge, equal messages", *_rate(command[0]), "≥ 100,000/s"),
        ("judge, no two messages equal, traced", *_rate(command[1]), "≥ 100,000/s"),
        (
            f"burst of {_BURST:,} entries, attributed", f"{burst['cpu']:.1f} s", f"{burst['wall']:.1f} s",
            "≤ 6 s",
        ),
        ("growth of memory in that burst", f"{burst['growth'] / _MIB:.0f} MiB", "", "< 150 MiB"),
        ("failures counted in that burst", f"{burst['counted']:.0f}", "", f"{_BURST}"),
    ]  # fmt: skip
    return Table(
        "Attribution: signals per second",
        ("what", "by CPU time", "by wall clock", "goal"),
        tuple(rows),
        (
            f"{_SIGNALS:,} log entries of five services a measurement, a third of them failures; one process, one core.",
            "The burst is one service's after a deploy; every entry has an insert id of its own, every second one a trace.",
            f"Blamed for it: {burst['blamed']}.",
        ),
    )


def _rate(measured: dict[str, float]) -> tuple[str, str]:
    return f"{_SIGNALS / measured['cpu']:,.0f}/s", f"{_SIGNALS / measured['wall']:,.0f}/s"


def _measured(kind: str, shape: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.attribution", kind, shape], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _logs(shape: str) -> Iterator[Log]:
    for i in range(_SIGNALS):
        failed = i % 3 == 0
        yield Log(
            t=1_000 + i / 10_000,
            rt=1_001 + i / 10_000,
            service=f"service-{i % 5}",
            revision=f"service-{i % 5}-0000{i % 2}",
            severity="ERROR" if failed else "INFO",
            message=f"order {i} failed for user u{i}" if shape == "distinct" else f"order failed {i % 50}",
            trace=f"t{i // 2}" if shape == "distinct" else None,
            insert_id=f"id-{i}",
            status=500 if failed else 200,
        )


def _timed(work: Callable[[], object]) -> dict[str, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def _library(shape: str) -> dict[str, float]:
    logs, engine = list(_logs(shape)), Attributor()

    def feed() -> None:
        for log in logs:
            engine.feed(log)
        engine.tick(logs[-1].rt)

    return _timed(feed)


def _command(shape: str) -> dict[str, float]:
    from bot.cli.judge import judge_lines

    encode = msgspec.json.Encoder().encode
    with tempfile.TemporaryFile() as lines, tempfile.TemporaryFile() as answers:
        for number, log in enumerate(_logs(shape)):
            lines.write(encode(log) + b"\n")
            if number % 100_000 == 0:
                lines.write(encode({"kind": "tick", "rt": log.rt}) + b"\n")
        lines.seek(0)
        return _timed(lambda: judge_lines(lines, answers, answers))


def _burst() -> dict[str, object]:
    engine = Attributor()
    for second in range(600):
        engine.feed(Log(second, second + 1, "auth", "auth-1", "INFO", "ok", None, f"calm-{second}", 200))
    engine.feed(Deploy(600, 601, "auth", "auth-2", "auth-1", 100.0))
    engine.tick(605)
    before = _resident()
    blamed: list[str] = []

    def feed() -> None:
        for i in range(_BURST):
            at, trace = 605 + i * 3e-5, None if i % 2 else f"t{i}"
            engine.feed(Log(at, at + 1, "auth", "auth-2", "ERROR", f"KeyError: order {i}", trace, f"id-{i}", 500))
        for now in (640.0, 650.0, 660.0):
            blamed.extend(said.revision for said in engine.tick(now))

    timed = _timed(feed)
    counted = sum(sum(s.units.values()) for s in engine._ledger.services["auth"].series.values())
    return {**timed, "growth": _resident() - before, "counted": counted, "blamed": ", ".join(blamed) or "nobody"}


def _resident() -> int:
    """Bytes of memory in use, as Linux tells them."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def main() -> None:
    kind, shape = sys.argv[1:3]
    print(json.dumps({"library": _library, "command": _command}[kind](shape) if kind != "burst" else _burst()))


if __name__ == "__main__":
    main()
