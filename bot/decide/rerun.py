"""What a rerun changed, against what was known before it; and whether one may start now. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from bot.decide.suites.renames import renamed
from bot.decide.suites.results import Results
from bot.model.rerun import Difference, NodeIds, RerunMode
from bot.model.suite import SuiteState, TestRun, TestStatus

SHOWN = 20
"""Node ids that are kept of each kind; the others are counted."""


def difference(
    state: SuiteState, last: TestRun | None, results: Results, collected: int, mode: RerunMode
) -> Difference:
    """What is found, missing, failing and fixed.

    Args:
        state: of the suite and branch before this run, with its tests; empty where nothing is known.
        last: the run before; None: there was none.
        results: of this run. collected: how many tests it found.
    """
    now, known = results.status, state.tests
    failed_before = {node_id for node_id, test in known.items() if test.status is TestStatus.FAILING}
    red = {node_id for node_id, status in now.items() if status is TestStatus.FAILING}
    green = {node_id for node_id, status in now.items() if status is TestStatus.PASSING}
    found: Collection[str] = ()
    missing: Collection[str] = ()
    if mode is not RerunMode.FAILED:
        there = {node_id for node_id, test in known.items() if test.status is not TestStatus.GONE}
        new, lost = now.keys() - known.keys(), known.keys() - now.keys()
        moved = renamed(lost, new) if new and lost else {}
        found = now.keys() if last is not None and last.collected == 0 else now.keys() - there - set(moved)
        found = found if last is not None or known else ()
        missing = lost - set(moved.values())
    return Difference(
        before=last.collected if last is not None and mode is not RerunMode.FAILED else None,
        now=collected,
        found=_first(found),
        missing=_first(missing),
        failing=_first(red - failed_before),
        fixed=_first(green & failed_before),
        still=_first(red & failed_before),
    )


def _first(node_ids: Iterable[str]) -> NodeIds:
    ordered = sorted(node_ids)
    return NodeIds(len(ordered), tuple(ordered[:SHOWN]))


def cooling(ended_at: datetime | None, cooldown: timedelta, now: datetime) -> timedelta:
    """How long no other rerun may start; never negative."""
    return max(timedelta(0), ended_at + cooldown - now) if ended_at is not None else timedelta(0)
