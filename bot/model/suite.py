"""A suite of tests on one branch: its runs, what each run changed, what is known of its tests, and its alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from bot.model.catalog import Severity
from bot.model.judgement import Impact
from bot.model.test_run import DiscoveryCause, RunVerdict, Totals

DEFAULT_BRANCH = "main"


class RunScope(StrEnum):
    """How much of the suite a run was meant to tell."""

    ALL = "all"
    COLLECT = "collect"  # tests were only collected: nothing is said about whether they pass
    FAILED = "failed"  # only those that failed before: what is missing has not vanished


@dataclass(frozen=True)
class TestRun:
    """One execution of a suite.

    Attributes:
        id: `run-…`; the same id is the same run. at: when it ended, as its sender says, else when it was received.
        source: "webhook", "rerun". url: of the pipeline's own page, http(s) or None.
        exit_code: of the test runner; None when nobody said.
        verdict, reason: of `bot.reports.judge`; None until the report was read.
        failing: node ids of the first of those that failed or broke, in the order of the report.
    """

    __test__: ClassVar[bool] = False  # pytest looks at every class whose name starts like this one's

    id: str
    suite: str
    branch: str
    commit: str | None
    at: datetime
    source: str
    url: str | None = None
    exit_code: int | None = None
    scope: RunScope = RunScope.ALL
    verdict: RunVerdict | None = None
    reason: str = ""
    totals: Totals = field(default_factory=Totals)
    collected: int = 0
    duration_s: float | None = None
    warnings: Mapping[str, int] = field(default_factory=dict)
    disagreement: str = ""
    failing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunMark:
    """Which run: enough to say when, and to find the commit. Ordered by time, then by id."""

    at: datetime
    id: str
    commit: str | None = None

    @property
    def order(self) -> tuple[datetime, str]:
        return self.at, self.id

    @classmethod
    def of(cls, run: TestRun) -> RunMark:
        return cls(run.at, run.id, run.commit)


class TestStatus(StrEnum):
    """What the newest run that had a word about a test says of it."""

    PASSING = "p"
    FAILING = "f"
    SKIPPED = "s"
    FOUND = "c"  # collected, never run so far
    GONE = "g"  # was there, and is not among what was collected


@dataclass(frozen=True, slots=True)
class TestState:
    """What is known of one test of a suite on a branch.

    Attributes:
        since: the first run of the present status. passed: the last run in which it passed before it broke; only while
            it fails, None when it never passed.
        recent: its last results, oldest first, "P" and "F"; "" while it has never failed.
        mixed: when both results were seen on one commit (or in one run) last; None: never.
    """

    __test__: ClassVar[bool] = False

    status: TestStatus
    since: RunMark
    passed: RunMark | None = None
    recent: str = ""
    mixed: datetime | None = None


@dataclass(frozen=True)
class SuiteState:
    """What is known of a suite on a branch.

    Attributes:
        tests: by node id.
        latest: the newest run of all. read: the newest whose tests were run; good: the newest that passed; found: the
            newest that collected.
        version: grows with every recorded run.
    """

    suite: str
    branch: str
    tests: Mapping[str, TestState] = field(default_factory=dict)
    latest: RunMark | None = None
    read: RunMark | None = None
    good: RunMark | None = None
    found: RunMark | None = None
    warnings: Mapping[str, int] = field(default_factory=dict)
    version: int = 0


class AlarmKind(StrEnum):
    """What is wrong with a suite, in the catalog's words (`severity: when: kind`)."""

    DISCOVERY_FAILURE = "discovery_failure"  # tests were not found
    UNREADABLE = "unreadable"  # the report says nothing: it is not a green one
    VANISHED = "vanished"  # fewer tests than the last good run had
    FAILING = "failing"  # tests that passed before fail
    OVER_BUDGET = "over_budget"  # more warnings than the catalog allows


@dataclass(frozen=True)
class BrokenTest:
    """One test on a card: since when it fails, between which commits it broke, how often it fails.

    Attributes:
        passed: None: it never passed. flaky: why it is thought to be, "" when it is not. message: raw.
    """

    node_id: str
    since: RunMark
    passed: RunMark | None = None
    flaky: str = ""
    message: str = ""
    culprit: str = ""


@dataclass(frozen=True)
class SuiteAlarm:
    """One open problem of a suite on a branch; there is one per kind at a time. It has a card of its own.

    Attributes:
        id: `alarm-…`. since: the first run that showed it. run: the newest that does.
        reason: one line, raw. causes: why tests were not found, likeliest first.
        tests: the first of those that fail; `count` counts all. missing: the first of those that vanished.
        renamed: (before, now). suspects: commits between the last good run and the first bad one, oldest first.
        over: (category, counted, allowed) of warnings, worst first. quarantined: failing tests that never page.
        before: what the last good run collected; None: there was none.
        version: grows with every change; the card shows the newest.
    """

    id: str
    suite: str
    branch: str
    kind: AlarmKind
    severity: Severity
    opened_at: datetime
    since: RunMark
    run: TestRun
    reason: str
    causes: tuple[DiscoveryCause, ...] = ()
    tests: tuple[BrokenTest, ...] = ()
    missing: tuple[str, ...] = ()
    count: int = 0
    renamed: tuple[tuple[str, str], ...] = ()
    suspects: tuple[str, ...] = ()
    last_good: RunMark | None = None
    before: int | None = None
    over: tuple[tuple[str, int, int], ...] = ()
    quarantined: tuple[str, ...] = ()
    impact: Impact | None = None
    resolved_at: datetime | None = None
    resolution: str = ""
    version: int = 1

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None


@dataclass(frozen=True)
class SuiteNews:
    """What a run changed; () and "" for what it did not.

    Attributes:
        is_new: False: this run was recorded before, and these are the news of then.
        is_late: a newer run of this suite and branch was recorded before: nothing is raised or cleared.
        broke, fixed: edges, node ids. vanished, returned: from and to what is collected. renamed: (before, now).
        appeared: tests nobody knew. flaky: those that turned out to be. raised, resolved: kinds of alarms.
        was_collected: tests that were expected before this run, after renames.
    """

    run: TestRun
    is_new: bool = True
    is_late: bool = False
    broke: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    appeared: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()
    raised: tuple[AlarmKind, ...] = ()
    resolved: tuple[AlarmKind, ...] = ()
    was_collected: int = 0
