"""Once it is said whose fault it is, that stands: it is taken back only for something surer, and with the reason."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.model.attribution import Attribution, Cause

SURE_ENOUGH = 0.8
"""From here on another answer replaces the one that stands, and a cause that is no deploy speaks against a rollback."""

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
        return Blame(None if heard.withdrawn else heard, blame.withdrawn)
    if same_suspect(said, heard):
        if heard.withdrawn:
            return Blame(None, (heard, *blame.withdrawn)[:_REMEMBERED])
        return Blame(replace(heard, since_s=min(said.since_s, heard.since_s)), blame.withdrawn)
    if heard.withdrawn or heard.confidence < SURE_ENOUGH:
        return blame
    taken_back = replace(said, withdrawn=heard.why)
    return Blame(heard, (taken_back, *blame.withdrawn)[:_REMEMBERED])


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
