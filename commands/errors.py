"""`/reliability errors <service> [revision] [window]`: errors per minute by revision as a chart, the groups as words.

The words come first and suffice; the chart follows through the outbox. Both are for the whole channel: a message that
only one person sees cannot carry a file.
"""

from __future__ import annotations

import asyncio
import difflib
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from bot import durations
from bot.correlate.series import SharedGroup, shared_groups, with_marks
from bot.deps import Deps
from bot.errors import Permanent, Retryable, UserError
from bot.model.catalog import Place
from bot.model.evidence import Gap, LogEntry, Window
from bot.model.series import ErrorSeries
from bot.store import marks, places
from bot.workflows.pictures import of_revision, read_series, want_answer
from commands.command import Ask, Command, Desk, Reply
from commands.status import chosen

USUAL = timedelta(minutes=30)
SHORTEST, LONGEST = timedelta(minutes=2), timedelta(hours=24)
AT_ONCE = 3
"""Deployments read for one question: each reading costs some of Cloud Logging's sixty a minute."""


class Args(NamedTuple):
    service: str
    revision: str = ""
    window: str = ""


async def run(ask: Ask, args: Args, desk: Desk) -> Reply:
    deps = desk.deps
    revision, length = _options(args)
    found = chosen(deps, args.service)
    now = deps.now()
    window = Window(now - length, now)
    told = await asyncio.gather(*(_told(deps, place, window, revision) for place in found[:AT_ONCE]))
    if revision and not any(each["known"] for each in told):
        raise UserError(_no_such_revision(revision, found[:AT_ONCE], told))
    told = [each for each in told if each["known"] or not revision]
    async with deps.db.begin() as session:
        for each in told:
            if each["series"] is not None:
                question = f"errors:{uuid4()}"
                await want_answer(session, each["place"], question, each["series"], ask.channel, now)
    deps.wake_outbox()
    more = [place.key for place in found[AT_ONCE:]]
    return Reply("reply/errors", {"places": told, "window": window, "more": more}, to_everybody=True)


async def _told(deps: Deps, place: Place, window: Window, word: str) -> dict[str, Any]:
    """What is said of one place: context of templates/reply/errors.

    `known` is False when a revision was asked for that this place has not; what cannot be read is a gap.
    """
    async with deps.db.read() as session:
        ledger = [row.name for row in await places.ledger(session, place.key)]
    nothing: dict[str, Any] = {"place": place, "series": None, "groups": (), "gaps": (), "revision": ""}
    try:
        series, entries = await read_series(deps, place, window)
    except (Retryable, Permanent) as error:
        asked = _meant(word, ledger)
        gaps = (Gap("Cloud Logging", str(error)),)
        return nothing | {"revision": asked, "gaps": gaps, "known": bool(asked), "names": ledger}
    names = list(dict.fromkeys((*(each.revision for each in series.revisions if each.revision), *ledger)))
    asked = _meant(word, names)
    if word and not asked:
        return nothing | {"known": False, "names": names}
    groups, series = await _narrowed(deps, place, series, entries, asked)
    return nothing | {"revision": asked, "series": series, "groups": groups, "known": True, "names": names}


async def _narrowed(
    deps: Deps, place: Place, series: ErrorSeries, entries: list[LogEntry], revision: str
) -> tuple[tuple[SharedGroup, ...], ErrorSeries]:
    """Groups and series, of one revision where it was asked for, with the deploys and rollbacks of the time."""
    if revision:
        entries, series = [entry for entry in entries if entry.revision == revision], of_revision(series, revision)
    groups = await asyncio.to_thread(shared_groups, entries)
    async with deps.db.read() as session:
        return groups, with_marks(series, await marks.of_place(session, place.key, series.window))


def _options(args: Args) -> tuple[str, timedelta]:
    """(revision or "", length of the window); the window may stand in the revision's place.

    Raises:
        UserError: no duration, or one that is too short or too long.
    """
    revision, window = args.revision.strip("`"), args.window
    if not window and _is_duration(revision):
        revision, window = "", revision
    if not window:
        return revision, USUAL
    if not _is_duration(window):
        raise UserError(f"`{window[:40]}` is no window: say how long to look back, such as `30m` or `2h`.")
    length = durations.parse(window)
    if not SHORTEST <= length <= LONGEST:
        raise UserError("I look back from 2 minutes (`2m`) to a day (`24h`).")
    return revision, length


def _is_duration(word: str) -> bool:
    try:
        durations.parse(word)
    except ValueError:
        return False
    return True


def _meant(word: str, names: list[str]) -> str:
    """The revision with this name, or the newest that has it as a part: `00283` is enough. "" when there is none."""
    wanted = word.strip("…-").casefold()
    if not wanted:
        return ""
    whole = next((name for name in names if name.casefold() == wanted), "")
    return whole or next((name for name in sorted(names, reverse=True) if wanted in name.casefold()), "")


def _no_such_revision(word: str, found: tuple[Place, ...], told: list[dict[str, Any]]) -> str:
    where = ", ".join(place.key for place in found)
    names = sorted({name for each in told for name in each["names"]}, reverse=True)
    if gap := next((gap for each in told for gap in each["gaps"]), None):
        return f"I know no revision `{word[:60]}` of {where}, and could not look for it. {gap.told}"
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    known = f" I know {', '.join(f'`{name}`' for name in names[:5])}." if names else ""
    return f"I know no revision `{word[:60]}` of {where}.{hint}{known}"


COMMAND = Command(
    "errors",
    "Errors per minute by revision, as a chart in the channel for everybody; window: `30m`, `2h`",
    Args,
    run,
    at_once="Reading the logs; the answer comes here, for everybody in this channel.",
)
