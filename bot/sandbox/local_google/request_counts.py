"""run.googleapis.com/request_count: the requests that were answered, by revision, status and minute.

Counted from the request log as it is written: the front end leaves one line for each request that a revision answered, at
its end, as the real platform counts them. A day is kept. Not imitated: the label `route`, requests that no revision took.
Source: https://cloud.google.com/monitoring/api/metrics_gcp_p_z
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

METRIC: Final = "run.googleapis.com/request_count"
RESOURCE: Final = "cloud_run_revision"
RESOURCE_LABELS: Final = ("project_id", "location", "service_name", "configuration_name", "revision_name")
METRIC_LABELS: Final = ("response_code", "response_code_class")
MINUTE: Final = 60
KEPT_MINUTES: Final = 24 * 60
_REQUESTS: Final = "run.googleapis.com%2Frequests"


@dataclass(slots=True)
class Series:
    """One revision's answers with one status.

    Attributes:
        labels: by selector: `metric.type`, `resource.type`, `project`, `metric.labels.K`, `resource.labels.K`.
        minutes: answers by the end of their minute, in seconds since the epoch.
    """

    labels: dict[str, str]
    minutes: dict[int, int] = field(default_factory=dict)

    def count(self, at: int) -> None:
        """One more, answered at `at`, seconds since the epoch. A full minute begins one."""
        end = at // MINUTE * MINUTE + MINUTE
        if end not in self.minutes:
            for old in [minute for minute in self.minutes if minute <= end - KEPT_MINUTES * MINUTE]:
                del self.minutes[old]
        self.minutes[end] = self.minutes.get(end, 0) + 1


class RequestCounts:
    """All series, by their labels."""

    def __init__(self) -> None:
        """Begin with none."""
        self._series: dict[tuple[str, ...], Series] = {}

    def notice(self, entry: Any) -> None:
        """A watcher of the log store: counts raw entries of the request log, ignores the others."""
        if not entry.log_name.endswith(_REQUESTS) or not entry.HasField("http_request"):
            return
        status = entry.http_request.status
        resource = tuple(entry.resource.labels.get(key, "") for key in RESOURCE_LABELS)
        metric = (str(status), f"{status // 100}xx")
        series = self._series.get((*resource, *metric))
        if series is None:
            labels = {"metric.type": METRIC, "resource.type": RESOURCE, "project": resource[0]}
            labels |= {f"resource.labels.{key}": value for key, value in zip(RESOURCE_LABELS, resource, strict=True)}
            labels |= {f"metric.labels.{key}": value for key, value in zip(METRIC_LABELS, metric, strict=True)}
            series = self._series[*resource, *metric] = Series(labels)
        series.count(entry.timestamp.seconds)

    def of(self, project: str) -> Iterator[Series]:
        """The series of a project, by their labels, so that pages are stable."""
        return (series for key, series in sorted(self._series.items()) if key[0] == project)
