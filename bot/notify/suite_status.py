"""Suites in `/reliability status`: what is wrong, the last run, and how often runs succeed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.decide.phrases import percent
from bot.decide.suites.rates import COLLECTION, Rate, rates
from bot.model.catalog import Suite
from bot.model.suite import RunScope, SuiteAlarm, TestRun
from bot.model.test_run import RunVerdict
from bot.notify.safe import line
from bot.notify.suite import headline
from bot.notify.words import count

_SHOWN = 8
_ICONS = {
    RunVerdict.PASSED: "✅",
    RunVerdict.FAILED: "❌",
    RunVerdict.DISCOVERY_FAILURE: "🕳️",
    RunVerdict.UNREADABLE: "❓",
}


@dataclass(frozen=True)
class AlarmLine:
    """An open alarm in one line."""

    severity: str
    headline: str
    since: datetime


@dataclass(frozen=True)
class SuiteLine:
    """One suite on one branch. `told`: what its last run said; "" before the first."""

    where: str
    alarms: tuple[AlarmLine, ...]
    icon: str
    told: str
    at: datetime | None
    commit: str
    url: str | None
    rates: str


def suite_lines(entries: Sequence[Mapping[str, Any]], days: int) -> tuple[tuple[SuiteLine, ...], int]:
    """(the first few, those with alarms first; how many more there are), from what `commands/status.py` read."""
    lines = [_line(**entry, days=days) for entry in entries]
    lines.sort(key=lambda one: min((alarm.severity for alarm in one.alarms), default="P9"))
    return tuple(lines[:_SHOWN]), max(0, len(lines) - _SHOWN)


def _line(
    *,
    name: str,
    branch: str,
    suite: Suite,
    last: TestRun | None,
    alarms: Sequence[SuiteAlarm],
    verdicts: Sequence[RunVerdict],
    days: int,
) -> SuiteLine:
    worst = sorted(alarms, key=lambda alarm: (alarm.severity, alarm.since.at))
    return SuiteLine(
        where=f"{name} ({line(branch, 60)})" if branch else name,
        alarms=tuple(AlarmLine(str(alarm.severity), headline(alarm), alarm.since.at) for alarm in worst),
        icon=_ICONS[last.verdict] if last and last.verdict else "",
        told=_told(last) if last else "",
        at=last.at if last else None,
        commit=(last.commit or "")[:7] if last else "",
        url=last.url if last else None,
        rates=_rates(rates(verdicts, suite.targets), days),
    )


def _told(run: TestRun) -> str:
    """`41 passed, 1 failed, 2 skipped`; the reason where there is nothing to count."""
    if run.verdict in {RunVerdict.DISCOVERY_FAILURE, RunVerdict.UNREADABLE}:
        return line(run.reason, 160)
    if run.scope is RunScope.COLLECT:
        return f"{count(run.collected, 'test')} collected, not run"
    totals = run.totals
    parts = [
        f"{number:,} {word}"
        for number, word in (
            (totals.passed, "passed"),
            (totals.failed + totals.errors, "failed"),
            (totals.skipped, "skipped"),
        )
        if number
    ]
    return ", ".join(parts) or line(run.reason, 160)


def _rates(known: Sequence[Rate], days: int) -> str:
    """`7 days: 6 of 7 runs collected (86 %, target 100 %) ⚠️ · 5 of 6 passed (83 %, target 90 %) ⚠️`."""
    said = []
    for rate in known:
        if not rate.total:
            continue
        what = (
            f"{rate.good:,} of {count(rate.total, 'run')} collected"
            if rate.name == COLLECTION
            else f"{rate.good:,} of {rate.total:,} passed"
        )
        target = f", target {percent(rate.target)}" if rate.target is not None else ""
        said.append(f"{what} ({percent(rate.ratio)}{target}){' ⚠️' if rate.is_missed else ''}")
    return f"{days} days: {' · '.join(said)}" if said else ""
