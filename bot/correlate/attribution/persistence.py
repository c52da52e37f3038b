"""Does it go on? Cold starts accompany deploys and are over by themselves; a bad revision goes on failing."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.ledger import BUCKET, Service
from bot.correlate.attribution.rises import Rise

_OPENING = 12.0  # seconds in which instances start
_HABIT = 75.0  # … which those services get that are known to start coldly
_LONG = 60.0  # … after which what fails is no start
_LAG = 4.0  # seconds that entries take to arrive, mostly
_UNCLEAR = 21.0  # … where the words could be those of a cold start
_GOES_ON = 0.25  # of the opening's rate


def persists(case: Case, suspect: Suspect) -> bool:
    """True when failures after the opening seconds go on at a fair part of the rate within them."""
    rise = case.rise_of(suspect.service) or case.roots[0]
    service = case.ledger.services[rise.service]
    opening = _HABIT if _starts_coldly(service, suspect, rise) else _OPENING
    if rise.themes.get(Theme.WARMING, 0.0) >= 0.3:
        opening = max(opening, 45.0)
    clear = sum(rise.themes.get(theme, 0.0) for theme in (Theme.CODE, Theme.STARTUP, Theme.MEMORY)) >= 0.5
    if not clear:
        opening = max(opening, _UNCLEAR)
    split = rise.onset + opening
    seconds = case.now - _LAG - split
    if seconds < BUCKET:
        return False
    later = rise.onset + max(opening, _LONG)
    usual = 2 * rise.before_rate * max(case.now - later, 0.0)
    keys = [group.wording.key for group, _ in rise.groups[:6]]
    if max((_of(service, key, later, case.now + 30) for key in keys), default=0) >= 3 + usual:
        return True  # in spells, perhaps; no start lasts so long
    early, late = _units(service, rise.onset, split), _units(service, split, case.now + 30)
    expected = early * seconds / opening
    recent = _units(service, case.now - max(20.0, 3 / max(rise.rate, 0.01)), case.now + 30)
    return late >= (1 if early < 5 else 2) and late >= _GOES_ON * expected and recent >= 1


def _starts_coldly(service: Service, suspect: Suspect, rise: Rise) -> bool:
    """True where earlier deploys of this service brought the same errors, and they went by themselves."""
    keys = {group.wording.key for group, _ in rise.groups[:5] if not group.wording.request}
    earlier = [d.at for d in service.deploys if d.revision != suspect.revision and d.at < rise.onset - 40]
    if not earlier or not keys:
        return False
    limit = int((min(rise.onset, suspect.at) - BUCKET) // BUCKET)
    near = far = 0
    for series in service.series.values():
        for key in keys & series.groups.keys():
            for bucket, count in series.groups[key].errors.items():
                if bucket < limit:
                    close = any(-10 <= bucket * BUCKET - at <= 60 for at in earlier)
                    near, far = (near + count, far) if close else (near, far + count)
    return near >= 1 and near >= 1.5 * far


def _units(service: Service, start: float, end: float) -> int:
    first, last = int(start // BUCKET), int(end // BUCKET)
    return sum(count for s in service.series.values() for bucket, count in s.units.items() if first <= bucket < last)


def _of(service: Service, key: str, start: float, end: float) -> int:
    first, last = int(start // BUCKET), int(end // BUCKET)
    groups = (s.groups[key] for s in service.series.values() if key in s.groups)
    return sum(count for group in groups for bucket, count in group.errors.items() if first <= bucket < last)
