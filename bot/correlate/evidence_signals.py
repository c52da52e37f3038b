"""What the bot has read → the signals that attribution listens to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from bot.correlate.attribution.signals import Config, Deploy, Log, Requests, Signal
from bot.correlate.reassembly import reassemble
from bot.model.cloud_run import Revision, ServiceState
from bot.model.event import DeployEvent, EventKind
from bot.model.evidence import LogEntry, RequestCount, RequestPoint, Window

_SEVERITIES = (
    (800, "EMERGENCY"),
    (700, "ALERT"),
    (600, "CRITICAL"),
    (500, "ERROR"),
    (400, "WARNING"),
    (300, "NOTICE"),
    (200, "INFO"),
    (100, "DEBUG"),
)


def of_entries(entries: Iterable[LogEntry]) -> Iterator[Signal]:
    """Log entries, tracebacks put together; an entry whose service nobody named is left out."""
    for entry in reassemble(entries):
        if entry.service:
            at = entry.at.timestamp()
            yield Log(
                t=at,
                rt=entry.received_at.timestamp() if entry.received_at else at,
                service=entry.service,
                revision=entry.revision or None,
                severity=next((word for least, word in _SEVERITIES if entry.severity >= least), "DEFAULT"),
                message=entry.text or (f"HTTP {entry.status}" if entry.status else ""),
                trace=entry.trace or None,
                insert_id=f"{entry.log}:{at}:{entry.insert_id}",
                status=entry.status,
            )


def of_requests(points: Iterable[RequestPoint], counted: Mapping[str, RequestCount], service: str) -> Iterator[Signal]:
    """Request counts: Cloud Monitoring's, and the request log's of `service` for the time that those do not cover yet.

    Args:
        counted: revision → requests within the latest window, from the request log.
    """
    recent = {(service, revision): count for revision, count in counted.items()}
    for point in points:
        own = recent.get((point.service, point.revision))
        if own is None or point.window.end <= own.window.start:
            yield _requests(point.service, point.revision, point.response_class, point.count, point.window)
    for (name, revision), count in recent.items():
        yield _requests(name, revision, "2xx", count.total - count.failed, count.window)
        yield _requests(name, revision, "5xx", count.failed, count.window)


def of_deploys(state: ServiceState, events: Sequence[DeployEvent], since: datetime) -> Iterator[Signal]:
    """Which revision of a service got how much traffic when, as far as Cloud Run and the events tell.

    Cloud Run tells what serves now and when each revision became ready; a revision that serves no more is taken to
    have had everything until the next one came. An older revision that serves now got its traffic back with the last
    event about traffic.
    """
    serving = state.fact.serving
    oldest_first = sorted(state.revisions, key=lambda r: (r.created_at, r.name))
    served = [r for r in oldest_first if r.ready]
    previous: str | None = None
    for revision in oldest_first:
        at = revision.ready_at or revision.created_at
        if at >= since:
            percent = float(serving.get(revision.name, 0 if _waits(revision, served, serving) else 100))
            yield _deploy(state.name, revision.name, previous, at, percent if revision.ready else 0.0)
        if revision.ready:
            previous = revision.name
    yield from _traffic_back(state, served, events, since)


def of_configuration(service: str, events: Iterable[DeployEvent]) -> Iterator[Signal]:
    """Changes of settings and secrets without a deploy."""
    for event in events:
        if event.kind is EventKind.CONFIG:
            yield Config(event.at.timestamp(), event.received_at.timestamp(), service, event.detail)


def _traffic_back(
    state: ServiceState, served: Sequence[Revision], events: Sequence[DeployEvent], since: datetime
) -> Iterator[Signal]:
    moved = [event for event in events if event.kind is EventKind.TRAFFIC and event.at >= since]
    main = next(iter(state.fact.serving), None)
    if not moved or main is None or not served or served[-1].name == main:
        return
    percent = float(state.fact.serving[main])
    yield _deploy(state.name, main, served[-1].name, max(event.at for event in moved), percent)


def _waits(revision: Revision, served: Sequence[Revision], serving: Mapping[str, int]) -> bool:
    """True for the newest ready revision where another one serves: it was deployed without traffic."""
    return bool(served) and revision is served[-1] and revision.name not in serving


def _deploy(service: str, revision: str, previous: str | None, at: datetime, percent: float) -> Deploy:
    return Deploy(at.timestamp(), at.timestamp(), service, revision, previous, percent)


def _requests(service: str, revision: str, response_class: str, count: int, window: Window) -> Requests:
    seconds, end = (window.end - window.start).total_seconds(), window.end.timestamp()
    return Requests(end, end, service, revision, response_class, count, seconds)
