"""Once a minute: look at every deployment, start what a crash or a lost push left behind, forget what is old."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from dbos import DBOS, SetWorkflowID

from bot.deps import Deps
from bot.model.event import DeployEvent
from bot.model.incident import PlanState
from bot.store import inbox, incidents, reruns, test_runs
from bot.workflows.engine import Engine
from bot.workflows.look import Looker

log = logging.getLogger(__name__)

KEEP = timedelta(days=30)
FORGET_AT_ONCE = 100
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
AT_ONCE = 4


async def start_events(engine: Engine, events: list[DeployEvent]) -> None:
    """Start the workflow of each event (workflow id = event id)."""
    for event in events:
        await _start_event(engine, event.id)


async def _start_event(engine: Engine, event_id: str) -> None:
    with SetWorkflowID(event_id):
        await DBOS.start_workflow_async(engine.take_event, event_id)


async def pick_up(deps: Deps, engine: Engine) -> int:
    """Start workflows that should have been started: approved plans that nobody carries out, events and
    test runs that nobody took.
    """
    async with deps.db.read() as session:
        events = await inbox.untaken(session)
        runs = await test_runs.untaken(session)
        plans = [
            *await incidents.plans_in(session, PlanState.APPROVED),
            *await incidents.plans_in(session, PlanState.SHIFTED),
        ]
        again = [rerun.id for rerun in await reruns.under_way(session)]
    started = [plan_id for plan_id in plans if await engine.tend_rollback(plan_id)]
    started += [rerun_id for rerun_id in again if await engine.tend_rerun(rerun_id)]
    for event_id in events:
        await _start_event(engine, event_id)
    for run_id in runs:
        await engine.start_run(run_id)
    return len(started) + len(events) + len(runs)


async def sweep_once(deps: Deps, engine: Engine, looker: Looker) -> None:
    """Pick up what was left behind, look at every place, forget what is old; one that fails does not stop the others."""
    await _unless_it_fails("pick_up", pick_up(deps, engine))
    await _look_around(deps, engine, looker)
    await _unless_it_fails("forget", forget(deps))


async def _unless_it_fails(what: str, work: Awaitable[object]) -> None:
    try:
        await work
    except Exception:
        # one broken row or service must not leave the others unwatched; the next sweep tries again
        log.exception("sweep.part_failed", extra={"part": what})


async def _look_around(deps: Deps, engine: Engine, looker: Looker) -> None:
    """Look at every place, a few at a time; a place with a young revision that nobody watches gets a watch."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(key: str) -> None:
        place = deps.catalog.place(key)
        if place is None:
            return
        async with limit:
            sight = await looker.look(place)
        newest = sight.state.revision(sight.state.latest_created) if sight.state else None
        if newest is not None and sight.at - newest.created_at < deps.watch.slow_for:
            await engine.start_watch(key, newest.name)

    async with asyncio.TaskGroup() as group:
        for place in deps.catalog.places:
            group.create_task(_unless_it_fails(place.key, one(place.key)))


async def forget(deps: Deps) -> None:
    """Delete deliveries, events and workflows that ended longer than `KEEP` ago; never what waits."""
    old = deps.now() - KEEP
    async with deps.db.begin() as session:
        await inbox.forget(session, deps.now(), KEEP)
        await test_runs.forget(session, deps.now(), KEEP)
    ended = await DBOS.list_workflows_async(
        status=ENDED, end_time=old.isoformat(), limit=FORGET_AT_ONCE, load_input=False, load_output=False
    )
    if ended:
        await DBOS.delete_workflows_async([workflow.workflow_id for workflow in ended])


async def sweep_for_ever(once: Callable[[], Awaitable[None]], every: timedelta) -> None:
    """Sweep now and then every so often; a failed sweep is logged and the next one comes."""
    while True:
        try:
            await once()
        except Exception:
            log.exception("sweep.failed")
        await asyncio.sleep(every.total_seconds())
