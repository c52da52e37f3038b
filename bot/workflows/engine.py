"""The DBOS workflows: straight-line code whose every effect is a step.

Workflow ids are idempotency keys: an event's id, `watch:<place>:<revision>`, a plan's id. Starting one that exists
does nothing. A changed workflow keeps its old steps in their order and puts new ones behind `DBOS.patch_async`.
"""

from __future__ import annotations

import logging
from datetime import datetime

from dbos import DBOS, DBOSConfiguredInstance, SetWorkflowID

from bot.decide.policy import next_look
from bot.deps import Deps
from bot.errors import ReliabilityError
from bot.model.judgement import Health
from bot.model.test_run import RunVerdict
from bot.workflows.events import Events
from bot.workflows.look import Looker
from bot.workflows.rerun import Rerunning
from bot.workflows.rollback import Rollback
from bot.workflows.steps import step
from bot.workflows.test_runs import Runs

log = logging.getLogger(__name__)

RESOLVE_EVERY = 2.0
RESOLVE_TRIES = 15
RUNNING = frozenset({"PENDING", "ENQUEUED", "DELAYED"})
"""What DBOS calls a workflow that goes on by itself."""
BROKE_OFF = "its workflow broke off; the bot's log says why"


@DBOS.dbos_class()
class Engine(DBOSConfiguredInstance):
    """Built once with its dependencies before `DBOS.launch()`."""

    def __init__(self, deps: Deps, looker: Looker) -> None:
        super().__init__("reliability")
        self._deps = deps
        self._looker = looker
        self._events = Events(deps)
        self._rollback = Rollback(deps)
        self._runs = Runs(deps)
        self._rerunning = Rerunning(deps)

    @DBOS.workflow(name="take_event")
    async def take_event(self, event_id: str) -> str:
        """Find out which revision an event is about and watch it."""
        place, revision = "", ""
        for _ in range(RESOLVE_TRIES):
            found = await step("revision_of", self._events.revision_of, event_id)
            place, revision = str(found["place"]), str(found["revision"])
            if found["settled"]:
                break
            await DBOS.sleep_async(RESOLVE_EVERY)
        if place and revision:
            await self.start_watch(place, revision)
        await step("taken", self._events.taken, event_id)
        return f"{place} {revision}".strip()

    async def start_run(self, run_id: str) -> None:
        """Understand a stored test run, once."""
        with SetWorkflowID(run_id):
            await DBOS.start_workflow_async(self.take_run, run_id)

    @DBOS.workflow(name="take_run")
    async def take_run(self, run_id: str) -> str:
        """Read the report of a test run, and tell what it changed; returns its verdict."""
        verdict = await step("understand", self._runs.understand, run_id)
        if verdict == RunVerdict.DISCOVERY_FAILURE:
            again = await step("try_again", self._rerunning.try_again, run_id)
            if again:
                await self.start_rerun(again)
        return verdict

    async def start_watch(self, place: str, revision: str) -> None:
        """Watch a revision unless it was watched before."""
        with SetWorkflowID(f"watch:{place}:{revision}"):
            await DBOS.start_workflow_async(self.watch, place, revision)

    @DBOS.workflow(name="watch")
    async def watch(self, place_key: str, revision: str) -> int:
        """Look at a deployment often while a revision is young; returns how often it looked."""
        looks, started_at = 0, await step("started", self._started)
        pause: float | None = 0.0
        while pause is not None:
            await DBOS.sleep_async(pause)
            pause = await step("look", self.look_once, place_key, revision, started_at)
            looks += 1
        return looks

    async def _started(self) -> str:
        return self._deps.now().isoformat()

    async def look_once(self, place_key: str, revision: str, started_at: str) -> float | None:
        """One look. Returns the pause until the next, in seconds; None when nothing is left to watch.

        That is when time is up, the place is gone, or the revision was overtaken and serves nobody. A look that fails
        in a way nobody thought of is logged and does not end the watch.
        """
        place = self._deps.catalog.place(place_key)
        if place is None:
            return None
        try:
            state = (await self._looker.look(place)).state
        except Exception:
            log.exception("look.failed", extra={"place": place_key})
            state = None
        if state is not None and state.latest_created != revision and revision not in state.fact.serving:
            return None
        return self._pause(datetime.fromisoformat(started_at))

    def _pause(self, started_at: datetime) -> float | None:
        """Seconds until the next look; never 0, even where the clock was set back behind the start."""
        watch, now = self._deps.watch, self._deps.now()
        upcoming = next_look(started_at, now, watch)
        return None if upcoming is None else ((upcoming - now) or watch.fast_every).total_seconds()

    async def start_rollback(self, plan_id: str) -> None:
        """Carry out an approved plan, once."""
        with SetWorkflowID(plan_id):
            await DBOS.start_workflow_async(self.rollback, plan_id)

    async def tend_rollback(self, plan_id: str) -> bool:
        """Start a rollback that nobody started; True then. One whose workflow ended without it is given up, aloud."""
        known = await DBOS.get_workflow_status_async(plan_id)
        if known is None:
            await self.start_rollback(plan_id)
        elif known.status not in RUNNING:
            await self._rollback.give_up(plan_id, BROKE_OFF)
        return known is None

    @DBOS.workflow(name="rollback")
    async def rollback(self, plan_id: str) -> str:
        """From an approved plan to verified traffic; returns how it ended. No plan is left under way for ever."""
        try:
            return await self._carry_out(plan_id)
        except Exception as error:
            # whatever it was: people wait for this plan, and nothing else is proposed meanwhile
            log.exception("rollback.broke_off", extra={"plan": plan_id})
            why = str(error) if isinstance(error, ReliabilityError) else BROKE_OFF
            await step("give_up", self._rollback.give_up, plan_id, why)
            return f"given up: {why}"

    async def _carry_out(self, plan_id: str) -> str:
        steps = self._rollback
        if not await step("begin", steps.begin, plan_id):
            return "not begun"
        refused = await step("shift", steps.shift, plan_id)
        if refused or await step("await_traffic", steps.await_traffic, plan_id):
            return "not shifted"
        shifted_at = await step("mitigate", steps.mitigate, plan_id)
        config = self._deps.watch
        checks = max(1, int(config.verify_for / config.verify_poll))
        verdict = {"health": str(Health.INCONCLUSIVE), "why": ""}
        for number in range(1, checks + 1):
            await DBOS.sleep_async(config.verify_poll.total_seconds())
            verdict = await step("check", steps.check, plan_id, shifted_at, number == checks)
        await step("finish", steps.finish, plan_id, verdict["health"], verdict["why"])
        return verdict["health"]

    async def start_rerun(self, rerun_id: str) -> None:
        """Carry out a requested rerun, once."""
        with SetWorkflowID(rerun_id):
            await DBOS.start_workflow_async(self.rerun, rerun_id)

    async def tend_rerun(self, rerun_id: str) -> bool:
        """Start a rerun that nobody started; True then. One whose workflow ended without it is given up, aloud."""
        known = await DBOS.get_workflow_status_async(rerun_id)
        if known is None:
            await self.start_rerun(rerun_id)
        elif known.status not in RUNNING:
            await self._rerunning.give_up(rerun_id, BROKE_OFF)
        return known is None

    @DBOS.workflow(name="rerun")
    async def rerun(self, rerun_id: str) -> str:
        """From a request to what it changed; returns how it ended. No rerun is left under way for ever."""
        try:
            ended = await self._run_again(rerun_id)
        except Exception as error:
            log.exception("rerun.broke_off", extra={"rerun": rerun_id})
            why = str(error) if isinstance(error, ReliabilityError) else BROKE_OFF
            await step("give_up_rerun", self._rerunning.give_up, rerun_id, why)
            ended = f"given up: {why}"
        await step("tidy_rerun", self._rerunning.tidy, rerun_id)
        return ended

    async def _run_again(self, rerun_id: str) -> str:
        steps = self._rerunning
        why = await step("start_rerun", steps.start, rerun_id)
        why = why or await step("follow_rerun", steps.follow, rerun_id)
        if not why and await step("judge_rerun", steps.judge, rerun_id):
            await step("record_rerun", steps.record, rerun_id)
        return await step("end_rerun", steps.end, rerun_id, why)
