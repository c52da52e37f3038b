"""Edges instead of levels, whatever order and duplicates runs arrive in."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.suites import judged, report, run, suite_catalog
from support.values import NOON

from bot.decide.suites import alarms
from bot.decide.suites.alarms import Told
from bot.decide.suites.learning import Learned, learn
from bot.decide.suites.results import results_of
from bot.model.catalog import Catalog, Quarantine
from bot.model.suite import AlarmKind, RunScope, SuiteAlarm, SuiteState, TestRun
from bot.model.test_run import RunVerdict, TestReport

OK, BAD = "tests/test_a.py::test_ok", "tests/test_a.py::test_bad"


class Books:
    """The alarms of one suite and branch, and what was said: what `bot.workflows.test_runs` does, without a database."""

    def __init__(self, catalog: Catalog | None = None) -> None:
        self.catalog = catalog or suite_catalog()
        self.state = SuiteState("e2e", "main")
        self.open: dict[AlarmKind, SuiteAlarm] = {}
        self.said: list[tuple[str, AlarmKind]] = []
        self.seen: set[str] = set()

    def take(self, given_run: TestRun, told: TestReport | None) -> Learned | None:
        if given_run.id in self.seen:
            return None
        self.seen.add(given_run.id)
        judgement = judged(told)
        totals = {} if told is None else {"totals": told.totals, "collected": told.collected, "warnings": told.warnings}
        finished = replace(given_run, verdict=judgement.verdict, reason=judgement.reason, **totals)
        before = self.state
        learned = learn(before, finished, results_of(told.cases if told else ()))
        rulings = alarms.rule(self.catalog, Told(finished, judgement, told), before, learned, self.open)
        for alarm in rulings.raised:
            assert alarm.kind not in self.open
            self.open[alarm.kind] = alarm
            self.said.append(("raised", alarm.kind))
        for alarm in rulings.carried:
            self.open[alarm.kind] = alarm
        for alarm in rulings.resolved:
            del self.open[alarm.kind]
            self.said.append(("resolved", alarm.kind))
        self.state = learned.state
        return learned


def test_a_test_that_breaks_is_told_once_and_once_more_when_it_is_fixed() -> None:
    books = Books()

    for number, result in enumerate("ppffffpp"):
        books.take(run(number), report({OK: "p", BAD: result}))

    assert books.said == [("raised", AlarmKind.FAILING), ("resolved", AlarmKind.FAILING)]


def test_a_broken_test_knows_its_last_pass_and_its_first_failure() -> None:
    books = Books()

    for number, result in enumerate("pppff"):
        books.take(run(number), report({OK: "p", BAD: result}))

    (broken,) = books.open[AlarmKind.FAILING].tests
    assert broken.passed is not None
    assert (broken.passed.id, broken.since.id) == ("run-002", "run-003")


def test_a_late_run_moves_the_first_failure_but_raises_and_clears_nothing() -> None:
    books = Books()
    books.take(run(0), report({BAD: "p"}))
    books.take(run(9), report({BAD: "f"}))

    late = books.take(run(5), report({BAD: "f"}))
    later = books.take(run(3), report({BAD: "p"}))

    assert late is not None
    assert late.is_late
    assert later is not None
    test = later.state.tests[BAD]
    assert test.passed is not None
    assert (test.passed.id, test.since.id) == ("run-003", "run-005")
    assert books.said == [("raised", AlarmKind.FAILING)]


def test_a_second_test_that_breaks_joins_the_open_alarm() -> None:
    books = Books()
    books.take(run(0), report({OK: "p", BAD: "p"}))
    books.take(run(1), report({OK: "p", BAD: "f"}))

    learned = books.take(run(2), report({OK: "f", BAD: "f"}))

    assert learned is not None
    assert learned.broke == (OK,)
    assert books.open[AlarmKind.FAILING].count == 2
    assert books.said == [("raised", AlarmKind.FAILING)]


def test_an_unreadable_report_is_an_alarm_of_its_own_and_clears_nothing() -> None:
    books = Books()
    books.take(run(0), report({OK: "p", BAD: "f"}))

    books.take(run(1), None)

    assert set(books.open) == {AlarmKind.FAILING, AlarmKind.UNREADABLE}
    books.take(run(2), report({OK: "p", BAD: "p"}))
    assert books.open == {}


def test_a_collection_clears_a_discovery_failure_but_says_nothing_about_failing_tests() -> None:
    books = Books()
    books.take(run(0), report({OK: "p", BAD: "f"}))
    books.take(run(1), report({}))

    books.take(run(2, scope=RunScope.COLLECT), report({OK: "c", BAD: "c"}))

    assert set(books.open) == {AlarmKind.FAILING}


def test_a_rerun_of_the_failed_tests_neither_loses_the_others_nor_proves_the_collection() -> None:
    books = Books()
    books.take(run(0), report({OK: "p", BAD: "p"}))
    books.take(run(1), report({}))

    learned = books.take(run(2, scope=RunScope.FAILED), report({BAD: "p"}))

    assert learned is not None
    assert learned.vanished == ()
    assert set(books.open) == {AlarmKind.DISCOVERY_FAILURE}


def test_a_quarantined_test_never_pages_until_its_last_day_is_over() -> None:
    until = (NOON + timedelta(days=1)).date()
    books = Books(suite_catalog(Quarantine(BAD, until, "U0DANA00001", "clock skew on the runner")))
    books.take(run(0), report({OK: "p", BAD: "p"}))

    books.take(run(1), report({OK: "p", BAD: "f"}))
    assert books.open == {}
    books.take(run(2, minutes=60 * 24 * 2), report({OK: "p", BAD: "f"}))

    assert [test.node_id for test in books.open[AlarmKind.FAILING].tests] == [BAD]


def test_one_parametrisation_of_a_quarantined_test_is_quarantined_too() -> None:
    books = Books(suite_catalog(Quarantine(BAD, date(2030, 1, 1), "U0DANA00001", "slow")))

    books.take(run(0), report({OK: "p", f"{BAD}[eu-west]": "f"}))

    assert books.open == {}


def test_a_run_that_failed_without_naming_a_test_is_not_green() -> None:
    books = Books()
    nameless = replace(report({OK: "p"}), outside=1, totals=replace(report({OK: "p"}).totals, failed=1))

    books.take(run(0), nameless)

    assert books.open[AlarmKind.FAILING].count == 0


def test_a_failing_test_that_is_skipped_afterwards_is_said_to_be_skipped_not_mended() -> None:
    books = Books()
    books.take(run(0), report({OK: "p", BAD: "f"}))

    learned = books.take(run(1), report({OK: "p", BAD: "s"}))

    assert learned is not None
    assert (learned.fixed, learned.left) == ((), (BAD,))
    assert books.said[-1] == ("resolved", AlarmKind.FAILING)


def test_warnings_over_budget_are_an_alarm_until_they_are_within_it_again() -> None:
    books = Books(suite_catalog(warnings={"DeprecationWarning": 5}))

    for number, warned in enumerate((3, 52, 53, 4)):
        told = report({OK: "p"}, warnings={"DeprecationWarning": warned}, format="pytest-json-report")
        books.take(run(number), told)

    assert books.said == [("raised", AlarmKind.OVER_BUDGET), ("resolved", AlarmKind.OVER_BUDGET)]


RUNS = st.lists(st.sampled_from(["p", "f", "-", "!"]), min_size=1, max_size=8)
"""What test BAD did in each run: passed, failed, nothing was collected, the report was unreadable."""


def reported(result: str) -> TestReport | None:
    return None if result == "!" else report({}) if result == "-" else report({OK: "p", BAD: result})


@given(RUNS, st.randoms(use_true_random=False))
def test_each_alarm_is_raised_and_resolved_in_turn_whatever_order_and_duplicates_runs_arrive_in(
    results, chance
) -> None:
    arriving = [*enumerate(results), *enumerate(results)]
    chance.shuffle(arriving)
    books = Books()

    for number, result in arriving:
        books.take(run(number), reported(result))

    for kind in AlarmKind:
        said = [what for what, of in books.said if of is kind]
        assert said == [("raised", "resolved")[index % 2] for index in range(len(said))]


@given(RUNS)
def test_runs_in_order_raise_an_alarm_exactly_at_the_edges(results) -> None:
    books = Books()

    for number, result in enumerate(results):
        books.take(run(number), reported(result))

    levels = "".join(result for result in results if result in "pf")
    edges = sum(one != other for one, other in zip("p" + levels, levels, strict=False))
    assert len([kind for _, kind in books.said if kind is AlarmKind.FAILING]) == edges


class Arriving(RuleBasedStateMachine):
    """Runs of one suite happen in order and arrive in any: what is open is what the newest that arrived says."""

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.arrived: dict[int, str] = {}
        self.newest = -1
        self.failing = False
        self.unread: bool | None = None
        self.uncollected = False

    @rule(number=st.integers(0, 30), result=st.sampled_from("ppff-!"))
    def arrives(self, number: int, result: str) -> None:
        result = self.arrived.setdefault(number, result)
        self.books.take(run(number), reported(result))
        if number > self.newest:
            self.newest = number
            self.unread = result == "!"
            self.uncollected = result == "-" or (self.uncollected and result == "!")
            self.failing = result == "f" or (self.failing and result in "-!")

    @precondition(lambda self: self.arrived)
    @rule(data=st.data())
    def arrives_again(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.arrived)))
        said = list(self.books.said)
        self.books.take(run(number), reported(self.arrived[number]))
        assert self.books.said == said

    @invariant()
    def open_is_what_the_newest_run_says(self) -> None:
        expected = {
            kind
            for kind, is_open in (
                (AlarmKind.FAILING, self.failing),
                (AlarmKind.UNREADABLE, self.unread),
                (AlarmKind.DISCOVERY_FAILURE, self.uncollected),
            )
            if is_open
        }
        assert set(self.books.open) == expected


TestArriving = Arriving.TestCase
TestArriving.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)

NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=3)


@given(
    st.dictionaries(NAMES, st.sampled_from("pfs"), min_size=1),
    st.dictionaries(NAMES, st.sampled_from("pfs"), min_size=1),
)
def test_what_is_known_after_a_whole_run_is_what_that_run_said(first, second) -> None:
    one, two = ({f"tests/test_a.py::test_{name}": result for name, result in told.items()} for told in (first, second))
    books = Books()
    books.take(run(0), report(one))

    learned = books.take(run(1), report(two))

    assert learned is not None
    there = {node_id: str(test.status) for node_id, test in learned.state.tests.items() if test.status != "g"}
    assert there == two
    assert set(learned.vanished) == one.keys() - two.keys()
    assert learned.state.latest is not None
    assert RunVerdict(judged(report(two)).verdict)
