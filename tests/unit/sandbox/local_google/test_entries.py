"""Log entries in the shape that Cloud Run gives them."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.local_google.entries import Exchange, Recorder, Source
from bot.sandbox.local_google.image import Line
from bot.sandbox.local_google.log_store import LogStore
from bot.sandbox.local_google.names import Place

NOW = datetime(2025, 11, 24, 12, tzinfo=UTC)
REVISION = "auth-service-00281-kzq"
SOURCE = Source(Place("acme-staging", "us-central1"), "auth-service", REVISION, "00ab")
INFO, WARNING, ERROR = 200, 400, 500


@pytest.fixture
def store() -> LogStore:
    return LogStore(lambda: NOW, random.Random(1))


@pytest.fixture
def recorder(store: LogStore) -> Recorder:
    return Recorder(store, lambda: NOW, random.Random(1))


def kept(store: LogStore) -> list:
    return list(store.entries("acme-staging"))


def exchange(status: int, platform_text: str = "") -> Exchange:
    return Exchange(
        method="GET",
        url="http://127.0.0.1:1/session",
        status=status,
        latency=timedelta(milliseconds=40),
        user_agent="Mozilla",
        remote_ip="198.51.100.7",
        request_size=300,
        response_size=200,
        trace="ab" * 16,
        platform_text=platform_text,
    )


def test_lines_of_one_moment_keep_their_order(recorder: Recorder, store: LogStore):
    recorder.line(SOURCE, Line("Traceback"), "Traceback")
    recorder.line(SOURCE, Line("  File"), "  File")
    recorder.line(SOURCE, Line("ValueError"), "ValueError")

    moments = [entry.timestamp.ToDatetime(UTC) for entry in kept(store)]
    assert [entry.text_payload for entry in kept(store)] == ["Traceback", "  File", "ValueError"]
    assert len(set(moments)) == 3
    assert moments[-1] - NOW < timedelta(milliseconds=1)


def test_a_plain_line_has_no_severity_and_names_its_instance(recorder: Recorder, store: LogStore):
    recorder.line(SOURCE, Line("boom"), "boom")

    (entry,) = kept(store)
    assert entry.log_name == "projects/acme-staging/logs/run.googleapis.com%2Fstderr"
    assert entry.severity == 0
    assert dict(entry.labels) == {"instanceId": "00ab"}
    assert dict(entry.resource.labels) == {
        "project_id": "acme-staging",
        "location": "us-central1",
        "service_name": "auth-service",
        "configuration_name": "auth-service",
        "revision_name": REVISION,
    }


def test_a_line_that_the_app_logs_as_json_has_its_severity_lifted_out(recorder: Recorder, store: LogStore):
    recorder.line(SOURCE, Line("slow", stream="stdout", severity="WARNING"), "slow")

    (entry,) = kept(store)
    assert entry.log_name.endswith("%2Fstdout")
    assert (entry.severity, entry.json_payload["message"], entry.text_payload) == (WARNING, "slow", "")


def test_the_platforms_own_line_names_the_container(recorder: Recorder, store: LogStore):
    recorder.system(SOURCE, "Container called exit(3).", "WARNING")

    (entry,) = kept(store)
    assert entry.log_name.endswith("run.googleapis.com%2Fvarlog%2Fsystem")
    assert (entry.severity, entry.labels["container_name"]) == (WARNING, "auth-service-1")


@pytest.mark.parametrize(
    ("status", "severity"), [(200, INFO), (302, INFO), (404, WARNING), (429, WARNING), (503, ERROR)]
)
def test_a_request_is_as_severe_as_its_status(recorder: Recorder, store: LogStore, status: int, severity: int):
    recorder.request(SOURCE, exchange(status))

    (entry,) = kept(store)
    assert (entry.severity, entry.http_request.status) == (severity, status)
    assert entry.trace == f"projects/acme-staging/traces/{'ab' * 16}"


def test_a_request_has_words_only_when_the_platform_answered(recorder: Recorder, store: LogStore):
    recorder.request(SOURCE, exchange(500))
    recorder.request(SOURCE, exchange(503, "The request failed because …"))

    assert [entry.text_payload for entry in kept(store)] == ["", "The request failed because …"]
