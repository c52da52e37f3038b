"""`/reliability status [service]`: deployments, traffic, open incidents, ARR at risk.

Answered from what the last looks stored: within Slack's three seconds whether or not Google answers.
"""

from __future__ import annotations

import difflib
from datetime import timedelta
from typing import NamedTuple

from bot.decide.impact import combine
from bot.deps import Deps
from bot.errors import UserError
from bot.model.catalog import Place
from bot.store import inbox, incidents, messages, places
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
        },
    )


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
