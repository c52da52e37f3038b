"""Durations in, durations out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import durations


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("60s", timedelta(minutes=1)),
        ("1h30m", timedelta(minutes=90)),
        ("4H", timedelta(hours=4)),
        ("PT4H", timedelta(hours=4)),
        ("P1DT12H", timedelta(days=1, hours=12)),
        ("0.5s", timedelta(milliseconds=500)),
        (" 2d ", timedelta(days=2)),
    ],
)
def test_people_write_durations_in_two_ways(written: str, meant: timedelta) -> None:
    assert durations.parse(written) == meant


@pytest.mark.parametrize("written", ["", "60", "P", "PT", "-5s", "4 h", "1m1h", "P4H", "five", "1e3s", "9" * 400 + "s"])
def test_what_is_no_duration_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        durations.parse(written)


def test_longer_than_python_can_count_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than"):
        durations.parse("999999999d999999999h")


@given(st.integers(0, 10**9).map(lambda ms: timedelta(milliseconds=10 * ms)))
def test_what_is_written_is_read_back_the_same(value: timedelta) -> None:
    assert durations.parse(durations.iso(value)) == value
