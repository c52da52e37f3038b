"""What `/reliability errors` shows: each deployment's errors by revision, and its most frequent error groups. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.correlate.series import SharedGroup
from bot.model.catalog import Place
from bot.model.evidence import Gap, Window
from bot.model.series import ErrorSeries
from bot.notify.cause import gap_words
from bot.notify.chart_words import name, total
from bot.notify.safe import opening
from bot.notify.words import count, duration

_GROUPS, _REVISIONS, _TITLE = 5, 4, 120
_ECHOES, _ECHO_TITLE = 3, 60


@dataclass(frozen=True)
class GroupShown:
    """One error group: `690×`, a line of it, `12:16:12 – 12:29:00 UTC`, and on which revisions.

    Attributes:
        on: (name, count); the last one may have no name: then the count says whose it is. One revision needs no
            count: ""; () where all errors are of one revision anyway.
    """

    count: str
    title: str
    when: str
    on: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class EchoShown:
    """What only follows from the error groups above it: `79×` and the beginning of a line of it."""

    count: str
    title: str


@dataclass(frozen=True)
class PlaceShown:
    """One deployment.

    Attributes:
        what: `779 errors`; "" when nothing could be read.
        revisions: as GroupShown.on, most errors first; () where one was asked for.
        more_groups, more_echoes: not shown ones in words, "" for none.
    """

    where: str
    of: str
    what: str
    revisions: tuple[tuple[str, str], ...]
    groups: tuple[GroupShown, ...]
    more_groups: str
    echoes: tuple[EchoShown, ...]
    more_echoes: str
    gaps: tuple[str, ...]
    is_cut: bool


@dataclass(frozen=True)
class ErrorsShown:
    """All that templates/reply/errors shows. `has_chart`: at least one picture follows."""

    summary: str
    start: datetime
    end: datetime
    length: str
    places: tuple[PlaceShown, ...]
    more: tuple[str, ...]
    has_chart: bool


def errors_shown(context: Mapping[str, Any]) -> ErrorsShown:
    """The command's context: `places` (dicts of place, series or None, groups, gaps, revision), `window`, `more`."""
    window: Window = context["window"]
    places = tuple(_place(each) for each in context["places"])
    said = "; ".join(f"{each.where}{each.of}: {each.what or 'could not be read'}" for each in places)
    length = window.end - window.start
    return ErrorsShown(
        summary=f"{said} in the last {duration(length)}",
        start=window.start,
        end=window.end,
        length=duration(length),
        places=places,
        more=tuple(context["more"]),
        has_chart=any(each["series"] is not None for each in context["places"]),
    )


def _place(told: Mapping[str, Any]) -> PlaceShown:
    place: Place = told["place"]
    series: ErrorSeries | None = told["series"]
    gaps: Sequence[Gap] = told["gaps"]
    service = place.deployment.cloud_run
    shares = [(each.revision, each.total) for each in series.revisions] if series else []
    causes = [each for each in told["groups"] if not each.group.is_echo]
    echoes = [each for each in told["groups"] if each.group.is_echo]
    return PlaceShown(
        where=f"{service} ({place.environment})",
        of=f" {name(told['revision'], service)}" if told["revision"] else "",
        what=total(series) if series else "",
        revisions=() if told["revision"] else _shares(shares, service),
        groups=tuple(_group(each, service, alone=len(shares) == 1) for each in causes[:_GROUPS]),
        more_groups=_more(causes[_GROUPS:], "more error group"),
        echoes=tuple(EchoShown(_times(each), opening(each.group.title, _ECHO_TITLE)) for each in echoes[:_ECHOES]),
        more_echoes=_more(echoes[_ECHOES:], "more"),
        gaps=gap_words(tuple(gaps)),
        is_cut=series is not None and not series.complete,
    )


def _times(shared: SharedGroup) -> str:
    return f"{shared.group.count:,}×"


def _more(rest: Sequence[SharedGroup], what: str) -> str:
    """`7 more error groups, 203 times in all`; "" for none."""
    if not rest:
        return ""
    times = count(sum(each.group.count for each in rest), "time")
    return f"{count(len(rest), what, what if what == 'more' else '')}, {times} in all"


def _group(shared: SharedGroup, service: str, *, alone: bool) -> GroupShown:
    group = shared.group
    on = _shares(shared.on, service)
    return GroupShown(
        count=_times(shared),
        title=opening(group.title, _TITLE),
        when=_when(group.first_seen, group.last_seen),
        on=() if alone else on if len(on) > 1 else tuple((revision, "") for revision, _ in on),
    )


def _shares(shares: Sequence[tuple[str, int]], service: str) -> tuple[tuple[str, str], ...]:
    shown = [(name(revision, service), f"{number:,}") for revision, number in shares[:_REVISIONS]]
    if rest := shares[_REVISIONS:]:
        shown.append(("", f"{count(len(rest), 'other revision')} {sum(number for _, number in rest):,}"))
    return tuple(shown)


def _when(first: datetime, last: datetime) -> str:
    """`12:16:12 – 12:29:00 UTC`, with the days where they differ: absolute, as in the chart."""
    days = first.date() != last.date()
    begun, ended = (f"{at:{'%Y-%m-%d %H:%M:%S' if days else '%H:%M:%S'}}" for at in (first, last))
    return f"{begun} UTC" if begun == ended else f"{begun} – {ended} UTC"
