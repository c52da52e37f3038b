"""What an incident costs: money at risk on critical user journeys, never a bare number.

    one journey      ARR × its share of the ARR × failing fraction
    failing fraction failed ÷ requests × share of traffic, with its 95 % Wilson interval;
                     1 when no revision serves; 0 – 0.5 – 1 when it is not known
    all journeys     their sum, at most the whole ARR; a journey counts once, at its worst incident

A missing factor widens the range or makes it "unknown", and is named. It never becomes a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.decide.phrases import failures, percent, span
from bot.decide.wilson import wilson
from bot.model.catalog import Catalog, Journey
from bot.model.evidence import RequestCount
from bot.model.judgement import Impact, ImpactInput, IncidentKind, JourneyImpact, Range

HOURS_A_YEAR = 8_766
"""365.25 days."""

_ZERO = Range(0.0, 0.0, 0.0)
_ALL = Range(1.0, 1.0, 1.0)
_UNKNOWN = Range(0.0, 0.5, 1.0)
_CATALOG = "reliability.yaml"

_SERVING = (
    "ARR × share of the ARR on the journey × failing requests × share of traffic; the range is the 95 % Wilson interval"
)
_NOBODY = "ARR × share of the ARR on the journey × 1, because no revision serves"
_EXPOSED = "users are served by an older revision: nothing is lost now; exposed = ARR × share of the ARR on journeys that cannot be released"
_UNTESTED = "nothing is lost now; exposed = ARR × share of the ARR on the journeys that this suite guards"
_NO_ARR = "the ARR (business.arr in the catalog)"
_COMBINED = "sum over journeys, each counted once at its worst incident, at most the whole ARR"


@dataclass(frozen=True)
class _Failing:
    """Failing fraction of a journey's attempts, how it was found, and what was missing."""

    fraction: Range
    formula: str
    inputs: tuple[ImpactInput, ...] = ()
    missing: tuple[str, ...] = ()


def estimate(
    catalog: Catalog,
    service_key: str,
    kind: IncidentKind,
    requests: RequestCount | None,
    share_percent: int | None,
    now: datetime,
) -> Impact:
    """The impact of one incident of a service.

    Args:
        requests: of the failing revision; None: not measured. Not used for deploy_blocked.
        share_percent: serving_failure: traffic of the failing revision; deploy_blocked: traffic that other revisions
            serve, so 0 means that nothing serves. None: unknown.
        now: when share_percent was read.
    """
    needed = catalog.journeys_of(service_key)
    arr = catalog.business.arr
    blocked_only = kind is IncidentKind.DEPLOY_BLOCKED and bool(share_percent)
    failing = _failing(kind, requests, share_percent, now)
    journeys = tuple(_on_journey(catalog, key, journey, failing.fraction) for key, journey in needed)
    total = _ZERO if blocked_only and needed else _total(catalog, journeys)
    return Impact(
        now=not blocked_only,
        journeys=journeys,
        currency=arr.currency if arr else "",
        arr_at_risk=total,
        exposed=_exposed(catalog, [key for key, _ in needed]) if blocked_only else None,
        per_hour=_map(total, lambda amount: amount / HOURS_A_YEAR) if total else None,
        formula=failing.formula,
        inputs=(*_catalog_inputs(catalog, needed), *failing.inputs),
        missing=(*_missing(catalog, service_key, needed), *failing.missing),
    )


def exposed_by(catalog: Catalog, journeys: Sequence[str]) -> Impact | None:
    """What cannot be released with confidence while a suite that guards these journeys says nothing good; users lose
    nothing by it. None: it guards none.
    """
    guarded = [(key, catalog.journeys[key]) for key in journeys if key in catalog.journeys]
    if not guarded:
        return None
    arr = catalog.business.arr
    no_arr = () if arr else (_NO_ARR,)
    return Impact(
        now=False,
        journeys=tuple(_on_journey(catalog, key, journey, _ZERO) for key, journey in guarded),
        currency=arr.currency if arr else "",
        arr_at_risk=_ZERO,
        exposed=_exposed(catalog, [key for key, _ in guarded]),
        formula=_UNTESTED,
        inputs=_catalog_inputs(catalog, guarded),
        missing=(*no_arr, *_no_share(guarded)),
    )


def combine(impacts: Iterable[Impact], catalog: Catalog) -> Impact:
    """The impact of several open incidents together. Without any: nothing at risk.

    A journey counts once, at the worst of its incidents; the total never exceeds the ARR.
    """
    given = list(impacts)
    worst: dict[str, JourneyImpact] = {}
    for journey in (journey for impact in given for journey in impact.journeys):
        worst[journey.key] = _worse(worst[journey.key], journey) if journey.key in worst else journey
    journeys = tuple(worst.values())
    arr = catalog.business.arr
    nothing_unknown = all(impact.arr_at_risk is not None for impact in given)
    total = _ZERO if nothing_unknown and not any(impact.now for impact in given) else _total(catalog, journeys)
    held = dict.fromkeys(journey.key for impact in given if not impact.now for journey in impact.journeys)
    return Impact(
        now=any(impact.now for impact in given),
        journeys=journeys,
        currency=arr.currency if arr else "",
        arr_at_risk=total,
        exposed=_exposed(catalog, list(held)) if held else None,
        per_hour=_map(total, lambda amount: amount / HOURS_A_YEAR) if total else None,
        formula=_COMBINED,
        inputs=tuple(dict.fromkeys(entry for impact in given for entry in impact.inputs)),
        missing=tuple(dict.fromkeys(text for impact in given for text in impact.missing)),
    )


def _failing(kind: IncidentKind, requests: RequestCount | None, share_percent: int | None, now: datetime) -> _Failing:
    if kind is IncidentKind.DEPLOY_BLOCKED:
        return _failing_deploy(share_percent, now)
    measured = wilson(requests.failed, requests.total) if requests else _UNKNOWN
    share = _UNKNOWN if share_percent is None else _map(_ALL, lambda one: one * min(max(share_percent, 0), 100) / 100)
    inputs, missing = [], []
    if requests and requests.total:
        window = requests.window
        value = f"{failures(requests)} in {span(window.end - window.start)}"
        inputs.append(ImpactInput("Failing requests", value, "Cloud Run's request log", window.end))
    else:
        missing.append("how many requests fail (none were counted)")
    if share_percent is None:
        missing.append("share of traffic")
    else:
        inputs.append(ImpactInput("Share of traffic", f"{share_percent} %", "Cloud Run's traffic status", now))
    return _Failing(_times(measured, share), _SERVING, tuple(inputs), tuple(missing))


def _failing_deploy(share_percent: int | None, now: datetime) -> _Failing:
    if share_percent is None:
        return _Failing(_UNKNOWN, _NOBODY, missing=("whether an older revision serves",))
    value = f"{share_percent} %" if share_percent else "nothing serves"
    known = (ImpactInput("Traffic of older revisions", value, "Cloud Run's traffic status", now),)
    return _Failing(_ZERO, _EXPOSED, known) if share_percent else _Failing(_ALL, _NOBODY, known)


def _on_journey(catalog: Catalog, key: str, journey: Journey, fraction: Range) -> JourneyImpact:
    arr, share = catalog.business.arr, journey.arr_share
    if arr is None or share is None:
        missing = "ARR" if arr is None else "its share of the ARR"
        return JourneyImpact(key, journey.title, fraction, None, missing)
    return JourneyImpact(key, journey.title, fraction, _map(fraction, lambda part: arr.amount * share * part))


def _total(catalog: Catalog, journeys: Sequence[JourneyImpact]) -> Range | None:
    """Sum over journeys; None when nothing at all is known.

    A journey whose share is unknown may add anything between nothing and the whole ARR.
    """
    arr = catalog.business.arr
    known = [journey.arr_at_risk for journey in journeys if journey.arr_at_risk is not None]
    if arr is None or not known:
        return None
    unknown_high = sum(
        arr.amount * (journey.failing.high if journey.failing else 1.0)
        for journey in journeys
        if journey.arr_at_risk is None
    )
    return Range(
        low=min(arr.amount, sum(part.low for part in known)),
        expected=min(arr.amount, sum(part.expected for part in known)),
        high=min(arr.amount, sum(part.high for part in known) + unknown_high),
    )


def _exposed(catalog: Catalog, keys: Sequence[str]) -> Range | None:
    """What hangs on these journeys."""
    hanging = [_on_journey(catalog, key, catalog.journeys[key], _ALL) for key in keys if key in catalog.journeys]
    return _total(catalog, hanging)


def _worse(one: JourneyImpact, other: JourneyImpact) -> JourneyImpact:
    """The worse of two incidents on one journey, bound by bound; an unknown part stays unknown."""
    return JourneyImpact(
        one.key,
        one.title,
        _highest(one.failing, other.failing),
        _highest(one.arr_at_risk, other.arr_at_risk),
        one.missing or other.missing,
    )


def _highest(one: Range | None, other: Range | None) -> Range | None:
    if one is None or other is None:
        return None
    return Range(max(one.low, other.low), max(one.expected, other.expected), max(one.high, other.high))


def _catalog_inputs(catalog: Catalog, needed: Sequence[tuple[str, Journey]]) -> tuple[ImpactInput, ...]:
    arr = catalog.business.arr
    shares = (
        ImpactInput(
            f"Share of the ARR on “{journey.title}”",
            percent(journey.arr_share),
            f"{_CATALOG}: journeys.{key}.arr_share",
        )
        for key, journey in needed
        if journey.arr_share is not None
    )
    money = (
        (ImpactInput("ARR", f"{arr.amount:,.0f} {arr.currency}", f"{_CATALOG}: business.arr", as_of=arr.as_of),)
        if arr
        else ()
    )
    return (*money, *shares)


def _missing(catalog: Catalog, service_key: str, needed: Sequence[tuple[str, Journey]]) -> tuple[str, ...]:
    if not needed:
        return (f"no critical user journey in the catalog needs {service_key}",)
    no_arr = () if catalog.business.arr else (_NO_ARR,)
    return (*no_arr, *_no_share(needed))


def _no_share(needed: Sequence[tuple[str, Journey]]) -> tuple[str, ...]:
    return tuple(
        f"share of the ARR on “{journey.title}” (journeys.{key}.arr_share)"
        for key, journey in needed
        if journey.arr_share is None
    )


def _times(one: Range, other: Range) -> Range:
    return Range(one.low * other.low, one.expected * other.expected, one.high * other.high)


def _map(values: Range, change: Callable[[float], float]) -> Range:
    return Range(change(values.low), change(values.expected), change(values.high))
