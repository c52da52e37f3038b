"""Charts of errors: what is read for them, and how one is asked for. `bot.workflows.show_pictures` shows them.

What is stored is what the chart shows, not the picture: a chart that waits for Slack costs a few hundred bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from bot.correlate.series import error_series, with_marks
from bot.deps import Deps
from bot.errors import Permanent, Retryable
from bot.model.catalog import Place
from bot.model.evidence import LogEntry, RequestPoint, Window
from bot.model.incident import Incident
from bot.model.judgement import IncidentKind
from bot.model.series import ErrorSeries
from bot.store import marks, messages

log = logging.getLogger(__name__)

TEMPLATE = "picture/errors"
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=5)
LONGEST = timedelta(hours=24)
"""A chart of an incident begins a while before it, so that it shows what was usual; Cloud Logging is asked for a day."""


class Chart(msgspec.Struct, frozen=True):
    """What an outbox row of a chart holds.

    Attributes:
        moment: "blamed" or "resolved" of an incident, "asked" when somebody asked for it.
    """

    series: ErrorSeries
    title: str
    service: str
    moment: str


def chart_window(incident: Incident, now: datetime) -> Window:
    """What the chart of an incident shows: from a while before it until now, or until a while after its end."""
    end = min(now, incident.resolved_at + AFTER) if incident.resolved_at else now
    return Window(max(incident.since - BEFORE, end - LONGEST), end)


async def read_series(deps: Deps, place: Place, window: Window) -> tuple[ErrorSeries, list[LogEntry]]:
    """(errors over time, the entries they were counted from) of one place, from Cloud Logging.

    Requests are left out where Cloud Monitoring does not answer: they are beside the point.

    Raises:
        Retryable, Permanent: Cloud Logging could not be read: there is nothing to draw.
    """
    (entries, complete), points = await asyncio.gather(deps.read_errors(place, window), _requests(deps, place, window))
    own = [entry for entry in entries if entry.service == place.deployment.cloud_run]
    return await asyncio.to_thread(error_series, own, window, requests=points, complete=complete), own


async def _requests(deps: Deps, place: Place, window: Window) -> tuple[RequestPoint, ...]:
    try:
        points: Iterable[RequestPoint] = await deps.read_traffic(place, window)
    except (Retryable, Permanent) as error:
        log.warning("chart.requests_unread", extra={"place": place.key, "why": str(error)})
        return ()
    return tuple(point for point in points if point.service == place.deployment.cloud_run)


async def want_chart(
    session: AsyncSession, place: Place, incident: Incident, moment: str, series: ErrorSeries, now: datetime
) -> None:
    """A chart for the thread of the incident's card. The same moment of the same incident is shown once.

    Args:
        moment: "blamed" or "resolved"; what follows a colon tells apart a second one of the same name.
    """
    await _add(session, place, f"{incident.id}:chart:{moment}", moment, series, place.service.channel, now, incident.id)


async def show_the_whole(deps: Deps, place: Place, incident: Incident) -> None:
    """A chart of an incident that is over, where the log can be read; the card has said all that matters."""
    if incident.kind is not IncidentKind.SERVING_FAILURE:
        return
    now = deps.now()
    try:
        series, _entries = await read_series(deps, place, chart_window(incident, now))
    except (Retryable, Permanent) as error:
        log.warning("chart.unread", extra={"incident": incident.id, "why": str(error)})
        return
    async with deps.db.begin() as session:
        await want_chart(session, place, incident, "resolved", series, now)


async def want_answer(
    session: AsyncSession, place: Place, chart_id: str, series: ErrorSeries, channel: str, now: datetime
) -> None:
    """A chart for a channel where somebody asked for it; `chart_id` is different for each question."""
    await _add(session, place, chart_id, "asked", series, channel, now, None)


async def _add(
    session: AsyncSession,
    place: Place,
    chart_id: str,
    moment: str,
    series: ErrorSeries,
    channel: str,
    now: datetime,
    incident_id: str | None,
) -> None:
    known = await marks.of_place(session, place.key, series.window)
    name = place.deployment.cloud_run
    chart = Chart(
        series=with_marks(series, (*series.marks, *known)),
        title=f"{name} ({place.environment})",
        service=name,
        moment=moment.partition(":")[0],
    )
    context = msgspec.to_builtins(chart)
    await messages.add_picture(session, chart_id, TEMPLATE, context, channel, now, incident_id=incident_id)


def of_revision(series: ErrorSeries, revision: str) -> ErrorSeries:
    """The series of one revision; without its errors there are none. Requests are of all revisions: they are left out."""
    own = tuple(each for each in series.revisions if each.revision == revision)
    return replace(series, revisions=own, requests=())
