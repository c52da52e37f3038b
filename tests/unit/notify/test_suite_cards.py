"""Cards of suites as people see them: files in tests/snapshots/, reviewed by reading them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from support import suite_cards
from support.cards import COMMIT, START
from support.snapshots import FOLDER, Compare, problems

from bot.model.suite import SuiteAlarm, TestRun
from bot.model.test_run import RunVerdict
from bot.notify.render import render
from bot.notify.suite import alarm_card
from bot.notify.suite_card import render_alarm

ALARMS = {
    "nothing-collected": suite_cards.nothing_collected,
    "unreadable": suite_cards.unreadable,
    "vanished": suite_cards.vanished,
    "failing": suite_cards.failing,
    "over-budget": suite_cards.over_budget,
    "resolved": suite_cards.resolved,
    "hostile": suite_cards.hostile,
}

NOTES: dict[str, dict[str, Any]] = {
    "raised": {"reason": "pytest collected nothing (exit code 5)"},
    "resolved": {"reason": "214 tests collected"},
    "broke": {
        "tests": ["tests/test_login.py::test_a", "tests/test_login.py::test_b"],
        "count": 12,
        "flaky": ["tests/test_login.py::test_b"],
    },
    "fixed": {"tests": ["tests/test_login.py::test_a"], "count": 1},
    "left": {"tests": ["tests/test_login.py::test_a"], "count": 1},
    "vanished": {"tests": ["tests/test_login.py::test_<b>"], "count": 1},
    "returned": {"tests": ["tests/test_login.py::test_a"], "count": 1},
}


@pytest.mark.parametrize("case", ALARMS)
def test_an_alarm_of_a_suite_as_people_see_it(compare: Compare, case: str) -> None:
    compare("suite/card", case, render_alarm(ALARMS[case](), suite_cards.suite_catalog()))


@pytest.mark.parametrize("moment", NOTES)
def test_its_history_as_people_see_it(compare: Compare, moment: str) -> None:
    context = {"moment": moment, "at": START, "commit": COMMIT, "url": suite_cards.PIPELINE, **NOTES[moment]}

    compare("suite/note", moment, render("suite/note", context))


def test_every_snapshot_of_a_suite_belongs_to_a_test() -> None:
    assert {path.stem for path in (FOLDER / "suite" / "card").glob("*.json")} == set(ALARMS)
    assert {path.stem for path in (FOLDER / "suite" / "note").glob("*.json")} == set(NOTES)


@pytest.mark.parametrize("case", ALARMS)
def test_the_same_alarm_gives_the_same_card_and_fits(case: str) -> None:
    first, second = (render_alarm(ALARMS[case](), suite_cards.suite_catalog()) for _ in range(2))

    assert first == second
    assert problems(first) == []


def test_what_a_test_said_keeps_no_secret_and_calls_nobody() -> None:
    said = json.dumps(render_alarm(suite_cards.hostile(), suite_cards.suite_catalog()).blocks)

    assert "hunter2" not in said
    assert "<!channel>" not in said


@pytest.mark.parametrize(
    ("alarm", "value"),
    [
        (suite_cards.nothing_collected(), "e2e-staging:alarm-1:collect"),
        (suite_cards.vanished(), "e2e-staging:alarm-1:collect"),
        (suite_cards.failing(), "e2e-staging:alarm-1:failed"),
    ],
)
def test_the_rerun_button_names_suite_alarm_and_mode(alarm: SuiteAlarm, value: str) -> None:
    (button,) = alarm_card(alarm, suite_cards.suite_catalog()).buttons

    assert (button.action, button.value) == ("rerun_suite", value)


def test_there_is_nothing_to_press_when_it_is_over() -> None:
    assert alarm_card(suite_cards.resolved(), suite_cards.suite_catalog()).buttons == ()


def entry(last: TestRun | None, *alarms: SuiteAlarm, verdicts: str = "") -> dict[str, Any]:
    letters = {"p": RunVerdict.PASSED, "f": RunVerdict.FAILED, "-": RunVerdict.DISCOVERY_FAILURE}
    return {
        "name": "e2e-staging",
        "branch": "main" if last else "",
        "suite": suite_cards.SUITE,
        "last": last,
        "alarms": alarms,
        "verdicts": [letters[letter] for letter in verdicts],
    }


def test_status_shows_suites_with_their_last_run_and_rates_and_those_with_alarms_first(compare: Compare) -> None:
    silent = entry(None)
    loud = entry(
        suite_cards.a_run(reason="pytest collected nothing"), suite_cards.nothing_collected(), verdicts="ppfp-"
    )
    context = {
        "now": START + timedelta(hours=1),
        "places": [],
        "incidents": (),
        "impact": None,
        "parked": [],
        "unknown": [],
        "undelivered": [],
        "dry_run": False,
        "suites": [silent, loud],
    }

    compare("reply/status", "suites", render("reply/status", context))
