"""When nothing can be measured: said on the open cards, and in the channel of a deploy that is being watched.

Notifying fails open: an outage of Google must not look like a quiet night.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.model.catalog import Place
from bot.model.incident import Incident
from bot.store import inbox, incidents, messages, places
from bot.store.places import LastLook

BLIND_AFTER = timedelta(seconds=20)
"""One look that failed is a hiccup; this long without measuring is told."""


async def since_when(session: AsyncSession, seen: LastLook) -> LastLook:
    """The look with the moment since which measuring fails."""
    if not seen.is_blind:
        return seen
    before = (await places.last_looks(session)).get(seen.place)
    return replace(seen, blind_since=(before.blind_since if before else None) or seen.at)


async def tell_on_card(session: AsyncSession, place: Place, incident: Incident, seen: LastLook) -> None:
    """An open incident that this look could not follow, or can follow again: its card says which."""
    if incident.gaps == seen.gaps:
        return
    stored = await incidents.save(session, replace(incident, gaps=seen.gaps))
    await messages.want_card(session, stored, place.service.channel, seen.at)


async def tell_of_deploy(deps: Deps, session: AsyncSession, place: Place, seen: LastLook) -> None:
    """Once per outage, when there was a deploy that nobody can judge."""
    if seen.blind_since is None or seen.at - seen.blind_since < BLIND_AFTER:
        return
    if not await inbox.of_place(session, place.key, seen.at - deps.watch.slow_for):
        return
    why = "; ".join(gap.told for gap in seen.gaps)
    await messages.add_line(
        session,
        f"blind:{place.key}:{int(seen.blind_since.timestamp())}",
        "deploy/blind",
        {
            "where": f"{place.deployment.cloud_run} ({place.environment})",
            "since": seen.blind_since,
            "why": why or "nothing could be measured",
        },
        place.service.channel,
        seen.at,
    )
