"""Alarms of suites as they happen, for the card's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.decide.impact import exposed_by
from bot.model.catalog import Arr, Business, Catalog, Journey, Severity, Suite
from bot.model.runner import LocalRunner
from bot.model.suite import AlarmKind, BrokenTest, RunMark, RunScope, SuiteAlarm, TestRun
from bot.model.test_run import DiscoveryCause, RunVerdict, Totals
from support import cards
from support.cards import COMMIT, START

GOOD_COMMIT = "0f1e2d3c4b5a69788796a5b4c3d2e1f001122334"
PIPELINE = "https://ci.example/runs/4711"
SUITE = Suite(
    guards=("golden-path",),
    targets={"collection": 1.0, "pass": 0.9},
    warnings={"DeprecationWarning": 5},
    runner=LocalRunner("local", ("python", "-m", "pytest", "tests/e2e/staging")),
)


def suite_catalog() -> Catalog:
    known = cards.CATALOG
    auth = replace(known.services["auth"], suites=("e2e-staging",))
    journey = Journey("Sign in and get a first answer", ("auth",), 1.0, 0.95)
    return replace(
        known,
        services={**known.services, "auth": auth},
        suites={"e2e-staging": SUITE},
        journeys={"golden-path": journey},
        business=known.business if known.business.arr else Business(Arr(500_000, "USD", START.date())),
    )


def later(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


GOOD = RunMark(START - timedelta(hours=3), "run-good", GOOD_COMMIT)
FIRST = RunMark(START, "run-bad", COMMIT)


def a_run(verdict: RunVerdict = RunVerdict.DISCOVERY_FAILURE, **fields: Any) -> TestRun:
    base = TestRun("run-bad", "e2e-staging", "main", COMMIT, START, "webhook", PIPELINE, 5, RunScope.ALL, verdict)
    return replace(base, **fields)


def alarm(kind: AlarmKind, **fields: Any) -> SuiteAlarm:
    base = SuiteAlarm(
        id="alarm-1",
        suite="e2e-staging",
        branch="main",
        kind=kind,
        severity=Severity.P0,
        opened_at=START,
        since=FIRST,
        run=a_run(),
        reason="pytest collected nothing (exit code 5)",
        last_good=GOOD,
        before=214,
        suspects=("9b8a7c6d5e4f30211203f4e5d6c7b8a900112233", COMMIT),
        impact=exposed_by(suite_catalog(), ("golden-path",)),
    )
    return replace(base, **fields)


def nothing_collected(**fields: Any) -> SuiteAlarm:
    causes = (
        DiscoveryCause(
            code="pythonpath_missing",
            title="`app` is not importable: the project's root is not on Python's path",
            proof="ModuleNotFoundError: No module named 'app'",
            fix="run pytest from the project's root, or add `pythonpath = .` to its configuration",
            modules=("tests/e2e/staging/test_login.py", "tests/e2e/staging/test_answers.py"),
            lost=11,
            culprit="tests/e2e/staging/conftest.py:3",
        ),
    )
    return alarm(AlarmKind.DISCOVERY_FAILURE, causes=causes, **fields)


def unreadable(**fields: Any) -> SuiteAlarm:
    return alarm(
        AlarmKind.UNREADABLE,
        severity=Severity.P1,
        run=a_run(RunVerdict.UNREADABLE, exit_code=None),
        reason="line 812: the file ends in the middle of <testcase>",
        before=None,
        **fields,
    )


def vanished(**fields: Any) -> SuiteAlarm:
    missing = [f"tests/e2e/staging/test_answers.py::TestAnswers::test_{number:03}" for number in range(40)]
    missing += ["tests/e2e/staging/test_login.py::test_wrong_password", "tests/e2e/staging/test_login.py::test_locked"]
    moved = (("tests/e2e/test_health.py::test_ready", "tests/e2e/staging/test_ready.py::test_ready"),)
    return alarm(
        AlarmKind.VANISHED,
        severity=Severity.P1,
        run=a_run(RunVerdict.PASSED, exit_code=0, collected=172, totals=Totals(172, 172)),
        reason="42 of 214 tests are gone (80 % left)",
        missing=tuple(missing),
        count=42,
        renamed=moved,
        **fields,
    )


def failing(**fields: Any) -> SuiteAlarm:
    broken = (
        BrokenTest(
            "tests/e2e/staging/test_login.py::test_first_answer", FIRST, GOOD, "", "assert 503 == 200", "app/auth.py:41"
        ),
        BrokenTest(
            "tests/e2e/staging/test_answers.py::TestAnswers::test_streams[eu-west1]",
            RunMark(later(40), "run-2", COMMIT),
            FIRST,
            "flaky: failed 3 of its last 10 runs (30 %), both results on one commit",
            "TimeoutError: no answer within 30 s <!channel> `x`",
        ),
    )
    run = a_run(RunVerdict.FAILED, exit_code=1, collected=214, totals=Totals(214, 212, 2), at=later(40))
    return alarm(
        AlarmKind.FAILING,
        severity=Severity.P1,
        run=replace(run, disagreement="the file's own totals say 215 tests (counted 214)"),
        reason="2 of 214 tests fail",
        tests=broken,
        count=2,
        before=None,
        quarantined=("tests/e2e/staging/test_mail.py::test_arrives",),
        **fields,
    )


def over_budget(**fields: Any) -> SuiteAlarm:
    return alarm(
        AlarmKind.OVER_BUDGET,
        severity=Severity.P2,
        run=a_run(RunVerdict.PASSED, exit_code=0),
        reason="52 DeprecationWarning, at most 5 allowed",
        over=(("DeprecationWarning", 52, 5),),
        before=3,
        **fields,
    )


def resolved() -> SuiteAlarm:
    run = a_run(RunVerdict.PASSED, id="run-2", at=later(12), exit_code=0, collected=214, commit=GOOD_COMMIT)
    return nothing_collected(run=run, resolved_at=later(12), resolution="214 tests collected")


def hostile() -> SuiteAlarm:
    text = (
        "<!channel> & `rm -rf` *bold* ```\u202e password=hunter2-swordfish <https://evil.example|click> " + "x" * 3_000
    )
    cause = DiscoveryCause(code="x", title=text, proof=text, fix=text, modules=(text,) * 5, lost=9_000, culprit=text)
    broken = tuple(BrokenTest(f"{text}::{number}", FIRST, None, "", text, text) for number in range(50))
    return alarm(
        AlarmKind.FAILING,
        branch=text,
        reason=text,
        causes=(cause,) * 3,
        tests=broken,
        count=5_000,
        missing=(text,),
        renamed=((text, text),) * 3,
        suspects=("a" * 40,) * 20,
        run=a_run(disagreement=text, at=datetime(2025, 11, 17, tzinfo=UTC)),
        quarantined=(text,) * 9,
    )
