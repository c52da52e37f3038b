"""Application servers whose workers hang or die at boot."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.rule import Rule, Scene, lines
from bot.model.judgement import Diagnosis

_TIMEOUT = re.compile(r"\bWORKER TIMEOUT \(pid:\d+\)")
_BOOT = re.compile(
    r"\bWorker failed to boot\b|\bWorker \(pid:\d+\) exited with code 3\b|\bException in worker process\b"
    r"|\bApplication startup failed\. Exiting\b|\bunable to load WSGI application\b|\bError loading ASGI app\b"
    r"|\bFailed to find attribute '(?P<attribute>\w{1,80})' in '(?P<module>[\w.]{1,120})'"
    r"|\bAttribute \"(?P<asgi>\w{1,80})\" not found in module \"(?P<asgi_module>[\w.]{1,120})\""
)


def _worker_timeout(scene: Scene) -> Diagnosis | None:
    hits = list(scene.all(_TIMEOUT))
    if not hits:
        return None
    count = scene.times(hits)
    times = f"{count} times" if count > 1 else "once"
    return Diagnosis(
        code="worker_timeout",
        title="gunicorn kills workers that do not answer within its timeout",
        explanation=f"A worker was busy or blocked longer than gunicorn's --timeout (30 s by default); seen {times}.",
        advice=(
            "Find the call that blocks (a slow dependency without a timeout, start-up work); behind Cloud Run use `--timeout 0` "
            "with threads, so that Cloud Run's own request timeout decides"
        ),
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
    found = next(scene.tracebacks(), None)
    if named:
        name, module = named["attribute"] or named["asgi"], named["module"] or named["asgi_module"]
        title = f"The server finds no `{name}` in module `{module}`"
        advice = f"Correct the server's argument (`{module}:{name}`) in the Dockerfile, or {scene.facts.revert}"
    elif found:
        traceback, _ = found
        title = f"The workers die at boot: {traceback.headline}"
        advice = f"Mend {traceback.culprit or 'the start-up code'}, or {scene.facts.revert}"
    else:
        title, advice = (
            "The server's workers die at boot",
            "Look at the first lines of a worker; run the image locally to see its traceback",
        )
    proof = (found[0].headline,) if found else ()
    return Diagnosis(
        code="worker_boot_failure",
        title=title,
        explanation="The server starts, its workers fail while they load the application, and the container exits.",
        advice=advice,
        evidence=(*proof, *lines(named or hits[0])),
        confidence=0.9 if named or found else 0.6,
        rollback_helps=True,
        documentation="https://docs.gunicorn.org/en/stable/faq.html",
        facts={"frame": str(found[0].culprit)} if found and found[0].culprit else {},
    )


_ECHOES = frozenset(
    {"exit_code", "did_not_listen", "startup_probe_failed", "malformed_response", "unhandled_exception"}
)

RULES = (
    Rule("worker_boot_failure", _boot_failure, explains=_ECHOES),
    Rule("worker_timeout", _worker_timeout, explains=frozenset({"exit_code", "malformed_response", "no_instance"})),
)
