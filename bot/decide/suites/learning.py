"""A run joins what is known of its suite and branch. Pure.

Only the newest run changes what a test *is*. A run that arrives late (a newer one was recorded before) can tell more
about the past: since when a test fails, and that both results were seen on one commit; it never breaks or fixes one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.decide.suites.flaky import remember, why_flaky
from bot.decide.suites.renames import renamed
from bot.decide.suites.results import Results
from bot.model.suite import RunMark, RunScope, SuiteState, TestRun, TestState, TestStatus
from bot.model.test_run import RunVerdict

EXPECTED_FOR = timedelta(days=7)
"""A test that has not been found for so long was deleted on purpose: it is not expected any more."""

_READ = frozenset({RunVerdict.PASSED, RunVerdict.FAILED})
_LETTER = {TestStatus.PASSING: "P", TestStatus.FAILING: "F"}


@dataclass(frozen=True)
class Learned:
    """What is known now, and what changed: node ids, sorted. `left`: failed before, and was skipped or not found."""

    state: SuiteState
    is_late: bool = False
    broke: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    appeared: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    was_collected: int = 0


def learn(state: SuiteState, run: TestRun, results: Results) -> Learned:
    """Args: run: with its verdict, not recorded before. results: empty where the report could not be read."""
    mark = RunMark.of(run)
    expected = sum(test.status is not TestStatus.GONE for test in state.tests.values())
    if state.latest is not None and mark.order < state.latest.order:
        tests = _with_hindsight(state, mark, results) if run.verdict in _READ else state.tests
        late = replace(state, tests=tests, version=state.version + 1)
        return Learned(late, is_late=True, flaky=_turned_flaky(state.tests, tests, mark), was_collected=expected)
    if run.verdict not in _READ or not results.status:
        return Learned(replace(state, latest=mark, version=state.version + 1), was_collected=expected)
    return _Step(state, run, mark, results).learned(expected)


class _Step:
    """One newest run that could be read, on its way into the state."""

    def __init__(self, state: SuiteState, run: TestRun, mark: RunMark, results: Results) -> None:
        self._state, self._run, self._mark, self._results = state, run, mark, results
        self._is_whole = run.scope is not RunScope.FAILED
        self._moved: dict[str, str] = {}

    def learned(self, expected: int) -> Learned:
        before, found = self._state.tests, self._results.status
        missing = [i for i, test in before.items() if i not in found] if self._is_whole else []
        lost = [i for i in missing if before[i].status is not TestStatus.GONE]
        new = [i for i in found if i not in before]
        self._moved = renamed(lost, new) if lost and new else {}
        gone = [i for i in missing if before[i].status is TestStatus.GONE]
        self._moved |= (
            renamed(gone, set(new) - self._moved.keys()) if gone and new else {}
        )  # lost then, found elsewhere
        known = {now: before[then] for now, then in self._moved.items()}
        tests = dict(before)
        for then in self._moved.values():
            del tests[then]
        for node_id, status in found.items():
            tests[node_id] = self._after(known.get(node_id) or before.get(node_id), node_id, status)
        vanished = sorted(set(lost) - set(self._moved.values()))
        for node_id in vanished:
            tests[node_id] = replace(before[node_id], status=TestStatus.GONE, since=self._mark)
        forgotten = self._forget(tests)
        after = self._state_with(tests)
        old = {**before, **known}
        return Learned(
            after,
            broke=_edges(old, tests, found, to=TestStatus.FAILING),
            fixed=_edges(old, tests, found, to=TestStatus.PASSING, only=TestStatus.FAILING),
            left=tuple(sorted(_failing(old) & tests.keys() - _failing(tests) - _passing(tests))),
            vanished=tuple(vanished),
            returned=tuple(sorted(i for i in found if (was := old.get(i)) and was.status is TestStatus.GONE)),
            renamed=tuple(sorted((then, now) for now, then in self._moved.items())),
            appeared=tuple(sorted(set(new) - self._moved.keys())),
            flaky=_turned_flaky(old, tests, self._mark),
            forgotten=forgotten,
            was_collected=expected,
        )

    def _after(self, old: TestState | None, node_id: str, status: TestStatus) -> TestState:
        mixed = self._mark.at if node_id in self._results.mixed else None
        if old is None:
            return TestState(status, self._mark, recent="F" if status is TestStatus.FAILING else "", mixed=mixed)
        if status is TestStatus.FOUND and old.status is not TestStatus.GONE:
            return old
        if old.status is status:
            if not old.recent and mixed is None:
                return old  # by far the most: a test that has always passed, passed again
            return replace(old, recent=_recall(old, status), mixed=mixed or old.mixed)
        if mixed is None and _both_on_one_commit(old, status, self._mark, self._state.read):
            mixed = self._mark.at
        return TestState(
            status,
            self._mark,
            passed=self._last_pass(old) if status is TestStatus.FAILING else None,
            recent=_recall(old, status),
            mixed=mixed or old.mixed,
        )

    def _last_pass(self, old: TestState) -> RunMark | None:
        """The newest run that surely had this test pass."""
        if old.status is not TestStatus.PASSING:
            return old.passed
        read = self._state.read
        return read if read is not None and read.order > old.since.order else old.since

    def _forget(self, tests: dict[str, TestState]) -> tuple[str, ...]:
        """Tests that were gone for long are not expected any more."""
        if not self._is_whole:
            return ()
        old = tuple(
            sorted(
                node_id
                for node_id, test in tests.items()
                if test.status is TestStatus.GONE and self._mark.at - test.since.at >= EXPECTED_FOR
            )
        )
        for node_id in old:
            del tests[node_id]
        return old

    def _state_with(self, tests: Mapping[str, TestState]) -> SuiteState:
        state, run, mark = self._state, self._run, self._mark
        was_run = self._is_whole and run.scope is RunScope.ALL and self._results.were_run
        is_good = was_run and run.verdict is RunVerdict.PASSED
        return replace(
            state,
            tests=tests,
            latest=mark,
            found=mark if self._is_whole else state.found,
            read=mark if was_run else state.read,
            good=mark if is_good else state.good,
            version=state.version + 1,
        )


def _recall(old: TestState, status: TestStatus) -> str:
    """`recent` with one more result; it begins with the first failure and the pass before it."""
    letter = _LETTER.get(status)
    if letter is None or (letter == "P" and not old.recent):
        return old.recent
    return remember(old.recent or ("P" if old.status is TestStatus.PASSING else ""), letter)


def _both_on_one_commit(old: TestState, status: TestStatus, mark: RunMark, read: RunMark | None) -> bool:
    if {old.status, status} != {TestStatus.PASSING, TestStatus.FAILING} or mark.commit is None:
        return False
    return mark.commit in {old.since.commit, read.commit if read else None}


def _with_hindsight(state: SuiteState, mark: RunMark, results: Results) -> Mapping[str, TestState]:
    """What a late run tells of the past: when a failing test broke, and that a test said both on one commit."""
    tests = dict(state.tests)
    for node_id, status in results.status.items():
        test = tests.get(node_id)
        if test is None:
            continue
        if node_id in results.mixed or _both_on_one_commit(test, status, mark, state.read):
            test = replace(test, mixed=max(test.mixed or mark.at, mark.at))
        in_the_gap = mark.order < test.since.order and (test.passed is None or mark.order > test.passed.order)
        if test.status is TestStatus.FAILING and in_the_gap:
            if status is TestStatus.FAILING:
                test = replace(test, since=mark)
            elif status is TestStatus.PASSING:
                test = replace(test, passed=mark)
        tests[node_id] = test
    return tests


def _edges(
    before: Mapping[str, TestState],
    after: Mapping[str, TestState],
    found: Collection[str],
    *,
    to: TestStatus,
    only: TestStatus | None = None,
) -> tuple[str, ...]:
    """Tests that came `to` a status from another (from `only`, where given)."""
    changed = []
    for node_id in found:
        was = before[node_id].status if node_id in before else None
        if after[node_id].status is to and was is not to and only in {None, was}:
            changed.append(node_id)
    return tuple(sorted(changed))


def _failing(tests: Mapping[str, TestState]) -> set[str]:
    return {node_id for node_id, test in tests.items() if test.status is TestStatus.FAILING}


def _passing(tests: Mapping[str, TestState]) -> set[str]:
    return {node_id for node_id, test in tests.items() if test.status is TestStatus.PASSING}


def _turned_flaky(before: Mapping[str, TestState], after: Mapping[str, TestState], mark: RunMark) -> tuple[str, ...]:
    turned = []
    for node_id, test in after.items():
        if not (test.mixed or test.recent) or test is before.get(node_id):
            continue
        old = before.get(node_id)
        if why_flaky(test, mark.at) and not (old and why_flaky(old, mark.at)):
            turned.append(node_id)
    return tuple(sorted(turned))
