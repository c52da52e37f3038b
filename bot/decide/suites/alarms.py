"""Which alarms a run raises, carries along and clears. Pure.

    kind                raised by the newest run that …                cleared by a newer one that …
    unreadable          cannot be read                                 can be read
    discovery_failure   did not find its tests                         found tests (all of them were looked for)
    vanished            found fewer than the target of the last good   found them again, or they are gone for a week
    failing             has a failing test that may page               has none
    over_budget         has more warnings than allowed                 has no more than that, and tells warnings

A run that arrives late does none of this. What a run has no word about stays as it is: an unreadable report clears
nothing, a collection says nothing about whether tests pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.decide.impact import exposed_by
from bot.decide.phrases import percent
from bot.decide.severity import severity_of_suite
from bot.decide.suites.flaky import why_flaky
from bot.decide.suites.learning import Learned
from bot.decide.suites.quarantine import in_force, quarantined
from bot.model.catalog import Catalog, Suite
from bot.model.suite import AlarmKind, BrokenTest, RunMark, RunScope, SuiteAlarm, SuiteState, TestRun, TestStatus
from bot.model.test_run import Failure, RunJudgement, RunVerdict, TestReport

COLLECTED_AT_LEAST = 0.95
"""Of the tests of the last good run, where the catalog has no `targets: {collection: …}`."""

KEPT = 50
"""Tests that an alarm names; it counts all."""

TELL_WARNINGS = frozenset({"pytest-json-report", "pytest-collect-only"})
"""Formats in which no warning means that there was none."""


@dataclass(frozen=True)
class Told:
    """A run as it came in, with what its report says beyond single cases."""

    run: TestRun
    judgement: RunJudgement
    report: TestReport | None = None

    @property
    def was_run(self) -> bool:
        """Whether its tests were run, not only collected."""
        totals = self.run.totals
        ran = totals.passed + totals.failed + totals.errors + totals.skipped
        return self.run.scope is not RunScope.COLLECT and (ran > 0 or totals.tests == 0)


@dataclass(frozen=True)
class Rulings:
    """Alarms as they are after a run; those that did not change are in none of the three."""

    raised: tuple[SuiteAlarm, ...] = ()
    carried: tuple[SuiteAlarm, ...] = ()
    resolved: tuple[SuiteAlarm, ...] = ()


@dataclass(frozen=True)
class _Wrong:
    """What is wrong now, for one kind of alarm."""

    reason: str
    since: RunMark
    last_good: RunMark | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


def rule(
    catalog: Catalog, told: Told, before: SuiteState, learned: Learned, open_now: Mapping[AlarmKind, SuiteAlarm]
) -> Rulings:
    """Args: before: what was known before the run; learned: after it. open_now: open alarms of this suite and branch."""
    if learned.is_late:
        return Rulings()
    suite = catalog.suites[told.run.suite]
    raised, carried, resolved = [], [], []
    for kind, look in _LOOKS.items():
        alarm = open_now.get(kind)
        found = look(suite, told, before, learned)
        if isinstance(found, str):
            if alarm is not None and found:
                over = replace(alarm, resolved_at=told.run.at, resolution=found, run=told.run)
                resolved.append(over)
        elif alarm is None:
            raised.append(_opened(catalog, kind, told, found))
        else:
            now = replace(alarm, reason=found.reason, run=told.run, since=_earlier(alarm.since, found), **found.changes)
            if replace(now, run=alarm.run) != alarm or now.run.reason != alarm.run.reason:
                carried.append(now)
    return Rulings(tuple(raised), tuple(carried), tuple(resolved))


def hindsight(alarm: SuiteAlarm, learned: Learned) -> SuiteAlarm:
    """A failing alarm after a late run: since when its tests fail may be earlier than was thought. Nothing else moves."""
    tests = tuple(
        replace(test, since=known.since, passed=known.passed)
        if (known := learned.state.tests.get(test.node_id)) is not None and known.status is TestStatus.FAILING
        else test
        for test in alarm.tests
    )
    since = min((test.since for test in tests), key=lambda mark: mark.order, default=alarm.since)
    return replace(alarm, tests=tests, since=min(since, alarm.since, key=lambda mark: mark.order))


def _opened(catalog: Catalog, kind: AlarmKind, told: Told, found: _Wrong) -> SuiteAlarm:
    run = told.run
    seed = f"{run.suite}\n{run.branch}\n{kind}\n{run.id}"
    alarm = SuiteAlarm(
        id=f"alarm-{hashlib.sha256(seed.encode()).hexdigest()[:20]}",
        suite=run.suite,
        branch=run.branch,
        kind=kind,
        severity=severity_of_suite(catalog, run.suite, kind),
        opened_at=run.at,
        since=found.since,
        run=run,
        reason=found.reason,
        last_good=found.last_good,
        impact=exposed_by(catalog, catalog.suites[run.suite].guards),
    )
    return replace(alarm, **found.changes)


def _earlier(since: RunMark, found: _Wrong) -> RunMark:
    return min(since, found.since, key=lambda mark: mark.order)


def _unreadable(suite: Suite, told: Told, before: SuiteState, learned: Learned) -> _Wrong | str:
    del suite, learned
    if told.run.verdict is not RunVerdict.UNREADABLE:
        return "a report came that can be read"
    return _Wrong(told.judgement.reason, RunMark.of(told.run), before.latest)


def _discovery(suite: Suite, told: Told, before: SuiteState, learned: Learned) -> _Wrong | str:
    del suite
    if told.run.verdict is RunVerdict.UNREADABLE or (
        told.run.scope is RunScope.FAILED and told.run.verdict is not RunVerdict.DISCOVERY_FAILURE
    ):
        return ""
    if told.run.verdict is not RunVerdict.DISCOVERY_FAILURE:
        return f"{told.run.collected:,} tests collected"
    expected = {"before": learned.was_collected or None, "causes": told.judgement.causes[:3]}
    return _Wrong(told.judgement.reason, RunMark.of(told.run), before.found, expected)


def _vanished(suite: Suite, told: Told, before: SuiteState, learned: Learned) -> _Wrong | str:
    was_read = told.run.verdict in {RunVerdict.PASSED, RunVerdict.FAILED}
    if not was_read or told.run.scope is RunScope.FAILED or not learned.state.tests:
        return ""
    tests = learned.state.tests
    gone = sorted(node_id for node_id, test in tests.items() if test.status is TestStatus.GONE)
    there = len(tests) - len(gone)
    target = suite.targets.get("collection", COLLECTED_AT_LEAST)
    if there >= target * len(tests):
        if learned.forgotten and not gone:
            return f"{len(learned.forgotten):,} tests were not seen for a week: taken as deleted on purpose"
        return (
            f"{there:,} tests collected, none is missing"
            if not gone
            else f"{there:,} of {len(tests):,} tests collected"
        )
    since = min((tests[node_id].since for node_id in gone), key=lambda mark: mark.order)
    reason = f"{len(gone):,} of {len(tests):,} tests are gone ({percent(there / len(tests))} left)"
    changes = {
        "missing": tuple(gone[:KEPT]),
        "count": len(gone),
        "before": len(tests),
        "renamed": learned.renamed[:KEPT],
    }
    return _Wrong(reason, since, before.found if learned.vanished else None, changes)


def _failing(suite: Suite, told: Told, before: SuiteState, learned: Learned) -> _Wrong | str:
    was_read = told.run.verdict in {RunVerdict.PASSED, RunVerdict.FAILED}
    if not was_read or not told.was_run:
        return ""
    tests = learned.state.tests
    rules = in_force(suite.quarantine, told.run.at)
    failing = sorted(node_id for node_id, test in tests.items() if test.status is TestStatus.FAILING)
    paging = [node_id for node_id in failing if quarantined(node_id, rules) is None]
    muted = tuple(node_id for node_id in failing if quarantined(node_id, rules) is not None)
    unlisted = told.run.verdict is RunVerdict.FAILED and not failing
    if not paging and not unlisted:
        if muted:
            return f"only quarantined tests fail ({len(muted):,})"
        return "no test fails any more" if not learned.left else f"no test fails any more ({_gone(learned.left)})"
    broken = sorted((_broken(node_id, told, learned) for node_id in paging), key=lambda test: test.since.order)
    since = broken[0].since if broken else RunMark.of(told.run)
    fixed_between = broken[0].passed if broken else before.good
    changes = {"tests": tuple(broken[:KEPT]), "count": len(paging), "quarantined": muted[:KEPT]}
    reason = (
        told.judgement.reason if unlisted else f"{len(paging):,} of {told.run.collected or len(tests):,} tests fail"
    )
    return _Wrong(reason, since, fixed_between, changes | {"last_good": fixed_between})


def _over_budget(suite: Suite, told: Told, before: SuiteState, learned: Learned) -> _Wrong | str:
    del learned
    run = told.run
    was_read = run.verdict in {RunVerdict.PASSED, RunVerdict.FAILED}
    if not was_read or run.scope is not RunScope.ALL or not suite.warnings:
        return ""
    over = sorted(
        ((name, run.warnings.get(name, 0), budget) for name, budget in suite.warnings.items()),
        key=lambda entry: entry[2] - entry[1],
    )
    over = [entry for entry in over if entry[1] > entry[2]]
    if not over:
        tells = run.warnings or (told.report is not None and told.report.format in TELL_WARNINGS)
        return "warnings are within their budget" if tells and told.was_run else ""
    name, counted, allowed = over[0]
    reason = f"{counted:,} {name}, at most {allowed:,} allowed"
    return _Wrong(reason, RunMark.of(run), before.good, {"over": tuple(over), "before": before.warnings.get(name)})


def _broken(node_id: str, told: Told, learned: Learned) -> BrokenTest:
    test = learned.state.tests[node_id]
    failure = _failure_of(told.report, node_id)
    return BrokenTest(
        node_id,
        test.since,
        test.passed,
        why_flaky(test, told.run.at),
        failure.message if failure else "",
        failure.culprit if failure else "",
    )


def _failure_of(report: TestReport | None, node_id: str) -> Failure | None:
    return next((failure for failure in report.failures if failure.node_id == node_id), None) if report else None


def _gone(left: Sequence[str]) -> str:
    return f"{len(left):,} of them {'was' if len(left) == 1 else 'were'} skipped or removed, not mended"


_LOOKS: Mapping[AlarmKind, Callable[[Suite, Told, SuiteState, Learned], _Wrong | str]] = {
    AlarmKind.UNREADABLE: _unreadable,
    AlarmKind.DISCOVERY_FAILURE: _discovery,
    AlarmKind.VANISHED: _vanished,
    AlarmKind.FAILING: _failing,
    AlarmKind.OVER_BUDGET: _over_budget,
}
"""What is wrong, or why it is not any more; "" when the run has no word about it."""
