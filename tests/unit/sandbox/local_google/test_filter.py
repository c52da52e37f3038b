"""The Logging query language, case by case."""

import grpc
import pytest
from google.cloud.audit import audit_log_pb2
from google.cloud.logging_v2 import types

from bot.sandbox.local_google.filter import compile_filter
from bot.sandbox.local_google.filter.parser import parse
from bot.sandbox.local_google.filter.syntax import And, Comparison, LogId, Not, Or, Text
from bot.sandbox.local_google.refusals import Refusal


def request_entry():
    entry = types.LogEntry.pb()(log_name="projects/acme/logs/run.googleapis.com%2Frequests", severity=500)
    entry.resource.type = "cloud_run_revision"
    entry.resource.labels.update({"service_name": "auth-service", "revision_name": "auth-service-00283-qab"})
    entry.labels["run.googleapis.com/execution"] = "Blue"
    entry.http_request.status = 503
    entry.http_request.request_url = "https://auth.example/login?next=/home"
    entry.http_request.latency.FromJsonString("0.250s")
    entry.timestamp.FromJsonString("2025-11-24T10:00:00.500Z")
    entry.text_payload = "The request failed because the Instance is gone"
    return entry


def json_entry():
    entry = types.LogEntry.pb()(log_name="projects/acme/logs/run.googleapis.com%2Fstdout")
    entry.json_payload.update(
        {"message": "slow query", "ms": 1200, "ok": False, "user": {"id": 7}, "tags": ["db", "slow"], "ratio": 0.5}
    )
    return entry


def audit_entry():
    entry = types.LogEntry.pb()(log_name="projects/acme/logs/cloudaudit.googleapis.com%2Factivity")
    payload = audit_log_pb2.AuditLog(method_name="google.cloud.run.v1.Services.ReplaceService")
    payload.authentication_info.principal_email = "dana@acme.example"
    payload.response.update({"kind": "Revision", "status": {"conditions": [{"type": "Ready", "status": "False"}]}})
    entry.proto_payload.Pack(payload)
    return entry


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   -- nothing but a comment",
        "severity>=ERROR",
        "severity = error",
        "severity>=500",
        "severity=(WARNING OR ERROR)",
        "httpRequest.status>=500",
        "http_request.status=503",
        'httpRequest.latency>"0.2s"',
        "httpRequest.latency<=250ms",
        'resource.labels.service_name="AUTH-service"',
        'resource.labels.service_name:"auth"',
        'resource.type=("k8s_container" OR "cloud_run_revision")',
        'labels."run.googleapis.com/execution"=blue',
        'log_id("run.googleapis.com/requests")',
        'logName="projects/acme/logs/run.googleapis.com%2Frequests"',
        "logName:requests",
        'timestamp>="2025-11-24T10:00:00Z"',
        "timestamp>=2025-11-24T10:00:00Z",
        'timestamp="2025-11-24T10:00:00.5Z"',
        'timestamp>"2025-11-24T09:00:00-01:00" OR timestamp<="2025-11-24T11:00:00.5+01:00"',
        'timestamp>="2025-11-24"',
        'textPayload=~"Instance is \\w+$"',
        'textPayload!~"instance"',
        'textPayload:"instance IS gone"',
        "instance",
        '"request failed"',
        "503",
        "-unicorn",
        "NOT unicorn",
        "textPayload:*",
        "NOT trace:*",
        'trace=""',
        "NOT jsonPayload.message=x",
        'severity>=ERROR\nhttpRequest.status=503 -- both\nresource.labels.revision_name="auth-service-00283-qab"',
        "(severity=INFO OR severity=ERROR) AND NOT (httpRequest.status<500)",
        "resource.labels.service_name!=backend-service",
    ],
)
def test_a_request_entry_is_found_by(query: str):
    assert compile_filter(query).matches(request_entry())


@pytest.mark.parametrize(
    "query",
    [
        "severity<ERROR",
        "severity!=ERROR",
        "httpRequest.status=(200 OR 404)",
        'log_id("run.googleapis.com/stderr")',
        'resource.labels.service_name="auth"',
        'textPayload=~"instance"',
        'timestamp>"2025-11-24T10:00:00.5Z"',
        "unicorn",
        "-instance",
        "jsonPayload.message!=x",
        "jsonPayload.message:*",
        "trace:*",
        "severity>=ERROR httpRequest.status<500",
        "resource.labels.missing!=anything",
    ],
)
def test_a_request_entry_is_not_found_by(query: str):
    assert not compile_filter(query).matches(request_entry())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("jsonPayload.ms>1000", True),
        ("jsonPayload.ms=1200", True),
        ("jsonPayload.ms>=1200.5", False),
        ("jsonPayload.ratio<0.6", True),
        ("jsonPayload.ok=false", True),
        ("jsonPayload.user.id=7", True),
        ("jsonPayload.tags=slow", True),
        ("jsonPayload.tags!=slow", False),
        ("jsonPayload.message:QUERY", True),
        ("jsonPayload:query", True),
        ("jsonPayload.user.name=x", False),
        ("slow", True),
        ("severity=DEFAULT", True),
    ],
)
def test_payload_values_compare_by_their_own_type(query: str, found: bool):
    assert compile_filter(query).matches(json_entry()) is found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('protoPayload.methodName:"ReplaceService"', True),
        ("protoPayload.authenticationInfo.principalEmail=dana@acme.example", True),
        ('protoPayload.response.kind="Revision"', True),
        ("protoPayload.response.status.conditions.type=Ready", True),
        ("protoPayload.response.kind=Service", False),
        ("dana", True),
        ("protoPayload:Revision", True),
        ("protoPayload.unheardOf=1", False),
    ],
)
def test_audit_payloads_are_opened(query: str, found: bool):
    assert compile_filter(query).matches(audit_entry()) is found


def test_or_binds_tighter_than_and():
    tree = parse("a OR NOT b AND NOT c OR d")

    assert tree == And((Or((Text("a"), Not(Text("b")))), Or((Not(Text("c")), Text("d")))))


def test_juxtaposition_is_and_and_looser_than_or():
    assert parse('"a" "b" OR "c" "d"') == And((Text("a"), Or((Text("b"), Text("c"))), Text("d")))


def test_minus_negates_only_the_term_it_stands_before():
    assert parse("-a b") == And((Not(Text("a")), Text("b")))
    assert parse("auth-service") == Text("auth-service")
    assert parse("x=-5") == Comparison(("x",), "=", "-5", quoted=False)


def test_keywords_are_capital_letters_only():
    assert parse("this or that") == And((Text("this"), Text("or"), Text("that")))


def test_quotes_take_the_escapes_of_the_language():
    assert parse(r'"say \"hi\"\n\x41\u00e4\101"') == Text('say "hi"\nAäA')
    assert parse(r'textPayload=~"\d+\\."') == Comparison(("textPayload",), "=~", r"\d+\.")


def test_a_function_needs_its_bracket_glued_to_its_name():
    assert parse('log_id("a/b")') == LogId("a/b")
    assert parse("word (other)") == And((Text("word"), Text("other")))


def test_a_conjunction_at_the_top_bounds_the_window():
    query = 'timestamp>="2025-11-24T10:00:00Z" AND (severity=ERROR) timestamp<"2025-11-24T11:00:00Z"'

    compiled = compile_filter(query)

    assert (compiled.earliest, compiled.latest) == (1_763_978_400 * 10**9, 1_763_982_000 * 10**9)


def test_a_disjunction_bounds_nothing():
    compiled = compile_filter('timestamp>="2025-11-24T10:00:00Z" OR severity=ERROR')

    assert (compiled.earliest, compiled.latest) == (None, None)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("(severity=ERROR", "unexpected end of filter"),
        ("severity=ERROR)", "unexpected token ')'"),
        ("severity=", "unexpected end of filter"),
        ("AND severity=ERROR", "unexpected token 'AND'"),
        ("severity=ERROR OR", "unexpected end of filter"),
        ("severity=ERROR AND AND x", "unexpected token 'AND'"),
        ('"open', "unterminated string"),
        ("unheard.of=1", "Field not found: 'unheard'"),
        ("textPayload.deeper=1", "Field not found: 'textPayload.deeper'"),
        ("httpRequest.teapot=1", "Field not found: 'httpRequest.teapot'"),
        ("severity>=LOUD", "Invalid enum value"),
        ("httpRequest.status=many", "numeric field"),
        ("timestamp>=yesterday", "Invalid timestamp"),
        ("httpRequest.latency>soon", "Invalid duration"),
        ('textPayload=~"("', "Invalid regular expression"),
        ("sample(insertId, 0.1)", "function 'sample'"),
        ('SEARCH("x")', "function 'SEARCH'"),
        ('ip_in_net(httpRequest.remoteIp, "10.0.0.0/8")', "function 'ip_in_net'"),
        ("log_id()", "log_id() takes exactly one"),
        ("a..b=1", "invalid field name"),
        ("severity=ERROR , x", "unexpected token ','"),
        ("severity=ERROR \\ x", "unexpected character"),
    ],
)
def test_what_google_would_not_parse_is_an_invalid_argument(query: str, words: str):
    with pytest.raises(Refusal) as refused:
        compile_filter(query)

    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert words in refused.value.message


def test_a_filter_has_at_most_twenty_thousand_characters():
    compile_filter('textPayload:"' + "x" * 19_980 + '"')

    with pytest.raises(Refusal, match="too long"):
        compile_filter("x" * 20_001)


def test_deep_nesting_is_refused_instead_of_exhausting_the_stack():
    with pytest.raises(Refusal, match="nested too deeply"):
        compile_filter("(" * 500 + "x" + ")" * 500)
