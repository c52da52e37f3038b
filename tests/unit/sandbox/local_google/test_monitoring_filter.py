"""Cloud Monitoring's filter language, as far as the local Google knows it."""

from __future__ import annotations

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.local_google.monitoring_filter import MetricFilter, selector
from bot.sandbox.local_google.refusals import Refusal

METRIC = 'metric.type = "run.googleapis.com/request_count"'
SERIES = {
    "metric.type": "run.googleapis.com/request_count",
    "resource.type": "cloud_run_revision",
    "project": "acme-staging",
    "resource.labels.service_name": "auth-service",
    "metric.labels.response_code": "503",
    "metric.labels.response_code_class": "5xx",
}


@pytest.mark.parametrize(
    "clause",
    [
        'resource.type="cloud_run_revision"',
        "resource.type=cloud_run_revision",
        'project = "acme-staging"',
        'resource.label.service_name="auth-service"',
        'resource.label."service_name"="auth-service"',
        'metric.labels.response_code_class != "2xx"',
        'resource.labels.service_name = starts_with("auth")',
        'resource.labels.service_name = ends_with("service")',
        'resource.labels.service_name : "th-ser"',
        'resource.labels.service_name = has_substring("h-s")',
        'metric.labels.response_code = one_of("500", "503")',
        'metric.labels.response_code != one_of("200", "204")',
        'metric.labels.response_code = monitoring.regex.full_match("5[0-9]{2}")',
        'NOT metric.labels.response_code_class="2xx"',
        '-metric.labels.response_code_class="2xx"',
        '(metric.labels.response_code="500" OR metric.labels.response_code="503")',
        'metric.labels.response_code="503" OR metric.labels.response_code="500" AND resource.type="cloud_run_revision"',
    ],
)
def test_a_series_is_chosen(clause: str):
    assert MetricFilter(f"{METRIC} AND {clause}").matches(SERIES)
    assert MetricFilter(f"{METRIC}\n{clause}").matches(SERIES)


@pytest.mark.parametrize(
    "clause",
    [
        'resource.labels.service_name="Auth-Service"',
        'metric.labels.response_code = monitoring.regex.full_match("5")',
        'metric.labels.response_code = starts_with("03")',
        'NOT (metric.labels.response_code_class="5xx" OR project="another")',
        'metric.labels.response_code="503" AND project="another"',
        'project="another" AND metric.labels.response_code="503" OR resource.type="cloud_run_revision"',
    ],
)
def test_a_series_is_left(clause: str):
    assert not MetricFilter(f"{METRIC} AND {clause}").matches(SERIES)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "metric.type"),
        ('resource.type="cloud_run_revision"', "metric.type"),
        (f'{METRIC} OR metric.type="another"', "exactly one"),
        ('metric.type = starts_with("run.googleapis.com/")', "exactly one"),
        (f'{METRIC} severity="ERROR"', "lefthand side"),
        (f'{METRIC} group.id="7"', "lefthand side"),
        (f'{METRIC} metric.labels.response_code =~ "5.."', "line 1, column 77, token '=~'"),
        (f'{METRIC} metric.labels.response_code > "499"', "token '>'"),
        (f"{METRIC} AND", "<EOF>"),
        (f'{METRIC} AND (project="acme-staging"', "<EOF>"),
        (f'{METRIC} metric.labels.response_code = matches("5")', "not known"),
        (f'{METRIC} metric.labels.response_code = starts_with("5", "4")', "not known"),
        (f'{METRIC} metric.labels.response_code = monitoring.regex.full_match("(")', "regular expression"),
        (f'{METRIC} AND project="open', "unterminated"),
        (f'{METRIC} {"(" * 60}project="a"{")" * 60}', "nested"),
        (METRIC + " " * 3000, "longer"),
    ],
)
def test_what_the_language_does_not_know_is_an_invalid_argument(text: str, why: str):
    with pytest.raises(Refusal) as refused:
        MetricFilter(text)

    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert why in refused.value.message


@pytest.mark.parametrize("text", ["metric.colour", "resource.labels.", "labels.x", "resource.labels.a.b", ""])
def test_other_fields_are_no_selectors(text: str):
    assert selector(text) is None


@given(st.text(alphabet='metric.ypOR AND()="x!\\', max_size=60))
def test_no_text_breaks_the_reader(text: str):
    try:
        MetricFilter(f"{METRIC} {text}").matches(SERIES)
    except Refusal as refusal:
        assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT  # noqa: PT017 - both outcomes are fine
