"""What Cloud Run answers itself when an instance does not: the last to be believed, and never a cause when another is known."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.looks import is_program
from bot.correlate.diagnosis.rule import DOCS, Rule, Scene, lines
from bot.correlate.diagnosis.unknown import failing_requests
from bot.model.judgement import Diagnosis

_NO_INSTANCE = re.compile(
    r"no available instance|(?P<maximum>exceeded the maximum number of instances|max(?:imum)?[ -]instances?[^\n]{0,60}(?:reached|exceeded|limit)|reached (?:its|the) max(?:imum)?[ -]instances?)"
    r"|(?P<concurrency>(?:max(?:imum)? )?(?:request )?concurrency (?:limit )?(?:reached|exceeded))|The request was aborted because|Rate exceeded\.$|pending queue[^\n]{0,40}(?:full|timed? ?out)",
    re.IGNORECASE | re.MULTILINE,
)
_NO_INSTANCE_TITLES = {
    "maximum": "Requests are dropped: the service has reached max instances, no instance is free",
    "concurrency": "Requests are dropped: every instance is at its concurrency limit",
}
_TIMEOUT = re.compile(
    r"request has been terminated because it has reached the maximum request timeout|upstream request timeout|reached the maximum request timeout"
)
_LONG_S = 10.0  # a program that answers 504 for somebody else does so sooner
_MALFORMED = re.compile(
    r"response was malformed or connection to the instance had an error|upstream connect error or disconnect/reset before headers"
    r"|HTTP connection to the instance had an error|^Truncated response body\b"
    r"|[Cc]onnection (?:to the instance )?(?:was )?reset by (?:the )?instance",
    re.MULTILINE,
)


def _no_instance(scene: Scene) -> Diagnosis | None:
    hit = next((hit for hit in scene.all(_NO_INSTANCE) if not is_program(hit.entry)), None)
    if hit is None:
        return None
    return Diagnosis(
        code="no_instance",
        title=_NO_INSTANCE_TITLES.get(next(iter(hit.groups), ""), "Requests are dropped: no instance is free"),
        explanation="Traffic grew faster than instances start, requests take longer than before, or max instances is reached.",
        advice=f"Raise `--max-instances` or `--concurrency` (`gcloud run services update {scene.service} …`), and look at what got slower",
        evidence=lines(hit),
        confidence=0.8,
        rollback_helps=False,
        documentation=f"{DOCS}/troubleshooting#abort-request",
    )


def _request_timeout(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_TIMEOUT)
    proof = lines(hit) if hit else failing_requests(scene.entries, 504) if _ran_out_of_time(scene) else ()
    if not proof:
        return None
    return Diagnosis(
        code="request_timeout",
        title="Requests run into Cloud Run's request timeout (504)",
        explanation="The program did not answer in time: it waits for something, or the work is too long for one request.",
        advice="Give every outgoing call a timeout shorter than the request's; for long work use a job or a queue",
        evidence=proof,
        confidence=0.75 if hit else 0.6,
        rollback_helps=None,
        documentation=f"{DOCS}/configuring/request-timeout",
    )


def _ran_out_of_time(scene: Scene) -> bool:
    """504s that took long: the request timeout says so in a text that an export may have left out."""
    return any(entry.status == 504 and (entry.latency_s or 0) >= _LONG_S for entry in scene.entries)


def _malformed(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_MALFORMED)
    if hit is None:
        return None
    return Diagnosis(
        code="malformed_response",
        title="Instances break off their answers (503), and the log does not say why",
        explanation="The connection to the instance ended before a whole response came. This is never the cause itself.",
        advice="Look for an exit, a signal, the memory limit or a worker timeout at that time; does the program log to stdout at all?",
        evidence=lines(hit),
        confidence=0.4,
        rollback_helps=None,
        documentation=f"{DOCS}/troubleshooting#malformed-response-or-connection-error",
    )


LATE_RULES = (
    Rule("no_instance", _no_instance, explains=frozenset({"malformed_response"})),
    Rule("request_timeout", _request_timeout, explains=frozenset({"malformed_response"})),
    Rule("malformed_response", _malformed),
)
