"""A run of a suite: its report read, what it changed understood, alarms raised and cleared, all of it told once."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.decide.suites.alarms import Rulings, Told, hindsight, rule
from bot.decide.suites.learning import Learned, learn
from bot.decide.suites.quarantine import in_force, quarantined
from bot.decide.suites.results import results_of
from bot.deps import Deps
from bot.errors import Conflict, Retryable
from bot.model.catalog import Catalog
from bot.model.suite import AlarmKind, RunScope, SuiteAlarm, SuiteNews, SuiteState, TestRun
from bot.model.test_run import Outcome, RunJudgement, TestReport
from bot.store import audit, messages, suites, test_runs
from bot.store.packing import pack_cases, pack_tests, unpack_tests
from bot.workflows import commit_tests
from bot.workflows.read_report import read_report
from bot.workflows.unpaused import unpaused

log = logging.getLogger(__name__)

CARD, NOTE = "suite/card", "suite/note"
NAMED = 200
"""Tests that are kept by name of each kind of news; a card names far fewer."""

_FAILING = 50
"""Failed tests that a run names by itself: enough to tell whether all of them are in quarantine."""

_RED = frozenset({Outcome.FAILED, Outcome.ERROR})
_TRIES = 8
_LONGEST_REASON = 600


class Runs:
    """The steps of `take_run`."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def understand(self, run_id: str) -> str:
        """Read the stored report and record what it says; returns the verdict, "" where there was nothing to do."""
        async with self._deps.db.read() as session:
            run = await test_runs.read(session, run_id)
            done = await test_runs.recorded(session, run_id)
        if run is None or done is not None:
            return ""
        if run.suite not in self._deps.catalog.suites:
            log.warning("run.suite_is_gone", extra={"run": run_id, "suite": run.suite})
            async with self._deps.db.begin() as session:
                await test_runs.give_up(session, run_id, self._deps.now())
            return ""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report"
            await self._fetch(run_id, path)
            with unpaused():
                report, judgement = await read_report(path, run.exit_code)
                news = await record_run(self._deps, run, report, judgement)
                del report
        return str(news.run.verdict)

    async def _fetch(self, run_id: str, path: Path) -> None:
        with path.open("wb") as file:
            async with self._deps.db.read() as session:
                async for part in test_runs.report_parts(session, run_id):
                    file.write(part)


async def record_run(deps: Deps, run: TestRun, report: TestReport | None, judgement: RunJudgement) -> SuiteNews:
    """What a run changes: stored and told, in one transaction; a run that was recorded before changes nothing.

    Args:
        run: of a suite of the catalog; verdict and totals are filled in here. report: None where none can be read.

    Raises:
        KeyError: the suite is not in the catalog. Retryable: others recorded runs of it all the time.
    """
    finished = await asyncio.to_thread(completed, run, report, judgement)
    told = Told(finished, judgement, report)
    for _ in range(_TRIES):
        try:
            with unpaused():
                news = await _record_once(deps, told)
        except Conflict as lost:
            log.info("run.recorded_again", extra={"run": run.id, "why": str(lost)})
            continue
        deps.wake_outbox()
        return news
    raise Retryable(f"run {run.id}: other runs of {run.suite} are recorded all the time")


def completed(run: TestRun, report: TestReport | None, judgement: RunJudgement) -> TestRun:
    """The run with what its report says."""
    run = replace(run, verdict=judgement.verdict, reason=judgement.reason[:_LONGEST_REASON])
    if report is None:
        return run
    only_collected = run.scope is RunScope.ALL and bool(report.cases) and not results_of(report.cases).were_run
    return replace(
        run,
        scope=RunScope.COLLECT if only_collected else run.scope,
        exit_code=report.exit_code if run.exit_code is None else run.exit_code,
        totals=report.totals,
        collected=report.collected,
        duration_s=report.duration_s,
        warnings=dict(report.warnings),
        disagreement=report.disagreement[:_LONGEST_REASON],
        failing=tuple(islice((case.node_id for case in report.cases if case.outcome in _RED), _FAILING)),
    )


@dataclass(frozen=True)
class _Understood:
    """What a run makes of what was known, computed in a thread; ready to be stored."""

    learned: Learned
    rulings: Rulings
    news: SuiteNews
    tests: bytes
    cases: bytes


async def _record_once(deps: Deps, told: Told) -> SuiteNews:
    """Raises Conflict: somebody else changed the same suite meanwhile; nothing was stored."""
    run = told.run
    async with deps.db.read() as session:
        known = await test_runs.recorded(session, run.id)
        if known is not None:
            return replace(known, is_new=False)
        state, packed = await suites.read(session, run.suite, run.branch)
        open_now = await suites.open_alarms(session, run.suite, run.branch)
    understood = await asyncio.to_thread(_understand, deps.catalog, told, state, packed, open_now)
    async with deps.db.begin() as session:
        # who records the same run at the same moment has changed the version
        await suites.save(session, understood.learned.state, understood.tests, expecting=state.version)
        await test_runs.record(session, understood.news, understood.cases, deps.now())
        await _tell(deps, session, understood, open_now)
        await commit_tests.spread(deps, session, run)
    log.info("run.recorded", extra={"run": run.id, "suite": run.suite, "verdict": str(run.verdict)})
    return understood.news


def _understand(
    catalog: Catalog, told: Told, state: SuiteState, packed: bytes, open_now: Mapping[AlarmKind, SuiteAlarm]
) -> _Understood:
    before = replace(state, tests=unpack_tests(packed) if packed else {})
    cases = told.report.cases if told.report else ()
    learned = learn(before, told.run, results_of(cases))
    if told.run.warnings and not learned.is_late:
        learned = replace(learned, state=replace(learned.state, warnings=told.run.warnings))
    rulings = rule(catalog, told, before, learned, open_now)
    return _Understood(
        learned, rulings, _news(told.run, learned, rulings), pack_tests(learned.state.tests), pack_cases(cases)
    )


def _news(run: TestRun, learned: Learned, rulings: Rulings) -> SuiteNews:
    return SuiteNews(
        run=run,
        is_late=learned.is_late,
        broke=learned.broke[:NAMED],
        fixed=learned.fixed[:NAMED],
        vanished=learned.vanished[:NAMED],
        returned=learned.returned[:NAMED],
        renamed=learned.renamed[:NAMED],
        appeared=learned.appeared[:NAMED],
        flaky=learned.flaky[:NAMED],
        raised=tuple(alarm.kind for alarm in rulings.raised),
        resolved=tuple(alarm.kind for alarm in rulings.resolved),
        was_collected=learned.was_collected,
    )


async def _tell(
    deps: Deps, session: AsyncSession, understood: _Understood, open_now: Mapping[AlarmKind, SuiteAlarm]
) -> None:
    """Alarms into the books and the outbox: a card for each that is raised, an edit and a line of history for a change."""
    learned, rulings, run = understood.learned, understood.rulings, understood.news.run
    now, channel = deps.now(), channel_of(deps.catalog, run.suite)
    for raised in rulings.raised:
        alarm = await _with_suspects(session, raised)
        await suites.add_alarm(session, alarm)
        await audit.record(session, now, actor="bot", action="raise", on=alarm.id, outcome="done", detail=alarm.kind)
        await messages.want_card(session, alarm, channel, now, CARD)
        await _note(deps, session, alarm, f"raised:{run.id}", {"reason": alarm.reason, **_listed(alarm)}, run)
    for carried in rulings.carried:
        alarm = await suites.save_alarm(session, await _with_suspects(session, carried))
        await messages.want_card(session, alarm, channel, now, CARD)
        for moment, tests in _edges(deps.catalog, alarm, learned).items():
            told = {"tests": tests[:NAMED], "count": len(tests), "flaky": _flaky(alarm, tests)}
            await _note(deps, session, alarm, f"{moment}:{run.id}", told, run)
    for resolved in rulings.resolved:
        alarm = await suites.save_alarm(session, resolved)
        await audit.record(
            session, now, actor="bot", action="resolve", on=alarm.id, outcome="done", detail=alarm.resolution
        )
        await messages.want_card(session, alarm, channel, now, CARD)
        await _note(deps, session, alarm, f"resolved:{run.id}", {"reason": alarm.resolution}, run)
    failing = open_now.get(AlarmKind.FAILING)
    if learned.is_late and failing is not None:
        sooner = hindsight(failing, learned)
        if sooner != failing:
            alarm = await suites.save_alarm(session, await _with_suspects(session, sooner))
            await messages.want_card(session, alarm, channel, now, CARD)


async def _with_suspects(session: AsyncSession, alarm: SuiteAlarm) -> SuiteAlarm:
    found = await test_runs.suspects(session, alarm.suite, alarm.branch, alarm.last_good, alarm.since)
    return replace(alarm, suspects=found)


def _listed(alarm: SuiteAlarm) -> dict[str, Any]:
    """The tests that an alarm was raised for; the card itself only says which files lost theirs."""
    tests = list(alarm.missing) or [test.node_id for test in alarm.tests]
    return {"tests": tests, "count": alarm.count, "flaky": _flaky(alarm, tests)} if tests else {}


def _edges(catalog: Catalog, alarm: SuiteAlarm, learned: Learned) -> dict[str, list[str]]:
    """What happened to the tests of an alarm that stays open; what is quarantined is not said."""
    if alarm.kind is AlarmKind.FAILING:
        rules = in_force(catalog.suites[alarm.suite].quarantine, alarm.run.at)
        broke = [node_id for node_id in learned.broke if quarantined(node_id, rules) is None]
        fixed = [node_id for node_id in learned.fixed if quarantined(node_id, rules) is None]
        edges = {"broke": broke, "fixed": fixed, "left": list(learned.left)}
    elif alarm.kind is AlarmKind.VANISHED:
        edges = {"vanished": list(learned.vanished), "returned": list(learned.returned)}
    else:
        edges = {}
    return {moment: tests for moment, tests in edges.items() if tests}


def _flaky(alarm: SuiteAlarm, tests: list[str]) -> list[str]:
    known = {test.node_id for test in alarm.tests if test.flaky}
    return [node_id for node_id in tests if node_id in known]


async def _note(
    deps: Deps, session: AsyncSession, alarm: SuiteAlarm, moment: str, told: Mapping[str, Any], run: TestRun
) -> None:
    context = {**told, "at": run.at, "commit": run.commit, "url": run.url}
    await messages.add_note(session, alarm, moment, context, channel_of(deps.catalog, run.suite), deps.now(), NOTE)


def channel_of(catalog: Catalog, suite: str) -> str:
    """Where an alarm of a suite is told: never nowhere. Without a word in the catalog, where the first of the services
    is told that its journeys need, else where the first of all services is.
    """
    said = catalog.channel_of(suite)
    if said is not None:
        return said
    needed = [
        key for name in catalog.suites[suite].guards if name in catalog.journeys for key in catalog.journeys[name].needs
    ]
    keys = [key for key in (*needed, *catalog.services) if key in catalog.services]
    return catalog.services[keys[0]].channel
