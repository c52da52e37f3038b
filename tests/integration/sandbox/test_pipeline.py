"""The sandbox's CI: a real pytest over the sample project, in every way in which it breaks, and mended."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bot import reports
from bot.decide.suites.renames import renamed
from bot.model.test_run import Outcome, RunJudgement, RunVerdict
from bot.sandbox.pipeline import Pipeline, Report
from bot.sandbox.sample_project import NO_PLAN, NOT_FOUND, VANISHED

NAMED = {
    "Move the package to backend/": "shop",
    "One directory for each service": "working directory",
    "Call end-to-end tests checks": "python_files",
    "Only run what is marked as smoke": "deselected",
    "Share the accounts of all suites": "conftest",
}


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    made = Pipeline(tmp_path / "project", "http://127.0.0.1:9", "whsec_c2FuZGJveA==")
    made.lay_out()
    return made


def judged(report: Report) -> RunJudgement:
    return reports.judge(reports.read(io.BytesIO(report.body)), report.exit_code)


def passed(report: Report) -> set[str]:
    cases = reports.read(io.BytesIO(report.body)).cases
    return {case.node_id for case in cases if case.outcome is Outcome.PASSED}


@pytest.mark.parametrize("how", NOT_FOUND, ids=lambda how: how.title)
async def test_each_breakage_loses_every_test_in_a_way_that_the_bot_names_and_its_fix_finds_them(
    pipeline: Pipeline, how
) -> None:
    pipeline.lay_out(how.broken)
    said = judged(await pipeline.collect())
    pipeline.change(how.mended)
    mended = await pipeline.collect()

    assert said.verdict is RunVerdict.DISCOVERY_FAILURE
    assert NAMED[how.title] in f"{said.causes[0].title} {said.causes[0].proof} {said.causes[0].fix}"
    assert judged(mended).verdict is RunVerdict.PASSED
    assert mended.last_line.startswith("9 tests collected")


@pytest.mark.parametrize("how", VANISHED, ids=lambda how: how.title)
async def test_each_loss_is_green_and_moves_some_tests_that_are_not_lost(pipeline: Pipeline, how) -> None:
    before = passed(await pipeline.run())
    pipeline.change(how.broken)
    lossy = await pipeline.run()
    pipeline.change(how.mended)
    mended = passed(await pipeline.run())

    after = passed(lossy)
    moved = renamed(before - after, after - before)
    assert lossy.exit_code == 0
    assert 0 < len(after) < len(before) == len(mended)
    assert 0 < len(moved) == len(after - before)
    assert len(before - after) > len(moved)


async def test_the_commit_that_is_deployed_all_the_same_is_red_where_it_fails_in_service(pipeline: Pipeline) -> None:
    pipeline.lay_out(NO_PLAN)

    report = reports.read(io.BytesIO((await pipeline.run()).body))

    assert (report.totals.tests, report.red) == (9, 5)
    assert {failure.culprit for failure in report.failures} == {"backend/shop/client.py:6"}
