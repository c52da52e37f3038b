"""What an incident costs, as the card shows it: never a bare number, and "unknown" with what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.decide.phrases import percent
from bot.model.catalog import Arr
from bot.model.judgement import Impact, ImpactInput, JourneyImpact
from bot.notify.safe import line
from bot.notify.words import money, money_range, phrase

BLOCKED_FROM = 0.5
"""A journey is called blocked when surely at least so much of its attempts fails."""

_JOURNEYS_SHOWN = 3


@dataclass(frozen=True)
class CountedWith:
    """One factor of the estimate, `ARR 500,000 USD (reliability.yaml, 2025-09-15`, and when it was read; the template
    closes the bracket.
    """

    text: str
    at: datetime | None


@dataclass(frozen=True)
class ImpactShown:
    """What is at stake.

    Attributes:
        journeys: what happens to each, `“Sign in” blocked`.
        at_stake: "ARR at risk" while users suffer, "exposed" when only releases are blocked.
        expected, between, of: `$485K`, `$480K–$490K` ("" when it says nothing more), `$500K` ("" when unknown).
        now: what is at risk now, `$0`, where `expected` is exposed; "" when `expected` is what is at risk now.
        unknown: which factor is missing, so that there is no figure or only a wide one; "" when none is.
    """

    journeys: tuple[str, ...]
    at_stake: str
    expected: str = ""
    between: str = ""
    of: str = ""
    unknown: str = ""
    now: str = ""
    per_hour: str = ""
    formula: str = ""
    inputs: tuple[CountedWith, ...] = ()


def impact_shown(impact: Impact | None, arr: Arr | None) -> ImpactShown:
    """The impact in words."""
    if impact is None:
        return ImpactShown((), "ARR at risk", unknown="not estimated yet")
    is_exposed = impact.exposed is not None or not impact.now
    amount = impact.exposed if is_exposed else impact.arr_at_risk
    shown = [_journey(journey, now=impact.now) for journey in impact.journeys[:_JOURNEYS_SHOWN]]
    if len(impact.journeys) > _JOURNEYS_SHOWN:
        shown.append(f"{len(impact.journeys) - _JOURNEYS_SHOWN} more journeys")
    at_risk, between_risk = _at_risk(impact)
    expected, between = money_range(amount, impact.currency) if amount else ("", "")
    if not is_exposed:
        expected = at_risk
    return ImpactShown(
        journeys=tuple(shown),
        at_stake="exposed" if is_exposed else "ARR at risk",
        expected=expected,
        between=between,
        of=money(arr.amount, arr.currency) if arr and arr.currency == impact.currency else "",
        unknown=_missing(impact),
        now=(f"{at_risk} ({between_risk})" if between_risk else at_risk) if is_exposed else "",
        per_hour=money_range(impact.per_hour, impact.currency)[0]
        if impact.per_hour and impact.per_hour.expected
        else "",
        formula=line(impact.formula, 300) if amount else "",
        inputs=tuple(_input(factor) for factor in impact.inputs[:6]),
    )


def _at_risk(impact: Impact) -> tuple[str, str]:
    """(`$485K`, `$480K–$490K`) at risk now. A figure beside a cost that nobody knows is a lower bound: `at least $0`."""
    if impact.arr_at_risk is None:
        return "", ""
    expected, between = money_range(impact.arr_at_risk, impact.currency)
    return f"at least {expected}" if impact.now and impact.missing and not between else expected, between


def headline(impact: Impact | None) -> str:
    """`golden path blocked`, `golden path: 30 % fail`, `2 journeys blocked`; "" when no journey suffers."""
    if impact is None or not impact.now or not impact.journeys:
        return ""
    if len(impact.journeys) > 1:
        blocked = all(_is_blocked(journey) for journey in impact.journeys)
        return f"{len(impact.journeys)} journeys {'blocked' if blocked else 'failing'}"
    journey = impact.journeys[0]
    name = line(phrase(journey.key), 60)
    if journey.failing is None or _is_unmeasured(journey):
        return f"{name} failing"
    return f"{name} blocked" if _is_blocked(journey) else f"{name}: {percent(journey.failing.expected)} fail"


def _journey(journey: JourneyImpact, *, now: bool) -> str:
    title = f"“{line(journey.title, 80)}”"
    if not now:
        return f"releases of {title} blocked"
    if journey.failing is None or _is_unmeasured(journey):
        return f"{title} fails, how often is unknown"
    return f"{title} blocked" if _is_blocked(journey) else f"{title} fails {percent(journey.failing.expected)}"


def _is_blocked(journey: JourneyImpact) -> bool:
    return journey.failing is not None and journey.failing.low >= BLOCKED_FROM


def _is_unmeasured(journey: JourneyImpact) -> bool:
    return journey.failing is not None and (journey.failing.low, journey.failing.high) == (0, 1)


def _missing(impact: Impact) -> str:
    reasons = impact.missing or tuple(
        f"{journey.missing} of {journey.title}" for journey in impact.journeys if journey.missing
    )
    return ", ".join(line(reason, 120) for reason in dict.fromkeys(reasons))


def _input(factor: ImpactInput) -> CountedWith:
    since = f", {factor.as_of.isoformat()}" if factor.as_of else ""
    source = line(factor.source, 80)
    return CountedWith(f"{line(factor.name, 60)} {line(factor.value, 100)} ({source}{since}", factor.at)
