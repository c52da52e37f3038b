"""Which revision gets which share of the traffic, as the requests themselves show it.

A split is a fact that changes at moments, not a measurement that wobbles: what is known stays until the requests
contradict it beyond chance. After a change the requests of the first seconds are not counted: they were begun before it.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence

Split = Mapping[str, int]
"""Revision → percent, more than 0, together 100; empty: not known."""

SETTLES_S = 3.0
DECIDED_WITHIN_S = 15.0
"""A newcomer's share is decided this long after its first request, or as soon as `_ENOUGH` requests came after it."""
_ENOUGH = 20
_STRAGGLERS_S = 10.0
_REMEMBERED = 200
_RETURNED = 3
_EXPECTED = 10.0
"""Requests that a revision should have got by its share; without any of them it has no share (chance: e^-10)."""
_SIGMAS = 4.0
_LEAST_JUDGED = 40


class Shares:
    """Hears requests in order of arrival; `split` is what is known."""

    def __init__(self) -> None:
        self.split: dict[str, int] = {}
        self._since = -math.inf
        self._recent: deque[tuple[float, str]] = deque(maxlen=_REMEMBERED)
        self._seen: set[str] = set()
        self.newcomer: tuple[str, float] | None = None

    @property
    def decide_at(self) -> float | None:
        """When the share of a revision that has just appeared is to be decided at the latest."""
        return self.newcomer[1] + DECIDED_WITHIN_S if self.newcomer else None

    def tell(self, split: Split, at: float) -> None:
        """The platform itself says how traffic is split from now on."""
        if dict(split) != self.split:
            self._set(dict(split), at)
        self.newcomer = None

    def hear(self, requests: Sequence[tuple[float, str]], now: float) -> None:
        """Requests, (when written, revision), that have arrived until now."""
        for at, revision in requests:
            fresh = revision not in self._seen
            self._seen.add(revision)
            if not self.split:
                self._set({revision: 100}, at)
            elif fresh and revision not in self.split and self.newcomer is None:
                self.newcomer = (revision, at)
            if at >= self._since + _STRAGGLERS_S or self.newcomer is not None:
                self._recent.append((at, revision))
        if self.newcomer is None:
            self._look_for_change()
        self.decide(now)

    def decide(self, now: float) -> None:
        """Give a newcomer its share, if it is time."""
        if self.newcomer is None:
            return
        name, came = self.newcomer
        sample = [revision for at, revision in self._recent if at >= came + SETTLES_S]
        if len(sample) < _ENOUGH and now < came + DECIDED_WITHIN_S:
            return
        # without a request to judge by, it is as Cloud Run does by default: the newest gets everything
        shares = _shares(Counter(sample), name) if sample else {name: 100}
        self.newcomer = None
        self._set(shares, came)

    def _look_for_change(self) -> None:
        counts = Counter(revision for _at, revision in self._recent)
        total = sum(counts.values())
        for revision in sorted(counts.keys() - self.split.keys()):
            if counts[revision] >= _RETURNED:
                self.newcomer = (revision, next(at for at, name in self._recent if name == revision))
                return
        for revision, percent in self.split.items():
            expected = total * percent / 100
            if not counts[revision] and expected >= _EXPECTED and len(self.split) > 1:
                self._again(counts)
                return
            spread = math.sqrt(expected * (1 - percent / 100))
            if total >= _LEAST_JUDGED and abs(counts[revision] - expected) > _SIGMAS * spread + 2:
                self._again(Counter(revision for _at, revision in list(self._recent)[-_LEAST_JUDGED:]))
                return

    def _again(self, counts: Counter[str]) -> None:
        self._set(_shares(counts, ""), self._recent[-1][0])

    def _set(self, split: dict[str, int], at: float) -> None:
        self.split, self._since = split, at
        self._recent.clear()
        self._seen.update(split)


def _shares(counts: Counter[str], newcomer: str) -> dict[str, int]:
    """In steps of 5 %, together 100; whoever got a request has at least one step, the newcomer too."""
    total = sum(counts.values())
    names: Iterable[str] = sorted({*counts, newcomer} - {""})
    raw = {name: counts[name] / total * 20 for name in names}
    # one request among many is a straggler, unless it is the newcomer's
    steps = {name: max(round(share), 1) for name, share in raw.items() if round(share) or name == newcomer}
    largest = max(steps, key=lambda name: (steps[name], name))
    steps[largest] += 20 - sum(steps.values())
    return {name: 5 * step for name, step in sorted(steps.items(), key=lambda item: (-item[1], item[0]))}
