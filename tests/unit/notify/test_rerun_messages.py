"""The message of a rerun in each of its states, as reviewed, and safe whatever tests and runners are called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from support.snapshots import Compare, problems

from bot.model.rerun import Difference, NodeIds, Ran, Rerun, RerunMode, RerunState
from bot.model.test_run import RunVerdict
from bot.notify.message import Message
from bot.notify.render import render

AT = datetime(2026, 3, 2, 14, 3, 11, tzinfo=UTC)
NODES = tuple(f"tests/e2e/test_sign_in.py::test_case[{n}]" for n in range(20))
HERE = Ran(
    command="python -m pytest --collect-only -q tests/e2e",
    directory="/srv/acme",
    rootdir="/srv/acme",
    configfile="none",
    python="3.11.7",
    pytest="8.3.4",
)
HOSTILE = '<!channel> `rm -rf` "x" \\n *b*\n``` password=hunter2-swordfish ' + "y" * 3_000

REQUESTED = Rerun("rerun-1", "e2e-staging", RerunMode.COLLECT, "U0RILEY0001", "C0AUTHOPS01", AT)
STARTED = replace(REQUESTED, state=RerunState.STARTED, started_at=AT + timedelta(seconds=1))
OVER = replace(STARTED, ended_at=AT + timedelta(seconds=5), ran=HERE)
FINISHED = replace(OVER, state=RerunState.FINISHED, exit_code=0)

CASES = {
    "requested": REQUESTED,
    "running": replace(STARTED, mode=RerunMode.ALL, fraction=0.62, said="tests/e2e/test_a.py ....", ran=HERE),
    "collected": replace(
        FINISHED, verdict=RunVerdict.PASSED, difference=Difference(0, 214, found=NodeIds(214, NODES)), ref="main"
    ),
    "still-nothing": replace(
        FINISHED,
        by="bot",
        exit_code=2,
        verdict=RunVerdict.DISCOVERY_FAILURE,
        why="nothing was collected, 3 modules lost to collection errors · PYTHONPATH is missing",
        cause="PYTHONPATH is missing: `shop` is in backend/",
        fix="set pythonpath = backend in pytest.ini",
        difference=Difference(0, 0, missing=NodeIds(9, NODES[:9])),
    ),
    "changed": replace(
        FINISHED,
        mode=RerunMode.ALL,
        exit_code=1,
        verdict=RunVerdict.FAILED,
        why="2 of 9 tests failed",
        difference=Difference(
            10,
            9,
            missing=NodeIds(1, NODES[:1]),
            failing=NodeIds(1, NODES[1:2]),
            fixed=NodeIds(6, NODES[2:8]),
            still=NodeIds(1, NODES[8:9]),
        ),
    ),
    "on-github": replace(
        FINISHED,
        mode=RerunMode.ALL,
        exit_code=None,
        verdict=RunVerdict.FAILED,
        why="GitHub says failure",
        ran=Ran("acme/auth: e2e.yml", ref="main", url="https://github.example/acme/auth/actions/runs/7"),
    ),
    "timed-out": replace(OVER, state=RerunState.TIMED_OUT, why="it had not ended after 15 min and was ended"),
    "lost": replace(OVER, state=RerunState.LOST, why="the process that watched over it is gone"),
    "not-run": replace(OVER, state=RerunState.FAILED, why="No such file or directory: pytset", started_at=None),
    "hostile": replace(
        FINISHED,
        verdict=RunVerdict.FAILED,
        why=HOSTILE,
        cause=HOSTILE,
        fix=HOSTILE,
        ran=Ran(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, url="https://x.example/<!channel>"),
        difference=Difference(1, 1, failing=NodeIds(3, (HOSTILE, HOSTILE + "2", HOSTILE + "3"))),
    ),
}


def message(rerun: Rerun) -> Message:
    return render("rerun/progress", {"rerun": msgspec.to_builtins(rerun)})


@pytest.mark.parametrize("case", CASES)
def test_the_message_of_a_rerun_is_as_reviewed(case: str, compare: Compare) -> None:
    compare("rerun/progress", case, message(CASES[case]))


def test_hostile_words_mention_nobody_and_keep_their_secrets() -> None:
    said = str(message(CASES["hostile"]))

    assert "<!channel>" not in said
    assert "hunter2" not in said


@pytest.mark.parametrize(("name", "more"), [("started", {}), ("in-the-thread", {"alarm": "alarm-1"})])
def test_the_answer_to_who_asked_says_where_it_is_told(name: str, more: dict[str, str], compare: Compare) -> None:
    context = {"rerun": replace(REQUESTED, **more), "is_new": True, "channel": "C0AUTHOPS01", "here": "C0BACKOPS01"}

    compare("reply/rerun", name, render("reply/rerun", context))


def test_the_answer_to_who_was_second_names_the_first(compare: Compare) -> None:
    context = {"rerun": REQUESTED, "is_new": False, "channel": "C0AUTHOPS01", "here": "C0AUTHOPS01"}

    compare("reply/rerun", "second", render("reply/rerun", context))


@pytest.mark.parametrize("fraction", [0.0, 0.04, 0.5, 0.999, 1.0])
def test_the_bar_has_ten_cells_whatever_the_fraction(fraction: float) -> None:
    shown = message(replace(STARTED, fraction=fraction))

    assert str(shown).count("▓") + str(shown).count("░") == 10
    assert problems(shown) == []
