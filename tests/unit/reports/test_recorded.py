"""Reports of each dialect, written after its documentation, give the totals beside them: a new file is a new test."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from bot.reports import judge, read

CASES = Path(__file__).parents[2] / "cases" / "reports"
RECORDED = sorted(path for path in CASES.iterdir() if not path.name.endswith(".expected.json"))


def told(body: bytes) -> dict[str, Any]:
    report = read(io.BytesIO(body))
    totals = report.totals
    return {
        "format": report.format,
        "dialect": report.dialect,
        "tests": totals.tests,
        "passed": totals.passed,
        "failed": totals.failed,
        "errors": totals.errors,
        "skipped": totals.skipped,
        "collected": report.collected,
        "verdict": judge(report).verdict.value,
        "node_ids": [case.node_id for case in report.cases],
        "flaky": [case.node_id for case in report.cases if case.flaky],
        "disagreement": report.disagreement,
    }


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_a_recorded_report_gives_the_totals_that_are_expected(path: Path) -> None:
    expected = json.loads(path.with_name(f"{path.stem}.expected.json").read_text(encoding="utf-8"))

    found = told(path.read_bytes())

    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_gzip_changes_nothing(path: Path) -> None:
    assert told(gzip.compress(path.read_bytes())) == told(path.read_bytes())


def test_what_failed_is_told_with_message_place_and_the_first_line_of_ours() -> None:
    report = read(io.BytesIO((CASES / "surefire-reruns.xml").read_bytes()))

    assert [(one.node_id, one.message, one.culprit) for one in report.failures] == [
        ("com.acme.CartTest::fails", "expected: 2", "CartTest.java:31"),
        ("com.acme.CartTest::breaks", "null", "Cart.java:7"),
    ]


def test_file_and_line_of_a_failure_are_kept_where_the_report_has_them() -> None:
    report = read(io.BytesIO((CASES / "phpunit-nested.xml").read_bytes()))

    assert [(one.file, one.line) for one in report.failures] == [
        ("/srv/build/tests/CartTest.php", 14),
        ("/srv/build/tests/CartTest.php", 30),
    ]


def test_warnings_are_counted_by_category() -> None:
    report = read(io.BytesIO((CASES / "pytest-json.json").read_bytes()))

    assert report.warnings == {"DeprecationWarning": 2}
    assert report.deselected == 1


def test_ctrf_counts_in_milliseconds() -> None:
    report = read(io.BytesIO((CASES / "ctrf.json").read_bytes()))

    assert (report.duration_s, report.cases[0].duration_s) == (2.0, 0.801)


def test_what_a_case_holds_deeper_inside_is_not_its_result() -> None:
    body = b"<testsuite><testcase name='a'><system-out><failure/></system-out><rerunError><error/></rerunError></testcase></testsuite>"

    assert read(io.BytesIO(body)).totals.passed == 1


def test_surefires_thousands_are_no_decimals() -> None:
    assert read(io.BytesIO((CASES / "surefire-reruns.xml").read_bytes())).duration_s == 1204.5


def test_utf_16_output_of_a_windows_redirection_is_read() -> None:
    body = (CASES / "collect-only.txt").read_text(encoding="utf-8").replace("\n", "\r\n").encode("utf-16")

    assert read(io.BytesIO(body)).collected == 2


def test_every_reader_is_in_the_list() -> None:
    from bot import reports
    from bot.reports import collect_only, ctrf, junit, pytest_json

    folder = Path(reports.__file__).parent
    readers = {path.stem for path in folder.glob("*.py") if "def recognises" in path.read_text(encoding="utf-8")} - {
        "reader"
    }

    assert readers == {module.__name__.rpartition(".")[2] for module in (collect_only, ctrf, junit, pytest_json)}
    assert len({reader.name for reader in reports.READERS}) == len(readers)
