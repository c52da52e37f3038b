"""Health checks that fail, without the log saying why."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.rule import DOCS, Hit, Rule, Scene, lines
from bot.model.judgement import Diagnosis

_DOCUMENTATION = f"{DOCS}/configuring/healthchecks"
_PROBE = (
    r" (?P<type>TCP|HTTP|GRPC) probe failed (?P<times>\d{1,6}) times? consecutively"
    r"(?: for container \"?(?P<container>[^\"\n]{0,80}?)\"?)?(?: on port (?P<port>\d{2,5}))?(?: path \"?(?P<path>[^\"\s]{1,200})\"?)?"
    r"(?=[.\s]|$)(?:[^\n]{0,200}?status (?P<status>[A-Z_]{3,40}|\d{3}))?"
)
_DEADLINE = re.compile(r"DEADLINE_EXCEEDED|within the allocated timeout|timed out")
_STARTUP = re.compile(
    rf"\bSTARTUP{_PROBE}|failed the configured startup probe checks|failed because the instance (?:failed the readiness check|could not start successfully)"
)
_LIVENESS = re.compile(rf"\bLIVENESS{_PROBE}|failed the configured liveness probe|[Ll]iveness probe failed")


def _what(hit: Hit) -> str:
    """`HTTP /health on port 8080`, as far as the message says it."""
    parts = [hit["type"], hit["path"], f"on port {hit['port']}" if hit["port"] else ""]
    return " ".join(part for part in parts if part)


def _facts(hit: Hit) -> dict[str, str]:
    return {name: hit[name] for name in ("type", "port", "path", "status") if hit[name]}


def _startup(scene: Scene) -> Diagnosis | None:
    hits = list(scene.all(_STARTUP))
    if not hits:
        return None
    hit = next((h for h in hits if h["type"]), hits[0])
    too_slow = hit["status"] == "DEADLINE_EXCEEDED" or _DEADLINE.search(hit.text) is not None
    return Diagnosis(
        code="startup_probe_failed",
        title=_startup_title(hit, too_slow=too_slow),
        explanation=(
            "The container did not answer within the probe's time: it starts too slowly, or hangs."
            if too_slow
            else "Cloud Run does not start an instance until this probe succeeds; the log does not say why it fails."
        ),
        advice=(
            "Ask the same address in a locally started container; raise the probe's failureThreshold × periodSeconds (at most 240 s) "
            "or add start-up CPU boost if it is only slow"
        ),
        evidence=lines(hit),
        confidence=0.7,
        rollback_helps=False,  # an instance that never started served nobody
        documentation=_DOCUMENTATION,
        facts=_facts(hit),
    )


def _startup_title(hit: Hit, *, too_slow: bool) -> str:
    what = f" ({_what(hit)})" if _what(hit) else ""
    return (
        f"The container starts too slowly for its start-up probe{what}"
        if too_slow
        else f"The start-up probe fails{what}"
    )


def _liveness(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_LIVENESS)
    if hit is None:
        return None
    return Diagnosis(
        code="liveness_probe_failed",
        title=f"The liveness probe fails ({_what(hit)}): instances are restarted"
        if _what(hit)
        else "The liveness probe fails",
        explanation="Cloud Run restarts an instance whose liveness probe fails too often; requests in flight are lost.",
        advice="Let the path answer without touching dependencies, and within the probe's timeout even under load",
        evidence=lines(hit),
        confidence=0.75,
        rollback_helps=None,
        documentation=_DOCUMENTATION,
        facts=_facts(hit),
    )


LATE_RULES = (
    Rule("startup_probe_failed", _startup, explains=frozenset({"malformed_response"})),
    Rule("liveness_probe_failed", _liveness, explains=frozenset({"malformed_response", "no_instance"})),
)
