"""Numbers, money and durations in a reader's words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.model.judgement import Range
from bot.notify.words import count, duration, money, money_range, person, short


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (0, "$0"),
        (57.2, "$57"),
        (999.7, "$1K"),
        (12_345, "$12.3K"),
        (485_000, "$485K"),
        (500_000, "$500K"),
        (999_950, "$1M"),
        (1_250_000, "$1.25M"),
        (2_000_000_000, "$2B"),
    ],
)
def test_money_has_three_digits_that_count(amount: float, told: str) -> None:
    assert money(amount, "USD") == told


def test_a_currency_without_a_sign_keeps_its_code() -> None:
    assert money(480_000, "CHF") == "CHF 480K"


def test_a_range_that_says_nothing_more_is_left_out() -> None:
    assert money_range(Range(499_900, 500_000, 500_000), "USD") == ("$500K", "")


def test_a_range_tells_its_ends() -> None:
    assert money_range(Range(480_000, 485_000, 490_000), "USD") == ("$485K", "$480K–$490K")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (40, "40 s"),
        (60, "1 min"),
        (252, "4 min 12 s"),
        (7_500, "2 h 5 min"),
        (529_200, "6 d 3 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, told: str) -> None:
    assert duration(timedelta(seconds=seconds)) == told


def test_one_of_something_is_singular() -> None:
    assert (count(1, "request"), count(1_204, "request")) == ("1 request", "1,204 requests")


def test_a_revision_is_shortened_by_its_service_only() -> None:
    assert short("auth-service-00281-kzq", "auth-service") == "…-00281-kzq"
    assert short("other-00281-kzq", "auth-service") == "other-00281-kzq"


@pytest.mark.parametrize(
    ("author", "told"),
    [
        ("dana@acme.example", "dana"),
        ("ci@acme-staging.iam.gserviceaccount.com", "ci (service account)"),
        ("Dana Doe", "Dana Doe"),
        (None, ""),
    ],
)
def test_people_are_named_and_service_accounts_say_that_they_are_one(author: str | None, told: str) -> None:
    assert person(author) == told
