"""A rerun in words: what was asked, how far it is, and what is different afterwards. Pure text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from bot.model.rerun import Difference, NodeIds, Ran, Rerun, RerunMode, RerunState
from bot.model.test_run import RunVerdict
from bot.notify.safe import line
from bot.notify.words import count, duration

WHAT = {RerunMode.COLLECT: "Collection", RerunMode.FAILED: "Rerun of what failed", RerunMode.ALL: "Rerun of all tests"}
_CELLS = 10
_NAMED = 5
_LONGEST_ID = 160
_LONGEST_COMMAND = 400


@dataclass(frozen=True)
class Change:
    """One line of the difference: `3 tests still missing`, the first of them, and how many more there are."""

    sign: str
    label: str
    tests: tuple[str, ...]
    more: int


@dataclass(frozen=True)
class RerunShown:
    """What the template shows; every text is safe to show but not yet escaped.

    Attributes:
        sign: one emoji. bar: "" when it is over. ran: (name, value) of what was run and where; value "" is not set.
    """

    suite: str
    what: str
    by: str
    ref: str
    sign: str
    headline: str
    at: datetime
    took: str
    bar: str
    said: str
    why: str
    cause: str
    fix: str
    changes: tuple[Change, ...]
    command: str
    directory: str
    ran: tuple[tuple[str, str], ...]
    url: str


def rerun_shown(context: Mapping[str, Any]) -> RerunShown:
    """Args: context: {"rerun": a Rerun as built-in values}."""
    rerun = msgspec.convert(context["rerun"], Rerun)
    sign, headline = _headline(rerun)
    ran = rerun.ran or Ran()
    over = rerun.state.is_over
    return RerunShown(
        suite=rerun.suite,
        what=WHAT[rerun.mode],
        by=rerun.by,
        ref=rerun.ref,
        sign=sign,
        headline=line(headline, 300),
        at=(rerun.ended_at if over else rerun.requested_at) or rerun.requested_at,
        took=_took(rerun),
        bar="" if over else bar(rerun),
        said="" if over else line(rerun.said, 150),
        why=line(_why(rerun), 600) if over and rerun.verdict != RunVerdict.PASSED else "",
        cause=line(rerun.cause, 300),
        fix=line(rerun.fix, 400),
        changes=_changes(rerun.difference) if rerun.difference else (),
        command=line(ran.command, _LONGEST_COMMAND),
        directory=line(ran.directory, 300),
        ran=_where(ran),
        url=ran.url,
    )


def bar(rerun: Rerun) -> str:
    """`▓▓▓▓▓▓░░░░ 60 %`; without a number while nobody knows how far it is."""
    if rerun.fraction is None:
        done = 1 if rerun.state is RerunState.STARTED else 0
        return "▓" * done + "░" * (_CELLS - done)
    cells = round(rerun.fraction * _CELLS)
    return f"{'▓' * cells}{'░' * (_CELLS - cells)} {rerun.fraction:.0%}".replace("%", " %")


def _headline(rerun: Rerun) -> tuple[str, str]:
    match rerun.state:
        case RerunState.REQUESTED:
            return "🔁", "requested, waits for its runner"
        case RerunState.STARTED:
            return "🔁", "runs"
        case RerunState.TIMED_OUT:
            return "⌛", "timed out"
        case RerunState.LOST:
            return "❓", "lost: it is not known how it ended"
        case RerunState.FAILED:
            return "❌", "could not be run"
        case RerunState.FINISHED:
            return _finished(rerun)


def _why(rerun: Rerun) -> str:
    """The reason without the cause, which has lines of its own."""
    return rerun.why.partition(" · ")[0] if rerun.cause else rerun.why


def _finished(rerun: Rerun) -> tuple[str, str]:
    collected = _collected(rerun.difference) if rerun.difference else ""
    match rerun.verdict:
        case RunVerdict.PASSED:
            return "✅", collected or "passed"
        case RunVerdict.FAILED:
            return "❌", f"{collected}, some fail" if collected else "failed"
        case RunVerdict.DISCOVERY_FAILURE:
            still = rerun.difference is not None and rerun.difference.before == rerun.difference.now == 0
            return "🔴", "still 0 tests collected" if still else collected or "tests are not found"
        case RunVerdict.UNREADABLE:
            return "🔴", "its report cannot be read"
        case _:
            return "❔", "ended, and said nothing about the tests"


def _collected(difference: Difference) -> str:
    now = f"{count(difference.now, 'test')} collected"
    return now if difference.before is None else f"{difference.before:,} → {now}"


def _changes(difference: Difference) -> tuple[Change, ...]:
    lines = (
        ("➕", "now collected", difference.found),
        ("➖", "still missing", difference.missing),
        ("🔴", "newly failing", difference.failing),
        ("🟢", "fixed", difference.fixed),
        ("🟠", "still failing", difference.still),
    )
    return tuple(_change(sign, label, tests) for sign, label, tests in lines if tests.total)


def _change(sign: str, label: str, tests: NodeIds) -> Change:
    named = tuple(line(test, _LONGEST_ID) for test in tests.first[:_NAMED])
    return Change(sign, f"{count(tests.total, 'test')} {label}", named, tests.total - len(named))


def _where(ran: Ran) -> tuple[tuple[str, str], ...]:
    """What decides what pytest finds; only what was told, and PYTHONPATH in any case: its absence is the usual cause."""
    if not ran.directory:
        return ()
    told = (
        ("rootdir", ran.rootdir),
        ("config", ran.configfile),
        ("Python", ran.python),
        ("pytest", ran.pytest),
    )
    known = tuple((name, line(value, 200)) for name, value in told if value)
    return (*known, ("PYTHONPATH", line(ran.pythonpath, 200) or "not set"))


def _took(rerun: Rerun) -> str:
    if rerun.ended_at is None or rerun.started_at is None:
        return ""
    return duration(rerun.ended_at - rerun.started_at)
