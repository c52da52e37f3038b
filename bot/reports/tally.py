"""Counts cases as they are read and keeps what is worth keeping, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from bot.model.test_run import Case, CollectionError, Failure, Outcome, TestReport, Totals
from bot.reports import frames
from bot.reports.reader import Limits, Unreadable

_MAX_MESSAGE = 500
_MAX_NODE_ID = 1_000
_MAX_NOTES = 50
_RED = frozenset({Outcome.FAILED, Outcome.ERROR})


class Clipped:
    """A long text of which the head and the tail are kept: the tail names the error, the head the place."""

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head = ""
        self._tail: list[str] = []
        self._length = 0
        self._cut = False

    def add(self, text: str) -> None:
        room = self._half - len(self._head)
        if room > 0:
            self._head += text[:room]
            text = text[room:]
        if text:
            self._tail.append(text)
            self._length += len(text)
            if self._length > 2 * self._half:  # seldom: cutting copies
                self._cut = True
                self._tail = [self._end()]
                self._length = len(self._tail[0])

    def __str__(self) -> str:
        cut = self._cut or self._length > self._half
        return f"{self._head}\n…\n{self._end()}" if cut else self._head + self._end()

    def _end(self) -> str:
        return "".join(self._tail)[-self._half :]


class Tally:
    """Built up case by case by a reader; `report` makes the value."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._cases: list[Case] = []
        self._counts: Counter[Outcome] = Counter()
        self._failures: list[Failure] = []
        self._errors: list[CollectionError] = []
        self._seen: set[str] = set()
        self._notes: dict[str, None] = {}
        self._red = self._lost = self._not_collected = self._repeated = 0

    def add(self, case: Case, failure: Callable[[], Failure] | None = None, *, lost: str | None = None) -> None:
        """One case. `failure` is asked for only while failures are kept; `lost` is the module that could not be collected.

        Raises:
            Unreadable: more cases than allowed.
        """
        if len(self._cases) >= self._limits.cases:
            raise Unreadable(f"more than {self._limits.cases:,} cases: larger than a report may be")
        if len(case.node_id) > _MAX_NODE_ID:
            case = Case(case.node_id[:_MAX_NODE_ID] + "…", case.outcome, case.duration_s, case.flaky)
        self._counts[case.outcome] += 1
        self._cases.append(case)
        if case.node_id in self._seen:
            self._repeated += 1
        self._seen.add(case.node_id)
        if lost is not None:
            self._not_collected += 1
        if case.outcome not in _RED or failure is None:
            return
        self._red += 1
        if len(self._failures) < self._limits.failures:
            kept = failure()
            self._failures.append(kept)
            if lost is not None:
                self.lose(lost, kept.text or kept.message)
        elif lost is not None:
            self._lost += 1

    def lose(self, module: str, text: str) -> None:
        """A module whose tests are not among the cases."""
        self._lost += 1
        if len(self._errors) < self._limits.failures:
            self._errors.append(CollectionError(module, text))

    def uncollected(self) -> None:
        """The case just added stands for a module that was left out on purpose, not for a test."""
        self._not_collected += 1

    def note(self, text: str) -> None:
        """Why a test was left out: the first of the different reasons are kept, as what was said."""
        if len(self._notes) < _MAX_NOTES:
            self._notes[text[:_MAX_MESSAGE]] = None

    @property
    def notes(self) -> str:
        return "\n".join(self._notes)

    @property
    def size(self) -> int:
        return len(self._cases)

    def has(self, node_id: str) -> bool:
        return node_id in self._seen

    def report(self, form: str, **fields: Any) -> TestReport:
        """The value; `fields` are those of TestReport that are not counted here, or that overrule what is."""
        counted: dict[str, Any] = {
            "cases": tuple(self._cases),
            "totals": Totals(
                tests=len(self._cases),
                passed=self._counts[Outcome.PASSED],
                failed=self._counts[Outcome.FAILED],
                errors=self._counts[Outcome.ERROR],
                skipped=self._counts[Outcome.SKIPPED],
            ),
            "collected": len(self._cases) - self._not_collected,
            "failures": tuple(self._failures),
            "failures_left_out": self._red - len(self._failures),
            "collection_errors": tuple(self._errors),
            "modules_lost": self._lost,
            "repeated": self._repeated,
            "said": self.notes,
        }
        return TestReport(format=form, **(counted | fields))


def failure_of(case: Case, message: str, text: str, file: str = "", line: int = 0) -> Failure:
    """A failure with its culprit read out of the traceback; the first line of `text` stands in for a missing message."""
    said = next((one.strip() for one in (message or text).splitlines() if one.strip()), "")
    return Failure(
        node_id=case.node_id,
        outcome=case.outcome,
        message=said[:_MAX_MESSAGE],
        culprit=frames.culprit(text),
        file=file[:_MAX_NODE_ID],
        line=line,
        text=text or message,
    )
