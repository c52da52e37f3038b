"""Error groups that were counted in parts of a log: put together, and cut to what is kept of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.correlate.grouping import MAX_GROUPS, OTHER
from bot.model.evidence import ErrorGroup
from bot.redact import redact, shorten

_IN_FULL, _LONG, _SHORT = 5, 4_000, 300
"""Samples are untrusted and up to 8 kB: two hundred of them are no row of a database. The first few are read by people."""


def merged(known: Iterable[ErrorGroup], more: Iterable[ErrorGroup]) -> tuple[ErrorGroup, ...]:
    """Both together, in the order of `group`: at most 200, the least frequent of the causes counted in "other errors".

    Args:
        known, more: of two parts of a log that do not overlap; `known` is the earlier one.
    """
    found = {group.fingerprint: group for group in known}
    for group in more:
        before = found.get(group.fingerprint)
        found[group.fingerprint] = group if before is None else _together(before, group)
    ordered = sorted(found.values(), key=_order)
    if len(ordered) <= MAX_GROUPS:
        return tuple(ordered)
    return _folded(ordered)


def kept(groups: Iterable[ErrorGroup]) -> tuple[ErrorGroup, ...]:
    """The groups as they are stored: beginning and end of samples, longer for the first five. Order kept."""
    return tuple(
        replace(group, sample=_cut(group.sample, _LONG if place < _IN_FULL else _SHORT))
        for place, group in enumerate(groups)
    )


def _cut(sample: str, limit: int) -> str:
    # a secret that is cut in half would not be recognised any more
    return sample if len(sample) <= limit else shorten(redact(sample), limit)


def _folded(ordered: list[ErrorGroup]) -> tuple[ErrorGroup, ...]:
    rarest = sorted(ordered, key=lambda g: (g.fingerprint == OTHER, -g.count, g.first_seen))[MAX_GROUPS - 1 :]
    other = replace(rarest[0], fingerprint=OTHER, title="other errors", is_echo=False)
    for group in rarest[1:]:
        other = _together(other, group)
    kept = {group.fingerprint for group in ordered} - {group.fingerprint for group in rarest}
    return tuple(sorted([*(g for g in ordered if g.fingerprint in kept), other], key=_order))


def _together(one: ErrorGroup, other: ErrorGroup) -> ErrorGroup:
    return replace(
        one,
        count=one.count + other.count,
        first_seen=min(one.first_seen, other.first_seen),
        last_seen=max(one.last_seen, other.last_seen),
        severity=max(one.severity, other.severity),
        is_echo=one.is_echo or other.is_echo,
    )


def _order(group: ErrorGroup) -> tuple[object, ...]:
    return group.is_echo, group.fingerprint == OTHER, -group.count, group.first_seen, group.fingerprint
