"""The container runs, but not where Cloud Run looks for it: wrong port, wrong interface, or nowhere at all."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.facts import DEFAULT_PORT
from bot.correlate.diagnosis.known import Known, known, words
from bot.correlate.diagnosis.rule import DOCS, Hit, Rule, Scene, capital, lines
from bot.correlate.diagnosis.servers import bind_advice, listeners
from bot.model.judgement import Diagnosis

_DOCUMENTATION = f"{DOCS}/troubleshooting#container-failed-to-start"
_NEVER_LISTENED = re.compile(
    r"[Ff]ailed to start and (?:then )?listen on the port(?:[^\n]{0,80}?PORT=(?P<port>\d{2,5}))?"
    r"|STARTUP TCP probe failed[^\n]{0,160}? on port (?P<probed>\d{2,5})"
)
_NEVER_STARTED = re.compile(  # an HTTP probe asks the same port, but fails for other reasons too
    rf"{_NEVER_LISTENED.pattern}|STARTUP (?:HTTP|GRPC) probe failed[^\n]{{0,160}}? on port (?P<asked>\d{{2,5}})"
)


def _expected(scene: Scene, failure: Hit | None) -> int:
    """The port as the failure names it, else as the revision's template does, else Cloud Run's default."""
    said = failure and (failure["port"] or failure["probed"] or failure["asked"])
    return int(said) if said else scene.facts.expected_port or DEFAULT_PORT


def _port_mismatch(scene: Scene) -> Diagnosis | None:
    failure = scene.first(_NEVER_STARTED)
    if failure is None and scene.facts.ready is not False:
        return None  # another port than $PORT is fine as long as something answers on $PORT
    expected, heard = _expected(scene, failure), list(listeners(scene))
    if not heard or any(listener.port == expected for listener in heard):
        return None
    actual = heard[-1]
    also_local = f" It also binds {actual.host}, which Cloud Run cannot reach." if actual.is_local else ""
    return Diagnosis(
        code="port_mismatch",
        title=f"The container listens on {actual.port}, Cloud Run expects $PORT = {expected}",
        explanation=(
            f"Cloud Run sends the start-up probe and all requests to port {expected}; nothing answers there, because "
            f"{actual.server or 'the server'} bound {actual.port}. The revision cannot become ready.{also_local}"
        ),
        advice=(
            f"{capital(bind_advice(actual.server))}, or move Cloud Run to the container's port: "
            f"`gcloud run services update {scene.service} --port {actual.port}`"
        ),
        evidence=lines(actual.hit, failure),
        confidence=0.97 if failure else 0.8,
        rollback_helps=False,
        documentation=_DOCUMENTATION,
        facts={"expected_port": str(expected), "actual_port": str(actual.port), "server": actual.server},
    )


def _bound_to_localhost(scene: Scene) -> Diagnosis | None:
    failure = scene.first(_NEVER_LISTENED)
    local = next((listener for listener in listeners(scene) if listener.is_local), None)
    if failure is None or local is None:
        return None
    return Diagnosis(
        code="bound_to_localhost",
        title=f"The container listens on {local.host}:{local.port} only; Cloud Run needs 0.0.0.0",
        explanation="Requests come from outside the container: a server bound to the loopback interface never gets them.",
        advice=capital(bind_advice(local.server)),
        evidence=lines(local.hit, failure),
        confidence=0.95,
        rollback_helps=False,
        documentation=_DOCUMENTATION,
        facts={"host": local.host, "actual_port": str(local.port), "expected_port": str(_expected(scene, failure))},
    )


def _did_not_listen(scene: Scene) -> Diagnosis | None:
    failure = scene.first(_NEVER_LISTENED)
    if failure is None:
        return None
    expected = _expected(scene, failure)
    heard = any(listener.port == expected for listener in listeners(scene))
    why = (
        "It began to listen, but too late or it died again"
        if heard
        else "The container's own log does not say that it listens anywhere"
    )
    return Diagnosis(
        code="did_not_listen",
        title=f"The container never answered on $PORT = {expected}",
        explanation=f"Cloud Run waited for port {expected} and gave up. {why}.",
        advice=f"Run the image locally with `PORT={expected}`: does it start, and how soon? {capital(bind_advice(''))}",
        evidence=lines(failure),
        confidence=0.6,
        rollback_helps=False,
        documentation=_DOCUMENTATION,
        facts={"expected_port": str(expected)},
    )


_TAKEN = words(
    r"(?:[Aa]ddress already in use|EADDRINUSE)[^\n]{0,80}?:(?P<port>\d{2,5})\b",
    r"[Pp]ort:? (?P<port>\d{2,5}) (?:was |is )?(?:already in use|already allocated|in use)",
    r"listen tcp \S{0,60}:(?P<port>\d{2,5}): bind: (?:address already in use|permission denied|cannot assign)",
    r"(?:\('[\w.:]{0,60}', |address |bind[^\n]{0,30}:)(?P<port>\d{2,5})\b[^\n]{0,60}(?:[Aa]ddress already in use|Permission denied)",
    r"Connection in use: \('[^'\n]{0,60}', (?P<port>\d{2,5})\)",
    r"EACCES: permission denied \S{0,60}:(?P<port>\d{1,5})\b|bind\(\) to \S{0,60}:(?P<port>\d{1,5}) failed",
    r"(?:^|(?:bind|listen|socket|BindException|OSError|IOException|Errno|os error|[Pp]ort|:\d{2,5})[^\n]{0,80})[Aa]ddress already in use|\bEADDRINUSE\b|\[Errno 98\]|Only one usage of each socket address",
)
_PORT_TAKEN = Known(
    says=_TAKEN,
    title="Port {port} cannot be bound: something in the container already uses it, or may not",
    bare="The port cannot be bound: something in the container already uses it",
    explanation="Two processes (or two starts of the server) want the same port, or a port below 1024 is asked for without the right to it.",
    advice="Start one server on $PORT only; look at the entrypoint for a second start (a debugger, a reloader, a sidecar), or {revert}",
    rollback_helps=True,
    documentation=_DOCUMENTATION,
)
_ECHOES = frozenset(
    {
        "worker_boot_failure",
        "unhandled_exception",
        "file_permission",
        "did_not_listen",
        "startup_probe_failed",
        "exit_code",
        "malformed_response",
        "request_timeout",
    }
)

RULES = (
    known("port_in_use", _PORT_TAKEN, explains=_ECHOES | {"port_mismatch", "bound_to_localhost"}),
    Rule("port_mismatch", _port_mismatch, explains=_ECHOES | {"bound_to_localhost"}),
    Rule("bound_to_localhost", _bound_to_localhost, explains=_ECHOES),
)
LATE_RULES = (Rule("did_not_listen", _did_not_listen, explains=frozenset({"startup_probe_failed"})),)
