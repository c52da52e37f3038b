from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.decide.impact import HOURS_A_YEAR, combine, estimate
from bot.decide.wilson import wilson
from bot.model.catalog import Arr, Business, Catalog, Deployment, Journey, Service
from bot.model.judgement import IncidentKind, Range
from tests.support.values import NOON, catalog, requests

SERVING, BLOCKED = IncidentKind.SERVING_FAILURE, IncidentKind.DEPLOY_BLOCKED


def books(arr=500_000.0, **shares):
    """A catalog with service `auth` and one journey that needs it for each share."""
    service = Service(1, "C0", {"staging": Deployment("p", "r", "auth-service")})
    journeys = {key: Journey(key.title(), ("auth",), share) for key, share in shares.items()}
    return Catalog({"auth": service}, Business(Arr(arr, "USD", date(2025, 9, 15)) if arr else None), journeys)


def test_arr_at_risk_is_arr_times_share_times_failing_fraction_with_wilson_bounds():
    impact = estimate(catalog(), "auth", SERVING, requests(1204, 1241), 100, NOON)

    (journey,) = impact.journeys
    assert impact.now
    assert journey.failing == wilson(1204, 1241)
    assert impact.arr_at_risk.expected == pytest.approx(500_000 * 1204 / 1241)
    assert 479_000 < impact.arr_at_risk.low < impact.arr_at_risk.expected < impact.arr_at_risk.high < 490_000
    assert impact.per_hour.expected == pytest.approx(impact.arr_at_risk.expected / HOURS_A_YEAR)
    assert impact.currency == "USD"
    assert impact.missing == ()


def test_a_canary_puts_only_its_share_of_the_traffic_at_risk():
    impact = estimate(books(all=1.0), "auth", SERVING, requests(1000, 1000), 5, NOON)

    assert impact.arr_at_risk.expected == pytest.approx(25_000)
    assert impact.arr_at_risk.high == pytest.approx(25_000)


def test_every_input_is_there_with_its_source_and_age():
    impact = estimate(catalog(), "auth", SERVING, requests(12, 60), 40, NOON)

    assert [(i.name, i.value, i.at or i.as_of) for i in impact.inputs] == [
        ("ARR", "500,000 USD", date(2025, 9, 15)),
        ("Share of the ARR on “Sign in and get a first answer”", "100 %", None),
        ("Failing requests", "12 of 60 requests failed (20 %) in 60 s", NOON),
        ("Share of traffic", "40 %", NOON),
    ]
    assert "ARR × share" in impact.formula


def test_nothing_measured_is_the_whole_range_and_says_so():
    impact = estimate(catalog(), "auth", SERVING, None, 100, NOON)

    assert impact.arr_at_risk == Range(0, 250_000, 500_000)
    assert impact.missing == ("how many requests fail (none were counted)",)


def test_an_unknown_share_of_traffic_widens_the_range():
    impact = estimate(catalog(), "auth", SERVING, requests(100, 100), None, NOON)

    assert impact.arr_at_risk.low == 0
    assert impact.arr_at_risk.high == 500_000
    assert "share of traffic" in impact.missing


def test_a_blocked_deploy_costs_nothing_while_an_older_revision_serves_but_exposes_the_journey():
    impact = estimate(catalog(), "auth", BLOCKED, None, 100, NOON)

    assert not impact.now
    assert impact.arr_at_risk == Range(0, 0, 0)
    assert impact.exposed == Range(500_000, 500_000, 500_000)
    assert impact.missing == ()


def test_a_blocked_deploy_with_nobody_serving_fails_everything():
    impact = estimate(catalog(), "auth", BLOCKED, None, 0, NOON)

    assert impact.now
    assert impact.arr_at_risk == Range(500_000, 500_000, 500_000)
    assert impact.exposed is None


def test_without_an_arr_the_money_is_unknown_and_the_journey_still_told():
    impact = estimate(books(None, all=1.0), "auth", SERVING, requests(10, 10), 100, NOON)

    assert impact.arr_at_risk is None
    assert impact.per_hour is None
    assert impact.currency == ""
    assert impact.journeys[0].failing.expected == 1
    assert impact.missing == ("the ARR (business.arr in the catalog)",)


def test_without_a_share_the_money_is_unknown_and_the_missing_field_named():
    impact = estimate(books(login=None), "auth", SERVING, requests(10, 10), 100, NOON)

    assert impact.arr_at_risk is None
    assert impact.journeys[0].missing == "its share of the ARR"
    assert impact.missing == ("share of the ARR on “Login” (journeys.login.arr_share)",)


def test_a_journey_of_unknown_share_beside_a_known_one_widens_the_total():
    impact = estimate(books(login=0.2, search=None), "auth", SERVING, requests(1000, 1000), 100, NOON)

    assert impact.arr_at_risk.expected == pytest.approx(100_000)
    assert impact.arr_at_risk.high == 500_000


def test_a_service_that_no_journey_needs_has_an_unknown_impact():
    impact = estimate(books(), "auth", SERVING, requests(10, 10), 100, NOON)

    assert impact.journeys == ()
    assert impact.arr_at_risk is None
    assert impact.missing == ("no critical user journey in the catalog needs auth",)


def test_a_journey_counts_once_at_its_worst_incident():
    book = books(login=0.6)
    mild = estimate(book, "auth", SERVING, requests(100, 1000), 100, NOON)
    bad = estimate(book, "auth", SERVING, requests(900, 1000), 100, NOON)

    total = combine([mild, bad], book)

    assert total.arr_at_risk == bad.arr_at_risk
    assert len(total.journeys) == 1


def test_without_incidents_nothing_is_at_risk():
    total = combine([], catalog())

    assert (total.now, total.arr_at_risk, total.exposed, total.missing) == (False, Range(0, 0, 0), None, ())


def test_blocked_deploys_alone_put_nothing_at_risk_now():
    book = catalog()

    total = combine([estimate(book, "auth", BLOCKED, None, 100, NOON)], book)

    assert (total.now, total.arr_at_risk) == (False, Range(0, 0, 0))
    assert total.exposed == Range(500_000, 500_000, 500_000)


def test_an_incident_of_unknown_cost_is_not_counted_as_nothing():
    book = books(None, all=1.0)

    total = combine([estimate(book, "auth", SERVING, requests(10, 10), 100, NOON)], book)

    assert total.arr_at_risk is None
    assert total.missing


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_wilson_bounds_are_ordered_and_within_0_and_1(failed, more):
    bounds = wilson(failed, failed + more)

    assert 0 <= bounds.low <= bounds.expected <= bounds.high <= 1
    if failed + more:
        assert bounds.expected == failed / (failed + more)


@given(st.integers(1, 10**5))
def test_wilson_narrows_with_more_requests(total):
    assert wilson(0, total * 2).high < wilson(0, total).high
    assert wilson(total * 2, total * 2).low > wilson(total, total).low


def test_wilson_agrees_with_a_published_value():
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263, method 3
    bounds = wilson(81, 263)

    assert (round(bounds.low, 4), round(bounds.high, 4)) == (0.2553, 0.3662)


@pytest.mark.parametrize(("failed", "total"), [(-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_fraction(failed, total):
    with pytest.raises(ValueError, match="no fraction"):
        wilson(failed, total)


SHARES = st.lists(st.none() | st.floats(0, 1), min_size=0, max_size=4)
COUNTS = st.none() | st.tuples(st.integers(0, 500), st.integers(0, 500)).map(lambda p: requests(p[0], sum(p)))


@given(SHARES, st.lists(st.tuples(st.sampled_from(IncidentKind), COUNTS, st.none() | st.integers(0, 100)), max_size=4))
def test_the_total_is_ordered_and_never_exceeds_the_arr(shares, incidents):
    book = books(500_000.0, **{f"j{i}": share for i, share in enumerate(shares)})
    impacts = [estimate(book, "auth", kind, count, percent, NOON) for kind, count, percent in incidents]

    for impact in [*impacts, combine(impacts, book)]:
        for amount in (impact.arr_at_risk, impact.exposed):
            assert amount is None or 0 <= amount.low <= amount.expected <= amount.high <= 500_000


@given(st.lists(COUNTS, min_size=1, max_size=4))
def test_more_incidents_never_lower_the_total(counts):
    book = books(500_000.0, login=0.5, search=0.3)
    impacts = [estimate(book, "auth", SERVING, count, 100, NOON) for count in counts]

    assert combine(impacts, book).arr_at_risk.high >= max(i.arr_at_risk.high for i in impacts)


def test_a_sampled_reading_is_told_as_such():
    cut = replace(requests(12, 5000), complete=False)

    impact = estimate(catalog(), "auth", SERVING, cut, 100, NOON)

    assert "at least 12 of 5,000 sampled" in impact.inputs[2].value
