"""What an event asks for: which revision is to be watched."""

from __future__ import annotations

import logging
from datetime import timedelta

from bot.deps import Deps
from bot.errors import Permanent, Retryable
from bot.model.event import EventKind
from bot.store import inbox

log = logging.getLogger(__name__)

SETTLES = timedelta(seconds=30)
"""A deploy event precedes its revision by less than this; clocks differ by less than this."""


class Events:
    """The steps of `take_event`."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def revision_of(self, event_id: str) -> dict[str, str | bool]:
        """Which revision an event is about.

        Returns:
            {"place", "revision", "settled"}: place "" when it is not in the catalog or nothing is to be watched;
            settled False while Cloud Run is still making the revision: ask again.
        """
        nothing: dict[str, str | bool] = {"place": "", "revision": "", "settled": True}
        async with self._deps.db.read() as session:
            found = await inbox.read(session, event_id)
        event, place_key = found or (None, None)
        place = self._deps.catalog.place(place_key) if place_key else None
        if event is None or place is None or event.kind in {EventKind.REFUSED, EventKind.CONFIG}:
            return nothing
        if event.revision:
            return {"place": place.key, "revision": event.revision, "settled": True}
        try:
            state = await self._deps.target.state(place)
        except (Retryable, Permanent) as error:
            log.warning("event.service_unread", extra={"event": event_id, "why": str(error)})
            return {"place": place.key, "revision": "", "settled": False}
        newest = state.revision(state.latest_created)
        fresh = newest is not None and newest.created_at >= event.at - SETTLES
        return {"place": place.key, "revision": state.latest_created, "settled": fresh or not state.reconciling}

    async def taken(self, event_id: str) -> None:
        """The event's workflow is done with it."""
        async with self._deps.db.begin() as session:
            await inbox.mark_taken(session, event_id, self._deps.now())
