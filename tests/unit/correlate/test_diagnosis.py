import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.correlate import Facts, diagnose
from bot.model.cloud_run import Revision
from bot.model.evidence import LogEntry, LogKind

T0 = datetime(2025, 9, 15, 14, 3, 11, tzinfo=UTC)
MISSING = "ModuleNotFoundError: No module named 'app.x'"


def entry(text, at=0.0, **more):
    more.setdefault("log", LogKind.STDERR)
    return LogEntry(insert_id="", at=T0 + timedelta(seconds=at), revision="r", text=text, **more)


def codes(*entries, facts=None):
    return [d.code for d in diagnose(entries, facts)]


def test_nothing_logged_is_nothing_to_say():
    assert diagnose([]) == []


def test_log_entries_and_json_may_be_mixed():
    assert codes(entry(MISSING), {"textPayload": "Container called exit(3)."}) == ["missing_module"]


def test_two_independent_causes_are_both_told_the_nearer_to_the_root_first():
    found = codes(entry("Memory limit of 512 MiB exceeded with 515 MiB used."), entry(MISSING, 1))

    assert found == ["missing_module", "out_of_memory"]


def test_a_revision_that_never_served_is_never_helped_by_a_rollback():
    served, never = diagnose([entry(MISSING)]), diagnose([entry(MISSING)], Facts(ready=False))

    assert (served[0].rollback_helps, never[0].rollback_helps) == (True, False)


def test_a_port_that_also_answers_where_cloud_run_looks_is_no_mismatch():
    lines = [entry("Listening on port 9464"), entry("Server listening on port 8080", 1)]
    probe = entry('STARTUP TCP probe failed 1 time consecutively for container "x" on port 8080.', 2, severity=500)

    assert codes(*lines, probe) == ["did_not_listen"]


def test_a_port_other_than_cloud_runs_proves_nothing_while_the_revision_is_well():
    assert codes(entry("Server listening on port 9090")) == []


def test_the_templates_port_is_believed_where_the_log_names_none():
    found = diagnose([entry("Server listening on port 8081")], Facts(expected_port=9000, ready=False))

    assert found[0].title == "The container listens on 8081, Cloud Run expects $PORT = 9000"


def test_facts_come_from_a_revision():
    revision = Revision(
        "r", T0, ready=False, message="did not start", port=None, env_names=("A",), labels={"commit-sha": "a1b2c3d4e5"}
    )

    facts = Facts.of(revision, required_env=["A", "B"])

    assert (facts.expected_port, facts.condition_messages, facts.commit) == (8080, ("did not start",), "a1b2c3d4e5")
    assert facts.revert == "revert a1b2c3d"
    assert Facts.of(Revision("r", T0, ready=True, message="all fine")).condition_messages == ()


def test_an_unknown_cause_shows_the_three_most_telling_lines():
    entries = [entry(f"ledger {word} mismatch", i, severity=500) for i, word in enumerate("abcde")]
    entries += [entry("settlement halted", 9, severity=600), entry("", 9, log=LogKind.REQUESTS, status=500)]

    (found,) = diagnose(entries)

    assert found.code == "unknown"
    assert found.evidence == ("settlement halted", "ledger a mismatch", "ledger b mismatch")
    assert found.rollback_helps is None


def test_failing_requests_alone_are_unknown_and_told_by_their_paths():
    failing = [entry("", i, log=LogKind.REQUESTS, status=500, path="/login") for i in range(3)]

    (found,) = diagnose([*failing, entry("", 9, log=LogKind.REQUESTS, status=502), entry("", 9, status=404)])

    assert (found.code, found.evidence) == ("unknown", ("HTTP 500 on /login (3 times)", "HTTP 502 (once)"))


def test_a_quick_504_without_a_text_is_not_cloud_runs_timeout():
    slow, quick = (entry("", log=LogKind.REQUESTS, status=504, path="/v1", latency_s=s) for s in (300.0, 0.2))

    assert (codes(slow), codes(quick)) == (["request_timeout"], ["unknown"])


def test_a_secret_in_a_message_reaches_neither_title_nor_facts():
    traceback = (
        'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\n    x\nValueError: bad password=hunter2'
    )

    (found,) = diagnose([entry(traceback)])

    assert "hunter2" not in f"{found.title}{found.explanation}{found.advice}{found.facts}"


def test_a_warning_that_falls_back_to_a_default_is_no_missing_variable():
    boom = entry("ValueError: x", 1, severity=500)

    assert codes(entry("LOG_LEVEL is not set, using default INFO"), boom) == ["unknown"]


def test_the_number_of_identical_lines_is_told():
    exits = [entry("Container called exit(1).", i, log=LogKind.SYSTEM, severity=400) for i in range(15)]

    assert "15 times" in diagnose(exits)[0].explanation


def test_certainty_follows_confidence():
    (sure,) = diagnose([entry(MISSING)])
    (possible,) = diagnose([entry("odd", severity=500)])

    assert (sure.certainty, possible.certainty) == ("sure", "possible")


HOSTILE = [
    "os.environ" * 10_000,
    "environment variable " * 5_000,
    "validation error for Settings\n" * 3_000,
    "Listening at: http://" * 5_000,
    "connection to server at " * 4_000,
    "Permission denied on secret: projects/" * 2_500,
    "STARTUP TCP probe failed " * 4_000,
    "A" * 100_000,
    "A_" * 50_000,
    "/cloudsql/a:b:c" * 7_000,
    "Cloud SQL instance " * 5_000,
    "sh: " * 25_000,
    "Image '" + "a/" * 50_000,
    "\x00<!channel>\ud800" * 7_000,
    "No module named '" + "x" * 100_000,
]


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: repr(line[:16]))
def test_a_hostile_line_of_100_kb_costs_little_and_stays_short(line):
    started = time.perf_counter()

    found = diagnose([entry(f"ERROR {line}", severity=500)])

    assert time.perf_counter() - started < 5
    assert all(len(d.title) <= 300 and all(len(e) <= 2_000 for e in d.evidence) for d in found)


@given(
    st.lists(
        st.builds(entry, st.text(max_size=80), st.floats(0, 100), severity=st.sampled_from([0, 200, 400, 500])),
        max_size=8,
    )
)
def test_any_entries_are_diagnosed_deterministically_and_without_an_error(entries):
    assert diagnose(entries) == diagnose(entries)


QUIET = [
    "connected to redis after 2 retries",
    "batch done: 120 rows, 0 errors",
    "error_rate=0.00 timeout=30s",
    'level=info msg="retry succeeded" err="connection refused"',
    "2025-09-15 14:03:11 INFO Retrying in 2s after connection refused to 10.0.0.3:5432",
    "SENTRY_DSN not set",
    "LOG_LEVEL is not set, using default INFO",
    "Cannot find module 'bufferutil', falling back to the JS implementation",
    "Sentry SDK not available - install sentry-sdk to enable error tracking",
    "npm notice New major version of npm available!",
    "Received SIGTERM, shutting down gracefully",
    "JWKS refreshed, 2 keys",
    "CORS is enabled for https://app.acme.example",
    "Connection timeout set to 30s, max retries 5, rate limit 100 req/min",
    "Container called exit(0).",
]


@pytest.mark.parametrize("line", QUIET)
@pytest.mark.parametrize("severity", [0, 200, 300])
def test_harmless_lines_are_passed_over_in_silence(line, severity):
    assert diagnose([entry(line, severity=severity)]) == []


def test_a_liveness_probe_that_had_the_container_killed_is_told_rather_than_the_signal():
    probe = entry("LIVENESS HTTP probe failed 3 times consecutively on port 8080.", log=LogKind.SYSTEM, severity=500)
    killed = entry("Uncaught signal: 9, pid=1, tid=1, fault_addr=0.", 1, log=LogKind.SYSTEM, severity=500)

    assert codes(probe, killed) == ["liveness_probe_failed"]


def test_a_cause_that_only_a_warning_names_is_less_sure():
    warning = entry("cache: Error 111 connecting to 10.30.0.4:6379. Connection refused.", severity=400)
    failure = entry("", 1, log=LogKind.REQUESTS, status=500)

    (told,) = diagnose([warning, failure])
    (proven,) = diagnose([entry(warning.text, severity=500), failure])

    assert (told.code, proven.code) == ("redis_unreachable", "redis_unreachable")
    assert told.confidence < proven.confidence


def test_what_exporters_of_telemetry_complain_about_does_not_hide_the_cause():
    exporter = entry("opentelemetry.exporter: Failed to export traces, status = StatusCode.UNAVAILABLE", severity=500)
    timeout = entry("The request has been terminated because it has reached the maximum request timeout.", 1)

    assert codes(exporter, replace(timeout, log=LogKind.REQUESTS, status=504)) == ["request_timeout"]


def test_a_message_of_several_lines_is_read_across_entries():
    lines = ["1 validation error for Settings", "database_url", "  Field required [type=missing]"]
    entries = [entry(line, i / 100, instance="a") for i, line in enumerate(lines)]

    (found,) = diagnose([*entries, entry("Container called exit(1).", 1, log=LogKind.SYSTEM, severity=400)])

    assert (found.code, found.facts["variable"]) == ("missing_env", "DATABASE_URL")


def test_other_fields_of_a_structured_line_are_read_too():
    line = {
        "severity": "ERROR",
        "jsonPayload": {"message": "query failed", "cause": "dial tcp 10.0.0.3:5432: i/o timeout"},
    }

    (found,) = diagnose([line])

    assert found.title == "The database at 10.0.0.3:5432 does not accept connections"
    assert found.evidence == ("dial tcp 10.0.0.3:5432: i/o timeout",)


def test_a_generator_of_entries_is_as_good_as_a_list():
    assert [d.code for d in diagnose(entry(MISSING, i) for i in range(2))] == ["missing_module"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "textPayload",
        "jsonPayload",
        "protoPayload",
        "httpRequest",
        "resource",
        "labels",
        "severity",
        "timestamp",
        "insertId",
        "logName",
        "trace",
    ]
)


@given(st.lists(JSON | st.dictionaries(KEYS, JSON, max_size=6), max_size=5))
def test_junk_never_raises(values):
    assert diagnose(values) == diagnose(values)


def test_a_flood_of_a_hundred_thousand_lines_still_shows_the_cause_in_its_middle():
    entries = [entry(f"ERROR order {i} failed in shard {i % 7}", i / 1000) for i in range(100_000)]
    entries[50_000] = entry("FATAL: sorry, too many clients already", 50.0005)
    started = time.perf_counter()

    assert codes(*entries) == ["database_connections"]
    assert time.perf_counter() - started < 20


def test_a_burst_of_ten_thousand_different_errors_takes_seconds_at_most():
    entries = [entry(f"ERROR order {i} failed in shard {i % 7}", i / 1000) for i in range(10_000)]
    started = time.perf_counter()

    assert [d.code for d in diagnose(entries)] == ["unknown"]
    assert time.perf_counter() - started < 15
