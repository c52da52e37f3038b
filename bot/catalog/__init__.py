"""Reads reliability.yaml into `bot.model.catalog.Catalog`. Every mistake is reported, with file, line, field and mend.

    document.py   file → YAML with line numbers
    schema.py     → the catalog's types
    rules.py      → what types cannot say
    problem.py    what is wrong, and where

Errors start nothing; warnings are things that are allowed but probably not meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from bot.catalog import document, rules, schema
from bot.catalog.problem import Path, Problem
from bot.errors import InvalidConfiguration
from bot.model.catalog import Catalog

__all__ = ["CatalogReport", "Problem", "check", "load"]

_NOT_REFERRED_TO = ("business", "severity", "detection", "roles")  # the other sections' entries are, by name


@dataclass(frozen=True)
class CatalogReport:
    """What was found, in the order of the file. `catalog` is None exactly when there are errors."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    catalog: Catalog | None


def load(path: FilePath) -> Catalog:
    """The catalog in this file.

    Raises:
        InvalidConfiguration: lists every error.
    """
    report = check(path)
    if report.catalog is None:
        lines = "\n  ".join(str(error) for error in report.errors)
        raise InvalidConfiguration(f"the catalog is wrong, nothing was started:\n  {lines}")
    return report.catalog


def check(path: FilePath) -> CatalogReport:
    """Everything that can be said about this file; never raises for what is in it."""
    try:
        found = document.read(path)
    except document.Unreadable as unreadable:
        return CatalogReport((unreadable.problem,), (), None)
    catalog, problems, dropped = schema.typed(found)
    errors: list[Problem] = [*found.problems, *problems]
    warnings: list[Problem] = []
    if catalog is not None:
        some_missing = any(_may_be_missed(gone) for gone in dropped)
        for finding in rules.find(catalog):
            if not _follows_from(finding.path, dropped) and not (finding.is_reference and some_missing):
                kind = errors if finding.is_error else warnings
                kind.append(found.problem(finding.path, finding.text, finding.mend))
    errors.sort(key=lambda problem: problem.line)
    warnings.sort(key=lambda problem: problem.line)
    return CatalogReport(tuple(errors), tuple(warnings), None if errors else catalog)


def _may_be_missed(gone: Path) -> bool:
    """Whether a whole service, journey or suite was left out: every mention of it would look like a mistake."""
    return len(gone) <= 2 and gone[0] not in _NOT_REFERRED_TO


def _follows_from(path: Path, dropped: Sequence[Path]) -> bool:
    """Whether a finding is about something that was left out because it is wrong already."""
    return any(path[: len(gone)] == gone or gone[: len(path)] == path for gone in dropped)
