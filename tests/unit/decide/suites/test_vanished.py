"""Tests that are lost, told apart from tests that moved."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.suites import report, run, suite_catalog
from unit.decide.suites.test_edges import Books

from bot.decide.suites.renames import renamed
from bot.model.suite import AlarmKind

TESTS = [f"tests/test_{file}.py::test_{number}" for file in ("cart", "login", "pay") for number in range(10)]


def green(*node_ids: str) -> dict[str, str]:
    return dict.fromkeys(node_ids, "p")


def test_a_green_run_with_fewer_tests_than_the_last_good_one_is_an_alarm_with_the_list() -> None:
    books = Books()
    books.take(run(0), report(green(*TESTS)))

    books.take(run(1), report(green(*TESTS[:10])))

    alarm = books.open[AlarmKind.VANISHED]
    assert (alarm.count, alarm.before) == (20, 30)
    assert alarm.missing == tuple(sorted(TESTS[10:]))


def test_the_same_function_in_another_file_has_moved_and_is_no_loss() -> None:
    books = Books()
    books.take(run(0), report(green(*TESTS)))

    moved = [node_id.replace("test_pay.py", "checkout/test_payment.py") for node_id in TESTS]
    learned = books.take(run(1), report(green(*moved)))

    assert learned is not None
    assert (learned.vanished, len(learned.renamed)) == ((), 10)
    assert books.open == {}


def test_a_failing_test_that_moved_is_still_the_same_failing_test() -> None:
    books = Books()
    books.take(run(0), report({"tests/test_a.py::test_x": "f"}))

    learned = books.take(run(1), report({"tests/b/test_c.py::test_x": "f"}))

    assert learned is not None
    assert learned.broke == ()
    assert learned.state.tests["tests/b/test_c.py::test_x"].since.id == "run-000"


def test_the_alarm_ends_when_the_tests_are_back() -> None:
    books = Books()

    for number, tests in enumerate((TESTS, TESTS[:5], TESTS[:9], TESTS)):
        books.take(run(number), report(green(*tests)))

    assert books.said == [("raised", AlarmKind.VANISHED), ("resolved", AlarmKind.VANISHED)]


def test_tests_that_were_lost_and_are_found_again_in_another_file_are_back() -> None:
    books = Books()
    books.take(run(0), report(green(*TESTS)))
    books.take(run(1), report(green(*TESTS[:20])))

    elsewhere = [node_id.replace("test_pay.py", "checkout/test_payment.py") for node_id in TESTS]
    learned = books.take(run(2), report(green(*elsewhere)))

    assert learned is not None
    assert (len(learned.state.tests), len(learned.returned), learned.appeared) == (30, 10, ())
    assert books.open == {}


def test_tests_that_are_gone_for_a_week_were_deleted_on_purpose() -> None:
    books = Books()
    books.take(run(0), report(green(*TESTS)))
    books.take(run(1), report(green(*TESTS[:10])))

    books.take(run(2, minutes=60 * 24 * 8), report(green(*TESTS[:10])))

    assert books.open == {}


def test_without_a_target_a_single_deleted_test_is_no_alarm_and_a_lost_file_is() -> None:
    books = Books(suite_catalog(targets={}))
    books.take(run(0), report(green(*TESTS)))

    books.take(run(1), report(green(*TESTS[:-1])))
    assert books.open == {}
    books.take(run(2), report(green(*TESTS[:20])))

    assert books.open[AlarmKind.VANISHED].count == 10


def test_parameters_with_colons_do_not_confuse_the_name() -> None:
    assert renamed(["a.py::test_x[b::c]"], ["b.py::test_x[b::c]"]) == {"b.py::test_x[b::c]": "a.py::test_x[b::c]"}
    assert renamed(["a.py::test_x[1]"], ["b.py::test_x[2]"]) == {}


NODES = st.sets(st.sampled_from([f"{d}/test_{f}.py::test_{n}" for d in "ab" for f in "xy" for n in range(3)]))


@given(NODES, NODES)
def test_each_test_moves_at_most_once_and_only_to_its_own_name(before, after) -> None:
    moved = renamed(before - after, after - before)

    assert len(set(moved.values())) == len(moved)
    assert moved.keys() <= after - before
    assert set(moved.values()) <= before - after
    assert all(now.rpartition("::")[2] == then.rpartition("::")[2] for now, then in moved.items())
