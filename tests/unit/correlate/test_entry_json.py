from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.correlate import from_json
from bot.correlate.entry_json import severity, timestamp
from bot.model.evidence import LogKind

STDERR = {
    "insertId": "68c81b0f0001",
    "logName": "projects/acme-staging/logs/run.googleapis.com%2Fstderr",
    "resource": {
        "type": "cloud_run_revision",
        "labels": {"service_name": "auth-service", "revision_name": "auth-service-00283-qab"},
    },
    "labels": {"instanceId": "0087244a80"},
    "timestamp": "2025-09-15T14:03:11.123456789Z",
    "textPayload": "boom",
}


def test_a_line_of_stderr_is_read_whole():
    entry = from_json(STDERR)

    assert entry.log is LogKind.STDERR
    assert entry.at == datetime(2025, 9, 15, 14, 3, 11, 123456, tzinfo=UTC)
    assert (entry.service, entry.revision, entry.instance) == ("auth-service", "auth-service-00283-qab", "0087244a80")
    assert (entry.text, entry.severity, entry.insert_id) == ("boom", 0, "68c81b0f0001")


def test_a_request_has_status_latency_and_its_path_without_the_query():
    entry = from_json(
        {
            "logName": "projects/p/logs/run.googleapis.com%2Frequests",
            "severity": "ERROR",
            "timestamp": "2025-09-15T14:03:11Z",
            "httpRequest": {
                "status": 503,
                "latency": "0.250s",
                "requestUrl": "https://auth.example/login?user=dana@acme.example",
            },
        }
    )

    assert (entry.log, entry.status, entry.latency_s, entry.path, entry.text) == (
        LogKind.REQUESTS,
        503,
        0.25,
        "/login",
        "",
    )


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"message": "boom"}, "boom"),
        ({"msg": "boom", "level": 50}, "boom"),
        ({"event": "boom", "exception": "Traceback…"}, "boom\nTraceback…"),
        ({"message": "boom", "stack_trace": "boom\n\tat X"}, "boom\n\tat X"),
        ({"message": "boom\n  at x", "stack": "at x"}, "boom\n  at x"),
        ({"msg": "failed", "err": {"type": "Error", "stack": "Error: x\n    at y"}}, "failed\nError: x\n    at y"),
        ({"error": "boom"}, "boom"),
        ({"message": {"nested": 1}}, ""),
        ({}, ""),
    ],
)
def test_messages_of_the_usual_loggers_are_found(payload, text):
    assert from_json({"jsonPayload": payload}).text == text


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        ({"level": "error"}, 500),
        ({"level": 50}, 500),
        ({"level": 30}, 200),
        ({"levelname": "CRITICAL"}, 600),
        ({"severity": "WARN"}, 400),
    ],
)
def test_a_level_inside_the_payload_counts_when_the_entry_has_none(payload, number):
    assert from_json({"jsonPayload": {"message": "x", **payload}}).severity == number
    assert from_json({"severity": "INFO", "jsonPayload": {"message": "x", **payload}}).severity == 200


def test_an_audit_entry_names_its_revision_by_resource_name_because_the_label_is_empty():
    entry = from_json(
        {
            "logName": "projects/p/logs/cloudaudit.googleapis.com%2Fsystem_event",
            "resource": {"labels": {"revision_name": "", "service_name": "auth-service"}},
            "timestamp": "2025-09-15T14:03:11Z",
            "severity": "ERROR",
            "protoPayload": {
                "methodName": "/InternalServices.ReplaceInternalService",
                "resourceName": "namespaces/acme-staging/revisions/auth-service-00282-lsb",
                "response": {
                    "status": {"conditions": [{"type": "Ready", "status": "False", "message": "did not start"}]}
                },
            },
        }
    )

    assert (entry.log, entry.revision, entry.text) == (LogKind.SYSTEM_EVENT, "auth-service-00282-lsb", "did not start")
    assert entry.fields["methodName"] == "/InternalServices.ReplaceInternalService"


def test_the_time_of_receipt_stands_in_for_a_missing_timestamp():
    assert from_json({"receiveTimestamp": "2025-09-15T14:03:11Z"}).at.year == 2025
    assert from_json({}).at == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("bad", ["", "yesterday", "2025-13-01T00:00:00Z", "0001-01-01T00:00:00+23:59", 17, None])
def test_what_is_no_timestamp_is_none(bad):
    assert timestamp(bad) is None


def test_a_timestamp_with_an_offset_becomes_utc():
    assert timestamp("2025-09-15T16:03:11+02:00") == datetime(2025, 9, 15, 14, 3, 11, tzinfo=UTC)


@given(st.none() | st.booleans() | st.integers() | st.text(max_size=10))
def test_any_severity_is_a_number_of_cloud_logging(value):
    assert 0 <= severity(value) <= 800


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        *STDERR,
        "severity",
        "receiveTimestamp",
        "trace",
        "jsonPayload",
        "protoPayload",
        "httpRequest",
        "message",
        "stack",
        "status",
        "conditions",
    ]
)


@given(st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON, max_size=4), max_size=8))
def test_any_json_object_is_read_without_an_error(entry):
    read = from_json(entry)

    assert read.at.tzinfo is UTC
    assert len(read.fields) <= 32 + 3


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (
            {"msg": "boom", "err": {"type": "E", "message": "x", "stack": "E: x\n    at f"}, "level": 50},
            "boom\nE: x\n    at f",
        ),
        ({"message": "boom", "error": {"stack_trace": "E\n\tat A"}}, "boom\nE\n\tat A"),
        ({"message": "boom", "error.stack_trace": "E\n\tat A"}, "boom\nE\n\tat A"),
        ({"level": "error", "msg": "boom", "stacktrace": "main.f\n\t/a.go:1"}, "boom\nmain.f\n\t/a.go:1"),
        ({"msg": "boom", "error": "x", "errorVerbose": "x\nmain.f\n\t/a.go:1"}, "boom\nx\nmain.f\n\t/a.go:1"),
        (
            {"@m": "boom", "@x": "System.Exception: x\n   at A.B()", "@l": "Error"},
            "boom\nSystem.Exception: x\n   at A.B()",
        ),
        ({"MessageTemplate": "boom {Id}", "Exception": "E: x", "Level": "Error"}, "boom {Id}\nE: x"),
        (
            {"@type": "type.googleapis.com/…ReportedErrorEvent", "message": "E: x\n    at f (a.js:1:2)"},
            "E: x\n    at f (a.js:1:2)",
        ),
        ({"@type": "type.googleapis.com/…ReportedErrorEvent", "stack_trace": "E: x"}, "E: x"),
        ({"body": "boom", "exception": {"stacktrace": "E: x"}}, "boom\nE: x"),
        ({"message": "boom", "exc_info": ["Traceback", "ValueError"]}, "boom\nTraceback\nValueError"),
        (
            {
                "event": "boom",
                "exception": [
                    {"exc_type": "E", "exc_value": "x", "frames": [{"filename": "/a.py", "lineno": 3, "name": "f"}]}
                ],
            },
            'boom\nTraceback (most recent call last):\n  File "/a.py", line 3, in f\nE: x',
        ),
        (
            {
                "message": "boom",
                "context": {
                    "exception": {"class": "App\\E", "message": "x", "file": "/a.php:1", "trace": ["/b.php:2"]}
                },
            },
            "boom\nPHP Fatal error:  Uncaught App\\E: x in /a.php:1\nStack trace:\n#0 /b.php(2): {unknown}",
        ),
    ],
)
def test_stack_traces_of_the_usual_loggers_follow_their_message(payload, text):
    assert from_json({"jsonPayload": payload}).text == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "jsonPayload",
                    "textPayload",
                    "protoPayload",
                    "status",
                    "message",
                    "code",
                    "labels",
                    "resource",
                    "httpRequest",
                    "timestamp",
                    "severity",
                    "level",
                    "err",
                    "error",
                    "stack",
                    "exception",
                    "exc_info",
                    "frames",
                    "exc_type",
                    "context",
                    "class",
                    "file",
                    "trace",
                    "seconds",
                    "nanos",
                    "response",
                    "conditions",
                    "requestUrl",
                    "@l",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(JSON)
@example({"severity": float("nan"), "jsonPayload": {"level": float("inf")}, "timestamp": {"seconds": 10**30}})
@example({"jsonPayload": {"context": {"exception": {"class": "A", "file": "b", "trace": [1, None]}}}})
def test_no_json_value_breaks_the_reading_of_an_entry(value):
    entry = from_json(value)

    assert isinstance(entry.text, str)
    assert 0 <= entry.severity <= 800


@given(JSON, JSON)
def test_no_payload_breaks_the_reading_of_an_entry(payload, other):
    assert from_json({"jsonPayload": payload, "protoPayload": other, "httpRequest": other, "labels": payload}).at.tzinfo


def test_an_audit_entry_without_words_says_the_name_of_its_code():
    assert from_json({"protoPayload": {"status": {"code": 7}}}).text == "PERMISSION_DENIED"


def test_a_timestamp_may_be_seconds_and_nanoseconds():
    assert timestamp({"seconds": "1757944991", "nanos": 5_000}) == datetime(2025, 9, 15, 14, 3, 11, 5, tzinfo=UTC)
