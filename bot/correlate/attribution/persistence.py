"""Does it go on? Cold starts accompany deploys and are over by themselves; a bad revision goes on failing."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.records import BUCKET, Buckets, Series, Service
from bot.correlate.attribution.rises import Rise
from bot.model.attribution import Cause

_OPENING = 12.0  # seconds in which instances start
_UNCLEAR = 20.0  # … where the words could be those of a cold start
_FEW, _OF_FEW, _OF_DOUBT = 6, 30.0, 42.0  # failures that are few; … seconds where so few failed; … in doubtful words
_WARMING = 50.0  # … where they are
_LATE_WARMING = 3  # failures after it
_HABIT = 75.0  # … which those services get that are known to start coldly
_LONG = 75.0  # … after which what fails is no start
_SOME = 0.3  # share of a rise that speaks of warming up
_GOES_ON = 0.25  # of the opening's rate
_LATELY, _LONG_AGO = 12.0, 60.0  # seconds in which a failure shows that it is not over
_UNCLEAR_GOES_ON = 0.33
_FADING, _FADED = 100.0, 0.25  # seconds, and share of the mean rate, by which it can be seen that it is over
_DOUBTFUL = (Theme.DEPENDENCY, Theme.CAPACITY)
_OWN, _OWN_SHARE = 4, 0.25  # failures of its own, and their share of those that point at it
_EXPECTED = 4.0  # failures from which a share of them can be asked for


def persists(case: Case, suspect: Suspect) -> bool:
    """True when failures after the opening seconds go on at a fair part of the rate within them, up to now."""
    rise = case.rise_of(suspect.service) or case.roots[0]
    service = case.ledger.services[rise.service]
    spoken = _speakers(service, rise, suspect)
    series = [s.refused if rise.kind == "client" else s.units for s in spoken]
    opening = _opening(service, suspect, rise)
    split = rise.onset + opening
    heard = case.now - max(case.ledger.lag, 1.0)  # what happened later has hardly arrived
    seconds = heard - split
    if seconds < BUCKET:
        return False
    keys = rise.chief if rise.themes.get(Theme.WARMING, 0.0) < _SOME else frozenset()
    later = rise.onset + max(opening, _LONG)
    usual = 2 * rise.before_rate * max(heard - later, 0.0)
    of_keys = max((_of(spoken, key, later, case.now + 30) for key in keys), default=0)
    of_all = _units(series, later, case.now + 30) if keys else 0
    if max(of_keys, of_all - 1) >= 3 + usual and _units(series, heard - _LONG_AGO, case.now + 30) >= 1:
        return True  # in spells, perhaps; no start lasts so long
    if not _is_clear(rise) and rise.chief and rise.kind == "error":  # chatter beside it goes on in any case
        series = [g.errors for s in spoken for key, g in s.groups.items() if key in rise.chief]
    early, late = _units(series, rise.onset, split), _units(series, split, case.now + 30)
    rate = early / opening
    lately = max(_LATELY, 3 / max(rise.rate, 0.01))
    recent = _units(series, heard - lately, case.now + 30)
    share = _GOES_ON if _is_clear(rise) else _UNCLEAR_GOES_ON
    fair = share * rate * lately if rate * lately >= _EXPECTED else 0.0
    goes_on = (
        late >= (_LATE_WARMING if opening >= _WARMING else 1 if early < 5 else 2)
        and late >= _GOES_ON * rate * seconds
        and recent >= max(1.0, fair)
    )
    return goes_on and not _faded(series, rise, heard, case.now)


def _faded(series: list[Buckets], rise: Rise, heard: float, now: float) -> bool:
    """It began long ago, and what comes now is hardly more than before it began."""
    if heard - rise.onset < 2 * _FADING:
        return False
    recent = _units(series, heard - _FADING, now + 30)
    return recent < max(_FADED * rise.rate * _FADING, 1.5 * rise.before_rate * _FADING)


def _is_clear(rise: Rise) -> bool:
    return sum(rise.themes.get(theme, 0.0) for theme in (Theme.CODE, Theme.STARTUP, Theme.MEMORY)) >= 0.5


def spoke_itself(case: Case, suspect: Suspect) -> bool:
    """True where who is suspected by the words of its callers alone had failures of its own, or these callers are done."""
    pointing = sum(rise.units for rise in case.rises)
    own = [series.units for series in case.ledger.services[suspect.service].series.values()]
    if _units(own, case.onset - 30, case.now + 30) >= max(_OWN, _OWN_SHARE * pointing):
        return True
    heard = case.now - max(case.ledger.lag, 1.0)
    if heard - case.onset < _LONG_AGO:
        return False
    callers = [s.units for rise in case.rises for s in case.ledger.services[rise.service].series.values()]
    rate = pointing / max(heard - case.onset, BUCKET)
    return _units(callers, heard - _LONG_AGO, case.now + 30) < _GOES_ON * rate * _LONG_AGO


def _opening(service: Service, suspect: Suspect, rise: Rise) -> float:
    opening = _HABIT if _starts_coldly(service, suspect, rise) else _OPENING
    if rise.themes.get(Theme.WARMING, 0.0) >= _SOME:
        opening = max(opening, _WARMING)
    if _is_clear(rise):
        return opening
    doubtful = sum(rise.themes.get(theme, 0.0) for theme in _DOUBTFUL) >= 0.5
    return max(opening, _OF_DOUBT if doubtful else _OF_FEW if rise.units < _FEW else _UNCLEAR)


def _speakers(service: Service, rise: Rise, suspect: Suspect) -> list[Series]:
    """The revision itself where its failures carry its name, else all."""
    own = service.series.get(suspect.revision)
    if (
        suspect.cause is Cause.REVISION
        and suspect.service == rise.service
        and own
        and suspect.revision in rise.by_revision
    ):
        return [own]
    return list(service.series.values())


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


def _units(speakers: list[Buckets], start: float, end: float) -> int:
    first, last = int(start // BUCKET), int(end // BUCKET)
    return sum(count for buckets in speakers for bucket, count in buckets.items() if first <= bucket < last)


def _of(speakers: list[Series], key: str, start: float, end: float) -> int:
    first, last = int(start // BUCKET), int(end // BUCKET)
    groups = (s.groups[key] for s in speakers if key in s.groups)
    return sum(count for group in groups for bucket, count in group.errors.items() if first <= bucket < last)
