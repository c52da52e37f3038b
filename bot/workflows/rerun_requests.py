"""Asking for a rerun: is it allowed now, which tests does it mean, and who was first? One transaction decides."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from bot.act.runner import Runner, checked_ref
from bot.decide.rerun import cooling
from bot.deps import Deps
from bot.errors import UserError
from bot.model.catalog import Suite
from bot.model.rerun import Rerun, RerunMode
from bot.model.runner import SuiteRunner
from bot.model.suite import DEFAULT_BRANCH, TestStatus
from bot.notify.words import count, duration
from bot.store import audit, messages, packing, reruns, suites
from bot.workflows.test_runs import channel_of

TEMPLATE = "rerun/progress"
BY_ITSELF = "bot"
"""Who asks for a rerun that nobody asked for."""


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for, checked against the catalog.

    Attributes:
        channel: where it is told. alarm: in the thread of this alarm's card; "" where there is none.
    """

    suite_key: str
    suite: Suite
    channel: str
    mode: RerunMode
    ref: str = ""
    alarm: str = ""


def wanted(deps: Deps, suite_key: str, mode: str, ref: str = "", alarm: str = "") -> Wanted:
    """The suite and mode that these words mean.

    Raises:
        UserError: one of them means nothing, or the suite cannot be run again; the text names the nearest that can.
    """
    known = deps.catalog.suites
    key = suite_key.strip("`")
    suite = known.get(key)
    if suite is None:
        raise UserError(_unknown(key, list(known)))
    runner_of(deps, key, suite)
    chosen = _mode(mode)
    return Wanted(key, suite, channel_of(deps.catalog, key), chosen, checked_ref(ref) if ref else "", alarm)


def runner_of(deps: Deps, key: str, suite: Suite) -> tuple[SuiteRunner, Runner]:
    """How the catalog says, and what does it.

    Raises:
        UserError: nobody has said how, or the bot is not set up for it.
    """
    if suite.runner is None:
        raise UserError(f"Nobody has said how `{key}` is run: it needs a `runner` below suites.{key} in the catalog.")
    runner = deps.runners.get(suite.runner.kind)
    if runner is None:
        raise UserError(
            f"`{key}` is run by {suite.runner.kind.replace('_', ' ')}, for which this bot is not set up: see docs/test-runs.md."
        )
    return suite.runner, runner


def _mode(word: str) -> RerunMode:
    modes = [str(mode) for mode in RerunMode]
    if word.casefold() in modes:
        return RerunMode(word.casefold())
    near = difflib.get_close_matches(word.casefold(), modes, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    raise UserError(f"`{word[:40]}` is none of {', '.join(f'`{mode}`' for mode in modes)}.{hint}")


def _unknown(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    names = ", ".join(f"`{name}`" for name in sorted(known)[:20])
    return f"There is no suite `{key[:60]}` in the catalog.{hint} " + (f"It has {names}." if names else "It has none.")


async def request(deps: Deps, what: Wanted, by: str, rerun_id: str = "") -> tuple[Rerun, bool]:
    """(rerun, whether it is new): the same that is under way already is given back instead of a second one.

    Args:
        by: Slack user id, or `BY_ITSELF`. rerun_id: requested once, however often this is called; "" for a new one.

    Raises:
        UserError: not now: the cooldown, or as many as may be are under way; or no test is known to fail.
    """
    tests = await _failing(deps, what) if what.mode is RerunMode.FAILED else ()
    now = deps.now()
    rerun = Rerun(
        id=rerun_id or f"rerun-{uuid4().hex[:20]}",
        suite=what.suite_key,
        mode=what.mode,
        by=by,
        channel=what.channel,
        requested_at=now,
        ref=what.ref,
        alarm=what.alarm,
        tests=tests,
    )
    policy = what.suite.rerun
    async with deps.db.begin() as session:
        same = await reruns.read(session, rerun.id) or await reruns.same_under_way(session, rerun)
        if same is not None:
            return same, False
        left = cooling(await reruns.last_ended(session, what.suite_key), policy.cooldown, now)
        if left > timedelta(0):
            raise UserError(_cooling(what.suite_key, left))
        if not await reruns.add(session, rerun, at_once=policy.at_once):
            same = await reruns.same_under_way(session, rerun)
            if same is not None:
                return same, False
            raise UserError(_full(what, await reruns.under_way(session, what.suite_key)))
        await audit.record(session, now, actor=by, action=f"rerun {what.mode}", on=rerun.id, outcome="requested")
        await tell(session, deps, rerun)
    deps.wake_outbox()
    return rerun, True


async def tell(session: AsyncSession, deps: Deps, rerun: Rerun) -> None:
    """The rerun's message should show it as it is now: in the thread of its alarm, or by itself."""
    under = rerun.alarm if rerun.alarm and await messages.card(session, rerun.alarm) is not None else None
    context = {"rerun": msgspec.to_builtins(replace(rerun, tests=rerun.tests[:1]))}
    await messages.show(session, rerun.id, TEMPLATE, context, rerun.channel, deps.now(), under=under, urgency=1)


async def branch_of(session: AsyncSession, suite: str, ref: str, alarm: str) -> str:
    """The branch that a rerun tells about: the alarm's, the one asked for, or that of the newest run."""
    if alarm and (found := await suites.read_alarm(session, alarm)) is not None:
        return found.branch
    branches = [state.branch for state in await suites.branches(session) if state.suite == suite]
    if ref and (ref in branches or not _is_commit(ref)):
        return ref
    return branches[0] if branches else DEFAULT_BRANCH


def _is_commit(ref: str) -> bool:
    return 7 <= len(ref) <= 40 and all(letter in "0123456789abcdef" for letter in ref)


def commit_in(ref: str) -> str | None:
    """The commit that a ref is, None for a name."""
    return ref if _is_commit(ref) else None


async def _failing(deps: Deps, what: Wanted) -> tuple[str, ...]:
    """Node ids of the tests that fail now; () where nothing at all is known of the suite."""
    async with deps.db.read() as session:
        branch = await branch_of(session, what.suite_key, what.ref, what.alarm)
        state, packed = await suites.read(session, what.suite_key, branch)
    if state.version == 0:
        return ()
    tests = await asyncio.to_thread(packing.unpack_tests, packed)
    failing = tuple(sorted(node_id for node_id, test in tests.items() if test.status is TestStatus.FAILING))
    if not failing:
        raise UserError(f"No test of `{what.suite_key}` is known to fail on {branch}: `all` runs every one of them.")
    return failing


def _cooling(suite: str, left: timedelta) -> str:
    return f"`{suite}` was run again a moment ago; the next rerun may start in {duration(left)}. Nothing was started."


def _full(what: Wanted, others: Sequence[Rerun]) -> str:
    most = what.suite.rerun.at_once
    modes = ", ".join(f"`{other.mode}`" for other in others)
    return f"Of `{what.suite_key}` only {count(most, 'rerun')} may be under way at once, and {modes} is. Nothing was started."
