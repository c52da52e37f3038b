"""google.monitoring.v3.MetricService, as far as requests are counted with it: ListTimeSeries of request_count.

A minute becomes visible as a whole, `Pace.metrics` after its end: half a minute where the real service takes up to three,
because a drill should not wait. Points come newest first within a series; page_size counts points and a series may go on
on the next page; a page token shows what was visible when the first page was asked for.
Not imitated: other metrics and methods, aligners but DELTA, RATE and SUM, reducers but SUM, secondary aggregation, the
sharing out of a minute between periods that do not begin with one (it belongs to the period in which it ends), zeros for
minutes without requests, metrics scopes of several projects, quotas unless a fault plays them.
Source: https://cloud.google.com/monitoring/api/ref_v3/rpc/google.monitoring.v3#listtimeseriesrequest
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import grpc
from google.api.metric_pb2 import MetricDescriptor
from google.cloud.monitoring_v3 import types

from bot.sandbox.local_google import request_counts
from bot.sandbox.local_google.grpc_service import Method
from bot.sandbox.local_google.monitoring_filter import MetricFilter, selector
from bot.sandbox.local_google.refusals import Refusal, invalid, not_found
from bot.sandbox.local_google.request_counts import MINUTE, RequestCounts, Series

SERVICE: Final = "google.monitoring.v3.MetricService"
LARGEST_PAGE: Final = 100_000
_SHORTEST_PERIOD: Final = 60

_Request: Final = types.ListTimeSeriesRequest.pb()
_Reply: Final = types.ListTimeSeriesResponse.pb()
_TimeSeries: Final = types.TimeSeries.pb()
_Aligner: Final = types.Aggregation.Aligner
_Reducer: Final = types.Aggregation.Reducer
_ALIGNERS: Final = {_Aligner.ALIGN_NONE, _Aligner.ALIGN_DELTA, _Aligner.ALIGN_RATE, _Aligner.ALIGN_SUM}
_REDUCERS: Final = {_Reducer.REDUCE_NONE, _Reducer.REDUCE_SUM}
_KEYS: Final = frozenset(
    {"metric.type", "resource.type", "project"}
    | {f"resource.labels.{key}" for key in request_counts.RESOURCE_LABELS}
    | {f"metric.labels.{key}" for key in request_counts.METRIC_LABELS}
)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Periods of `period` seconds laid from `end` backwards; `period` 0: the points as they are."""

    start: int
    end: int
    period: int

    def place(self, minute: int) -> int | None:
        """The end of the period that a minute (its end) belongs to; None = outside (start, end]."""
        if not self.start < minute <= self.end:
            return None
        return minute if not self.period else self.end - (self.end - minute) // self.period * self.period


@dataclass(slots=True)
class _Row:
    """One series of the answer: labels by selector, counts by the end of their period."""

    labels: dict[str, str]
    counts: dict[int, int] = field(default_factory=dict)


class MonitoringApi:
    """The RPCs."""

    def __init__(self, counts: RequestCounts, clock: Callable[[], datetime], delay: timedelta) -> None:
        """Serve from `counts`; a minute is visible `delay` after its end."""
        self._counts = counts
        self._clock = clock
        self._delay = delay.total_seconds()

    def methods(self) -> dict[str, Method]:
        """The table for `grpc_service.service`."""
        return {"ListTimeSeries": Method(_Request, self.list_time_series)}

    async def list_time_series(self, request: Any) -> Any:
        """One page of the series that match."""
        project = _project(request.name)
        wanted = _checked(MetricFilter(request.filter))
        grid, groups = _grid(request), _groups(request.aggregation)
        query = _Request()
        query.CopyFrom(request)
        query.ClearField("page_token")
        query.ClearField("page_size")
        digest = hashlib.sha256(query.SerializeToString(deterministic=True)).hexdigest()[:16]
        first, visible = _decode(request.page_token, digest) if request.page_token else (0, self._visible())
        matching = (series for series in self._counts.of(project) if wanted.matches(series.labels))
        rows = _reduced(_aligned(matching, grid, visible), groups)
        headers_only = request.view == types.ListTimeSeriesRequest.TimeSeriesView.HEADERS
        cells = [(row, None) for row in rows] if headers_only else list(_cells(rows))
        size = min(request.page_size or LARGEST_PAGE, LARGEST_PAGE)
        reply = _Reply(unit="1")
        _fill(reply, cells[first : first + size], grid, request.aggregation.per_series_aligner)
        if first + size < len(cells):
            reply.next_page_token = base64.urlsafe_b64encode(
                json.dumps([first + size, visible, digest]).encode()
            ).decode()
        return reply

    def _visible(self) -> float:
        """Minutes that ended up to here are known."""
        return self._clock().timestamp() - self._delay


def _project(name: str) -> str:
    kind, _, project = name.partition("/")
    if kind != "projects" or not project or "/" in project:
        raise invalid(f"Name must begin with 'projects/{{project_id_or_number}}', got: {name}")
    return project


def _checked(wanted: MetricFilter) -> MetricFilter:
    """Only a metric that exists, and only labels that it and its resource have."""
    if wanted.metric_type != request_counts.METRIC:
        text = f'Cannot find metric(s) that match type = "{wanted.metric_type}". If a metric was created recently, it could'
        raise not_found(f"{text} take up to 10 minutes to become available. Please try again soon.")
    if unknown := wanted.keys - _KEYS:
        text = "The supplied filter does not specify a valid combination of metric and monitored resource descriptors."
        raise invalid(f"{text} The query will not return any time series. Unknown: {', '.join(sorted(unknown))}")
    return wanted


def _grid(request: Any) -> _Grid:
    if not request.interval.HasField("end_time"):
        raise invalid("Field interval.endTime had an invalid value: an end time is required.")
    if request.order_by:
        raise invalid("Field orderBy is not supported and must be left blank.")
    if request.page_size < 0:
        raise invalid("Field pageSize must not be negative.")
    end = request.interval.end_time.seconds
    start = request.interval.start_time.seconds if request.interval.HasField("start_time") else end - 1
    if start > end:
        raise invalid("Field interval.startTime had an invalid value: the start time must not be after the end time.")
    aggregation = request.aggregation
    if aggregation.per_series_aligner not in _ALIGNERS or aggregation.cross_series_reducer not in _REDUCERS:
        raise invalid("Field aggregation had an invalid value: aligner or reducer is not supported here.")
    if request.HasField("secondary_aggregation"):
        raise invalid("Field secondaryAggregation is not supported here.")
    if aggregation.per_series_aligner == _Aligner.ALIGN_NONE:
        if aggregation.cross_series_reducer != _Reducer.REDUCE_NONE:
            raise invalid("Field aggregation had an invalid value: a cross-series reducer needs a per-series aligner.")
        return _Grid(start, end, 0)
    period = aggregation.alignment_period.seconds
    if period < _SHORTEST_PERIOD or aggregation.alignment_period.nanos:
        raise invalid("Field aggregation.alignmentPeriod had an invalid value: must be at least 60 seconds.")
    return _Grid(start, end, period)


def _groups(aggregation: Any) -> tuple[str, ...] | None:
    """The selectors to keep; None = nothing is reduced."""
    if aggregation.cross_series_reducer == _Reducer.REDUCE_NONE:
        return None
    kept = []
    for given in aggregation.group_by_fields:
        key = selector(given)
        if key not in _KEYS:
            raise invalid(f'Field aggregation.groupByFields had an invalid value of "{given}".')
        kept.append(key)
    return tuple(kept)


def _aligned(found: Iterable[Series], grid: _Grid, visible: float) -> Iterator[_Row]:
    for series in found:
        row = _Row(series.labels)
        for minute, count in series.minutes.items():
            end = grid.place(minute)
            if end is not None and minute <= visible:
                row.counts[end] = row.counts.get(end, 0) + count
        if row.counts:
            yield row


def _reduced(rows: Iterable[_Row], groups: tuple[str, ...] | None) -> list[_Row]:
    if groups is None:
        return list(rows)
    kept = {"metric.type", "resource.type", "resource.labels.project_id", *groups}
    sums: dict[tuple[str, ...], _Row] = {}
    for row in rows:
        key = tuple(row.labels[group] for group in groups)
        total = sums.setdefault(key, _Row({name: value for name, value in row.labels.items() if name in kept}))
        for end, count in row.counts.items():
            total.counts[end] = total.counts.get(end, 0) + count
    return [sums[key] for key in sorted(sums)]


def _cells(rows: Iterable[_Row]) -> Iterator[tuple[_Row, int | None]]:
    """One for each point, newest first within a series."""
    return ((row, end) for row in rows for end in sorted(row.counts, reverse=True))


def _fill(reply: Any, cells: Iterable[tuple[_Row, int | None]], grid: _Grid, aligner: int) -> None:
    last: _Row | None = None
    series: Any = None
    rate = aligner == _Aligner.ALIGN_RATE
    seconds = grid.period or MINUTE
    for row, end in cells:
        if row is not last:
            last, series = row, _header(reply.time_series.add(), row.labels, rate=rate)
        if end is None:
            continue
        point = series.points.add()
        point.interval.end_time.seconds = end
        point.interval.start_time.seconds = end if rate else end - seconds  # a gauge's interval has no length
        if rate:
            point.value.double_value = row.counts[end] / seconds
        else:
            point.value.int64_value = row.counts[end]


def _header(series: Any, labels: dict[str, str], *, rate: bool) -> Any:
    series.metric.type, series.resource.type = labels["metric.type"], labels["resource.type"]
    for key, value in labels.items():
        of, _, name = key.partition(".labels.")
        if name:
            getattr(series, of).labels[name] = value
    series.metric_kind = MetricDescriptor.GAUGE if rate else MetricDescriptor.DELTA
    series.value_type = MetricDescriptor.DOUBLE if rate else MetricDescriptor.INT64
    series.unit = "1/s" if rate else "1"
    return series


def _decode(token: str, digest: str) -> tuple[int, float]:
    try:
        first, visible, made_for = json.loads(base64.urlsafe_b64decode(token.encode()))
        first, visible = int(first), float(visible)
    except (ValueError, TypeError):
        raise invalid("Field pageToken had an invalid value.") from None
    if made_for != digest or first < 0:
        raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "Field pageToken does not belong to this request.")
    return first, visible
