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
from bot.store import inbox, incidents
from bot.workflows.engine import Engine
from bot.workflows.look import Looker

log = logging.getLogger(__name__)

KEEP = timedelta(days=30)
AT_ONCE = 4


async def start_events(engine: Engine, events: list[DeployEvent]) -> None:
    """Start the workflow of each event (workflow id = event id)."""
    for event in events:
        await _start_event(engine, event.id)


async def _start_event(engine: Engine, event_id: str) -> None:
    with SetWorkflowID(event_id):
        await DBOS.start_workflow_async(engine.take_event, event_id)


async def pick_up(deps: Deps, engine: Engine) -> int:
    """Start workflows that should have been started: events that nobody took, approved plans that nobody carries out."""
    async with deps.db.read() as session:
        events = await inbox.untaken(session)
        plans = await incidents.plans_in(session, PlanState.APPROVED)
    for event_id in events:
        await _start_event(engine, event_id)
    for plan_id in plans:
        await engine.start_rollback(plan_id)
    return len(events) + len(plans)


async def sweep_once(deps: Deps, engine: Engine, looker: Looker) -> None:
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
            group.create_task(one(place.key))
    await pick_up(deps, engine)
    async with deps.db.begin() as session:
        await inbox.forget(session, deps.now(), KEEP)


async def sweep_for_ever(once: Callable[[], Awaitable[None]], every: timedelta) -> None:
    """Sweep now and then every so often; a failed sweep is logged and the next one comes."""
    while True:
        try:
            await once()
        except Exception:
            log.exception("sweep.failed")
        await asyncio.sleep(every.total_seconds())
