"""Shares of traffic, as requests show them."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from bot.replay.traffic import Shares


def _heard(shares: Shares, begin: int, end: int, revision: Callable[[int], str]) -> None:
    """Ten requests a second, heard every five seconds."""
    for bucket in range(begin, end, 5):
        requests = [(number / 10, revision(number)) for number in range(bucket * 10, (bucket + 5) * 10)]
        shares.hear(requests, bucket + 5)


def test_the_only_revision_with_requests_has_everything() -> None:
    shares = Shares()

    _heard(shares, 0, 60, lambda _n: "old")

    assert shares.split == {"old": 100}


def test_a_newcomer_that_takes_over_has_everything_at_once() -> None:
    shares = Shares()
    _heard(shares, 0, 60, lambda _n: "old")

    _heard(shares, 60, 65, lambda _n: "new")

    assert shares.split == {"new": 100}


def test_a_canary_is_seen_with_its_share() -> None:
    shares = Shares()
    _heard(shares, 0, 60, lambda _n: "old")

    _heard(shares, 60, 120, lambda n: "new" if n % 10 == 0 else "old")

    assert shares.split == {"old": 90, "new": 10}


def test_requests_that_were_begun_before_a_change_do_not_undo_it() -> None:
    shares = Shares()
    _heard(shares, 0, 60, lambda _n: "old")
    shares.tell({"new": 100}, 60)

    _heard(shares, 60, 70, lambda n: "old" if n % 25 == 0 else "new")

    assert shares.split == {"new": 100}


def test_traffic_that_goes_back_to_the_old_revision_is_noticed() -> None:
    shares = Shares()
    _heard(shares, 0, 60, lambda _n: "old")
    _heard(shares, 60, 120, lambda _n: "new")

    _heard(shares, 120, 180, lambda _n: "old")

    assert shares.split == {"old": 100}


def test_a_newcomer_whose_requests_were_one_is_decided_on_in_time_and_as_cloud_run_does_by_default() -> None:
    shares = Shares()
    shares.hear([(0.0, "old")], 5)
    shares.hear([(100.0, "new")], 105)
    assert shares.decide_at == 115

    shares.decide(115)

    assert shares.split == {"new": 100}


@given(st.lists(st.tuples(st.floats(0, 600), st.sampled_from(["a", "b", "c"])), max_size=400))
def test_whatever_is_heard_the_split_is_empty_or_sums_to_100(requests: list[tuple[float, str]]) -> None:
    shares = Shares()

    for at, revision in sorted(requests):
        shares.hear([(at, revision)], at + 1)

    assert sum(shares.split.values()) == (100 if requests else 0)
    assert all(percent > 0 for percent in shares.split.values())
