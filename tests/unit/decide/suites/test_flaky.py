"""Flaky tests: marked by proof, and measured."""

from __future__ import annotations

from datetime import timedelta

from support.suites import report, run
from support.values import NOON
from unit.decide.suites.test_edges import BAD, OK, Books

from bot.decide.suites.flaky import why_flaky
from bot.model.suite import AlarmKind


def test_both_results_on_one_commit_are_proof() -> None:
    books = Books()
    books.take(run(0, commit="aaaaaaa"), report({BAD: "p"}))
    books.take(run(1, commit="bbbbbbb"), report({BAD: "f"}))

    learned = books.take(run(2, commit="bbbbbbb"), report({BAD: "p"}))

    assert learned is not None
    assert learned.flaky == (BAD,)
    said = why_flaky(learned.state.tests[BAD], NOON)
    assert said == "flaky: failed 1 of its last 3 runs (33 %), both results on one commit"


def test_a_test_that_breaks_with_a_change_and_is_mended_by_another_is_not_flaky() -> None:
    books = Books()

    for number, result in enumerate("ppffpp"):
        books.take(run(number), report({BAD: result}))

    assert why_flaky(books.state.tests[BAD], NOON) == ""


def test_one_that_flips_again_and_again_is_flaky_without_knowing_any_commit() -> None:
    books = Books()

    for number, result in enumerate("ppfpfp"):
        books.take(run(number), report({BAD: result}))

    assert "flipped 4 times" in why_flaky(books.state.tests[BAD], NOON)


def test_a_retry_within_one_run_is_proof_too() -> None:
    books = Books()

    learned = books.take(run(0), report({OK: "p", BAD: "p"}, flaky=[BAD]))

    assert learned is not None
    assert learned.flaky == (BAD,)


def test_proof_is_forgotten_after_a_fortnight_of_quiet() -> None:
    books = Books()
    books.take(run(0, commit="aaaaaaa"), report({BAD: "p"}))
    books.take(run(1, commit="aaaaaaa"), report({BAD: "f"}))
    books.take(run(2, commit="ccccccc"), report({BAD: "p"}))

    assert why_flaky(books.state.tests[BAD], NOON)
    assert why_flaky(books.state.tests[BAD], NOON + timedelta(days=15)) == ""


def test_a_flaky_test_that_fails_is_marked_on_its_alarm() -> None:
    books = Books()
    for number, result in enumerate("ppfpfpf"):
        books.take(run(number), report({OK: "p", BAD: result}))

    (broken,) = books.open[AlarmKind.FAILING].tests

    assert broken.flaky.startswith("flaky: failed 3 of its last 6 runs")
