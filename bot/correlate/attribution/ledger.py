"""Counters: what is remembered of the signals, by service, revision and error group, in short buckets of source time.

A *unit* is one failure: all error lines of one trace in one revision are one unit, a line without a trace is one.
Everything is bounded; what is older than `HORIZON` seconds or does not fit is forgotten, the oldest first.
"""

from __future__ import annotations

from bot.correlate.attribution.lexicon import Lexicon, Wording
from bot.correlate.attribution.recent import RecentIds, RecentMap
from bot.correlate.attribution.records import BUCKET, Buckets, Change, Event, Group, Series, Service, Setting
from bot.correlate.attribution.signals import Config, Deploy, Log, Requests

HORIZON = 2_700.0  # seconds of history that are kept
MAX_SERVICES = 500
MAX_REVISIONS = 30  # per service
MAX_GROUPS = 150  # per revision; the rest is one group
_MAX_CHANGES = 60  # deploys, and configuration changes, per service
_MAX_TRACES = 20_000
_MAX_MOMENTS = 4_000  # remembered failures' moments of one revision
_MOMENT = 0.05  # seconds within which lines of different words are one failure
_MAX_EVENTS = 12  # of one trace
_USUAL_LAG = 2.0
_LAG_MEMORY = 0.01
_OPENING = 60.0  # seconds of a stream in which a first deploy tells what is, not what changes
_FUTURE = 60.0  # seconds that a clock may be ahead; more is nonsense, and the time of arrival is taken instead

ERRORS = frozenset({"ERROR", "CRITICAL", "ALERT", "EMERGENCY", "FATAL", "error", "critical", "fatal", "Error"})
UNGRADED = frozenset({None, "", "DEFAULT"})


class Ledger:
    """Takes signals in; `services` is what the judging reads."""

    def __init__(self) -> None:
        self.services: dict[str, Service] = {}
        self.first = float("inf")  # the earliest source time that was plausible
        self.lag = _USUAL_LAG  # seconds that entries take to arrive, on the average of the last hundred or so
        self._lexicon = Lexicon()
        self._ids = RecentIds()
        self._traces: RecentMap[list[Event]] = RecentMap(_MAX_TRACES)
        self._series: dict[tuple[str, str | None], Series] = {}
        self._overflow = Wording("other", "")

    def take_log(self, log: Log) -> None:
        """One entry; a second one of the same insert_id changes nothing."""
        arrival = log.rt
        if log.insert_id and not self._ids.is_new(log.insert_id, arrival):
            return
        at = log.t
        if not arrival - HORIZON < at < arrival + _FUTURE:
            if at <= arrival - HORIZON:
                return
            at = arrival
        self.lag += _LAG_MEMORY * (arrival - at - self.lag)
        series = self._series.get((log.service, log.revision)) or self._open(log.service, log.revision, at)
        bucket = int(at // BUCKET)
        wording = self._lexicon.wording(log.message, log.status)
        failed = _is_failure(series, bucket, log.status, log.severity, wording)
        series.lines[bucket] = series.lines.get(bucket, 0) + 1
        group = series.groups.get(wording.key) or self._group(series, wording)
        if failed:
            group.errors[bucket] = group.errors.get(bucket, 0) + 1
            group.total += 1
            group.first = min(group.first, at)
        else:
            group.quiet[bucket] = group.quiet.get(bucket, 0) + 1
        if log.trace:
            failed = self._join(log.trace, series, at, failed)
        if failed and not self._is_companion(series, wording.key, at, log.trace):
            series.units[bucket] = series.units.get(bucket, 0) + 1
            series.total += 1
        series.first = min(series.first, at)
        series.last = max(series.last, at)

    def take_requests(self, requests: Requests) -> None:
        """Counts of one interval; told again, the later figure holds."""
        series = self._series.get((requests.service, requests.revision)) or self._open(
            requests.service, requests.revision, requests.t
        )
        series.counts[requests.t, requests.response_class] = requests
        if len(series.counts) > 4 * HORIZON / 60:
            del series.counts[next(iter(series.counts))]

    def take_deploy(self, deploy: Deploy) -> None:
        """Late, repeated and out of order is all the same: deploys are kept by source time.

        The first that is heard of a service when the stream begins is no change: it tells what serves.
        """
        service = self.service(deploy.service, deploy.t)
        if any(
            d.revision == deploy.revision and d.traffic == deploy.traffic and abs(d.at - deploy.t) < 1
            for d in service.deploys
        ):
            return
        opened = self._open(deploy.service, deploy.revision, deploy.t)
        if not deploy.prev and deploy.t <= self.first + _OPENING and not service.deploys and len(service.series) == 1:
            opened.first = min(opened.first, deploy.t)  # it served before we listened
            return
        earlier = [d for d in service.deploys if d.at <= deploy.t]
        last_of_it = max((i for i, d in enumerate(earlier) if deploy.revision in {d.revision, d.prev}), default=-1)
        replaced = any(
            d.revision != deploy.revision for d in earlier[last_of_it if last_of_it >= 0 else len(earlier) :]
        )
        change = Change(deploy.t, deploy.rt, deploy.revision, deploy.prev or "", deploy.traffic, replaced)
        service.deploys.append(change)
        service.deploys.sort(key=lambda d: d.at)
        del service.deploys[:-_MAX_CHANGES]

    def take_config(self, config: Config) -> None:
        """Told twice, it happened once."""
        service = self.service(config.service, config.t)
        if not any(s.name == config.name and abs(s.at - config.t) < 1 for s in service.settings):
            service.settings.append(Setting(config.t, config.rt, config.name))
            del service.settings[:-_MAX_CHANGES]

    def service(self, name: str, at: float) -> Service:
        """The service of this name, opened where it is new; the one silent for longest makes room."""
        service = self.services.get(name)
        if service is None:
            if len(self.services) >= MAX_SERVICES:
                self._forget_services()
            service = self.services[name] = Service(name)
            self._lexicon.heed(name)
        service.first = min(service.first, at)
        self.first = min(self.first, at)
        return service

    def prune(self, now: float) -> None:
        """Forget what is older than the horizon."""
        oldest = int((now - HORIZON) // BUCKET)
        for service in self.services.values():
            service.deploys = [d for d in service.deploys if d.at > now - 4 * HORIZON]
            service.settings = [s for s in service.settings if s.at > now - HORIZON]
            for series in service.series.values():
                for buckets in (
                    series.units,
                    series.lines,
                    series.answered,
                    series.refused,
                    series.throttled,
                    series.failed,
                ):
                    _cut(buckets, oldest)
                for key, group in list(series.groups.items()):
                    _cut(group.errors, oldest)
                    _cut(group.quiet, oldest)
                    if not group.errors and not group.quiet:
                        del series.groups[key]

    def _open(self, name: str, revision: str | None, at: float) -> Series:
        key = (name, revision or None)
        service = self.service(name, at)
        series = service.series.get(revision or "")
        if series is None:
            if len(service.series) >= MAX_REVISIONS:
                for idle in sorted(service.series.values(), key=lambda s: (s.last, s.revision))[: MAX_REVISIONS // 3]:
                    self._forget_series(service, idle.revision)
            series = service.series[revision or ""] = Series(name, revision or "")
        self._series[key] = series
        if revision == "":
            self._series[name, ""] = series
        return series

    def _forget_services(self) -> None:
        """Those silent for longest, many at once: a flood of names must not cost a search each."""
        last = {
            name: max((s.last for s in service.series.values()), default=0.0) for name, service in self.services.items()
        }
        for name in sorted(last, key=lambda n: (last[n], n))[: MAX_SERVICES // 8]:
            for revision in list(self.services[name].series):
                self._forget_series(self.services[name], revision)
            del self.services[name]

    def _forget_series(self, service: Service, revision: str) -> None:
        del service.series[revision]
        self._series.pop((service.name, revision or None), None)
        self._series.pop((service.name, revision), None)

    def _group(self, series: Series, wording: Wording) -> Group:
        if len(series.groups) >= MAX_GROUPS and wording.key not in series.groups:
            wording = self._overflow
        group = series.groups.get(wording.key)
        if group is None:
            group = series.groups[wording.key] = Group(wording)
        return group

    def _is_companion(self, series: Series, key: str, at: float, trace: str | None) -> bool:
        """True for a line of other words at the same moment as a failure that was counted: one failure, told twice.

        Only lines that no trace ties together are looked at this way.
        """
        moment = int(at / _MOMENT)
        kept = series.moments.get(moment)
        for near in (moment, moment - 1, moment + 1):
            told = series.moments.get(near)
            if told is not None and key not in told and (trace is None or None in told):
                told.add(key)
                return True
        if kept is None:
            if len(series.moments) >= _MAX_MOMENTS:
                series.moments.clear()
            kept = series.moments[moment] = set()
        kept.add(key)
        if trace is None:
            kept.add(None)
        return False

    def _join(self, trace: str, series: Series, at: float, failed: bool) -> bool:
        """Remember who spoke in this trace; False for a failure of it that this revision already told."""
        events = self._traces.get(trace)
        if events is None:
            events = [(series, at, failed)]
            self._traces.put(trace, events)
        else:
            for speaker, _, was_failure in events:
                if speaker is series and (was_failure or not failed):
                    return False
            if len(events) < _MAX_EVENTS:
                events.append((series, at, failed))
        if failed:
            series.failing.append((at, events))
        return failed


def _is_failure(series: Series, bucket: int, status: int | None, severity: str | None, wording: Wording) -> bool:
    """True for a line that tells of a failure; counts the answer to a request on the way."""
    if status and status >= 500:
        series.failed[bucket] = series.failed.get(bucket, 0) + 1
        return True
    if status and status >= 400:
        series.refused[bucket] = series.refused.get(bucket, 0) + 1
        if status == 429:
            series.throttled[bucket] = series.throttled.get(bucket, 0) + 1
        return False
    failed = severity in ERRORS or wording.death or (wording.says_error and severity in UNGRADED)
    if not failed and wording.refusal:
        series.refused[bucket] = series.refused.get(bucket, 0) + 1
    elif status:
        series.answered[bucket] = series.answered.get(bucket, 0) + 1
    return failed


def _cut(buckets: Buckets, oldest: int) -> None:
    for bucket in [b for b in buckets if b < oldest]:
        del buckets[bucket]
