"""Counting the request log as Cloud Monitoring's metric does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud.logging_v2.types import LogEntry as WireEntry

from bot.sandbox.local_google.request_counts import KEPT_MINUTES, RequestCounts

START = datetime(2025, 9, 15, 14, 3, tzinfo=UTC)


def entry(after_s: float, status: int = 200, log: str = "run.googleapis.com%2Frequests") -> Any:
    made = WireEntry.pb()(log_name=f"projects/acme-staging/logs/{log}", http_request={"status": status})
    made.timestamp.FromDatetime(START + timedelta(seconds=after_s))
    made.resource.labels.update({"project_id": "acme-staging", "revision_name": "auth-service-00281-kzq"})
    return made


def minutes(counts: RequestCounts) -> list[dict[int, int]]:
    """By the minute's end, counted from START."""
    zero = int(START.timestamp())
    return [{(end - zero) // 60: n for end, n in found.minutes.items()} for found in counts.of("acme-staging")]


def test_a_minute_begins_with_its_first_instant():
    counts = RequestCounts()

    for after_s in (0, 59.999999, 60):
        counts.notice(entry(after_s))

    assert minutes(counts) == [{1: 2, 2: 1}]


def test_each_status_is_a_series_with_its_class():
    counts = RequestCounts()

    for status in (500, 200, 503):
        counts.notice(entry(0, status))

    found = [series.labels for series in counts.of("acme-staging")]
    assert [labels["metric.labels.response_code"] for labels in found] == ["200", "500", "503"]
    assert [labels["metric.labels.response_code_class"] for labels in found] == ["2xx", "5xx", "5xx"]


def test_other_logs_and_other_projects_are_not_counted():
    counts = RequestCounts()

    counts.notice(entry(0, log="run.googleapis.com%2Fstderr"))

    assert minutes(counts) == []
    assert list(counts.of("acme-prod")) == []


def test_what_is_older_than_a_day_is_forgotten():
    counts = RequestCounts()

    counts.notice(entry(0))
    counts.notice(entry(60))
    counts.notice(entry(KEPT_MINUTES * 60))

    assert minutes(counts) == [{2: 1, KEPT_MINUTES + 1: 1}]
