"""From the wished to the served traffic."""

import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from bot.sandbox.local_google.history import Past, remember
from bot.sandbox.local_google.names import Place
from bot.sandbox.local_google.refusals import Refusal
from bot.sandbox.local_google.state import LATEST, PINNED, Service
from bot.sandbox.local_google.traffic_split import TargetProblem, check_targets, choose, effective

NOON = datetime(2025, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def service() -> Service:
    past = (
        Past(1, "one", NOON, "dana@acme.example", "image:1"),
        Past(2, "two", NOON, "dana@acme.example", "image:2"),
        Past(3, "bad", NOON, "dana@acme.example", "image:3", failed=True),
    )
    return remember(Place("acme", "us-central1"), "auth", "http://127.0.0.1:1", past, {})


def wish(service: Service, *targets: dict[str, object]) -> Service:
    service.pb.ClearField("traffic")
    for target in targets:
        service.pb.traffic.add(**target)
    return service


def test_latest_means_the_latest_ready_revision(service: Service):
    (status,) = effective(service, {})

    assert (status.type_, status.revision, status.percent) == (LATEST, "auth-00002-two", 100)


def test_parts_without_percent_come_first_with_their_address(service: Service):
    wish(
        service,
        {"type_": LATEST, "percent": 100},
        {"type_": PINNED, "revision": "auth-00001-one", "tag": "old"},
    )

    statuses = effective(service, {"old": "http://127.0.0.1:2"})

    assert [(status.revision, status.percent, status.uri) for status in statuses] == [
        ("auth-00001-one", 0, "http://127.0.0.1:2"),
        ("auth-00002-two", 100, ""),
    ]


@pytest.mark.parametrize(("name", "missing"), [("auth-00003-bad", False), ("auth-00009-xxx", True)])
def test_a_revision_that_cannot_serve_is_a_problem(service: Service, name: str, missing: bool):
    wish(service, {"type_": PINNED, "revision": name, "percent": 100})

    with pytest.raises(TargetProblem) as problem:
        effective(service, {})

    assert problem.value.missing is missing
    assert name in problem.value.trouble.message


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ([{"type_": LATEST, "percent": 99}], "sum to 99 percent"),
        ([{"type_": LATEST, "percent": 60}, {"type_": PINNED, "revision": "r", "percent": 60}], "sum to 120 percent"),
        ([{"type_": LATEST, "percent": 150}], "between 0 and 100"),
        ([{"type_": LATEST, "revision": "r", "percent": 100}], "must be empty"),
        ([{"type_": PINNED, "percent": 100}], "revision is required"),
        ([{"type_": LATEST, "percent": 100, "tag": "a"}, {"type_": PINNED, "revision": "r", "tag": "a"}], "unique"),
    ],
)
def test_a_contradiction_is_refused_at_once(service: Service, targets: list[dict[str, object]], words: str):
    wish(service, *targets)

    with pytest.raises(Refusal, match=words):
        check_targets(service.pb.traffic)


def test_requests_are_spread_by_percent_and_the_same_seed_chooses_the_same(service: Service):
    wish(
        service,
        {"type_": PINNED, "revision": "auth-00001-one", "percent": 25},
        {"type_": PINNED, "revision": "auth-00002-two", "percent": 75},
    )
    service.pb.ClearField("traffic_statuses")
    service.pb.traffic_statuses.extend(effective(service, {}))

    first, second = (
        [choose(service, "", chance) for _ in range(1_000)] for chance in (random.Random(5), random.Random(5))
    )

    assert first == second
    assert 200 < Counter(first)["auth-00001-one"] < 300


def test_nobody_answers_for_an_unknown_tag(service: Service):
    assert choose(service, "nope", random.Random(1)) is None
