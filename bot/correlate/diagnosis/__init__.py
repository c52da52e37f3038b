"""Evidence in, causes out: what a person can act on, the root cause first.

    from bot.correlate import diagnose
    diagnose(entries)                       # LogEntry values or Cloud Logging's JSON, any order
    diagnose(entries, Facts.of(revision))   # with the expected port, conditions, variables

`RULES` is the ordered list: what is nearer to the root comes first, and each rule names the echoes that it explains
away. To add a cause: a function in the file of its family, a line in that file's list, a recorded case in
tests/cases/diagnosis/<code>/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bot.correlate.diagnosis import (
    database,
    environment,
    exceptions,
    exits,
    image,
    imports,
    memory,
    permissions,
    platform,
    port,
    probes,
    secrets,
    workers,
)
from bot.correlate.diagnosis.rule import Facts, Hit, Rule, Scene
from bot.correlate.diagnosis.unknown import find_unknown
from bot.correlate.entry_json import from_json
from bot.correlate.reassembly import reassemble
from bot.model.evidence import LogEntry
from bot.model.judgement import Diagnosis
from bot.redact import redact, shorten

__all__ = ["RULES", "Facts", "Hit", "Rule", "Scene", "diagnose"]

_MAX_TITLE = 300
_MAX_TEXT = 1_000
_MAX_EVIDENCE = 2_000

RULES: tuple[Rule, ...] = (
    # before the container runs
    *image.RULES,
    *secrets.RULES,
    # while it starts
    *exits.RULES,
    *imports.RULES,
    *environment.RULES,
    *port.RULES,
    # while it runs
    *memory.RULES,
    *database.RULES,
    *permissions.RULES,
    *workers.RULES,
    *exceptions.LATE_RULES,
    # what is seen from outside, when nothing above explains it
    *exits.LATE_RULES,
    *port.LATE_RULES,
    *probes.LATE_RULES,
    *platform.LATE_RULES,
)


def diagnose(entries: Iterable[LogEntry | Mapping[str, Any]], facts: Facts | None = None) -> list[Diagnosis]:
    """Causes found in the entries, root cause first; [] for harmless chatter.

    Where there are errors but no known cause: one Diagnosis "unknown" with the three most telling lines. Pure: the
    same entries in any order give the same answer, except for entries of the same instant.

    Args:
        entries: of one revision; LogEntry values or dicts in Cloud Logging's JSON shape, mixed as you like.
        facts: what is known besides the log. A revision that never became ready served nobody, so for it
            `rollback_helps` is False whatever the cause.

    Title, explanation, advice and facts are redacted; the evidence is as logged (cut at 2,000 characters a line).
    """
    flat = (entry if isinstance(entry, LogEntry) else from_json(entry) for entry in entries)
    scene = Scene(tuple(reassemble(flat)), facts or Facts())
    if not scene.has_errors:
        return []
    found: list[Diagnosis] = []
    explained: set[str] = set()
    for rule in RULES:
        diagnosis = None if rule.code in explained else rule.find(scene)
        if diagnosis is not None:
            found.append(diagnosis)
            explained |= rule.explains
            scene = scene.after(diagnosis)
    if not found and (unknown := find_unknown(scene)):
        found.append(unknown)
    return [_presentable(diagnosis, scene.facts) for diagnosis in found]


def _presentable(diagnosis: Diagnosis, facts: Facts) -> Diagnosis:
    """Words of ours with parts of log lines in them: redacted and short. The evidence stays as logged."""
    return replace(
        diagnosis,
        title=shorten(redact(diagnosis.title), _MAX_TITLE),
        explanation=shorten(redact(diagnosis.explanation), _MAX_TEXT),
        advice=shorten(redact(diagnosis.advice), _MAX_TEXT),
        evidence=tuple(shorten(line, _MAX_EVIDENCE) for line in diagnosis.evidence),
        facts={key: shorten(redact(value), _MAX_TITLE) for key, value in diagnosis.facts.items()},
        rollback_helps=False if facts.ready is False else diagnosis.rollback_helps,
    )
