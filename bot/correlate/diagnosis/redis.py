"""Redis and its like: unreachable, refusing the login, or full."""

from __future__ import annotations

from bot.correlate.diagnosis.endpoints import Kind, unreached
from bot.correlate.diagnosis.known import Known, known, words
from bot.correlate.diagnosis.rule import SERVING_ECHOES, Rule, Scene
from bot.model.judgement import Diagnosis

_DOCUMENTATION = "https://cloud.google.com/memorystore/docs/redis/connect-redis-instance-cloud-run"

_AUTH = Known(
    says=words(
        r"\bNOAUTH Authentication required|\bNOAUTH\b[^\n]{0,60}HELLO",
        r"\bWRONGPASS\b|invalid username-password pair|ERR invalid password",
        r"ERR AUTH <password> called without any password|ERR Client sent AUTH, but no password is set|\bNOPERM\b",
    ),
    title="Redis refuses the login",
    bare="Redis refuses the login",
    explanation="Redis answers, but the program's AUTH string is missing or does not fit: often a rotated secret, or AUTH switched on.",
    advice="Compare the AUTH string (`gcloud redis instances get-auth-string INSTANCE --region REGION`) with the secret on the revision",
    rollback_helps=None,
    documentation="https://cloud.google.com/memorystore/docs/redis/about-redis-auth",
)
_FULL = Known(
    says=words(
        r"command not allowed when used memory",
        r"ERR max number of clients reached",
        r"READONLY You can't write against a read only (?:replica|slave)",
        r"MISCONF Redis is configured to save RDB snapshots|Redis is loading the dataset|MASTERDOWN Link|CLUSTERDOWN",
    ),
    title="Redis refuses commands: it is full, read-only or not ready",
    bare="Redis refuses commands: it is full, read-only or not ready",
    explanation="Redis answers but does not do the work: its memory or its clients are at their limit, or a fail-over is under way.",
    advice="Look at memory, clients and fail-overs of the instance (`gcloud redis instances describe INSTANCE --region REGION`); give keys a time to live",
    rollback_helps=False,
    documentation="https://cloud.google.com/memorystore/docs/redis/memory-management-best-practices",
)


def _unreachable(scene: Scene) -> Diagnosis | None:
    found = unreached(scene, Kind.REDIS)
    if found is None:
        return None
    return Diagnosis(
        code="redis_unreachable",
        title=f"Redis{f' at {found.address}' if found.address else ''} does not accept connections",
        explanation="The program is up, its Redis is not reachable: stopped, moved, or cut off by the network.",
        advice=(
            "Is the instance running (`gcloud redis instances list --region REGION`), and does the revision have VPC egress to its network?"
        ),
        evidence=(found.hit.line,),
        confidence=0.9 if found.address else 0.8,
        rollback_helps=False,
        documentation=_DOCUMENTATION,
        facts={k: v for k, v in {"host": found.host, "port": str(found.port or "")}.items() if v},
    )


RULES = (
    known("redis_auth", _AUTH, explains=SERVING_ECHOES | {"redis_unreachable"}),
    known("redis_refuses", _FULL, explains=SERVING_ECHOES | {"redis_unreachable"}),
    Rule("redis_unreachable", _unreachable, explains=SERVING_ECHOES),
)
