"""Cloud Logging's messages in our words; no I/O."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.audit.audit_log_pb2 import AuditLog
from google.cloud.logging_v2.types import LogEntry as WireEntry
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from bot.correlate.entry_json import from_json
from bot.gcp.entries import TEXT_LIMIT, cut, log_entry, log_kind, once_each, plain, url_path
from bot.model.evidence import LogEntry, LogKind

AT = datetime(2025, 9, 15, 14, 3, 11, 250_000, tzinfo=UTC)
REVISION = "auth-service-00283-qab"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(-10, 10) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
payloads = st.dictionaries(st.sampled_from(["message", "msg", "error", "stack_trace", "level", "user"]), json_values)


def wire(log: LogKind = LogKind.STDERR, **fields: Any) -> Any:
    entry = WireEntry.pb()(log_name=f"projects/acme-staging/logs/{log.replace('/', '%2F')}", insert_id="id-1", **fields)
    entry.timestamp.FromDatetime(AT)
    entry.resource.type = "cloud_run_revision"
    entry.resource.labels.update({"revision_name": REVISION, "service_name": "auth-service"})
    entry.labels["instanceId"] = "0087244a80"
    return entry


def test_a_line_on_stderr_keeps_its_words_and_says_where_it_is_from():
    entry = log_entry(wire(text_payload="ModuleNotFoundError: No module named 'app.services.monitoring'"))

    assert entry == LogEntry(
        insert_id="id-1",
        log=LogKind.STDERR,
        at=AT,
        revision=REVISION,
        text="ModuleNotFoundError: No module named 'app.services.monitoring'",
        instance="0087244a80",
        service="auth-service",
    )


def test_a_request_tells_status_latency_and_path_but_not_the_query():
    http = {"status": 503, "request_url": "https://auth.example/login?token=hidden", "latency": {"nanos": 12_000_000}}

    entry = log_entry(wire(LogKind.REQUESTS, http_request=http, severity=500))

    assert (entry.status, entry.latency_s, entry.path, entry.text) == (503, 0.012, "/login", "")


def test_a_structured_line_is_its_message_and_the_stack_beside_it():
    payload = {"message": "login failed", "stack_trace": "Traceback …\nKeyError: 'sub'", "logger": "auth", "tries": 3}

    entry = log_entry(wire(LogKind.STDOUT, json_payload=payload, severity=500))

    assert entry.text == "login failed\nTraceback …\nKeyError: 'sub'"
    assert entry.fields == {"logger": "auth", "tries": "3"}


def test_a_structured_line_without_a_message_is_shown_whole():
    entry = log_entry(wire(json_payload={"code": 7, "what": ["a", None]}, severity=500))

    assert entry.text == '{"code": 7, "what": ["a", null]}'


def test_a_level_inside_the_payload_counts_where_the_entry_has_none():
    assert log_entry(wire(json_payload={"message": "x", "level": 50})).severity == 500
    assert log_entry(wire(json_payload={"message": "x", "level": 50}, severity=400)).severity == 400


def test_an_audit_entry_tells_its_status_and_the_revision_it_is_about():
    audit = AuditLog(method_name="/Services.ReplaceService", resource_name=f"namespaces/acme/revisions/{REVISION}")
    audit.status.message = "Ready condition status changed to False for Revision"
    audit.authentication_info.principal_email = "dana@acme.example"
    entry = wire(LogKind.SYSTEM_EVENT)
    entry.resource.labels.clear()
    entry.proto_payload.Pack(audit)

    read = log_entry(entry)

    assert (read.log, read.revision, read.service) == (LogKind.SYSTEM_EVENT, REVISION, "")
    assert read.text == "Ready condition status changed to False for Revision"
    assert read.fields["principalEmail"] == "dana@acme.example"


def test_an_unknown_payload_is_no_text_rather_than_an_error():
    entry = wire()
    entry.proto_payload.type_url = "type.googleapis.com/google.protobuf.Empty"

    assert log_entry(entry).text == ""


def test_an_entry_without_a_timestamp_happened_when_it_was_received():
    entry = wire(text_payload="x")
    entry.ClearField("timestamp")
    entry.receive_timestamp.FromDatetime(AT + timedelta(seconds=1))

    assert log_entry(entry).at == AT + timedelta(seconds=1)


@given(payloads)
def test_a_live_structured_line_reads_as_a_recorded_one(payload: dict[str, Any]):
    entry = wire(json_payload=payload)
    recorded = from_json({"jsonPayload": plain(entry.json_payload)})

    live = log_entry(entry)

    assert (live.fields, live.severity) == (recorded.fields, recorded.severity)
    assert recorded.text in {live.text, ""}
    assert plain(entry.json_payload) == MessageToDict(entry.json_payload)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("projects/p/logs/run.googleapis.com%2Fstderr", LogKind.STDERR),
        ("projects/p/logs/run.googleapis.com%2Fvarlog%2Fsystem", LogKind.SYSTEM),
        ("projects/p/logs/cloudaudit.googleapis.com%2Factivity", LogKind.ACTIVITY),
        ("projects/p/logs/my-own-log", LogKind.OTHER),
        ("", LogKind.OTHER),
    ],
)
def test_the_log_is_known_by_the_end_of_its_name(name: str, kind: LogKind):
    assert log_kind(name) is kind


def test_an_insert_id_is_unique_only_within_its_log_and_instant():
    seen: set[tuple[LogKind, datetime, str]] = set()
    first = log_entry(wire(text_payload="a"))
    other_log = log_entry(wire(LogKind.STDOUT, text_payload="b"))

    assert list(once_each([first, first, other_log], seen)) == [first, other_log]
    assert list(once_each([other_log], seen)) == []


@given(st.text(max_size=400), st.integers(100, 300))
def test_a_cut_text_is_never_longer_than_the_limit_and_keeps_both_ends(text: str, limit: int):
    short = cut(text, limit)

    assert len(short) <= limit
    assert (short == text) == (len(text) <= limit)
    assert short[:10] == text[:10]
    assert short[-10:] == text[-10:]


def test_a_long_traceback_keeps_the_exception_at_its_end():
    text = "Traceback (most recent call last):\n" + "  File x\n" * 12_000 + "ImportError: cannot import name 'x'"

    read = log_entry(wire(text_payload=text)).text

    assert len(read) <= TEXT_LIMIT
    assert read.startswith("Traceback")
    assert read.endswith("ImportError: cannot import name 'x'")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://auth.example/login?next=/a#b", "/login"),
        ("/health", "/health"),
        ("https://auth.example", ""),
        ("https://[broken/x", "/x"),
        ("", ""),
    ],
)
def test_a_path_is_cut_out_of_whatever_a_client_sent(url: str, path: str):
    assert url_path(url) == path


def test_a_page_of_entries_is_converted_before_anybody_notices():
    page = [wire(json_payload={"message": f"order {n} failed", "logger": "app"}) for n in range(200)]
    begun = time.thread_time()

    read = [log_entry(entry) for entry in page]

    assert len(read) == 200
    assert time.thread_time() - begun < 0.05
