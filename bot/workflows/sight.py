"""What one look at a deployment saw, and how requests are counted for it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.deps import Deps
from bot.errors import Permanent, Retryable
from bot.model.catalog import Place
from bot.model.cloud_run import ServiceState
from bot.model.event import DeployEvent
from bot.model.evidence import Gap, RequestCount, Window
from bot.model.incident import Incident
from bot.model.judgement import IncidentKind, Verdict

log = logging.getLogger(__name__)

EVENTS_BEFORE = timedelta(minutes=5)
"""A deploy's events may precede its revision by this much."""


@dataclass(frozen=True)
class Sight:
    """What was read about a place and what the verdicts are; `state` None: Cloud Run did not answer."""

    place: Place
    at: datetime
    state: ServiceState | None
    counts: dict[str, RequestCount] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    events: tuple[DeployEvent, ...] = ()
    open_now: dict[IncidentKind, Incident] = field(default_factory=dict)
    last_served: dict[str, datetime] = field(default_factory=dict)


async def count_requests(
    deps: Deps, place: Place, revisions: tuple[str, ...], window: Window
) -> tuple[dict[str, RequestCount], tuple[Gap, ...]]:
    """Requests of each revision; what could not be counted is a gap."""
    if not revisions:
        return {}, ()
    try:
        return dict(await deps.count_requests(place, revisions, window)), ()
    except (Retryable, Permanent) as error:
        log.warning("look.requests_unread", extra={"place": place.key, "why": str(error)})
        return {}, (Gap("Cloud Logging", str(error)),)
