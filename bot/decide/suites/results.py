"""The cases of a report → one status per test. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.model.suite import TestStatus
from bot.model.test_run import Case, Outcome

_STATUS = {
    Outcome.PASSED: TestStatus.PASSING,
    Outcome.FAILED: TestStatus.FAILING,
    Outcome.ERROR: TestStatus.FAILING,
    Outcome.SKIPPED: TestStatus.SKIPPED,
    Outcome.COLLECTED: TestStatus.FOUND,
}
_WEIGHT = {TestStatus.FOUND: 0, TestStatus.SKIPPED: 1, TestStatus.PASSING: 2, TestStatus.FAILING: 3}
_BOTH = {TestStatus.PASSING, TestStatus.FAILING}


@dataclass(frozen=True)
class Results:
    """Attributes:
    status: by node id; never GONE. mixed: tests that passed and failed in this very run.
    """

    status: dict[str, TestStatus] = field(default_factory=dict)
    mixed: frozenset[str] = frozenset()

    @property
    def were_run(self) -> bool:
        """False when tests were only collected, or there are none."""
        return any(status is not TestStatus.FOUND for status in self.status.values())


def results_of(cases: Iterable[Case]) -> Results:
    """One status per test: the worst where a node id occurs more than once (a parametrisation without ids, a retry)."""
    status: dict[str, TestStatus] = {}
    mixed = set()
    for case in cases:
        said = _STATUS[case.outcome]
        before = status.get(case.node_id)
        if case.flaky or {before, said} == _BOTH:
            mixed.add(case.node_id)
        if before is None or _WEIGHT[said] > _WEIGHT[before]:
            status[case.node_id] = said
    return Results(status, frozenset(mixed))
