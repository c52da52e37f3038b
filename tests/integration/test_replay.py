"""`reliability replay`, as a person starts it: files in, what would have been posted out."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support import dumps
from support.dumps import Entry
from support.snapshots import OPTION

from bot.catalog import load
from bot.replay import drive
from bot.replay.inferred import infer
from bot.replay.reading import read
from bot.replay.report import report
from bot.replay.telling import json_lines

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases" / "replay"


def _run(*arguments: object, seed: str = "0") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "bot", "replay", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=False, timeout=60
    )


def _said(*files: Path, catalog: Path | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """(messages, summary), without the second that a process takes to start."""
    recording = read(files)
    known = load(catalog) if catalog else infer(recording)
    replayed = asyncio.run(drive.replay(recording, known))
    lines = json_lines(recording, replayed, report(recording, replayed, known), inferred=catalog is None)
    *messages, last = [json.loads(line) for line in lines]
    return messages, last["summary"]


def _written(tmp_path: Path, entries: list[Entry], name: str = "entries.json") -> Path:
    path = tmp_path / name
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def _files(case: Path) -> list[Path]:
    return sorted(path for path in case.iterdir() if path.suffix in {".json", ".jsonl"})


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_a_recorded_case_is_told_as_expected(case: Path, request: pytest.FixtureRequest) -> None:
    expected = case / "expected.txt"

    done = _run(*_files(case))

    assert done.returncode == 0, done.stderr.decode()
    if request.config.getoption(OPTION):
        expected.write_bytes(done.stdout)
    assert done.stdout.decode() == expected.read_text(encoding="utf-8")
    assert done.stderr == b""
    assert max(len(line) for line in done.stdout.decode().splitlines()) <= 80


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["words", "json"])
@pytest.mark.parametrize("case", ["bad-release", "dependency-outage"])
def test_two_processes_print_the_same_bytes(case: str, form: list[str]) -> None:
    files = _files(CASES / case)

    one, other = _run(*form, *files, seed="1"), _run(*form, *files, seed="4242")

    assert one.returncode == 0
    assert one.stdout == other.stdout


def test_the_order_of_entries_and_how_they_are_written_make_no_difference(tmp_path: Path) -> None:
    entries = dumps.bad_release()
    shuffled = random.Random(7).sample(entries, len(entries))
    repeated = [*entries, *entries[100:300]]
    plain = _said(_written(tmp_path, entries))[0]

    array = "﻿" + json.dumps(shuffled, indent=2).replace("\n", "\r\n")
    (tmp_path / "crlf.json").write_text(array, encoding="utf-8", newline="")
    (tmp_path / "packed.jsonl.gz").write_bytes(
        gzip.compress("\n".join(json.dumps(entry) for entry in repeated[::-1]).encode())
    )

    assert _said(tmp_path / "crlf.json")[0] == plain
    messages, summary = _said(tmp_path / "packed.jsonl.gz")
    assert messages == plain
    assert summary["repeated"] == 200


@pytest.mark.parametrize("entries", [dumps.bad_release(), dumps.dependency_outage(), dumps.canary()])
def test_looks_that_are_put_off_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: list[Entry]
) -> None:
    path = _written(tmp_path, entries)
    usual = _said(path)

    monkeypatch.setattr(drive, "_PUT_OFF_FOR_S", -1.0)

    assert _said(path) == usual


def test_a_bad_release_is_blamed_without_any_audit_entry(tmp_path: Path) -> None:
    _messages, summary = _said(_written(tmp_path, dumps.bad_release(audit=False)))

    [incident] = summary["incidents"]
    assert incident["responsible"].startswith("auth-service-00283-qab")
    assert "app.services.monitoring" in incident["cause"]
    assert incident["state"] == "resolved"


def test_a_failing_canary_is_told_with_its_share(tmp_path: Path) -> None:
    messages, summary = _said(_written(tmp_path, dumps.canary()))

    [incident] = summary["incidents"]
    assert incident["responsible"].startswith("auth-service-00282-bad")
    card = next(message for message in messages if message["kind"] == "card")
    assert "serves 10 %" in json.dumps(card["blocks"], ensure_ascii=False)


def test_an_entry_that_arrives_late_is_not_known_before(tmp_path: Path) -> None:
    entries = dumps.bad_release()
    late = "2025-09-15T14:06:30.000000Z"
    for entry in entries:
        if entry.get("httpRequest", {}).get("status") == 503 and entry["receiveTimestamp"] < late:
            entry["receiveTimestamp"] = late

    _messages, summary = _said(_written(tmp_path, entries))

    assert summary["incidents"][0]["posted_at"] >= late[:19]


def test_the_teams_catalog_decides_on_channel_severity_and_impact_and_names_what_it_lacks(tmp_path: Path) -> None:
    entries = [*dumps.bad_release(), *_elsewhere()]

    messages, summary = _said(_written(tmp_path, entries), catalog=ROOT / "reliability.yaml")

    assert {message["channel"] for message in messages} == {"C0AUTHOPS01"}
    assert "ARR at risk" in json.dumps(messages[0]["blocks"])
    assert any("not in the catalog: billing" in remark for remark in summary["remarks"])


def _elsewhere() -> list[Entry]:
    dump = dumps.Dump("billing")
    dump.traffic(0, 60, "billing-00001-abc", every=5)
    return dump.entries


def test_what_cannot_be_read_is_counted_and_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "entries.jsonl"
    lines = [json.dumps(entry) for entry in dumps.quiet_hour()]
    lines[2:2] = ["{broken", '{"some": "object"}', '{"project": "acme-staging", "service": "auth-service"}']
    path.write_text("\n".join(lines), encoding="utf-8")

    _messages, summary = _said(path)

    assert summary["broken"] == 3
    assert "entries.jsonl:3: " in summary["remarks"][-1]
    assert "neither a log entry nor an event" in summary["remarks"][-1]


def test_tracebacks_without_requests_cannot_be_judged_and_are_diagnosed_anyway(tmp_path: Path) -> None:
    dump = dumps.Dump()
    dump.stderr(1, "auth-service-00283-qab", *dumps.TRACEBACK)

    messages, summary = _said(_written(tmp_path, dump.entries))

    assert messages == []
    assert "Module `app.services.monitoring` is missing" in summary["remarks"][0]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("empty.json", b"", "no log entry and no event"),
        ("words.json", b"hello", "the first problem is at words.json:1"),
        (
            "other.json",
            b'[{"timestamp": "2025-09-15T14:00:00Z", "resource": {"type": "gce_instance"}}]',
            "gce_instance",
        ),
    ],
)
def test_a_file_without_anything_to_replay_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(content)

    done = _run(tmp_path / name)

    assert done.returncode == 2
    assert why in " ".join(done.stderr.decode().split())
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("arguments", "why"),
    [(["missing.json"], "no such file"), (["."], "is a directory"), (["x.json", "--speed", "0"], "--speed")],
)
def test_a_mistake_on_the_command_line_is_told_in_words(arguments: list[str], why: str) -> None:
    done = _run(*arguments)

    assert done.returncode == 2
    assert why in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_long_quiet_recording_is_over_in_seconds(tmp_path: Path) -> None:
    dump = dumps.Dump()
    for day in range(7):
        dump.traffic(day * 86_400, day * 86_400 + 600, "auth-service-00281-kzq", every=2)
    begun = time.monotonic()

    messages, _summary = _said(_written(tmp_path, dump.entries))

    assert messages == []
    assert time.monotonic() - begun < 20  # a look a minute would be ten thousand looks
