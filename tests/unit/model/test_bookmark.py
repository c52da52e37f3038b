"""Reading on where a log was cut."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.model.bookmark import OVERLAP, Bookmark
from bot.model.evidence import LogEntry, LogKind, Window

AT = datetime(2025, 9, 15, 14, 3, tzinfo=UTC)


def entry(second: int, number: int = 0, log: LogKind = LogKind.STDERR) -> LogEntry:
    return LogEntry(f"{second}-{number}", log, AT + timedelta(seconds=second), "auth-service-00283-qab")


def test_nothing_read_is_nowhere_to_read_on():
    assert Bookmark.after([]) is None


def test_the_rest_begins_a_while_before_the_last_entry_because_others_may_arrive_late():
    mark = Bookmark.after([entry(1), entry(50)])

    assert mark is not None
    assert mark.rest(Window(AT, AT + timedelta(seconds=60))).start == AT + timedelta(seconds=50) - OVERLAP


def test_an_entry_that_arrives_late_with_an_earlier_time_is_not_lost():
    mark = Bookmark.after([entry(40), entry(50)])

    assert mark is not None
    assert mark.unread([entry(40), entry(45), entry(50)]) == [entry(45)]


def test_entries_without_an_id_are_told_apart_by_what_they_say():
    nameless = replace(entry(7), insert_id="", text="one")
    mark = Bookmark.after([nameless])

    assert mark is not None
    assert mark.unread([nameless, replace(nameless, text="two")]) == [replace(nameless, text="two")]


def test_a_flood_does_not_make_a_long_bookmark():
    flood = [replace(entry(number // 200), insert_id=str(number)) for number in range(5_000)]
    mark = Bookmark.after(flood)

    assert mark is not None
    assert len(mark.known) <= 1_200
    assert mark.unread(flood[-1_000:]) == []


def test_the_same_id_in_another_log_is_another_entry():
    mark = Bookmark.after([entry(7)])

    assert mark is not None
    assert mark.unread([entry(7), entry(7, log=LogKind.STDOUT)]) == [entry(7, log=LogKind.STDOUT)]


def test_the_same_id_at_another_instant_is_another_entry():
    earlier, last = entry(6), entry(7, 1)
    mark = Bookmark.after([earlier, last])

    assert mark is not None
    assert mark.unread([last, replace(last, insert_id=earlier.insert_id)]) == [
        replace(last, insert_id=earlier.insert_id)
    ]


@given(st.lists(st.integers(0, 5), max_size=20), st.integers(0, 20))
def test_wherever_a_read_is_cut_reading_on_gives_the_rest_and_nothing_twice(seconds: list[int], cut: int):
    everything = [entry(second, number) for number, second in enumerate(sorted(seconds))]
    first, window = everything[:cut], Window(AT, AT + timedelta(seconds=60))
    mark = Bookmark.after(first)

    rest = window if mark is None else mark.rest(window)
    again = [e for e in everything if rest.start <= e.at < rest.end]

    assert first + (again if mark is None else mark.unread(again)) == everything
