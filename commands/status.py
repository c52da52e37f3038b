"""`/reliability status [service]`: deployments, traffic, open incidents, ARR at risk.

Answered from what the last looks stored: within Slack's three seconds whether or not Google answers.
"""

from __future__ import annotations

import difflib
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from bot.decide.impact import combine
from bot.deps import Deps
from bot.errors import UserError
from bot.model.catalog import Catalog, Place
from bot.store import inbox, incidents, messages, places, suites, test_runs
from commands.command import Ask, Command, Desk, Reply

RECENT = timedelta(days=7)


class Args(NamedTuple):
    service: str = ""


async def run(ask: Ask, args: Args, desk: Desk) -> Reply:
    del ask
    deps = desk.deps
    shown = chosen(deps, args.service)
    async with deps.db.read() as session:
        looks = await places.last_looks(session)
        open_now = await incidents.all_open(session)
        since = deps.now() - RECENT
        parked = await inbox.parked(session, since)
        unknown = await inbox.unknown(session, since)
        unsaid = await messages.undelivered(session)
        runs = await _suites(session, deps.catalog, _suites_of(deps.catalog, shown, args.service), since)
        events = {place.key: await inbox.of_place(session, place.key, since) for place in shown}
    keys = {place.key for place in shown}
    relevant = tuple(incident for incident in open_now if incident.place in keys)
    total = combine([incident.impact for incident in relevant if incident.impact is not None], deps.catalog)
    return Reply(
        "reply/status_one" if args.service else "reply/status",
        {
            "now": deps.now(),
            "places": [{"place": place, "look": looks.get(place.key), "events": events[place.key]} for place in shown],
            "incidents": relevant,
            "impact": total,
            "arr": deps.catalog.business.arr,
            "parked": [{"source": row.source, "at": row.received_at, "why": row.parked_why} for row in parked],
            "unknown": [{"project": project, "service": service} for project, service in unknown],
            "undelivered": [{"id": row.id, "why": row.last_error, "since": row.created_at} for row in unsaid],
            "dry_run": deps.dry_run,
            "suites": runs,
        },
    )


def _suites_of(catalog: Catalog, shown: tuple[Place, ...], word: str) -> tuple[str, ...]:
    """All suites, or those that the shown services list."""
    if not word:
        return tuple(catalog.suites)
    listed = dict.fromkeys(suite for place in shown for suite in place.service.suites)
    return tuple(suite for suite in listed if suite in catalog.suites)


async def _suites(
    session: AsyncSession, catalog: Catalog, names: tuple[str, ...], since: datetime
) -> list[dict[str, Any]]:
    """Each suite and branch with a run, and each suite without any: for `bot.notify.suite_status`."""
    known = [state for state in await suites.branches(session) if state.suite in names]
    open_now = await suites.all_open(session)
    entries: list[dict[str, Any]] = []
    for state in known:
        last = await test_runs.latest(session, state.suite, state.branch)
        said = await test_runs.verdicts(session, state.suite, state.branch, since)
        here = [alarm for alarm in open_now if (alarm.suite, alarm.branch) == (state.suite, state.branch)]
        entry = {"branch": state.branch, "last": last[0] if last else None, "alarms": here}
        entries.append(entry | {"name": state.suite, "verdicts": [verdict for _, verdict in said]})
    silent = [name for name in names if all(state.suite != name for state in known)]
    entries += [{"name": name, "branch": "", "last": None, "alarms": [], "verdicts": []} for name in silent]
    return [entry | {"suite": catalog.suites[entry["name"]]} for entry in entries]


def chosen(deps: Deps, word: str) -> tuple[Place, ...]:
    """All places, or those of one service by its catalog key or Cloud Run name."""
    everything = deps.catalog.places
    if not word:
        return everything
    wanted = word.strip("`").casefold()
    found = tuple(
        place
        for place in everything
        if wanted in {place.service_key.casefold(), place.deployment.cloud_run.casefold(), place.key.casefold()}
    )
    if not found:
        names = sorted({p.service_key for p in everything} | {p.deployment.cloud_run for p in everything})
        near = difflib.get_close_matches(wanted, names, n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise UserError(f"`{word}` is not in the catalog.{hint} It has: {', '.join(names)}.")
    return found


COMMAND = Command("status", "Deployments, traffic, open incidents and ARR at risk", Args, run)
