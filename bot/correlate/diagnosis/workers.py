"""Application servers whose workers hang or die at boot."""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.correlate.diagnosis.rule import STARTUP_ECHOES, Hit, Rule, Scene, lines
from bot.model.judgement import Diagnosis

_TIMEOUT = re.compile(
    r"\bWORKER TIMEOUT\b|\bWorker \(?pid:? ?\d+\)? (?:timed out|did not respond)|HARAKIRI ON WORKER|Child process \[\d+\] died|TimeLimitExceeded|[Tt]erminating timed out worker|Hard time limit \([\d.]+s\) exceeded"
)
_GUNICORN = (
    "gunicorn",
    "--timeout, 30 s by default",
    "behind Cloud Run use `--timeout 0` with threads, so that Cloud Run's own request timeout decides",
)
_KILLERS = {  # a word of the line, in capitals: who says it, its limit, how to change that
    "HARAKIRI": ("uWSGI", "`harakiri`", "or raise `harakiri`, below Cloud Run's own request timeout"),
    "TERMINATING": ("Puma", "`worker_timeout`, 60 s by default", "or raise `worker_timeout` in config/puma.rb"),
    "LIMIT": ("Celery", "`task_time_limit`", "or raise the task's `time_limit`"),
}
_BOOT = re.compile(
    r"\bWorker failed to boot\b|\bWorker \(pid:\d+\) exited with code [1-9]|\bno python application found\b|no app loaded\. going in full dynamic mode|\bFailed to parse '[^'\n]{1,120}' as an attribute name|\bAppImportError\b|WorkerLostError|Child process died|Unable to load application: |\bWorker \(pid:\d+\) exited with code 3\b|\bException in worker process\b"
    r"|\bApplication startup failed\. Exiting\b|\bunable to load WSGI application\b|\bError loading ASGI app\b"
    r"|required a (?:single )?bean of type '(?P<bean>[^'\n]{1,160})'|No qualifying bean of type '(?P<bean2>[^'\n]{1,160})'|Nest can't resolve dependencies of the (?P<provider>\w{1,80})"
    r"|\bAPPLICATION FAILED TO START\b|\bAppRegistryNotReady\b|Apps aren't loaded yet|Failed to start bean '(?P<started>\w{1,80})'|Error creating bean with name '(?P<created>[\w.]{1,120})'"
    r"|\bFailed to find attribute '(?P<attribute>\w{1,80})' in '(?P<module>[\w.]{1,120})'"
    r"|\bAttribute \"(?P<asgi>\w{1,80})\" not found in module \"(?P<asgi_module>[\w.]{1,120})\""
)


_PARTS = ("bean", "bean2", "provider", "started", "created")


class _Part(NamedTuple):
    """A piece that a framework's container could not provide, and where it says so."""

    hit: Hit
    name: str


def _worker_timeout(scene: Scene) -> Diagnosis | None:
    hits = list(scene.all(_TIMEOUT))
    if not hits:
        return None
    count = scene.times(hits)
    times = f"{count} times" if count > 1 else "once"
    server, limit, advice = next((who for sign, who in _KILLERS.items() if sign in hits[0].match[0].upper()), _GUNICORN)
    return Diagnosis(
        code="worker_timeout",
        title=f"{server} kills workers that do not answer within its timeout",
        explanation=f"A worker was busy or blocked longer than {server}'s limit ({limit}); seen {times}.",
        advice=f"Find the call that blocks (a slow dependency without a timeout, start-up work); {advice}",
        evidence=lines(hits[0]),
        confidence=0.85,
        rollback_helps=None,
        documentation="https://docs.gunicorn.org/en/stable/settings.html#timeout",
        facts={"times": str(count)},
    )


def _boot_failure(scene: Scene) -> Diagnosis | None:
    hits = list(scene.all(_BOOT))
    if not hits:
        return None
    named = next((hit for hit in hits if hit["attribute"] or hit["asgi"]), None)
    wired = next((_Part(hit, name) for hit in hits for name in (hit[group] for group in _PARTS) if name), None)
    found = next(scene.tracebacks(), None)
    if named:
        name, module = named["attribute"] or named["asgi"], named["module"] or named["asgi_module"]
        title = f"The server finds no `{name}` in module `{module}`"
        advice = f"Correct the server's argument (`{module}:{name}`) in the Dockerfile, or {scene.facts.revert}"
    elif wired:
        title = f"The application cannot be put together: `{wired.name}`"
        advice = f"Is the class of `{wired.name}` there, annotated and scanned, and its own dependencies too? Or {scene.facts.revert}"
    elif found:
        traceback, _ = found
        title = f"The workers die at boot: {traceback.headline}"
        advice = f"Mend {traceback.culprit or 'the start-up code'}, or {scene.facts.revert}"
    else:
        title, advice = (
            "The server's workers die at boot",
            "Look at the first lines of a worker; run the image locally to see its traceback",
        )
    proof = (found[0].said,) if found and not wired else ()
    return Diagnosis(
        code="worker_boot_failure",
        title=title,
        explanation="The server starts, its workers fail while they load the application, and the container exits.",
        advice=advice,
        evidence=(*proof, *lines(named or (wired.hit if wired else hits[0]))),
        confidence=0.9 if named or wired or found else 0.6,
        rollback_helps=True,
        documentation="https://docs.gunicorn.org/en/stable/faq.html",
        facts={"frame": str(found[0].culprit)} if found and found[0].culprit else {},
    )


_ECHOES = STARTUP_ECHOES - {"worker_boot_failure"}

RULES = (
    Rule("worker_boot_failure", _boot_failure, explains=_ECHOES),
    Rule(
        "worker_timeout",
        _worker_timeout,
        explains=frozenset(
            {
                "exit_code",
                "signal",
                "malformed_response",
                "no_instance",
                "request_timeout",
                "liveness_probe_failed",
                "unhandled_exception",
            }
        ),
    ),
)
