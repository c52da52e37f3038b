"""What the suites said of a commit: which runs count, which suites, and what outweighs what."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.suites import run, suite_catalog

from bot.decide.suites.commits import guarding, of_commit, same_commit, words_on
from bot.model.catalog import Catalog, Journey, Quarantine, Suite
from bot.model.commit_tests import Said, SuiteWord
from bot.model.suite import AlarmKind, RunScope, SuiteNews
from bot.model.test_run import RunVerdict, Totals

COMMIT = "4be1c2d00112233445566778899aabbccddeeff0"
SSO = "tests/test_login.py::test_sso"


def news(number: int, verdict: RunVerdict, **fields: Any) -> SuiteNews:
    told = {key: fields.pop(key) for key in ("broke", "raised", "vanished", "is_late") if key in fields}
    return SuiteNews(run(number, **{"commit": COMMIT, "verdict": verdict} | fields), **told)


def red(number: int, *failing: str, **fields: Any) -> SuiteNews:
    totals = Totals(340, 340 - len(failing), len(failing))
    return news(number, RunVerdict.FAILED, **{"failing": failing, "totals": totals, "broke": failing} | fields)


def green(number: int, **fields: Any) -> SuiteNews:
    return news(number, RunVerdict.PASSED, **{"totals": Totals(340, 340)} | fields)


LOST = news(2, RunVerdict.DISCOVERY_FAILURE, reason="nothing was collected", raised=(AlarmKind.DISCOVERY_FAILURE,))
GARBLED = news(2, RunVerdict.UNREADABLE, reason="not a test report")
FOUND = news(2, RunVerdict.PASSED, scope=RunScope.COLLECT, collected=340)


def word(*told: SuiteNews, catalog: Catalog | None = None) -> SuiteWord:
    (said,) = words_on(catalog or suite_catalog(), "auth", COMMIT, told)
    return said


@pytest.mark.parametrize("other", ["4be1c2d", "4BE1C2D0011", COMMIT, COMMIT.upper()])
def test_a_short_sha_is_the_commit_that_it_begins(other: str) -> None:
    assert same_commit(COMMIT, other)
    assert same_commit(other, COMMIT)


@pytest.mark.parametrize("other", ["4be1c2", "", None, "4be1c2e", "v1.2.3-4", "4be1c2d-dirty", "latest!"])
def test_what_is_too_short_or_no_sha_is_no_commit(other: str | None) -> None:
    assert not same_commit(COMMIT, other)
    assert not same_commit(other, COMMIT)


@given(st.text("0123456789abcdef", min_size=7, max_size=40), st.integers(0, 40))
def test_whether_two_are_one_does_not_depend_on_who_is_asked(sha: str, length: int) -> None:
    assert same_commit(sha, sha[:length]) is same_commit(sha[:length], sha) is (length >= 7 or len(sha) < length)


def test_digits_that_begin_two_commits_mean_neither() -> None:
    one, other = red(1, SSO), red(2, SSO, commit="4be1c2dfffff")

    assert of_commit([one, other], "4be1c2d") == ()
    assert of_commit([one, other], COMMIT) == (one,)


def test_failed_tests_are_counted_and_the_first_are_named() -> None:
    said = word(red(1, SSO, "tests/test_cart.py::test_pays"))

    assert (said.said, said.failed, said.total, said.tests[0], said.is_news) == (Said.FAILED, 2, 340, SSO, True)


def test_a_suite_that_the_service_lists_and_that_has_no_run_says_so() -> None:
    assert word().said is Said.NO_RUN
    assert word(red(1, SSO, commit="0123456")).said is Said.NO_RUN


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ((red(1, SSO), FOUND), Said.FAILED),  # found is not passed
        ((red(1, SSO), GARBLED), Said.FAILED),
        ((green(1), GARBLED), Said.UNREADABLE),  # what cannot be read is not green
        ((green(1), LOST), Said.NOT_COLLECTED),
        ((LOST, green(3)), Said.PASSED),
        ((LOST, news(3, RunVerdict.PASSED, scope=RunScope.COLLECT, collected=9)), Said.COLLECTED),
        ((GARBLED, green(3)), Said.PASSED),
        ((red(1, SSO), green(3)), Said.PASSED),
        ((FOUND,), Said.COLLECTED),
    ],
)
def test_runs_of_one_commit_add_up_in_the_order_in_which_they_ended(told: tuple[SuiteNews, ...], said: Said) -> None:
    assert word(*told).said is said
    assert word(*reversed(told)).said is said


def test_failed_tests_that_pass_when_they_are_run_again_are_mended_and_the_whole_suite_counts() -> None:
    again = news(2, RunVerdict.PASSED, scope=RunScope.FAILED, totals=Totals(1, 1))

    assert (word(red(1, SSO), again).said, word(red(1, SSO), again).total) == (Said.PASSED, 340)


def test_quarantined_tests_do_not_count_and_are_mentioned() -> None:
    catalog = suite_catalog(Quarantine(SSO, date(2099, 1, 1), "U0DANA00001", "flaky since the new cache"))

    only, more = word(red(1, SSO), catalog=catalog), word(red(1, SSO, "a.py::test_b"), catalog=catalog)

    assert (only.said, only.muted) == (Said.PASSED, 1)
    assert (more.said, more.failed, more.tests) == (Said.FAILED, 1, ("a.py::test_b",))


def test_what_was_red_before_this_commit_is_no_news() -> None:
    assert word(red(1, SSO, broke=())).is_news is False
    assert word(red(1, SSO), red(2, SSO, broke=())).is_news is True
    assert word(red(1, SSO, broke=(), is_late=True)).is_news is True


def test_suites_of_a_journey_guard_the_services_that_it_needs_and_are_not_missed_without_a_run() -> None:
    known = suite_catalog()
    journeys = {"checkout": Journey("Pay", ("auth",))}
    others = {"pay": Suite(guards=("checkout",)), "docs": Suite(guards=())}
    catalog = replace(known, journeys=journeys, suites={**known.suites, **others})

    failed = red(1, SSO, suite="pay")

    assert guarding(catalog, "auth") == ("e2e", "pay")
    assert [each.said for each in words_on(catalog, "auth", COMMIT, [])] == [Said.NO_RUN]
    assert [(each.suite, each.said) for each in words_on(catalog, "auth", COMMIT, [failed])] == [
        ("pay", Said.FAILED),
        ("e2e", Said.NO_RUN),
    ]
    assert words_on(catalog, "nobody", COMMIT, [failed]) == ()
