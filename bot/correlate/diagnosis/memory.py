"""Memory: the container's limit, or a runtime's own heap."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.rule import DOCS, Rule, Scene, lines
from bot.model.judgement import Diagnosis

_LIMIT = re.compile(
    r"Memory limit of (?P<limit>\d{1,7}) ?(?P<unit>[KMG]i?B?) exceeded with (?P<used>\d{1,7}) ?[KMG]i?B? used"
    r"|found to be using too much memory and was terminated|[Ee]xceeded (?:hard|soft|the|its) memory limit|[Mm]emory limit (?:of \S{1,20} )?(?:was |has been )?exceeded|\bOOM[- ]?[Kk]illed\b|[Oo]ut of memory: Killed process"
)
_HEAP = re.compile(
    r"(?P<node>JavaScript heap out of memory)|(?P<java>\bOutOfMemoryError\b(?!: unable to create)(?!: command not allowed)(?:: [^\n]{0,80})?)"
    r"|(?P<go>fatal error: runtime: out of memory|runtime: cannot allocate memory)|(?P<python>\b_?(?:Array)?MemoryError\b)"
    r"|(?P<gunicorn>was sent SIGKILL! Perhaps out of memory\?|Worker with pid \d+ was terminated due to signal 9)"
    r"|(?P<other>\bSystem\.OutOfMemoryException\b|\bAllowed memory size of \d+ bytes exhausted|\bNoMemoryError\b|failed to allocate memory|memory allocation of \d+ bytes failed|std::bad_alloc|Cannot allocate memory|\bENOMEM\b|[Ii]nvalid array buffer length|Array buffer allocation failed|\bOut of memory\b|^Killed$)",
    re.MULTILINE,
)
_TIMED_OUT = re.compile(r"\bWORKER TIMEOUT\b")  # then it was gunicorn itself that killed the worker
_FLAGS = {
    "node": "and set `--max-old-space-size` to three quarters of it (NODE_OPTIONS)",
    "java": "and let the heap follow it (`-XX:MaxRAMPercentage=75`)",
    "gunicorn": "or start fewer gunicorn workers",
}


def _out_of_memory(scene: Scene) -> Diagnosis | None:
    limit = scene.first(_LIMIT)
    heap = next((hit for hit in scene.all(_HEAP) if not (hit["gunicorn"] and scene.first(_TIMED_OUT))), None)
    best = limit or heap
    if best is None:
        return None
    runtime = next((name for name in ("node", "java", "go", "python", "gunicorn", "other") if heap and heap[name]), "")
    size = f" of {limit['limit']} {limit['unit']}" if limit and limit["limit"] else ""
    sure = limit is not None or runtime not in {"", "gunicorn"}
    return Diagnosis(
        code="out_of_memory",
        title=f"The container ran out of memory (limit{size} exceeded)" if size else "The container ran out of memory",
        explanation=(
            "An instance that exceeds its memory limit is killed with all requests it is serving: they end as 500 or 503."
            " /tmp counts: it is memory too."
        ),
        advice=(
            f"Raise the limit (`gcloud run services update {scene.service} --memory …`) {_FLAGS.get(runtime, '')}".rstrip()
            + f", lower the concurrency, or find what grew: {scene.facts.revert} if memory use rose with this deploy"
        ),
        evidence=lines(limit, heap),
        confidence=0.96 if sure else 0.65,
        rollback_helps=False,
        documentation=f"{DOCS}/configuring/services/memory-limits",
        facts={"limit": f"{limit['limit']} {limit['unit']}", "used": limit["used"]} if limit and size else {},
    )


RULES = (
    Rule(
        "out_of_memory",
        _out_of_memory,
        explains=frozenset(
            {
                "signal",
                "exit_code",
                "did_not_listen",
                "startup_probe_failed",
                "liveness_probe_failed",
                "upstream_error",
                "request_timeout",
                "malformed_response",
                "unhandled_exception",
                "worker_timeout",
                "no_instance",
                "worker_boot_failure",
            }
        ),
    ),
)
