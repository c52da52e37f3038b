from dataclasses import replace

import pytest

from bot.decide.severity import UNRULED, severity
from bot.model.catalog import Severity, SeverityCondition, SeverityRule
from bot.model.judgement import IncidentKind
from tests.support.values import catalog

SERVING, BLOCKED = IncidentKind.SERVING_FAILURE, IncidentKind.DEPLOY_BLOCKED


def of(*rules, kind=SERVING, journeys=True):
    book = replace(catalog(), severity=rules)
    if not journeys:
        book = replace(book, journeys={})
    return severity(book, book.places[0], kind)


def when(**given):
    return SeverityRule(Severity.P0, SeverityCondition(**given))


@pytest.mark.parametrize(
    ("given", "matches"),
    [
        ({}, True),
        ({"kind": "serving_failure"}, True),
        ({"kind": "deploy_blocked"}, False),
        ({"kind": "discovery_failure"}, False),
        ({"tier": 1}, True),
        ({"tier": 2}, False),
        ({"environment": "staging"}, True),
        ({"environment": "production"}, False),
        ({"service": "auth"}, True),
        ({"service": "backend"}, False),
        ({"guards_journey": True}, True),
        ({"guards_journey": False}, False),
        ({"kind": "serving_failure", "tier": 1, "environment": "staging"}, True),
        ({"kind": "serving_failure", "tier": 1, "environment": "production"}, False),
    ],
)
def test_a_rule_matches_when_all_that_it_gives_is_so(given, matches):
    assert of(when(**given)) is (Severity.P0 if matches else UNRULED)


def test_the_first_rule_that_matches_wins():
    first, second = SeverityRule(Severity.P3, SeverityCondition(tier=1)), when(tier=1)

    assert of(first, second) is Severity.P3
    assert of(second, first) is Severity.P0


def test_without_a_matching_rule_it_is_p2():
    assert of() is Severity.P2


def test_a_service_outside_every_journey_guards_none():
    assert of(when(guards_journey=True), journeys=False) is UNRULED
    assert of(when(guards_journey=False), journeys=False) is Severity.P0


def test_the_kind_tells_blocked_deploys_from_failing_service():
    assert of(when(kind="deploy_blocked"), kind=BLOCKED) is Severity.P0
