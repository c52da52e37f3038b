"""A kind of failure that came with a revision: seen only there, again and again, never before.

All failures of a service together may hide it: fifty of every day, and five of a kind that the new revision alone says.
What a revision says *instead* of what was said before is no new failure, so what vanished is set against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.exposure import share_seconds
from bot.correlate.attribution.naming import names
from bot.correlate.attribution.records import BUCKET, Group, Service
from bot.correlate.attribution.statistics import log_evidence
from bot.correlate.attribution.view import View

_LEAST, _LEAST_CLEAR = 4, 3  # failures of the kind; … of an exception of our own making
_LEAST_BEFORE = 100.0  # seconds of traffic to others without it
_NOISE, _NOISE_CLEAR = 1.3, 1.1
_NOTHING, _NOTICED = 0.3, 1.5  # failures of earlier kinds that should have come by now and did not
_PENALTY = 1.0  # several kinds are looked at
_LATER = 90.0  # seconds after the deploy from which a beginning is one that was searched for
_SEARCHED = 2.5
_LAST_DEPLOYS, _LOOKED_BACK = 3, 900.0  # of another service; seconds


def new_kind(view: View, revision: str, start: float, now: float) -> tuple[float, float, str | None] | None:
    """(onset, ln e-value, revision) of what only this revision fails with; None where there is no such kind."""
    series = view.service.series.get(revision)
    deployed = min((d.at for d in view.service.deploys if d.revision == revision), default=now)
    if series is None or series.first < deployed - 60:
        return None
    born = max(start, deployed - 10)
    kinds = [g for key, g in series.groups.items() if _is_new(view, key, g, revision, born)]
    most = max(kinds, key=lambda g: (g.total, g.wording.key), default=None)
    if most is None:
        return None
    onset = max(born, most.first)
    exposure = max(share_seconds(view.timeline, revision, onset, now), 0.01 * (now - onset), 1.0)
    others = max(0.0, (now - start) - share_seconds(view.timeline, revision, start, now))
    before = others + share_seconds(view.timeline, revision, born, onset)
    if before < _LEAST_BEFORE:
        return None
    gone = _vanished(view.service, revision, born, exposure / max(others, BUCKET))
    clear = most.wording.theme is Theme.CODE and gone < _NOTHING
    if most.total < (_LEAST_CLEAR if clear else _LEAST):
        return None
    noise = _NOISE_CLEAR if clear else _NOISE
    if gone >= _NOTICED:
        strength = log_evidence(most.total / noise, exposure, gone * others / exposure, before)
    else:
        strength = log_evidence(
            max(0.0, most.total - (gone + 1 if gone >= _NOTHING else 0)) / noise, exposure, 0.0, before
        )
    return onset, strength - _PENALTY - (_SEARCHED if onset > deployed + _LATER else 0.0), revision


def of_callee(
    view: View, services: Mapping[str, Service], start: float, now: float
) -> list[tuple[float, float, str | None]]:
    """The same for failures that name another service, since the deploy of that one: [(onset, ln e-value, None)]."""
    found: list[tuple[float, float, str | None]] = []
    for other in services.values():
        for deployed in {d.at for d in other.deploys[-_LAST_DEPLOYS:] if now - _LOOKED_BACK < d.at < now}:
            told = _naming(view, other.name, start, deployed, now)
            if told is not None:
                found.append(told)
    return found


def _naming(view: View, other: str, start: float, deployed: float, now: float) -> tuple[float, float, None] | None:
    floor, first = int((deployed - BUCKET) // BUCKET), inf
    after = before = 0
    for series in view.service.series.values():
        for group in series.groups.values():
            if group.errors and not group.wording.request and names(group.wording.sample, other, view.service.name):
                since = [bucket for bucket in group.errors if bucket >= floor]
                after += sum(group.errors[bucket] for bucket in since)
                before += sum(group.errors.values()) - sum(group.errors[bucket] for bucket in since)
                first = min(first, max(group.first, min(since) * BUCKET) if since else inf)
    if after < _LEAST or deployed - start < _LEAST_BEFORE:
        return None
    seconds = now - first
    strength = log_evidence(after / _NOISE, max(seconds, BUCKET), before / _NOISE, first - start)
    return first, strength - _PENALTY - (_SEARCHED if first > deployed + _LATER else 0.0), None


def _is_new(view: View, key: str, group: Group, revision: str, born: float) -> bool:
    if not group.errors or group.wording.request or not group.wording.sample or key in view.raised:
        return False
    if group.first < born or group.quiet:
        return False
    others = (s.groups.get(key) for name, s in view.service.series.items() if name != revision)
    return not any(other and (other.errors or other.quiet) for other in others)


def _vanished(service: Service, revision: str, born: float, ratio: float) -> float:
    """Failures of earlier kinds that were to be expected and did not come: they may come in other words now."""
    floor = int(born // BUCKET)
    before: dict[str, int] = {}
    since: dict[str, int] = {}
    for name, series in service.series.items():
        for key, group in series.groups.items():
            if group.wording.request:
                continue
            for bucket, count in group.errors.items():
                if name == revision and bucket >= floor:
                    since[key] = since.get(key, 0) + count
                else:
                    before[key] = before.get(key, 0) + count
    return sum(max(0.0, count * ratio - since.get(key, 0)) for key, count in before.items())
