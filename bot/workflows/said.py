"""What the log of a failing revision says so far, and what its service said before it came.

Readings cost: Cloud Logging allows sixty a minute. A log is read on from where the last look left off, and what an
incident is compared with is read once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.correlate import Facts, diagnose, group
from bot.correlate.merging import kept, merged
from bot.correlate.novelty import observed, requests_within
from bot.decide.incident import credited
from bot.deps import Deps
from bot.errors import Permanent, Retryable
from bot.model.bookmark import Bookmark
from bot.model.catalog import Place
from bot.model.cloud_run import Revision
from bot.model.evidence import ErrorGroup, Gap, LogEntry, Window
from bot.model.incident import Incident, ReadTo
from bot.model.judgement import Diagnosis
from bot.model.novelty import Baseline, Observed
from bot.workflows.attribute import read_points
from bot.workflows.sight import Sight

log = logging.getLogger(__name__)

ENTRIES_BEFORE = timedelta(seconds=30)
"""Entries are read from this long before the trouble began: a boot failure precedes the first failing request."""

SHORTEST_BASELINE, LONGEST_BASELINE = timedelta(minutes=5), timedelta(minutes=30)
"""How much of the time before is read for what was known already."""

UNKNOWN = "unknown"

CUT = "the log is longer than is read at once"


@dataclass(frozen=True)
class Said:
    """What the log entries of one failing revision came to, so far."""

    groups: tuple[ErrorGroup, ...] = ()
    diagnosis: Diagnosis | None = None
    read_to: ReadTo | None = None
    gaps: tuple[Gap, ...] = ()


async def read_on(
    deps: Deps, sight: Sight, known: Incident | None, since: datetime, revision: Revision | None, name: str
) -> Said:
    """The revision's log from where the last look left off, added to what was counted until there."""
    until = known.read_to if known is not None and known.read_to and known.read_to.revision == name else None
    before = Said(known.groups, known.diagnosis, until) if known is not None and until is not None else Said()
    window = Window(since - ENTRIES_BEFORE, sight.at + timedelta(seconds=5))
    try:
        entries, complete = await deps.read_entries(sight.place, name, until.mark.rest(window) if until else window)
    except (Retryable, Permanent) as error:
        log.warning("look.entries_unread", extra={"place": sight.place.key, "why": str(error)})
        return replace(before, gaps=(Gap("Cloud Logging", str(error)),))
    fresh = until.mark.unread(entries) if until else entries
    groups, causes = await asyncio.to_thread(_correlate, before.groups, fresh, _facts(sight, revision))
    mark = Bookmark.after(entries)
    return Said(
        groups,
        _surer(before.diagnosis, next(iter(causes), None)),
        ReadTo(name, mark) if mark else until,
        ()
        if complete
        else (Gap("Cloud Logging", f"{CUT}: errors are counted up to {_clock(entries)}, the rest follows"),),
    )


def _correlate(
    before: Sequence[ErrorGroup], entries: list[LogEntry], facts: Facts
) -> tuple[tuple[ErrorGroup, ...], list[Diagnosis]]:
    return kept(merged(before, group(entries))), diagnose(entries, facts)


def _surer(known: Diagnosis | None, found: Diagnosis | None) -> Diagnosis | None:
    """What follows from a cause must not replace it: later entries change a diagnosis only by being surer."""
    if known is None or found is None:
        return known or found
    return found if (found.code != UNKNOWN, found.confidence) > (known.code != UNKNOWN, known.confidence) else known


def _clock(entries: list[LogEntry]) -> str:
    return f"{entries[-1].at:%H:%M:%S} UTC" if entries else "nowhere"


def _facts(sight: Sight, revision: Revision | None) -> Facts:
    if revision is None or sight.state is None:
        return Facts()
    commit = credited(revision, sight.state, sight.events).commit
    return Facts.of(revision, required_env=sight.place.service.requires_env, commit=commit)


async def read_baseline(
    deps: Deps, sight: Sight, known: Incident | None, previous: str | None, since: datetime, revision: Revision | None
) -> Baseline:
    """What was logged before the failing revision came; read once an incident, and again until it could be read.

    Yesterday alone does not tell what is new: an error of this morning would be.
    """
    if known is not None and known.baseline not in {None, Baseline()}:
        return known.baseline
    if revision is None or previous is None:
        return Baseline()
    length = min(max(sight.at - since, SHORTEST_BASELINE), LONGEST_BASELINE)
    came = revision.ready_at or revision.created_at
    day = timedelta(days=1)
    last_good, same_hours = await asyncio.gather(
        _last_good(deps, sight.place, previous, Window(came - length, came)),
        _same_hours(deps, sight.place, Window(sight.at - length - day, sight.at - day)),
    )
    return Baseline(last_good, same_hours) if last_good is not None else Baseline()


async def _last_good(deps: Deps, place: Place, revision: str, window: Window) -> Observed | None:
    try:
        entries, complete = await deps.read_entries(place, revision, window)
    except (Retryable, Permanent) as error:
        log.warning("look.baseline_unread", extra={"place": place.key, "why": str(error)})
        return None
    points = (await read_points(deps, place, window))[0]
    groups = await asyncio.to_thread(group, entries)
    return observed(groups, window, requests_within(window, revision, points, None), complete=complete)


async def _same_hours(deps: Deps, place: Place, window: Window) -> Observed | None:
    try:
        entries, complete = await deps.read_errors(place, window)
    except (Retryable, Permanent) as error:
        log.warning("look.yesterday_unread", extra={"place": place.key, "why": str(error)})
        return None
    own = [entry for entry in entries if entry.service == place.deployment.cloud_run]
    groups = await asyncio.to_thread(group, own)
    return observed(groups, window, complete=complete)
