"""What was added: the failures of a rise by kind, what they speak of, and whether requests failed at all."""

from __future__ import annotations

from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.ledger import Ledger
from bot.correlate.attribution.naming import names, stem
from bot.correlate.attribution.records import BUCKET, Group
from bot.correlate.attribution.view import View

_WITH_STATUS = 6  # failures of the fleet, and requests of the service, from which a status is the rule
_LEAST = 3  # lines that speak of want of room


def theme_of(group: Group, ours: frozenset[str]) -> Theme:
    """Who calls something that is not ours speaks of a dependency, whatever else the words are."""
    wording = group.wording
    foreign = wording.callee and stem(wording.callee) not in ours
    return Theme.DEPENDENCY if foreign and wording.theme in {Theme.UPSTREAM, Theme.OTHER} else wording.theme


def outside(name: str, groups: tuple[tuple[Group, float], ...], ledger: Ledger, ours: frozenset[str]) -> float:
    """Failures that name a dependency and no service of ours: they repeat nobody else's."""
    return sum(
        excess
        for group, excess in groups
        if theme_of(group, ours) is Theme.DEPENDENCY
        and not any(names(group.wording.sample, other, name) for other in ledger.services)
    )


def failed_share(ledger: Ledger, view: View, floor: float, start: float) -> float | None:
    """Requests answered with 5xx by failure of this rise; None where failures carry no status here as a rule."""
    first, beginning = int(floor // BUCKET), int(start // BUCKET)
    fleet = [s for service in ledger.services.values() for s in service.series.values()]
    own = view.service.series.values()
    failed = sum(count for s in own for b, count in s.failed.items() if b >= first)
    before = sum(count for s in fleet for count in s.failed.values()) - failed
    told = sum(sum(b.values()) for s in own for b in (s.answered, s.refused, s.failed)) - failed
    units = sum(count for s in own for b, count in s.units.items() if b >= first)
    if before < _WITH_STATUS or told < _WITH_STATUS or beginning >= first:
        return None
    return min(1.0, failed / units) if units else None


def throttled_share(view: View, onset: float) -> float:
    first = int(onset // BUCKET)
    series = view.service.series.values()
    if not view.refusals_logged:  # only counted: then what was said since tells
        quiet = [g for s in series for g in s.groups.values() if g.wording.theme is Theme.CAPACITY]
        said = [(b, count) for g in quiet for buckets in (g.quiet, g.errors) for b, count in buckets.items()]
        since = sum(count for bucket, count in said if bucket >= first)
        before = sum(count for bucket, count in said if bucket < first)
        return 1.0 if since >= _LEAST and since > before else 0.0
    throttled = sum(count for s in series for bucket, count in s.throttled.items() if bucket >= first)
    return throttled / max(1, sum(count for s in series for bucket, count in s.refused.items() if bucket >= first))


def excess_of(view: View, onset: float, start: float, now: float) -> tuple[tuple[Group, float], ...]:
    """Error groups with more since the onset than the rate before it explains, most first."""
    first, beginning = int(onset // BUCKET), int(start // BUCKET)
    ratio = (now - onset) / max(onset - start, 60.0)
    found: dict[str, tuple[Group, float]] = {}
    for series in view.service.series.values():
        for key, group in series.groups.items():
            lines = [*group.errors.items(), *(group.quiet.items() if key in view.raised else ())]
            after = sum(count for bucket, count in lines if bucket >= first)
            before = sum(count for bucket, count in lines if beginning <= bucket < first)
            if not group.errors and key not in view.raised:
                continue
            known = found.get(key)
            more = after - before * ratio + (known[1] if known else 0.0)
            found[key] = (group if known is None or group.total > known[0].total else known[0], more)
    ranked = sorted(((g, more) for g, more in found.values() if more > 0), key=lambda x: (-x[1], x[0].wording.key))
    return tuple(ranked[:20])
