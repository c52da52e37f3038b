"""Evidence in, causes out: what a person can act on, the root cause first.

    from bot.correlate import diagnose
    diagnose(entries)                       # LogEntry values or Cloud Logging's JSON, any order
    diagnose(entries, Facts.of(revision))   # with the expected port, conditions, variables

`RULES` is the ordered list: what is nearer to the root comes first, and each rule names the echoes that it explains
away. To add a cause: a function in the file of its family, a line in that file's list, a recorded case in
tests/cases/diagnosis/<code>/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.correlate.diagnosis import (
    auth,
    database,
    environment,
    exceptions,
    exits,
    image,
    imports,
    limits,
    memory,
    network,
    permissions,
    platform,
    port,
    probes,
    redis,
    secrets,
    versions,
    workers,
)
from bot.correlate.diagnosis.facts import Facts
from bot.correlate.diagnosis.rule import Hit, Rule, Scene
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
    *network.FIRST_RULES,
    # while it starts
    *imports.RULES,
    *versions.RULES,
    *exits.RULES,
    *environment.RULES,
    *port.RULES,
    # while it runs: itself, then what it needs
    *memory.RULES,
    *limits.RULES,
    *database.RULES,
    *redis.RULES,
    *network.RULES,
    *database.LATE_RULES,
    *permissions.RULES,
    *auth.LATE_RULES,
    *network.LATE_RULES,
    *workers.RULES,
    *exceptions.LATE_RULES,
    # what is seen from outside, when nothing above explains it
    *exits.LATE_RULES,
    *port.LATE_RULES,
    *probes.LATE_RULES,
    *platform.LATE_RULES,
)
_SYMPTOMS = frozenset(
    rule.code
    for rule in (*workers.RULES, *exits.LATE_RULES, *port.LATE_RULES, *probes.LATE_RULES, *platform.LATE_RULES)
)
_FROM_WARNINGS = 0.8  # a cause that only a warning or an exporter names is less sure


def diagnose(entries: Iterable[LogEntry | Mapping[str, Any]], facts: Facts | None = None) -> list[Diagnosis]:
    """Causes found in the entries, root cause first; [] for harmless chatter.

    Where there are errors but no known cause: one Diagnosis "unknown" with the three most telling lines. Pure: the
    same entries in any order give the same answer, except for entries of the same instant. Never raises for what is
    in the entries; a value that is neither a LogEntry nor a mapping is left out.

    Args:
        entries: of one revision; LogEntry values or dicts in Cloud Logging's JSON shape, mixed as you like.
        facts: what is known besides the log. A revision that never became ready served nobody, so for it
            `rollback_helps` is False whatever the cause.

    Title, explanation, advice and facts are redacted; the evidence is as logged (cut at 2,000 characters a line).
    """
    scene = Scene(tuple(reassemble(_flat(entries))), facts or Facts())
    found = _causes(scene)
    if scene.has_errors and all(diagnosis.code in _SYMPTOMS for diagnosis in found):
        found = _causes_in(replace(scene, warnings=True, telemetry=not found), scene) or found
    if scene.has_errors and not found and (unknown := find_unknown(scene)):
        found = [unknown]
    return [_presentable(diagnosis, scene.facts) for diagnosis in found]


def _flat(entries: Iterable[LogEntry | Mapping[str, Any]]) -> Iterator[LogEntry]:
    for entry in entries:
        if isinstance(entry, LogEntry):
            yield entry
        elif isinstance(entry, Mapping):
            yield from_json(entry)


def _causes(scene: Scene) -> list[Diagnosis]:
    """What the rules find, in their order, without what only follows from something found before."""
    found: list[Diagnosis] = []
    explained: set[str] = set()
    for rule in RULES:
        if rule.code in explained or not (rule.alone or scene.has_errors):
            continue
        diagnosis = rule.find(scene)
        if diagnosis is not None:
            found.append(diagnosis)
            explained |= rule.explains
            scene = scene.after(diagnosis)
    return found


def _causes_in(wider: Scene, scene: Scene) -> list[Diagnosis]:
    """Causes that only the wider scene names, where the narrow one shows symptoms; [] when it names none either."""
    if len(wider.evidence) == len(scene.evidence):
        return []
    found = _causes(wider)
    if all(diagnosis.code in _SYMPTOMS for diagnosis in found):
        return []
    return [
        diagnosis
        if diagnosis.code in _SYMPTOMS
        else replace(diagnosis, confidence=round(diagnosis.confidence * _FROM_WARNINGS, 2))
        for diagnosis in found
    ]


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
