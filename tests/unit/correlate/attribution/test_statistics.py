"""Properties of the tests that attribution leans on."""

from __future__ import annotations

import random
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.correlate.attribution.statistics import change_point, dispersion, log_evidence, log_mean_exp


def test_equal_rates_speak_against_a_difference():
    assert log_evidence(20, 100, 20, 100) < -2


def test_three_failures_in_a_minute_after_none_in_ten_are_evidence():
    assert log_evidence(3, 60, 0, 600) > 4


def test_without_exposure_nothing_is_said():
    assert log_evidence(5, 0, 3, 10) == 0.0
    assert log_evidence(5, 10, 3, 0) == 0.0


@given(st.integers(0, 40), st.floats(1, 1e4), st.integers(0, 40), st.floats(1, 1e4))
def test_one_more_failure_here_never_lowers_the_evidence(here, exposure, there, other):
    assert log_evidence(here + 1, exposure, there, other) >= log_evidence(here, exposure, there, other) - 1e-9


def test_looked_at_after_every_event_equal_rates_seldom_seem_different():
    rng, alarms, runs = random.Random(3), 0, 400
    for _ in range(runs):
        counts = [0, 0]
        for _ in range(150):
            counts[rng.random() < 0.5] += 1
            if log_evidence(counts[0], 1, counts[1], 1) > log(20):
                alarms += 1
                break

    assert alarms <= runs / 20 + 3 * (runs / 20) ** 0.5


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6))
def test_the_mean_of_exponentials_is_that_of_the_textbook(values):
    assert log_mean_exp(values) == pytest.approx(log(sum(exp(v) for v in values) / len(values)))


def test_the_change_point_is_where_the_rate_rises():
    assert change_point([0, 1, 0, 0, 5, 6, 4])[0] == 4
    assert change_point([5, 5, 1, 0]) == (0, 0.0)
    assert change_point([]) == (0, 0.0)


def test_counts_in_spells_are_overdispersed_and_even_ones_are_not():
    assert dispersion([0, 0, 0, 20, 0, 0]) > 5
    assert dispersion([3, 3, 3, 3]) == 1.0
    assert dispersion([]) == 1.0
