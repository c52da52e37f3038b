"""What is broken or hostile is unreadable, with a reason that names what and where; never green, never expensive."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest

from bot.reports import Limits, Unreadable, read

GOOD = b'<testsuite name="pytest"><testcase classname="tests.test_x" name="test_a" time="0.1"/></testsuite>'


def refusal(body: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Unreadable) as refused:
        read(io.BytesIO(body), limits)
    return str(refused.value)


def document(**test: Any) -> bytes:
    return json.dumps({"exitcode": 0, "tests": [{"nodeid": "a", "outcome": "passed"} | test]}).encode()


def bomb(levels: int) -> bytes:
    entities = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10}">' for at in range(1, levels + 1))
    return f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><testsuite>&e{levels};</testsuite>'.encode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (GOOD[:60], "line 1"),
        (GOOD[:-12], "line 1"),
        (bomb(10), "DTD"),
        (b'<!DOCTYPE x SYSTEM "http://10.0.0.1/x.dtd"><testsuite/>', "DTD"),
        (GOOD.replace(b"test_a", b"te\0st"), "line 1"),
        (GOOD.replace(b"test_a", b"te\xffst"), "line 1"),
        (b'<?xml version="1.0" encoding="klingon"?>' + GOOD, "klingon"),
        (b'<?xml version="1.0" encoding="shift_jis"?>' + GOOD, "multi-byte"),
        (b'<?xml version="1.0" encoding="utf-16"?>' + GOOD, "encoding"),
        (GOOD.replace(b"0.1", b"-0.1"), "line 1: time '-0.1' is negative"),
        (GOOD.replace(b"0.1", b"NaN"), "line 1: time 'NaN'"),
        (GOOD.replace(b"<testsuite ", b'<testsuite tests="-4" '), "-4"),
        (GOOD.replace(b"</", b'<testcase classname="tests.test_x" name="test_a"/></'), "duplicate node id"),
        (
            GOOD.replace(b"</", b'<testcase classname="tests.test_x" name="test_a"><failure/></testcase></'),
            "duplicate node id 'tests/test_x.py::test_a'",
        ),
        (GOOD + GOOD, "junk after document element"),
        (b"<html><body/></html>", "<html>, a web page"),
        (b"<test-run/>", "NUnit"),
        (b"\0" * 100, "NUL at byte 0"),
        (b"PK\x03\x04" + b"\1" * 50, "zip archive"),
        (b"hello world", "not a test report"),
        (b"[1, 2]", "not a test report"),
        (b'{"a": 1}', "neither pytest-json-report nor CTRF (keys a)"),
        (b"tests/test_x.py::test_a\ntests/test_x.py::te\0st\n", "line 2: a NUL"),
        (gzip.compress(GOOD, mtime=0)[:-10], "in the middle"),
        (gzip.compress(GOOD, mtime=0)[:20] + b"\xff" * 40, "gzip"),
    ],
)
def test_a_bad_file_is_unreadable_and_says_why(body: bytes, said: str) -> None:
    assert said in refusal(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (document()[:-9], "truncated"),
        (document().replace(b'"a"', b'"a\xff"'), "byte 39"),
        (
            b'{"exitcode": 0,\n"tests": [{"nodeid": "a", "outcome": "passed", "call": {"duration": NaN}}]}',
            "line 2: NaN",
        ),
        (b'{"exitcode": 0, "duration": -Infinity, "tests": []}', "-Infinity"),
        (document(call={"duration": -1}), "tests[0]: time -1.0 is negative"),
        (document(outcome="fine"), "unknown outcome 'fine'"),
        (
            b'{"exitcode": 0, "tests": [{"nodeid": "a", "outcome": "passed"}, {"nodeid": "a", "outcome": "failed"}]}',
            "tests[1]: dupl",
        ),
        (b'{"exitcode": 0, "tests": {}}', "$.tests"),
        (b'{"exitcode": 0}', "neither summary nor tests"),
        (b'{"exitcode": 0, "summary": {"failed": -1}, "tests": []}', "negative"),
        (b'{"exitcode": 0, "x": ' + b"[" * 100_000, "too deep"),
        (b'{"results": {"summary": {}}}', "tests"),
        (b'{"results": {"tests": [{"name": "a", "status": "odd"}]}}', "results.tests[0]: unknown status 'odd'"),
        (b'{"results": {"tests": [{"name": "a", "status": "passed", "duration": -5}]}}', "results.tests[0]"),
    ],
)
def test_a_bad_json_report_is_unreadable_and_says_where(body: bytes, said: str) -> None:
    assert said in refusal(body)


@pytest.mark.parametrize(
    ("body", "limits", "said"),
    [
        (GOOD + b" " * 5_000, Limits(unpacked=4_000), "more than 4,000 bytes"),
        (gzip.compress(b"<testsuite>" + b" " * 9_000_000, mtime=0), Limits(unpacked=1_000_000), "bytes unpacked"),
        (
            gzip.compress(b"<testsuite>", mtime=0) + gzip.compress(b" ", mtime=0) * 6_000,
            Limits(packed=100_000),
            "bytes packed",
        ),
        (b"<testsuite>" + b"<testcase/>" * 101, Limits(cases=100), "more than 100 cases"),
        (b"tests/test_x.py::test_a\n" * 101, Limits(cases=100), "more than 100 cases"),
        (document() + b"{" * 500, Limits(cases=100), "more than 400 JSON objects"),
        (b"<testsuite>" * 500, Limits(), "nested more than 200 deep"),
        (b'<testsuite name="' + b"a" * 900_000, Limits(token=100_000), "longer than 100,000 bytes"),
        (b"<testsuite><!--" + b"a" * 900_000, Limits(token=100_000), "longer than 100,000 bytes"),
    ],
)
def test_beyond_a_limit_reading_stops(body: bytes, limits: Limits, said: str) -> None:
    assert said in refusal(body, limits)


def test_text_of_a_failure_is_cut_in_the_middle_and_the_rest_of_the_output_dropped() -> None:
    long = (
        b"<testsuite><testcase name='a'><failure>first"
        + b"x\n" * 50_000
        + b"last</failure><system-out>"
        + b"y" * 500_000
    )
    report = read(io.BytesIO(long + b"</system-out></testcase></testsuite>"), Limits(text=1_000))

    (failure,) = report.failures
    assert failure.text.startswith("first")
    assert failure.text.endswith("last")
    assert len(failure.text) < 1_100


def test_failures_beyond_the_limit_are_counted_and_not_kept() -> None:
    body = b"<testsuite>" + b"<testcase name='a'><failure/></testcase>" * 30 + b"</testsuite>"
    report = read(io.BytesIO(body), Limits(failures=10))

    assert (report.totals.failed, len(report.failures), report.failures_left_out) == (30, 10, 20)


def test_a_test_of_pytest_that_fails_and_whose_clean_up_breaks_is_told_twice_by_right() -> None:
    failing = b'<testcase classname="tests.test_x" name="test_a">%s</testcase>'
    body = b'<testsuite name="pytest">' + failing % b"<failure/>" + failing % b"<error/>" + b"</testsuite>"

    totals = read(io.BytesIO(body)).totals

    assert (totals.tests, totals.failed, totals.errors) == (2, 1, 1)


def test_names_told_again_by_runners_that_may_are_counted_and_said() -> None:
    body = b"<testsuite><testcase name='a'><failure/></testcase><testcase name='a'/></testsuite>"

    assert read(io.BytesIO(body)).repeated == 1
