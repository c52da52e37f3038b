"""Once it is said whose fault it is, that stands: it is taken back only for something surer, and with the reason.

A revision that was taken back is not blamed again by the same incident.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from bot.model.attribution import Attribution, Cause

SURE_ENOUGH = 0.8
"""From here on another answer replaces the one that stands, and a cause that is no deploy speaks against a rollback."""

CALM_S = 180.0
"""What was said about one rise of errors does not hold for the next, which begins after so many seconds without any."""

_REMEMBERED = 3


@dataclass(frozen=True)
class Blame:
    """What stands, None while nothing is decided, and what was taken back, the latest first."""

    stands: Attribution | None = None
    withdrawn: tuple[Attribution, ...] = ()


def latched(blame: Blame, heard: Attribution | None) -> Blame:
    """What stands after hearing the latest attribution (None: nothing is decided by it)."""
    said = blame.stands
    if heard is None or heard.cause is Cause.NONE:
        return blame
    if said is None:
        refuted = heard.cause is Cause.REVISION and any(same_suspect(gone, heard) for gone in blame.withdrawn)
        return blame if refuted or heard.withdrawn else Blame(heard, blame.withdrawn)
    if same_suspect(said, heard):
        if heard.withdrawn:
            return Blame(None, (heard, *blame.withdrawn)[:_REMEMBERED])
        return Blame(replace(heard, since_s=min(said.since_s, heard.since_s)), blame.withdrawn)
    if heard.withdrawn or heard.confidence < SURE_ENOUGH:
        return blame
    taken_back = replace(said, withdrawn=heard.why)
    return Blame(heard, (taken_back, *blame.withdrawn)[:_REMEMBERED])


def goes_on(began_s: float, until_s: float, failed_s: Iterable[float]) -> bool:
    """Is what fails at `until_s` still the rise that began then?

    Args:
        began_s: after `until_s`: yes, it was noticed before it was weighed.
        failed_s: when errors were logged, in any order; those outside the time between are left out.
    """
    between = sorted(at for at in failed_s if began_s <= at <= until_s)
    return all(later - earlier <= CALM_S for earlier, later in pairwise([min(began_s, until_s), *between, until_s]))


def same_suspect(one: Attribution | None, other: Attribution | None) -> bool:
    """Do both blame the same? A dependency that is named more exactly later ("postgres", then with its host) is."""
    if one is None or other is None:
        return one is other
    if one.cause is not other.cause:
        return False
    if one.cause is Cause.REVISION:
        return (one.service, one.revision) == (other.service, other.revision)
    return one.culprit in other.culprit or other.culprit in one.culprit


def speaks_against_rollback(blamed: Attribution | None) -> bool:
    """True where it is decided that no deploy did it."""
    return (
        blamed is not None
        and blamed.cause not in {Cause.REVISION, Cause.NONE}
        and not blamed.withdrawn
        and blamed.confidence >= SURE_ENOUGH
    )
