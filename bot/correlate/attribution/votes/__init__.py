"""Kinds of evidence, one file each; a new kind is one file and one line here.

A kind is a function `vote(case, suspect) -> Vote | None`: None where it has nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.votes import (
    chance,
    changed_files,
    content,
    counts,
    elsewhere,
    locality,
    novelty,
    recurrence,
    requests,
    rollback,
    side_by_side,
    suites,
    timing,
    traces,
    volume,
)
from bot.model.attribution import Vote

VOTES: tuple[Callable[[Case, Suspect], Vote | None], ...] = (
    chance.vote,
    rollback.vote,
    timing.vote,
    side_by_side.vote,
    locality.vote,
    elsewhere.vote,
    traces.vote,
    content.vote,
    novelty.vote,
    recurrence.vote,
    requests.vote,
    volume.vote,
    counts.vote,
    changed_files.vote,
    suites.vote,
)


def votes_on(case: Case, suspect: Suspect) -> tuple[Vote, ...]:
    """All that is to be said for and against this suspect, heaviest first."""
    said = [vote for kind in VOTES if (vote := kind(case, suspect)) is not None and vote.weight]
    return tuple(sorted(said, key=lambda v: (-abs(v.weight), v.name)))
