"""Cloud Monitoring: how many requests each revision of every service answered, by class of status and minute.

Complete where the request log is sampled or excluded, but late: a minute is sampled at its end and visible up to three
minutes after that. It vetoes and divides; it does not detect.
Source: https://cloud.google.com/monitoring/api/metrics_gcp_p_z (run.googleapis.com/request_count)
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud.monitoring_v3.types import Aggregation, ListTimeSeriesRequest, ListTimeSeriesResponse, TimeInterval

from bot.errors import Permanent, Retryable
from bot.gcp.clients import Clients, first_page
from bot.gcp.errors import translated
from bot.model.catalog import Place
from bot.model.evidence import RequestPoint, Window
from bot.model.log_query import quoted

METRIC = "run.googleapis.com/request_count"
PERIOD = timedelta(minutes=1)  # the metric's own sampling period; Cloud Monitoring aligns to nothing shorter
PAGE_SIZE = 20_000  # points
MAX_PAGES = 10
_LABELS = ("resource.label.service_name", "resource.label.revision_name", "metric.label.response_code_class")


async def read_traffic(
    clients: Clients, place: Place, window: Window, *, page_size: int = PAGE_SIZE, max_pages: int = MAX_PAGES
) -> tuple[RequestPoint, ...]:
    """Requests of every service of the place's project and region, oldest first.

    One point per service, revision, class of status and whole minute. The minutes are the clock's: the one in which the
    window begins is counted whole, the one in which it ends is left out, because it may be still running. Minutes that
    Cloud Monitoring does not know yet are missing, which does not mean that nothing was asked in them. Empty: nothing
    was asked, or nothing is known yet. Requests that no revision took have the revision "".

    Raises:
        Retryable: Cloud Monitoring did not answer, or not completely, or its quota is used up.
        Permanent: the bot may not read it, its API is not enabled, or there are more than `max_pages` of points; part of
            them would be a wrong denominator.
    """
    minutes = _whole_minutes(window)
    if minutes is None:
        return ()
    request = _request(place, minutes, page_size)
    points: list[RequestPoint] = []
    for _ in range(max_pages):
        page = await _page(clients, place, request)
        points += (point for series in page.time_series for point in _points(series))
        if not page.next_page_token:
            return tuple(sorted(points, key=_order))
        request.page_token = page.next_page_token
    text = f"Cloud Monitoring has more than {max_pages * page_size:,} points for this window"
    raise Permanent(f"{text}: ask for a shorter one")


def _whole_minutes(window: Window) -> Window | None:
    """Both ends moved back to the full minute; None where no minute is left."""
    start, end = (at.astimezone(UTC).replace(second=0, microsecond=0) for at in (window.start, window.end))
    return Window(start, end) if start < end else None


def _request(place: Place, minutes: Window, page_size: int) -> ListTimeSeriesRequest:
    """Periods are laid from the interval's end backwards; a point belongs to it when its end does, its start excluded."""
    aggregation = Aggregation(
        alignment_period=PERIOD,
        per_series_aligner=Aggregation.Aligner.ALIGN_DELTA,
        cross_series_reducer=Aggregation.Reducer.REDUCE_SUM,
        group_by_fields=_LABELS,
    )
    which = (
        f"metric.type = {quoted(METRIC)}",
        'resource.type = "cloud_run_revision"',
        f"resource.labels.location = {quoted(place.deployment.region)}",
    )
    return ListTimeSeriesRequest(
        name=f"projects/{place.deployment.project}",
        filter=" AND ".join(which),
        interval=TimeInterval(start_time=minutes.start, end_time=minutes.end),
        aggregation=aggregation,
        view=ListTimeSeriesRequest.TimeSeriesView.FULL,
        page_size=page_size,
    )


async def _page(clients: Clients, place: Place, request: ListTimeSeriesRequest) -> Any:
    project = place.deployment.project
    call = clients.call("Cloud Monitoring", project, "roles/monitoring.viewer")
    async with translated(call):
        pager = await clients.monitoring.list_time_series(request, retry=clients.retry, timeout=clients.seconds)
        page = ListTimeSeriesResponse.pb(await first_page(pager))
    if page.execution_errors:
        raise Retryable(f"Cloud Monitoring's answer is not complete: {page.execution_errors[0].message}")
    return page


def _points(series: Any) -> Iterator[RequestPoint]:
    """One series' points as they come: newest first."""
    service = series.resource.labels.get("service_name", "")
    revision = series.resource.labels.get("revision_name", "")
    response_class = series.metric.labels.get("response_code_class", "")
    for point in series.points:
        value = point.value
        count = value.int64_value if value.WhichOneof("value") == "int64_value" else round(value.double_value)
        yield RequestPoint(service, revision, response_class, _interval(point.interval), count)


def _interval(interval: Any) -> Window:
    """Whole seconds: an unaligned start is put a millisecond behind the end of the point before it."""
    end = interval.end_time.ToDatetime(tzinfo=UTC)
    start = interval.start_time.ToDatetime(tzinfo=UTC).replace(microsecond=0)
    return Window(start if start < end else end - PERIOD, end)


def _order(point: RequestPoint) -> tuple[datetime, str, str, str]:
    return point.window.start, point.service, point.revision, point.response_class
