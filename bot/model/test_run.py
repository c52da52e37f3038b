"""What a test run reported: cases, totals, what was lost, and what we make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class Outcome(StrEnum):
    """How one case ended."""

    PASSED = "passed"
    FAILED = "failed"  # the test's own claim did not hold
    ERROR = (
        "error"  # something around it broke: a fixture, an exception nobody expected, a module that is not importable
    )
    SKIPPED = "skipped"  # skipped, disabled, pending, expected to fail
    COLLECTED = "collected"  # named, not run: `pytest --collect-only`


@dataclass(frozen=True, slots=True)
class Case:
    """One result of one test.

    Attributes:
        node_id: as one would name it to its runner, the same on every machine: `tests/test_x.py::TestA::test_b[1]`,
            `com.acme.CartTest::adds`.
        duration_s: seconds, None when the report does not say.
        flaky: failed first and passed when it was run again.
    """

    node_id: str
    outcome: Outcome
    duration_s: float | None = None
    flaky: bool = False


@dataclass(frozen=True)
class Totals:
    """Counted from the cases. tests = passed + failed + errors + skipped + those that were only collected.

    `errors` also has what was lost before there was a case (a module that pytest could not collect in a plain output),
    which `tests` has not.
    """

    tests: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Declared:
    """The totals that the file itself states; None where it states none."""

    tests: int | None = None
    failed: int | None = None
    errors: int | None = None
    skipped: int | None = None


@dataclass(frozen=True)
class Failure:
    """A case that failed, or broke.

    Attributes:
        message: one line, raw (may hold secrets; redact before it is shown), at most 500 characters.
        culprit: the first line of ours nearest to the raise, `app/cart.py:12`; "" when unknown.
        file, line: where the report says the test stands; "" and 0 when it does not.
        text: traceback as reported, raw, its middle cut out where it is long.
    """

    node_id: str
    outcome: Outcome
    message: str
    culprit: str = ""
    file: str = ""
    line: int = 0
    text: str = ""


@dataclass(frozen=True)
class CollectionError:
    """A module (or package) whose tests were lost. `text` is raw: the traceback as reported."""

    module: str
    text: str


@dataclass(frozen=True)
class TestReport:
    """One report, read.

    Attributes:
        format: "junit", "pytest-json-report", "ctrf" or "pytest-collect-only".
        dialect: who wrote it where that shows: "pytest", "jest", "phpunit" …; "" otherwise.
        cases: every result, in the order of the file; only those of a readable report.
        collected: tests that were found, whether they were run or not; those deselected not included.
        deselected: None when the report does not say.
        duration_s: seconds of the whole run; None when unknown.
        warnings: how many of each category ("DeprecationWarning"); {} where the format has none.
        exit_code: pytest's, where the report itself holds it.
        failures: the first of those that failed or broke; `failures_left_out` more are not in it.
        collection_errors: the first of the modules that were lost; all are counted in `modules_lost`.
        outside: failures that the report tells outside of any case.
        repeated: node ids that occur more than once.
        said: what the runner printed, bounded and raw, for formats that are an output.
        finished: False when an output ends without the runner's last line.
    """

    __test__: ClassVar[bool] = False  # pytest looks at every class whose name starts like this one's

    format: str
    dialect: str = ""
    cases: tuple[Case, ...] = ()
    totals: Totals = field(default_factory=Totals)
    declared: Declared = field(default_factory=Declared)
    collected: int = 0
    deselected: int | None = None
    duration_s: float | None = None
    warnings: Mapping[str, int] = field(default_factory=dict)
    exit_code: int | None = None
    failures: tuple[Failure, ...] = ()
    failures_left_out: int = 0
    collection_errors: tuple[CollectionError, ...] = ()
    modules_lost: int = 0
    outside: int = 0
    repeated: int = 0
    said: str = ""
    finished: bool = True

    @property
    def red(self) -> int:
        return self.totals.failed + self.totals.errors

    @property
    def disagreement(self) -> str:
        """Where the file's own totals are not those of its cases: `the file says 10 tests, 3 are listed`; "" if none."""
        pairs = (
            ("tests", self.declared.tests, self.totals.tests),
            ("failed", self.declared.failed, self.totals.failed),
            ("errors", self.declared.errors, self.totals.errors),
            ("skipped", self.declared.skipped, self.totals.skipped),
        )
        off = [f"{said} {word} (counted {counted})" for word, said, counted in pairs if said not in {None, counted}]
        return f"the file's own totals say {', '.join(off)}" if off else ""


class RunVerdict(StrEnum):
    """What a test run says."""

    PASSED = "passed"
    FAILED = "failed"
    DISCOVERY_FAILURE = "discovery_failure"  # tests were not found, or the run ended before they could say anything
    UNREADABLE = "unreadable"  # an alarm of its own: an unreadable report is not a green one


@dataclass(frozen=True)
class DiscoveryCause:
    """Why tests were not found, or not run.

    Attributes:
        code: stable word ("pythonpath_missing"). title: one sentence, names what is wrong.
        proof: the line of the report that proves it, raw; "" where the absence of lines does.
        fix: what to do. facts: what was read out of the proof: {"module": "app.core", "name": "helper"}.
        modules: the test modules lost to it (the first of them); `lost` counts all.
        culprit: first line of ours nearest to the raise, `tests/test_cart.py:3`; "" when there is no traceback.
    """

    code: str
    title: str
    proof: str
    fix: str
    facts: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    lost: int = 0
    culprit: str = ""


@dataclass(frozen=True)
class RunJudgement:
    """The verdict on a test run. `reason` is one line, raw; `causes` the likeliest first."""

    verdict: RunVerdict
    reason: str
    causes: tuple[DiscoveryCause, ...] = ()
