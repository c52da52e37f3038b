"""An exception of the program's own that no other rule explains: the frame that raised it says where to look."""

from __future__ import annotations

from collections import Counter

from bot.correlate.diagnosis.rule import Rule, Scene
from bot.correlate.tracebacks import Traceback
from bot.model.judgement import Diagnosis


def _unhandled_exception(scene: Scene) -> Diagnosis | None:
    """The most frequent one; among equals the earliest."""
    first: dict[tuple[str, str], Traceback] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for traceback, times in scene.tracebacks():
        first.setdefault(_key(traceback), traceback)
        counts[_key(traceback)] += times
    if not first:
        return None
    top = max(first.values(), key=lambda traceback: counts[_key(traceback)])
    culprit, times = top.culprit, counts[_key(top)]
    return Diagnosis(
        code="unhandled_exception",
        title=f"`{top.headline}`{f' at {culprit}' if culprit else ''}",
        explanation=f"The program raises {top.exception} and does not handle it; seen {f'{times} times' if times > 1 else 'once'}.",
        advice=f"Look at {culprit or 'the traceback'}: does it handle this input? If this deploy brought it, {scene.facts.revert}",
        evidence=(top.said,),
        confidence=0.7 if culprit else 0.55,
        rollback_helps=None,
        documentation="https://cloud.google.com/error-reporting/docs",
        facts={"exception": top.exception, **({"frame": str(culprit)} if culprit else {})},
    )


def _key(traceback: Traceback) -> tuple[str, str]:
    return traceback.exception, str(traceback.culprit)


LATE_RULES = (
    Rule(
        "unhandled_exception",
        _unhandled_exception,
        explains=frozenset(
            {"exit_code", "malformed_response", "did_not_listen", "startup_probe_failed", "worker_boot_failure"}
        ),
    ),
)
