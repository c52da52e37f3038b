"""Where errors rise: since when, how sure, on which revisions, in which words.

A service is looked at as a whole (where did the rate change?) and by revision (is the rate of this one above that of
the others and of the time before it?). Totals count, not novelty: a message reworded at the same rate is no rise, and
lines that were there before at a lower level are counted as they were.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import log1p

from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.excess import excess_of, failed_share, outside, theme_of, throttled_share
from bot.correlate.attribution.exposure import share_seconds, surge
from bot.correlate.attribution.ledger import Ledger
from bot.correlate.attribution.naming import stem
from bot.correlate.attribution.newkinds import new_kind, of_callee
from bot.correlate.attribution.records import BUCKET, Group, Series, Service
from bot.correlate.attribution.statistics import change_point, dispersion, log_evidence
from bot.correlate.attribution.view import View, raised_kinds

WINDOW = 1_500.0  # seconds that are searched for a beginning
_BUSY = 150.0  # seconds without an error after which a rise is over
_FREE_PENALTY = 3.5  # a beginning that was searched for costs evidence; one given by a deploy does not
_SHARP = 1.5  # least ratio of rates that is called a rise
_SHORT = 240.0  # seconds of history from which burstiness can be read
_NEW_FOR = 300.0  # seconds that a revision counts as new
_WARM_UP = 60.0  # seconds of history before a beginning can be searched for
MIN_UNITS = 3
_DOES_NOT_START = 0.2  # share of lines that say so
_CHIEF = 0.8  # share of a rise


@dataclass(frozen=True)
class Rise:
    """Errors of one service that rose.

    Attributes:
        kind: "error" (5xx, error lines) or "client" (4xx).
        onset: source time at which it began; strength: ln e-value that the rate is higher, discounted for burstiness.
        units, seconds: failures since the onset, in how long; before, before_seconds: the same before it.
        by_revision: units since the onset. last: source time of the last unit's bucket.
        groups: (group, excess units) with what was added, most first. themes: share 0-1 of the excess by theme.
        surge: request volume over that of before, None where unknown. throttled: share of the refusals that are 429.
        outside: failures whose own words name something that is not ours. failed_requests: answers with 5xx by failure; None where failures here carry no status as a rule.
    """

    service: str
    kind: str
    onset: float
    strength: float
    units: float
    seconds: float
    before: float
    before_seconds: float
    by_revision: dict[str, float]
    last: float
    groups: tuple[tuple[Group, float], ...]
    themes: dict[Theme, float] = field(default_factory=dict)
    surge: float | None = None
    throttled: float = 0.0
    failed_requests: float | None = None
    outside: float = 0.0

    @property
    def chief(self) -> frozenset[str]:
        """Keys of the kinds that make up most of what was added."""
        whole = sum(excess for _, excess in self.groups)
        keys, covered = [], 0.0
        for group, excess in self.groups[:6]:
            if covered < _CHIEF * whole:
                keys.append(group.wording.key)
                covered += excess
        return frozenset(keys)

    @property
    def rate(self) -> float:
        """Failures a second since the onset."""
        return self.units / max(self.seconds, BUCKET)

    @property
    def before_rate(self) -> float:
        """Failures a second before the onset."""
        return self.before / max(self.before_seconds, BUCKET)


def find_rise(ledger: Ledger, service: Service, now: float) -> Rise | None:
    """The rise of this service that is going on at `now`, None where there is none (or too little to say).

    Where refusals (4xx) rose together with error lines and no answer was a 5xx, the lines speak of the refusals.
    """
    errors, refusals = _find(ledger, service, now, "error"), _find(ledger, service, now, "client")
    if errors is None or refusals is None:
        return errors or refusals
    if refusals.strength < 4.6 or refusals.units < 0.5 * errors.units:
        return errors
    first = int((refusals.onset - 10) // BUCKET)
    failed = sum(count for s in service.series.values() for bucket, count in s.failed.items() if bucket >= first)
    together = abs(errors.onset - refusals.onset) <= 45 and failed < 0.25 * refusals.units
    return refusals if together or errors.strength < 4.6 else errors


def _find(ledger: Ledger, service: Service, now: float, kind: str) -> Rise | None:
    view = View(service, kind, raised_kinds(service), now)
    if not view.any_since(now - _BUSY):
        return None
    start = max(ledger.first, now - WINDOW)
    found = [_whole(view, start, now), *(_of_revision(view, r, start, now) for r in _deployed(service, now))]
    if kind == "error":
        found += [_not_starting(series, service, now) for series in service.series.values()]
        found += of_callee(view, ledger.services, start, now)
        found += [new_kind(view, revision, start, now) for revision in _deployed(service, now)]
    best = max((f for f in found if f), key=lambda f: f[1], default=None)
    if best is None:
        return None
    onset, strength, revision = best
    return _described(view, ledger, _refined(view, onset, revision), strength, start, now)


def more_requests(service: Service, onset: float, now: float, start: float) -> float:
    """How many times the requests of before come now, ≥ 1.0; 1.0 where nothing tells: failures go with requests."""
    return max(1.0, surge(service, onset, now, start, recent=now - onset) or 1.0)


def _deployed(service: Service, now: float) -> list[str]:
    return list(dict.fromkeys(d.revision for d in service.deploys if now - WINDOW < d.at <= now + 30))


def _whole(view: View, start: float, now: float) -> tuple[float, float, str | None] | None:
    counts = view.dense(start, now)
    index, _ = change_point(counts)
    onset = int(start // BUCKET) * BUCKET + index * BUCKET
    after, before = sum(counts[index:]), sum(counts[:index])
    seconds, seconds_before = max(now - onset, BUCKET), onset - start
    if index == 0 or after < MIN_UNITS or after / seconds < _SHARP * before / max(seconds_before, BUCKET):
        return None
    if seconds_before < _WARM_UP:
        return None
    noise = _noise(counts[:index])
    seconds *= more_requests(view.service, onset, now, start)
    strength = log_evidence(after / noise, seconds, before / noise, max(seconds_before, 30.0)) - _FREE_PENALTY
    return onset, strength, None


def _of_revision(view: View, revision: str, start: float, now: float) -> tuple[float, float, str | None] | None:
    """Is the rate of this revision, since some moment of its life, above its own before and that of all others?"""
    deployed = min(d.at for d in view.service.deploys if d.revision == revision)
    born = max(start, deployed - 10)
    counts = view.dense(born, now, revision)
    if sum(counts) < MIN_UNITS:
        return None
    index, _ = change_point(counts)
    onset = max(born, int(born // BUCKET) * BUCKET + index * BUCKET)
    after, own_before = sum(counts[index:]), sum(counts[:index])
    exposure = max(share_seconds(view.timeline, revision, onset, now), 0.01 * (now - onset), 1.0)
    own = share_seconds(view.timeline, revision, born, onset)
    others = max(0.0, (now - start) - share_seconds(view.timeline, revision, start, now))
    before = own_before + view.total(start, now + 30, but=revision)
    exposure *= more_requests(view.service, onset, now, start)
    noise = _noise(view.dense(start, deployed))
    if after / exposure < _SHARP * before / max(own + others, BUCKET):
        return None
    penalty = (
        _FREE_PENALTY if onset > deployed + 90 else 0.5 * log1p((now - onset) / 60)
    )  # who waits long finds something
    strength = log_evidence(after / noise, exposure, before / noise, max(own + others, 30.0)) - penalty
    return onset, strength, revision


def _not_starting(series: Series, service: Service, now: float) -> tuple[float, float, str | None] | None:
    """A revision that is new and says hardly anything but that it dies: no requests are needed, and it is no chance."""
    if not series.revision or series.answered or series.first < now - _NEW_FOR:
        return None
    told = any(deploy.revision == series.revision and deploy.prev for deploy in service.deploys)
    if not told and series.first < service.first + _WARM_UP:
        return None
    dying = [g for g in series.groups.values() if g.errors and _ends_it(g)]
    lines = sum(group.total for group in dying)
    if lines < MIN_UNITS or lines < 0.5 * sum(series.lines.values()):
        return None
    return min(group.first for group in dying), min(12.0, 3.0 + lines), series.revision


def _ends_it(group: Group) -> bool:
    """It tells of a container that died; a traceback alone may be a request's."""
    return group.wording.theme is Theme.STARTUP or (group.wording.death and group.wording.theme is not Theme.CODE)


def _noise(counts: list[float]) -> float:
    """Burstiness of what went before, by half minutes; at most 5, so that one bad hour does not make blind."""
    per = int(30 / BUCKET)
    return min(
        5.0,
        (2.0 if len(counts) * BUCKET < _SHORT else 1.15)
        * dispersion([sum(counts[i : i + per]) for i in range(0, len(counts) - per + 1, per)]),
    )


def _refined(view: View, onset: float, revision: str | None) -> float:
    """The first line of what came new at about the onset, instead of the beginning of its bucket."""
    firsts = [
        group.first
        for series in view.service.series.values()
        if revision is None or series.revision == revision
        for key, group in series.groups.items()
        if group.total >= 2 and key not in view.raised and onset - BUCKET <= group.first <= onset + 4 * BUCKET
    ]
    return min(firsts) if firsts and view.kind == "error" else onset


def _described(view: View, ledger: Ledger, onset: float, strength: float, start: float, now: float) -> Rise:
    floor = int(onset // BUCKET) * BUCKET
    by_revision = {
        series.revision: units
        for series in view.service.series.values()
        if (units := view.total(floor, now + 30, revision=series.revision))
    }
    last = max((b for r in by_revision for b in view.buckets(r)), default=0) * BUCKET
    groups = excess_of(view, floor, start, now) if view.kind == "error" else ()
    themes: Counter[Theme] = Counter()
    ours = frozenset(map(stem, ledger.services))
    telling = [pair for pair in groups if not pair[0].wording.request] or groups
    whole = sum(excess for _, excess in telling) or 1.0
    for group, excess in telling:
        themes[theme_of(group, ours)] += excess / whole  # type: ignore[assignment]
    failed = failed_share(ledger, view, floor, start)
    if themes.get(Theme.STARTUP, 0.0) >= _DOES_NOT_START:  # whose requests find no instance, or one that dies
        themes[Theme.STARTUP] += themes.pop(Theme.WARMING, 0.0)  # type: ignore[assignment]
    spoken = 1.0 - themes.get(Theme.OTHER, 0.0)
    if themes and spoken >= 0.25:  # "request failed, giving up" says nothing beside a line that does
        themes = Counter({theme: share / spoken for theme, share in themes.items() if theme is not Theme.OTHER})
    return Rise(
        service=view.service.name,
        kind=view.kind,
        onset=onset,
        strength=strength,
        units=sum(by_revision.values()),
        seconds=max(now - floor, BUCKET),
        before=view.total(start, floor),
        before_seconds=max(floor - start, 0.0),
        by_revision=by_revision,
        last=last,
        groups=groups,
        themes=dict(themes),
        throttled=throttled_share(view, floor) if view.kind == "client" else 0.0,
        surge=surge(view.service, onset, now, start),
        failed_requests=failed,
        outside=outside(view.service.name, groups, ledger, ours),
    )
