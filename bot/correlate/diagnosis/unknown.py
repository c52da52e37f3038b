"""When no rule knows the cause: say so, and show the lines that tell most."""

from __future__ import annotations

import re
from collections import Counter

from bot.correlate.diagnosis.rule import Scene
from bot.correlate.fingerprints import fingerprint
from bot.correlate.telling import echo_rank, is_error_like
from bot.model.evidence import LogEntry, LogKind
from bot.model.judgement import Diagnosis

_RETIRED = re.compile(r"^Container called exit\((?:0|130|143)\)")
_LINES = 3
_MAX_LINE = 500
_MAX_PATH = 200
_FAILED = 500


def find_unknown(scene: Scene) -> Diagnosis | None:
    """None where nothing speaks of an error."""
    telling = most_telling(scene.shapes) or _last_words(scene) or failing_requests(scene.entries)
    if not telling:
        return None
    return Diagnosis(
        code="unknown",
        title="The cause is not known",
        explanation="There are errors, but none that points to a cause known here; these lines tell most.",
        advice=f"Read on from there in the log; if they began with this deploy, {scene.facts.revert}",
        evidence=telling,
        confidence=0.1,
        rollback_helps=None,
        documentation="https://cloud.google.com/run/docs/troubleshooting",
    )


def _last_words(scene: Scene) -> tuple[str, ...]:
    """Where only requests fail: the last plain lines on stderr, whose level nobody declared."""
    said = [_line(entry.text) for entry in scene.evidence if entry.log is LogKind.STDERR and entry.status is None]
    return tuple(dict.fromkeys(line for line in said[-_LINES:] if line))


def failing_requests(entries: tuple[LogEntry, ...], status: int | None = None) -> tuple[str, ...]:
    """Where nothing was logged but requests: what failed, as "HTTP 500 on /v1/login (3 times)", the most frequent first.

    Only answers of 500 and above, or of exactly `status`; at most three lines.
    """
    failed = Counter(
        (entry.status, entry.path)
        for entry in entries
        if entry.status is not None and (entry.status == status if status else entry.status >= _FAILED)
    )
    told = sorted(failed.items(), key=lambda item: (-item[1], item[0]))[:_LINES]
    return tuple(
        f"HTTP {code}{f' on {path[:_MAX_PATH]}' if path else ''} ({f'{times} times' if times > 1 else 'once'})"
        for (code, path), times in told
    )


def most_telling(entries: tuple[LogEntry, ...]) -> tuple[str, ...]:
    """At most three different error lines: nearest to a cause first, then the most severe, then the earliest."""
    errors = [entry for entry in entries if entry.text and is_error_like(entry) and not _RETIRED.search(entry.text)]
    ranked = sorted(errors, key=lambda e: (echo_rank(e), e.log is LogKind.SYSTEM, -e.severity, e.at))
    different: dict[str, str] = {}
    for entry in ranked:
        different.setdefault(fingerprint(entry.text), _line(entry.text))
        if len(different) == _LINES:
            break
    return tuple(dict.fromkeys(different.values()))


def _line(text: str) -> str:
    """The first line that says something; a traceback's last, which names the exception."""
    said = [line.strip() for line in text.splitlines() if line.strip()]
    return (said[-1] if said[0].startswith("Traceback") else said[0])[:_MAX_LINE] if said else ""
