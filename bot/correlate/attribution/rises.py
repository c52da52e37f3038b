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
from bot.correlate.attribution.exposure import share_seconds, surge
from bot.correlate.attribution.ledger import BUCKET, Group, Ledger, Series, Service
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
    view = View(service, kind, raised_kinds(service, now), now)
    if not view.any_since(now - _BUSY):
        return None
    start = max(ledger.first, now - WINDOW)
    found = [_whole(view, start, now), *(_of_revision(view, r, start, now) for r in _deployed(service, now))]
    if kind == "error":
        found += [_not_starting(series, service, now) for series in service.series.values()]
    best = max((f for f in found if f), key=lambda f: f[1], default=None)
    if best is None:
        return None
    onset, strength, revision = best
    return _described(view, _refined(view, onset, revision), strength, start, now)


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
    noise = _noise(counts[:index])
    strength = log_evidence(after / noise, seconds, before / noise, max(seconds_before, 30.0)) - _FREE_PENALTY
    if seconds_before < _WARM_UP:
        return None
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
    if not series.revision or series.answered or series.first < max(service.first + _WARM_UP, now - _NEW_FOR):
        return None
    dying = [g for g in series.groups.values() if g.errors and (g.wording.death or g.wording.theme is Theme.STARTUP)]
    lines = sum(group.total for group in dying)
    if lines < MIN_UNITS or lines < 0.5 * sum(series.lines.values()):
        return None
    return min(group.first for group in dying), min(12.0, 3.0 + lines), series.revision


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


def _described(view: View, onset: float, strength: float, start: float, now: float) -> Rise:
    floor = int(onset // BUCKET) * BUCKET
    by_revision = {
        series.revision: units
        for series in view.service.series.values()
        if (units := view.total(floor, now + 30, revision=series.revision))
    }
    last = max((b for r in by_revision for b in view.buckets(r)), default=0) * BUCKET
    groups = _excess(view, floor, start, now) if view.kind == "error" else ()
    themes: Counter[Theme] = Counter()
    telling = [pair for pair in groups if not pair[0].wording.request] or groups
    whole = sum(excess for _, excess in telling) or 1.0
    for group, excess in telling:
        themes[group.wording.theme] += excess / whole  # type: ignore[assignment]
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
        throttled=_throttled(view, floor) if view.kind == "client" else 0.0,
        surge=surge(view.service, onset, now, start),
    )


def _throttled(view: View, onset: float) -> float:
    first = int(onset // BUCKET)
    series = view.service.series.values()
    if not view.refusals_logged:  # only counted: then what was said since tells
        quiet = [g for s in series for g in s.groups.values() if g.wording.theme is Theme.CAPACITY]
        since = sum(count for g in quiet for bucket, count in g.quiet.items() if bucket >= first)
        before = sum(count for g in quiet for bucket, count in g.quiet.items() if bucket < first)
        return 1.0 if since >= MIN_UNITS and since > before else 0.0
    throttled = sum(count for s in series for bucket, count in s.throttled.items() if bucket >= first)
    return throttled / max(1, sum(count for s in series for bucket, count in s.refused.items() if bucket >= first))


def _excess(view: View, onset: float, start: float, now: float) -> tuple[tuple[Group, float], ...]:
    """Error groups with more since the onset than the rate before it explains, most first."""
    first, beginning = int(onset // BUCKET), int(start // BUCKET)
    ratio = (now - onset) / max(onset - start, 60.0)
    found: dict[str, tuple[Group, float]] = {}
    for series in view.service.series.values():
        for key, group in series.groups.items():
            if key in view.raised or not group.errors:
                continue
            after = sum(count for bucket, count in group.errors.items() if bucket >= first)
            before = sum(count for bucket, count in group.errors.items() if beginning <= bucket < first)
            known = found.get(key)
            more = after - before * ratio + (known[1] if known else 0.0)
            found[key] = (group if known is None or group.total > known[0].total else known[0], more)
    ranked = sorted(((g, more) for g, more in found.values() if more > 0), key=lambda x: (-x[1], x[0].wording.key))
    return tuple(ranked[:20])
