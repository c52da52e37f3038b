"""What an answerer said about an episode, and how good that was. The definitions are in the package's docstring."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from bot.correlate.attribution.signals import Signal
from bot.model.attribution import Attribution, Cause

from .stage import Episode

TICK_S = 10.0


class Answerer(Protocol):
    """The engine's interface, and the baselines'."""

    def feed(self, signal: Signal) -> None:
        """Take one signal, in the order of arrival."""

    def tick(self, now: float) -> list[Attribution]:
        """What there is to say at `now`, seconds on the clock of arrival times."""


@dataclass(frozen=True, slots=True)
class Result:
    """One episode, judged.

    Attributes:
        guilty: a revision is to blame. blamed: some revision was; right: the first one blamed was the guilty one, not
            before its first error.
        innocent: revisions blamed, at any time, that are not guilty.
        detect_s: from the first guilty error to the blame, None unless `right`.
        cause: the first cause said that is not `none`. known: it is the true one.
    """

    scenario: str
    seed: int
    guilty: bool
    blamed: bool
    right: bool
    innocent: int
    detect_s: float | None
    cause: Cause
    known: bool


def listen(episode: Episode, answerer: Answerer) -> list[tuple[float, Attribution]]:
    """Feed the episode, a tick every ten seconds; what was said and not withdrawn, with the time of the tick."""
    said: list[tuple[float, Attribution]] = []
    tick = episode.start_s + TICK_S
    for signal in episode.signals:
        while signal.rt > tick:
            said += [(tick, one) for one in answerer.tick(tick)]
            tick += TICK_S
        answerer.feed(signal)
    while tick <= episode.end_s + TICK_S:
        said += [(tick, one) for one in answerer.tick(tick)]
        tick += TICK_S
    return [(at, one) for at, one in said if not one.withdrawn]


def judge(episode: Episode, said: list[tuple[float, Attribution]]) -> Result:
    """Compare what was said with the truth."""
    truth = episode.truth
    guilty = truth.cause is Cause.REVISION
    blames = [(at, (one.service, one.revision)) for at, one in said if one.cause is Cause.REVISION]
    culprit = (truth.service, truth.revision)
    right = guilty and bool(blames) and blames[0][1] == culprit and blames[0][0] >= episode.onset_s
    causes = [one.cause for _, one in said if one.cause is not Cause.NONE]
    cause = causes[0] if causes else Cause.NONE
    return Result(
        scenario=episode.scenario,
        seed=episode.seed,
        guilty=guilty,
        blamed=bool(blames),
        right=right,
        innocent=len({blamed for _, blamed in blames if not guilty or blamed != culprit}),
        detect_s=blames[0][0] - episode.onset_s if right else None,
        cause=cause,
        known=cause is truth.cause,
    )


@dataclass(frozen=True, slots=True)
class Score:
    """Results added up; ratios are None where nothing was there to divide by."""

    episodes: int
    guilty: int
    precision: float | None
    recall: float | None
    innocent: float
    p50_s: float | None
    p90_s: float | None
    known: float


def add_up(results: Iterable[Result]) -> Score:
    """The score of some episodes.

    Raises:
        ValueError: no results.
    """
    every = list(results)
    if not every:
        raise ValueError("no episodes to add up")
    right = sum(one.right for one in every)
    blamed, guilty = sum(one.blamed for one in every), sum(one.guilty for one in every)
    waits = sorted(one.detect_s for one in every if one.detect_s is not None)
    return Score(
        episodes=len(every),
        guilty=guilty,
        precision=right / blamed if blamed else None,
        recall=right / guilty if guilty else None,
        innocent=sum(one.innocent for one in every) / len(every),
        p50_s=quantile(waits, 0.5),
        p90_s=quantile(waits, 0.9),
        known=sum(one.known for one in every) / len(every),
    )


def quantile(ordered: list[float], share: float) -> float | None:
    """The smallest value that at least `share` of the ascending values do not exceed; None of no values."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


PRECISION, RECALL, KNOWN, INNOCENT, P50_S, P90_S = 0.98, 0.99, 0.95, 0.05, 45.0, 180.0


def missed(total: Score, scenarios: dict[str, Score]) -> list[str]:
    """The goals that are missed, in words; empty when all are kept."""
    goals: list[tuple[str, float | None, float, Callable[[float, float], bool]]] = [
        ("blame precision", total.precision, PRECISION, lambda got, goal: got >= goal),
        ("blame recall", total.recall, RECALL, lambda got, goal: got >= goal),
        ("time to detect p50", total.p50_s, P50_S, lambda got, goal: got <= goal),
        ("time to detect p90", total.p90_s, P90_S, lambda got, goal: got <= goal),
        ("cause accuracy", total.known, KNOWN, lambda got, goal: got >= goal),
    ]
    misses = [
        f"all: {name} is {got:.3g}, the goal {goal:g}"
        for name, got, goal, kept in goals
        if got is not None and not kept(got, goal)
    ]
    if total.guilty and total.precision is None:
        misses.append("all: nothing was blamed")
    misses += [
        f"{name}: {score.innocent:.3f} innocent revisions blamed per episode, the goal {INNOCENT:g}"
        for name, score in scenarios.items()
        if score.innocent > INNOCENT
    ]
    return misses
