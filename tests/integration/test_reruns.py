"""A rerun from the request to what it changed: who is first, what is refused, what is told. On both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from support.desk import desk, local_google
from support.values import catalog

from bot.act.runner import RunRequest
from bot.deps import Deps
from bot.errors import Retryable, UserError
from bot.model.catalog import Suite
from bot.model.rerun import Ending, Rerun, RerunState, RunProgress, RunResult
from bot.model.runner import LocalRunner, RerunPolicy
from bot.model.suite import RunScope, TestRun
from bot.model.test_run import Case, Outcome, RunJudgement, RunVerdict, TestReport, Totals
from bot.notify.message import Message
from bot.notify.render import render
from bot.store import reruns, suites
from bot.store.database import Database
from bot.store.tables import MessageRow
from bot.workflows.rerun import GRACE, Rerunning
from bot.workflows.rerun_requests import request, wanted
from bot.workflows.test_runs import record_run
from commands import rerun as rerun_command
from commands import rerun_suite
from commands.command import Ask, Desk

CHANNEL, RILEY, AVERY = "C0AUTHOPS01", "U0RILEY0001", "U0AVERY0001"
NODES = ("tests/test_a.py::test_one", "tests/test_a.py::test_two", "tests/test_b.py::test_three")
RUNNER = LocalRunner("local", ("python", "-m", "pytest"), tests=("tests",))


@dataclass
class Scripted:
    """A runner that answers what the test says. `polls`: one each time, the last one for ever."""

    polls: list[RunProgress | RunResult | Exception] = field(default_factory=list)
    started: list[RunRequest] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    async def start(self, asked: RunRequest) -> str:
        self.started.append(asked)
        return asked.id

    async def poll(self, handle: str) -> RunProgress | RunResult:
        found = self.polls.pop(0) if len(self.polls) > 1 else self.polls[0]
        if isinstance(found, Exception):
            raise found
        return found

    async def cancel(self, handle: str) -> None:
        self.cancelled.append(handle)


@dataclass
class Office:
    deps: Deps
    runner: Scripted
    begun: list[str] = field(default_factory=list)

    @property
    def desk(self) -> Desk:
        return Desk(self.deps, self._begin, self._begin)

    @property
    def steps(self) -> Rerunning:
        return Rerunning(self.deps)

    async def _begin(self, rerun_id: str) -> None:
        self.begun.append(rerun_id)

    def with_suite(self, **fields) -> Office:
        return replace(self, deps=replace(self.deps, catalog=_catalog(**fields)))

    async def ask(self, mode: str = "collect", *, alarm: str = "") -> Rerun:
        return (await request(self.deps, wanted(self.deps, "e2e", mode, alarm=alarm), RILEY))[0]

    async def carry_out(self, rerun_id: str) -> str:
        """As the workflow does."""
        why = await self.steps.start(rerun_id) or await self.steps.follow(rerun_id)
        if not why and await self.steps.judge(rerun_id):
            await self.steps.record(rerun_id)
        ended = await self.steps.end(rerun_id, why)
        await self.steps.tidy(rerun_id)
        return ended

    async def rerun(self, rerun_id: str) -> Rerun:
        async with self.deps.db.read() as session:
            found = await reruns.read(session, rerun_id)
        assert found is not None
        return found

    async def row(self, rerun_id: str) -> MessageRow:
        async with self.deps.db.read() as session:
            row = await session.get(MessageRow, rerun_id)
        assert row is not None
        return row

    async def said(self, rerun_id: str) -> str:
        row = await self.row(rerun_id)
        message: Message = render(row.template, msgspec.json.decode(row.context))
        return "\n".join([message.text, *(str(block) for block in message.blocks)])

    async def report(self, *cases: tuple[str, Outcome], run_id: str, verdict: RunVerdict, minutes_ago: int) -> None:
        """A run that a pipeline told before."""
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        found = tuple(Case(node_id, outcome) for node_id, outcome in cases)
        report = TestReport("junit", cases=found, totals=Totals(len(found)), collected=len(found))
        run = TestRun(run_id, "e2e", "main", None, at, "webhook", scope=RunScope.ALL)
        await record_run(self.deps, run, report, RunJudgement(verdict, "as it was told"))


def _catalog(**fields):
    known = catalog()
    suite = replace(Suite(guards=("golden-path",), runner=RUNNER, rerun=RerunPolicy(cooldown=timedelta(0))), **fields)
    auth = replace(known.services["auth"], suites=("e2e",))
    return replace(known, services={"auth": auth}, suites={"e2e": suite, "unit": Suite()})


@pytest.fixture
async def office(db: Database) -> AsyncIterator[Office]:
    async with local_google() as google, desk(db, google) as deps:
        runner = Scripted([collected(*NODES)])
        yield Office(replace(deps, catalog=_catalog(), runners={"local": runner}), runner)


def collected(*node_ids: str) -> RunResult:
    lines = [*node_ids, "", f"{len(node_ids)} tests collected in 0.12s" if node_ids else "no tests collected in 0.12s"]
    return RunResult(Ending.EXITED, exit_code=0 if node_ids else 5, output="\n".join(lines).encode() + b"\n")


def ran(**outcomes: str) -> RunResult:
    """A JUnit report; the keys are `one`, `two` …"""
    cases = "".join(
        f'<testcase classname="tests.test_a" file="tests/test_a.py" name="test_{name}">{inner}</testcase>'
        for name, inner in outcomes.items()
    )
    return RunResult(Ending.EXITED, exit_code=1, report=f'<testsuite name="pytest">{cases}</testsuite>'.encode())


RED = '<failure message="assert 0">assert 0</failure>'


def by(user: str, channel: str = CHANNEL) -> Ask:
    return Ask(user, channel)


async def test_two_people_who_press_at_once_start_one_run(office: Office):
    alarm = "e2e:alarm-1:collect"

    replies = await asyncio.gather(
        rerun_suite.run(by(RILEY), alarm, office.desk),
        rerun_suite.run(by(AVERY), alarm, office.desk),
        rerun_command.run(by(RILEY), rerun_command.Args("e2e"), office.desk),
    )

    assert len(office.begun) == 1
    assert sum(reply is not None and not reply.context["is_new"] for reply in replies) == 2


async def test_from_nothing_collected_to_all_found_resolves_the_alarm_in_its_thread(office: Office):
    await office.report(run_id="run-0", verdict=RunVerdict.DISCOVERY_FAILURE, minutes_ago=3)
    async with office.deps.db.read() as session:
        [alarm] = await suites.all_open(session)
    rerun = await office.ask(alarm=alarm.id)

    assert await office.carry_out(rerun.id) == RerunState.FINISHED

    said, row = await office.said(rerun.id), await office.row(rerun.id)
    assert "0 → 3 tests collected" in said
    assert NODES[2] in said
    assert row.incident_id == alarm.id
    async with office.deps.db.read() as session:
        assert await suites.all_open(session) == ()
    assert office.runner.cancelled == [rerun.id]


async def test_a_collection_that_still_finds_nothing_says_why_and_leaves_the_alarm_open(office: Office):
    await office.report(run_id="run-0", verdict=RunVerdict.DISCOVERY_FAILURE, minutes_ago=3)
    office.runner.polls = [collected()]
    rerun = await office.ask()

    await office.carry_out(rerun.id)

    assert "still 0 tests collected" in await office.said(rerun.id)
    async with office.deps.db.read() as session:
        assert len(await suites.all_open(session)) == 1


async def test_the_difference_names_what_is_missing_newly_failing_fixed_and_still_failing(office: Office):
    one, two, three = NODES[0], NODES[1], "tests/test_a.py::test_three"
    four = "tests/test_a.py::test_four"
    before = {one: Outcome.PASSED, two: Outcome.FAILED, three: Outcome.FAILED, four: Outcome.PASSED}
    await office.report(*before.items(), run_id="run-0", verdict=RunVerdict.FAILED, minutes_ago=9)
    office.runner.polls = [ran(one=RED, two="", three=RED)]
    rerun = await office.ask("all")

    await office.carry_out(rerun.id)

    found = (await office.rerun(rerun.id)).difference
    assert found is not None
    assert (found.before, found.now) == (4, 3)
    assert found.missing.first == (four,)
    assert found.failing.first == (one,)
    assert found.fixed.first == (two,)
    assert found.still.first == (three,)
    said = await office.said(rerun.id)
    assert "1 test still missing" in said
    assert "1 test newly failing" in said
    assert "1 test fixed" in said


async def test_failed_runs_the_tests_that_fail_now_and_says_nothing_of_the_others(office: Office):
    before = {NODES[0]: Outcome.PASSED, NODES[1]: Outcome.FAILED}
    await office.report(*before.items(), run_id="run-0", verdict=RunVerdict.FAILED, minutes_ago=9)
    office.runner.polls = [ran(two="")]
    rerun = await office.ask("failed")

    await office.carry_out(rerun.id)

    assert office.runner.started[0].tests == (NODES[1],)
    found = (await office.rerun(rerun.id)).difference
    assert found is not None
    assert (found.missing.total, found.fixed.first) == (0, (NODES[1],))


async def test_failed_is_refused_when_no_test_is_known_to_fail(office: Office):
    await office.report((NODES[0], Outcome.PASSED), run_id="run-0", verdict=RunVerdict.PASSED, minutes_ago=9)

    with pytest.raises(UserError, match="No test of `e2e` is known to fail on main"):
        await office.ask("failed")


async def test_during_the_cooldown_a_rerun_is_refused_with_the_time_that_is_left(office: Office):
    slow = office.with_suite(rerun=RerunPolicy(cooldown=timedelta(minutes=5)))
    await slow.carry_out((await slow.ask()).id)

    with pytest.raises(UserError, match=r"next rerun may start in (5 min|4 min \d+ s)"):
        await slow.ask()


async def test_no_more_run_at_once_than_the_catalog_allows(office: Office):
    await office.ask("collect")
    with pytest.raises(UserError, match="only 1 rerun may be under way at once"):
        await office.ask("all")

    await office.with_suite(rerun=RerunPolicy(cooldown=timedelta(0), at_once=2)).ask("all")

    async with office.deps.db.read() as session:
        assert len(await reruns.under_way(session, "e2e")) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("e2", "collect"), "Did you mean `e2e`"),
        (("e2e", "colect"), "Did you mean `collect`"),
        (("unit", "collect"), "needs a `runner`"),
        (("e2e", "collect", "--force"), "cannot be a branch, tag or commit"),
    ],
)
async def test_what_means_nothing_gets_the_nearest_that_does(office: Office, words: tuple[str, ...], said: str):
    with pytest.raises(UserError, match=said):
        await rerun_command.run(by(AVERY), rerun_command.Args(*words), office.desk)

    assert office.begun == []


async def test_everybody_in_the_channel_may_collect_and_only_approvers_may_run(office: Office):
    await rerun_command.run(by(RILEY), rerun_command.Args("e2e", "collect"), office.desk)
    with pytest.raises(UserError, match="Only <@U0AVERY0001> may"):
        await rerun_command.run(by(RILEY), rerun_command.Args("e2e", "all"), office.desk)
    with pytest.raises(UserError, match="Ask in one of my channels"):
        await rerun_command.run(by(RILEY, "D0DIRECT001"), rerun_command.Args("e2e", "collect"), office.desk)

    assert len(office.begun) == 1


async def test_with_a_list_of_people_nobody_else_may_do_anything(office: Office):
    listed = office.with_suite(rerun=RerunPolicy(who=("U0OLIVE0001",)))

    with pytest.raises(UserError, match="Only <@U0OLIVE0001> may"):
        await rerun_command.run(by(AVERY), rerun_command.Args("e2e", "collect"), listed.desk)
    await rerun_command.run(by("U0OLIVE0001", "D0DIRECT001"), rerun_command.Args("e2e", "all"), listed.desk)

    assert len(office.begun) == 1


async def test_a_runner_that_never_answers_times_out_and_says_so(office: Office):
    office.runner.polls = [Retryable("GitHub did not answer within 10 s")]
    rerun = await office.ask()
    await office.steps.start(rerun.id)
    late = office.deps.now() + timedelta(minutes=15) + GRACE

    why = await Rerunning(replace(office.deps, now=lambda: late)).follow(rerun.id)
    await office.steps.end(rerun.id, why)

    assert (await office.rerun(rerun.id)).state is RerunState.TIMED_OUT
    said = await office.said(rerun.id)
    assert "timed out" in said
    assert "GitHub did not answer" in said


@pytest.mark.parametrize(
    ("ending", "state", "words"),
    [
        (RunResult(Ending.LOST, why="nobody knows it"), RerunState.LOST, "lost"),
        (RunResult(Ending.TIMED_OUT, exit_code=-15), RerunState.TIMED_OUT, "15 min"),
        (RunResult(Ending.TOO_MUCH_OUTPUT, exit_code=-15), RerunState.TIMED_OUT, "printed more than"),
        (RunResult(Ending.EXITED, exit_code=127, why="No such file: pytset"), RerunState.FAILED, "pytset"),
    ],
)
async def test_a_run_that_says_nothing_about_tests_is_told_and_not_recorded(
    office: Office, ending: RunResult, state: RerunState, words: str
):
    office.runner.polls = [ending]
    rerun = await office.ask()

    assert await office.carry_out(rerun.id) == state

    assert words in await office.said(rerun.id)
    async with office.deps.db.read() as session:
        assert (await suites.read(session, "e2e", "main"))[0].version == 0


async def test_progress_is_an_edit_of_the_same_message_with_a_bar(office: Office):
    office.runner.polls = [RunProgress(0.6, "tests/test_a.py ......"), collected(*NODES)]
    rerun = await office.ask()
    await office.steps.start(rerun.id)
    clock = iter([3.0, 6.0, 9.0])
    began = office.deps.now()
    deps = replace(office.deps, now=lambda: began + timedelta(seconds=next(clock)))

    await Rerunning(deps).follow(rerun.id)

    assert "▓▓▓▓▓▓░░░░ 60 %" in await office.said(rerun.id)
    assert (await office.row(rerun.id)).wanted == 3


async def test_each_step_may_be_run_twice(office: Office):
    await office.report(run_id="run-0", verdict=RunVerdict.DISCOVERY_FAILURE, minutes_ago=3)
    rerun = await office.ask()

    for step in (office.steps.start, office.steps.follow, office.steps.judge, office.steps.record):
        await step(rerun.id)
        await step(rerun.id)
    for _ in range(2):
        await office.steps.end(rerun.id, "")
        await office.steps.tidy(rerun.id)

    assert len(office.runner.started) == 1
    assert (await office.row(rerun.id)).wanted == 3
    found = (await office.rerun(rerun.id)).difference
    assert found is not None
    assert (found.before, found.now) == (0, 3)


async def test_a_rerun_that_broke_off_is_told_and_holds_up_nobody(office: Office):
    rerun = await office.ask()

    await office.steps.give_up(rerun.id, "a fault of mine")

    assert "could not be run" in await office.said(rerun.id)
    assert (await office.ask()).id != rerun.id


@pytest.mark.parametrize(("wanted_it", "count"), [(True, 1), (False, 0)])
async def test_a_failed_collection_is_tried_again_once_where_the_catalog_wants_it(
    office: Office, wanted_it: bool, count: int
):
    keen = office.with_suite(auto_rerun=wanted_it)
    await keen.report(run_id="run-1", verdict=RunVerdict.DISCOVERY_FAILURE, minutes_ago=3)
    await keen.report(run_id="run-2", verdict=RunVerdict.DISCOVERY_FAILURE, minutes_ago=2)

    tried = [await keen.steps.try_again(run_id) for run_id in ("run-1", "run-1", "run-2")]

    assert len({rerun_id for rerun_id in tried if rerun_id}) == count
    assert tried[2] == ""
