"""Errors over time: what is counted, where, and what a chart may rely on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.correlate.series import MAX_BARS, error_series, shared_groups, with_marks
from bot.model.evidence import LogEntry, LogKind, RequestPoint, Window
from bot.model.series import Mark, MarkKind

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(minutes=30))
GOOD, BAD = "auth-00281-kzq", "auth-00283-qab"


def error(minute: float, revision: str = BAD, text: str = "ValueError: no", **fields) -> LogEntry:
    at = NOON + timedelta(minutes=minute)
    return LogEntry(f"{revision}{minute}{text[:9]}", LogKind.STDERR, at, revision, 500, text, **fields)


def failed(minute: float, status: int = 503) -> LogEntry:
    return LogEntry(f"r{minute}{status}", LogKind.REQUESTS, NOON + timedelta(minutes=minute), BAD, status=status)


def test_errors_are_counted_by_revision_and_minute():
    series = error_series([error(0.1), error(0.9), error(2.5), error(2.6, GOOD)], WINDOW)

    assert [(each.revision, each.counts[:4]) for each in series.revisions] == [
        (BAD, (2, 0, 1, 0)),
        (GOOD, (0, 0, 1, 0)),
    ]
    assert series.bars == 30
    assert series.total == 4


def test_failed_requests_count_and_good_ones_do_not():
    assert error_series([failed(1), failed(1.5, 200), failed(2, 404)], WINDOW).total == 1


def test_information_and_chatter_are_no_errors():
    harmless = [error(1, text="Sentry SDK not installed"), LogEntry("i", LogKind.STDOUT, NOON, BAD, 200, "ERROR: not")]

    assert error_series(harmless, WINDOW).revisions == ()


def test_a_traceback_of_many_entries_is_one_error():
    lines = ["Traceback (most recent call last):", '  File "app/x.py", line 1, in <module>', "    f()", "KeyError: 'x'"]
    entries = [
        LogEntry(f"t{number}", LogKind.STDERR, NOON + timedelta(milliseconds=number), BAD, 0, line, instance="i-1")
        for number, line in enumerate(lines)
    ]

    assert error_series(entries, WINDOW).total == 1


def test_an_entry_delivered_twice_counts_once():
    assert error_series([error(1), error(1)], WINDOW).total == 1


def test_what_lies_outside_the_window_is_left_out():
    assert error_series([error(-0.1), error(30), error(29.9)], WINDOW).total == 1


def test_no_entries_are_a_series_without_revisions():
    series = error_series([], WINDOW)

    assert (series.revisions, series.total, series.bars) == ((), 0, 30)


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=30)), st.timedeltas(timedelta(), timedelta(days=2)))
def test_any_window_is_covered_by_whole_bars_that_a_phone_can_show(length: timedelta, shift: timedelta):
    window = Window(NOON + shift, NOON + shift + length)

    series = error_series([], window)

    assert series.window.start <= window.start < window.end <= series.window.end
    assert 1 <= series.bars <= MAX_BARS + 1
    assert series.at(series.bars) == series.window.end


@given(st.lists(st.floats(-40, 70), max_size=30))
def test_each_error_within_the_window_is_in_exactly_one_bar(minutes: list[float]):
    entries = [error(minute, text=f"ValueError: {number}") for number, minute in enumerate(minutes)]

    series = error_series(entries, WINDOW)

    inside = [each for each in entries if series.window.start <= each.at < series.window.end]
    assert series.total == len({each.insert_id for each in inside})


def test_requests_are_summed_over_revisions_and_classes_and_unknown_where_nobody_counted():
    minute = Window(NOON + timedelta(minutes=1), NOON + timedelta(minutes=2))
    points = [RequestPoint("auth", BAD, "2xx", minute, 40), RequestPoint("auth", GOOD, "5xx", minute, 2)]

    assert error_series([], WINDOW, requests=points).requests[:3] == (None, 42, None)


def test_marks_outside_the_window_are_dropped_and_the_rest_told_once_in_order():
    deploy = Mark(NOON + timedelta(minutes=9), MarkKind.DEPLOY, BAD)
    back = Mark(NOON + timedelta(minutes=20), MarkKind.ROLLBACK, GOOD)
    late = Mark(NOON + timedelta(hours=1), MarkKind.DEPLOY, "auth-00284-xyz")

    assert with_marks(error_series([], WINDOW), [back, deploy, late, deploy]).marks == (deploy, back)


def test_an_error_group_names_the_revisions_it_is_on():
    entries = [error(1), error(2), error(3, GOOD), error(4, GOOD, "KeyError: other")]

    groups = shared_groups(entries)

    assert {each.group.title: each.on for each in groups} == {
        "ValueError: no": ((BAD, 2), (GOOD, 1)),
        "KeyError: other": ((GOOD, 1),),
    }


@pytest.mark.parametrize("entries", [[], [error(1, text="Sentry SDK not installed")]])
def test_without_errors_there_are_no_groups(entries: list[LogEntry]):
    assert shared_groups(entries) == ()
