"""An alarm of a suite → what its card shows: chosen, worded, cut and redacted here; the template only lays it out.

Pure: the same alarm gives the same card.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.decide.phrases import listed
from bot.model import links
from bot.model.catalog import Catalog, Service
from bot.model.suite import AlarmKind, BrokenTest, RunMark, SuiteAlarm
from bot.notify.buttons import Button
from bot.notify.impact import ImpactShown, impact_shown
from bot.notify.safe import line, opening, utc
from bot.notify.words import count, duration

RERUN = "rerun_suite"

_TITLE, _PROOF, _FIX, _REASON, _NODE, _MESSAGE = 240, 240, 400, 300, 160, 140
_TESTS, _FILES, _MOVED, _SUSPECTS, _MODULES, _QUARANTINED, _LISTED = 8, 8, 3, 6, 3, 3, 25
_MODES = {AlarmKind.FAILING: "failed", AlarmKind.OVER_BUDGET: "all"}
_LABELS = {"collect": "Rerun collection", "failed": "Rerun failed tests", "all": "Rerun suite"}


@dataclass(frozen=True)
class CommitShown:
    """Seven digits; `url` None without a repository."""

    commit: str
    url: str | None


@dataclass(frozen=True)
class CauseShown:
    """Why tests were not found. `lost`: the modules that it costs, in words; "" when none."""

    title: str
    proof: str
    fix: str
    culprit: str
    lost: str


@dataclass(frozen=True)
class TestShown:
    """One failing test. `since`: None where it is that of the alarm."""

    node_id: str
    message: str
    culprit: str
    flaky: str
    since: datetime | None


@dataclass(frozen=True)
class AlarmCard:
    """All that templates/suite/card shows. `text` is what a lock screen shows.

    Attributes:
        reason: "" where the cause says it all. last_good: when and of what commit; None: never seen.
        missing: (file or class, how many of its tests vanished; a single one by its name and 0). more_*: not shown.
        moved: likewise, (before, now, how many).
        between: commits that may have done it, oldest first.
    """

    text: str
    icon: str
    severity: str
    where: str
    headline: str
    is_over: bool
    since: datetime
    ended: datetime | None
    after: str
    resolution: str
    reason: str
    impact: ImpactShown | None
    causes: tuple[CauseShown, ...]
    tests: tuple[TestShown, ...]
    more_tests: int
    missing: tuple[tuple[str, int], ...]
    more_missing: int
    moved: tuple[tuple[str, str, int], ...]
    over: tuple[str, ...]
    quarantined: str
    last_good: RunMark | None
    last_good_commit: CommitShown | None
    before: str
    between: tuple[CommitShown, ...]
    more_between: int
    commit: CommitShown | None
    run_at: datetime
    exit_code: int | None
    url: str | None
    disagreement: str
    buttons: tuple[Button, ...]


def alarm_card(alarm: SuiteAlarm, catalog: Catalog) -> AlarmCard:
    """What the card of this alarm shows."""
    told = headline(alarm)
    where = f"{alarm.suite} ({line(alarm.branch, 60)})"
    service = next((s for s in catalog.services_with(alarm.suite) if s.repository), None)
    causes = tuple(map(_cause, alarm.causes)) if alarm.is_open else ()
    is_harmless = alarm.kind is AlarmKind.OVER_BUDGET
    files = _by_file(alarm.missing)
    hidden = sum(max(1, number) for _, number in files[_FILES:]) + max(0, alarm.count - len(alarm.missing))
    return AlarmCard(
        text=_text(alarm, where, told, causes),
        icon="✅" if not alarm.is_open else "🔴",
        severity=str(alarm.severity),
        where=where,
        headline=told,
        is_over=not alarm.is_open,
        since=alarm.since.at,
        ended=alarm.resolved_at,
        after=duration(alarm.resolved_at - alarm.since.at) if alarm.resolved_at else "",
        resolution=line(alarm.resolution, _REASON),
        reason=line(alarm.reason, _REASON),
        impact=None if alarm.impact is None or is_harmless else impact_shown(alarm.impact, catalog.business.arr),
        causes=causes,
        tests=tuple(_test(test, alarm) for test in alarm.tests[:_TESTS]) if alarm.is_open else (),
        more_tests=max(0, alarm.count - _TESTS) if alarm.kind is AlarmKind.FAILING else 0,
        missing=files[:_FILES] if alarm.is_open else (),
        more_missing=hidden if alarm.is_open and alarm.missing else 0,
        moved=_moved(alarm.renamed)[:_MOVED] if alarm.is_open else (),
        over=tuple(f"{counted:,} {line(name, 80)} (allowed: {allowed:,})" for name, counted, allowed in alarm.over),
        quarantined=_quarantined(alarm),
        last_good=alarm.last_good,
        last_good_commit=_commit(service, alarm.last_good.commit) if alarm.last_good else None,
        before=_before(alarm),
        between=tuple(filter(None, (_commit(service, commit) for commit in alarm.suspects[-_SUSPECTS:]))),
        more_between=max(0, len(alarm.suspects) - _SUSPECTS),
        commit=_commit(service, alarm.run.commit),
        run_at=alarm.run.at,
        exit_code=alarm.run.exit_code,
        url=alarm.run.url,
        disagreement=line(alarm.run.disagreement, _REASON),
        buttons=_buttons(alarm, catalog),
    )


def headline(alarm: SuiteAlarm) -> str:
    """`0 tests collected`, `214 tests vanished`; what it was, once it is over."""
    run = alarm.run
    if not alarm.is_open:
        return f"resolved: {_over(alarm)}"
    if alarm.kind is AlarmKind.DISCOVERY_FAILURE:
        return "0 tests collected" if not run.collected else f"only {count(run.collected, 'test')} collected"
    if alarm.kind is AlarmKind.UNREADABLE:
        return "report unreadable"
    if alarm.kind is AlarmKind.VANISHED:
        return f"{count(alarm.count, 'test')} vanished"
    if alarm.kind is AlarmKind.OVER_BUDGET:
        return "too many warnings"
    return f"{count(alarm.count, 'test')} {'fails' if alarm.count == 1 else 'fail'}" if alarm.count else "run failed"


def _over(alarm: SuiteAlarm) -> str:
    if alarm.kind is AlarmKind.DISCOVERY_FAILURE:
        return f"{count(alarm.run.collected, 'test')} collected again"
    return {
        AlarmKind.UNREADABLE: "reports can be read again",
        AlarmKind.VANISHED: "tests are there again" if alarm.run.collected else "nothing is missing",
        AlarmKind.FAILING: "no test fails",
        AlarmKind.OVER_BUDGET: "warnings within budget",
    }[alarm.kind]


def _text(alarm: SuiteAlarm, where: str, told: str, causes: Sequence[CauseShown]) -> str:
    icon = "🔴" if alarm.is_open else "✅"
    parts = [f"{icon} {alarm.severity} · {where} · {told}"]
    if alarm.is_open:
        parts[0] += f" since {utc(alarm.since.at)}"
        parts += [causes[0].title] if causes else []
    return ". ".join(parts)


def _cause(cause: Any) -> CauseShown:
    modules = [opening(module, 80) for module in cause.modules[:_MODULES]]
    more = cause.lost - len(modules)
    named = listed([*modules, f"{more:,} more"] if more > 0 else modules)
    return CauseShown(
        title=line(cause.title, _TITLE),
        proof=line(cause.proof, _PROOF),
        fix=line(cause.fix, _FIX),
        culprit=opening(cause.culprit, 120),
        lost=f"{count(max(cause.lost, len(modules)), 'module')} lost to it: {named}" if modules else "",
    )


def _test(test: BrokenTest, alarm: SuiteAlarm) -> TestShown:
    return TestShown(
        node_id=_node(test.node_id),
        message=opening(test.message, _MESSAGE),
        culprit=opening(test.culprit, 100),
        flaky=test.flaky,
        since=test.since.at if test.since.at - alarm.since.at > timedelta(minutes=1) else None,
    )


def _node(node_id: str) -> str:
    """The end of a node id tells tests apart: a long one loses its beginning."""
    said = line(node_id, 2_000)
    return said if len(said) <= _NODE else f"…{said[-_NODE + 1 :]}"


def _by_file(missing: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Vanished tests, a file (or a class, where there is no file) and how many of it, or a single one and 0."""
    files = Counter(node_id.partition("::")[0] for node_id in missing)
    single = {node_id.partition("::")[0]: node_id for node_id in missing}
    return tuple(
        (_node(file), number) if number > 1 else (_node(single[file]), 0) for file, number in files.most_common()
    )


def _moved(renamed: Sequence[tuple[str, str]]) -> tuple[tuple[str, str, int], ...]:
    """Tests that moved: from which file to which and how many, or a single one by its names and 0; most first."""
    by_files = defaultdict(list)
    for then, now in renamed:
        by_files[then.partition("::")[0], now.partition("::")[0]].append((then, now))
    most_first = sorted(by_files.items(), key=lambda entry: -len(entry[1]))
    return tuple(
        (_node(then), _node(now), len(tests)) if len(tests) > 1 else (_node(tests[0][0]), _node(tests[0][1]), 0)
        for (then, now), tests in most_first
    )


def _quarantined(alarm: SuiteAlarm) -> str:
    if not alarm.quarantined or not alarm.is_open:
        return ""
    names = [_node(node_id) for node_id in alarm.quarantined[:_QUARANTINED]]
    more = len(alarm.quarantined) - len(names)
    return listed([*names, f"{more:,} more"] if more else names)


def _before(alarm: SuiteAlarm) -> str:
    """What the last good run had; "" when nobody knows."""
    if alarm.before is None or not alarm.is_open:
        return ""
    if alarm.kind is AlarmKind.OVER_BUDGET:
        return f"{alarm.before:,} {line(alarm.over[0][0], 80)}" if alarm.over else ""
    return count(alarm.before, "test")


def _commit(service: Service | None, commit: str | None) -> CommitShown | None:
    if not commit:
        return None
    return CommitShown(commit[:7], links.commit_url(service, commit) if service else None)


def _buttons(alarm: SuiteAlarm, catalog: Catalog) -> tuple[Button, ...]:
    suite = catalog.suites.get(alarm.suite)
    if not alarm.is_open or suite is None or suite.runner is None:
        return ()
    mode = _MODES.get(alarm.kind, "collect")
    style = "primary" if mode == "collect" else ""
    return (Button(RERUN, _LABELS[mode], f"{alarm.suite}:{alarm.id}:{mode}", style),)


def suite_note(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line of history of an alarm, as `bot.workflows.test_runs` hands it over."""
    tests = [_node(node_id) for node_id in context.get("tests", ())[:_LISTED]]
    return {
        "note": {
            "moment": context["moment"],
            "at": context["at"],
            "reason": line(context.get("reason", ""), _REASON),
            "tests": tests,
            "count": context.get("count", len(tests)),
            "more": max(0, context.get("count", len(tests)) - len(tests)),
            "flaky": {_node(node_id) for node_id in context.get("flaky", ())},
            "commit": line(context.get("commit") or "", 40)[:7],
            "url": context.get("url"),
        }
    }
