"""Tests that never page, until a day that somebody answers for. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.model.catalog import Quarantine


def in_force(rules: Iterable[Quarantine], now: datetime) -> tuple[Quarantine, ...]:
    """Those that have not expired: `until` is the last day, in UTC."""
    return tuple(rule for rule in rules if now.date() <= rule.until)


def quarantined(node_id: str, rules: Iterable[Quarantine]) -> Quarantine | None:
    """The rule that names this test, or the test of which this is one parametrisation."""
    plain = node_id.partition("[")[0]
    return next((rule for rule in rules if rule.test in {node_id, plain}), None)
