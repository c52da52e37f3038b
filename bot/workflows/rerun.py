"""From a requested rerun to what it changed, as steps that may each be run twice.

    start   ask the runner, and remember how it knows the run
    follow  ask how far it is, edit the message, until it is over or its time is
    judge   read what it left, and compare it with what was known
    record  join it to the suite's runs: alarms are raised and cleared as by any other run
    end     store and tell how it ended
    tidy    let the runner forget it

A bot that was killed in the middle goes on with the same run: local ones have a supervisor of their own, the others
are somebody else's. What the runner does not know any more is told as lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import replace
from datetime import datetime, timedelta

from bot.act.runner import Runner, RunRequest
from bot.deps import Deps
from bot.errors import Permanent, Retryable, UserError
from bot.model.catalog import Suite
from bot.model.rerun import Difference, Rerun, RerunMode, RerunState, RunProgress, RunResult
from bot.model.runner import SuiteRunner
from bot.model.suite import AlarmKind, RunScope, TestRun
from bot.model.test_run import RunVerdict, TestReport
from bot.store import audit, reruns, suites, test_runs
from bot.workflows.rerun_requests import BY_ITSELF, branch_of, commit_in, request, runner_of, tell, wanted
from bot.workflows.rerun_result import compared, ended_because, explained, says_something, state_of, understood
from bot.workflows.test_runs import record_run

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=20)
"""A runner that keeps the time itself gets this much longer to say so."""
SOONEST_S, LATEST_S = 0.3, 10.0
"""Pauses between two looks at a run, growing with its age."""
EDIT_EVERY = timedelta(seconds=2)

_SCOPES = {RerunMode.COLLECT: RunScope.COLLECT, RerunMode.FAILED: RunScope.FAILED, RerunMode.ALL: RunScope.ALL}


class Rerunning:
    """The steps; results are built-in values, because DBOS records them."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def try_again(self, run_id: str) -> str:
        """A collection that failed is tried once more where the catalog wants it; the rerun's id, "" for none.

        Only the run that raised the alarm does so: reports that say the same again start nothing.
        """
        async with self._deps.db.read() as session:
            news = await test_runs.recorded(session, run_id)
            alarms = await suites.open_alarms(session, news.run.suite, news.run.branch) if news else {}
        alarm = alarms.get(AlarmKind.DISCOVERY_FAILURE)
        suite = self._deps.catalog.suites.get(news.run.suite) if news else None
        if alarm is None or news is None or suite is None or not suite.auto_rerun:
            return ""
        if AlarmKind.DISCOVERY_FAILURE not in news.raised:
            return ""
        rerun_id = f"rerun-{hashlib.sha256(run_id.encode()).hexdigest()[:20]}"
        try:
            what = wanted(self._deps, news.run.suite, RerunMode.COLLECT, alarm=alarm.id)
            rerun, _ = await request(self._deps, what, BY_ITSELF, rerun_id)
        except UserError as refused:
            log.info("rerun.not_tried", extra={"run": run_id, "why": str(refused)})
            return ""
        return rerun.id

    async def start(self, rerun_id: str) -> str:
        """Why no runner has it; "" when one does."""
        rerun = await self._read(rerun_id)
        if rerun.state is not RerunState.REQUESTED:
            return ""
        config, runner, suite = self._runner(rerun)
        asked = replace(rerun, tries=rerun.tries + 1)
        async with self._deps.db.begin() as session:
            if not await reruns.change(session, asked, expecting=RerunState.REQUESTED):
                return ""
        wish = RunRequest(
            id=rerun.id,
            suite=rerun.suite,
            runner=config,
            mode=rerun.mode,
            ref=rerun.ref,
            tests=rerun.tests,
            timeout=suite.rerun.timeout,
            since=rerun.requested_at,
            again=rerun.tries > 0,
        )
        try:
            handle = await runner.start(wish)
        except Permanent as error:
            return str(error)
        started = reruns.moved(replace(asked, handle=handle), RerunState.STARTED, self._deps.now())
        async with self._deps.db.begin() as session:
            if await reruns.change(session, started, expecting=RerunState.REQUESTED):
                await tell(session, self._deps, started)
        self._deps.wake_outbox()
        return ""

    async def follow(self, rerun_id: str) -> str:
        """Wait until it is over. "" when it is, else why nobody waits any longer."""
        rerun = await self._read(rerun_id)
        _, runner, suite = self._runner(rerun)
        began = rerun.started_at or self._deps.now()
        deadline = began + suite.rerun.timeout + GRACE
        shown_at, silence = began, ""
        while True:
            try:
                found = await runner.poll(rerun.handle)
            except Retryable as error:
                found, silence = RunProgress(rerun.fraction, rerun.said, rerun.ran), str(error)
            else:
                silence = ""
            if isinstance(found, RunResult):
                return ""
            now = self._deps.now()
            if now >= deadline:
                return _too_late(suite, silence)
            seen = replace(rerun, fraction=found.fraction, said=found.said, ran=found.ran or rerun.ran)
            if seen != rerun and now - shown_at >= EDIT_EVERY:
                rerun, shown_at = seen, now
                await self._show(rerun)
            await asyncio.sleep(_pause(began, now))

    async def _show(self, rerun: Rerun) -> None:
        async with self._deps.db.begin() as session:
            if await reruns.change(session, rerun, expecting=RerunState.STARTED):
                await tell(session, self._deps, rerun)
        self._deps.wake_outbox()

    async def judge(self, rerun_id: str) -> bool:
        """Read the result and compare; True when there is something to record."""
        rerun = await self._read(rerun_id)
        if rerun.state is not RerunState.STARTED or rerun.verdict:
            return bool(rerun.verdict)
        result = await self._result(rerun)
        judged = replace(rerun, ran=result.ran or rerun.ran, exit_code=result.exit_code, why=result.why, said="")
        report, judgement = None, None
        if says_something(result):
            report, judgement = await understood(result)
        if judgement is not None:
            changed = await self._difference(rerun, report)
            judged = replace(explained(judged, judgement), difference=changed)
        async with self._deps.db.begin() as session:
            await reruns.change(session, judged, expecting=RerunState.STARTED)
        return judgement is not None

    async def record(self, rerun_id: str) -> str:
        """The verdict, recorded as a run of the suite."""
        rerun = await self._read(rerun_id)
        result = await self._result(rerun)
        report, judgement = await understood(result)
        async with self._deps.db.read() as session:
            branch = await branch_of(session, rerun.suite, rerun.ref, rerun.alarm)
        run = TestRun(
            id=f"run-{rerun.id}",
            suite=rerun.suite,
            branch=branch,
            commit=commit_in(rerun.ref),
            at=self._deps.now(),
            source="rerun",
            url=rerun.ran.url or None if rerun.ran else None,
            exit_code=result.exit_code,
            scope=_SCOPES[rerun.mode],
        )
        await record_run(self._deps, run, report, judgement)
        return judgement.verdict

    async def end(self, rerun_id: str, why: str) -> str:
        """Store and tell how it ended. Args: why: nobody waited for its end, "" when it came."""
        rerun = await self._read(rerun_id)
        if rerun.state.is_over:
            return rerun.state
        if why:
            over = replace(rerun, why=why)
            state = RerunState.TIMED_OUT if rerun.state is RerunState.STARTED else RerunState.FAILED
        else:
            result = await self._result(rerun)
            over, state = rerun, state_of(result)
            if state is RerunState.FINISHED and not rerun.verdict and result.succeeded is not None:
                over = replace(rerun, verdict=RunVerdict.PASSED if result.succeeded else RunVerdict.FAILED)
            elif not rerun.verdict:
                over = replace(rerun, why=ended_because(result, self._suite(rerun)))
        await self._end(over, state)
        return state

    async def give_up(self, rerun_id: str, why: str) -> None:
        """It could not be carried to its end; people wait for this rerun, and it holds up others."""
        async with self._deps.db.read() as session:
            rerun = await reruns.read(session, rerun_id)
        if rerun is not None and not rerun.state.is_over:
            await self._end(replace(rerun, why=why), RerunState.FAILED)

    async def tidy(self, rerun_id: str) -> None:
        """Let the runner end what still runs, and forget it. What it cannot be told, its own limits end."""
        rerun = await self._read(rerun_id)
        if not rerun.handle:
            return
        try:
            _, runner, _ = self._runner(rerun)
            await runner.cancel(rerun.handle)
        except (Permanent, Retryable) as error:
            log.warning("rerun.not_tidied", extra={"rerun": rerun_id, "why": str(error)})

    async def _end(self, rerun: Rerun, state: RerunState) -> None:
        now = self._deps.now()
        over = reruns.moved(rerun, state, now)
        async with self._deps.db.begin() as session:
            if await reruns.change(session, over, expecting=rerun.state):
                await audit.record(
                    session, now, actor="bot", action=f"rerun {rerun.mode}", on=rerun.id, outcome=state, detail=over.why
                )
                await tell(session, self._deps, over)
        self._deps.wake_outbox()
        log.info("rerun.ended", extra={"rerun": rerun.id, "suite": rerun.suite, "state": str(state)})

    async def _difference(self, rerun: Rerun, report: TestReport | None) -> Difference:
        async with self._deps.db.read() as session:
            branch = await branch_of(session, rerun.suite, rerun.ref, rerun.alarm)
            known, packed = await suites.read(session, rerun.suite, branch)
            last = await test_runs.latest(session, rerun.suite, branch)
        return await asyncio.to_thread(compared, rerun.mode, report, known, packed, last[0] if last else None)

    async def _result(self, rerun: Rerun) -> RunResult:
        """What the runner keeps until it is told to forget it."""
        _, runner, _ = self._runner(rerun)
        found = await runner.poll(rerun.handle)
        if isinstance(found, RunProgress):
            raise Retryable("the run goes on although it was over")
        return found

    async def _read(self, rerun_id: str) -> Rerun:
        async with self._deps.db.read() as session:
            rerun = await reruns.read(session, rerun_id)
        if rerun is None:
            raise Permanent(f"rerun {rerun_id} is gone")
        return rerun

    def _suite(self, rerun: Rerun) -> Suite:
        suite = self._deps.catalog.suites.get(rerun.suite)
        if suite is None:
            raise Permanent(f"suite {rerun.suite} is no longer in the catalog")
        return suite

    def _runner(self, rerun: Rerun) -> tuple[SuiteRunner, Runner, Suite]:
        suite = self._suite(rerun)
        try:
            return (*runner_of(self._deps, rerun.suite, suite), suite)
        except UserError as error:
            raise Permanent(str(error)) from error


def _pause(began: datetime, now: datetime) -> float:
    return min(LATEST_S, max(SOONEST_S, (now - began).total_seconds() / 20))


def _too_late(suite: Suite, silence: str) -> str:
    return f"no end within {suite.rerun.timeout}" + (f": {silence}" if silence else "; it was ended")
