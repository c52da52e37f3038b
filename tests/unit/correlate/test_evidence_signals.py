"""What Cloud Run, the logs and the events say, as attribution hears it."""

from __future__ import annotations

from datetime import timedelta

from support.values import BAD, GOOD, NOON, revision, split, state

from bot.correlate.attribution import Config, Deploy, Log, Requests
from bot.correlate.evidence_signals import of_configuration, of_deploys, of_entries, of_requests
from bot.model.event import DeployEvent, EventKind
from bot.model.evidence import LogEntry, LogKind, RequestCount, RequestPoint, Window

DAY = timedelta(days=1)
OLD, NEW = revision(GOOD, NOON - 2 * DAY), revision(BAD, NOON - timedelta(minutes=3))


def event(kind: EventKind, minutes_ago: float, detail: str = "") -> DeployEvent:
    at = NOON - timedelta(minutes=minutes_ago)
    return DeployEvent(f"e:{minutes_ago}", "pubsub", kind, "p", "r", "auth-service", None, at, at, detail=detail)


def deploys(fact, *events: DeployEvent, revisions=(NEW, OLD)) -> list[tuple[str, str | None, float]]:
    heard = of_deploys(state(fact, *revisions), events, NOON - DAY)
    return [(d.revision, d.prev, d.traffic) for d in heard if isinstance(d, Deploy)]


def test_a_revision_that_took_everything_is_a_deploy_at_a_hundred_percent() -> None:
    assert deploys(split(bad=100)) == [(BAD, GOOD, 100.0)]


def test_a_canary_has_its_share_only() -> None:
    assert deploys(split(bad=10, good=90)) == [(BAD, GOOD, 10.0)]


def test_a_revision_without_traffic_serves_nobody() -> None:
    assert deploys(split(good=100)) == [(BAD, GOOD, 0.0)]
    assert deploys(split(good=100), revisions=(revision(BAD, NOON, ready=False), OLD)) == [(BAD, GOOD, 0.0)]


def test_traffic_that_went_back_to_the_old_revision_is_a_deploy_of_the_old_one() -> None:
    assert deploys(split(good=100), event(EventKind.TRAFFIC, 1)) == [(BAD, GOOD, 0.0), (GOOD, BAD, 100.0)]


def test_a_deploy_of_long_ago_is_not_told() -> None:
    assert deploys(split(good=100), revisions=(OLD,)) == []


def test_a_setting_that_changed_is_heard_with_its_name_and_other_events_are_not() -> None:
    heard = list(
        of_configuration("auth-service", [event(EventKind.CONFIG, 2, "secret jwt-key"), event(EventKind.DEPLOY, 1)])
    )

    at = (NOON - timedelta(minutes=2)).timestamp()
    assert heard == [Config(at, at, "auth-service", "secret jwt-key")]


def test_an_entry_keeps_its_severity_trace_status_and_time_of_arrival() -> None:
    entry = LogEntry(
        "i1", LogKind.REQUESTS, NOON, BAD, severity=500, status=503, trace="t1", service="auth-service",
        received_at=NOON + timedelta(seconds=4),
    )  # fmt: skip
    (heard,) = of_entries([entry])

    assert isinstance(heard, Log)
    assert (heard.severity, heard.status, heard.trace, heard.message) == ("ERROR", 503, "t1", "HTTP 503")
    assert heard.rt - heard.t == 4


def test_an_entry_of_nobody_is_left_out() -> None:
    assert list(of_entries([LogEntry("i1", LogKind.STDERR, NOON, BAD, text="boom")])) == []


def test_the_request_log_counts_where_cloud_monitoring_does_not_reach_yet_and_nothing_counts_twice() -> None:
    minute = timedelta(minutes=1)
    points = [
        RequestPoint("auth-service", BAD, "5xx", Window(NOON - n * minute, NOON - (n - 1) * minute), 10)
        for n in (4, 3, 2)
    ]
    latest = {BAD: RequestCount(BAD, Window(NOON - 3 * minute, NOON), 100, 30)}

    heard = [r for r in of_requests(points, latest, "auth-service") if isinstance(r, Requests)]

    assert [(r.response_class, r.count, r.interval) for r in heard] == [
        ("5xx", 10, 60),
        ("2xx", 70, 180),
        ("5xx", 30, 180),
    ]
