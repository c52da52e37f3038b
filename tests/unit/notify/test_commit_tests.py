"""What the suites said of a commit, on the card, at the deploy and beside a healthy one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from support import cards
from support.snapshots import Compare, problems
from unit.notify.test_snapshots import HOSTILE

from bot.model.commit_tests import CommitTests, Said, SuiteWord
from bot.notify.commit_tests import words_shown
from bot.notify.plain import readable
from bot.notify.render import render, render_card

SSO = "tests/test_login.py::test_sso"
RED = SuiteWord("e2e-staging", Said.FAILED, 12, 340, (SSO, "tests/test_login.py::test_sign_out"), at=cards.later(-60))
GREEN = SuiteWord("unit", Said.PASSED, total=1_204, at=cards.later(-70))
LOST = SuiteWord("e2e-staging", Said.NOT_COLLECTED, reason="0 tests collected", at=cards.later(-60))
GARBLED = SuiteWord("e2e-staging", Said.UNREADABLE, reason="the XML ends too early", at=cards.later(-60))
NO_RUN = SuiteWord("e2e-staging", Said.NO_RUN)


def said_by(*words: SuiteWord, service: str = "auth") -> CommitTests:
    return CommitTests(service, cards.BAD, cards.COMMIT, words)


def card_line(*words: SuiteWord) -> str:
    told = readable(render_card(cards.bad_release(tests=said_by(*words)), cards.PLACE, cards.CATALOG))
    return next(line for line in told.splitlines() if line.startswith("Tests of"))


def deploy(*words: SuiteWord, **fields: Any) -> dict[str, Any]:
    at = {"deployed_at": cards.START.isoformat(), "commit_url": "https://github.example/acme/auth/commit/a1b2c3d"}
    return (
        {"service": "auth-service", "environment": "staging", "tests": msgspec.to_builtins(said_by(*words))}
        | at
        | fields
    )


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (RED, f"e2e-staging failed (12 of 340), first: `{SSO}`"),
        (
            replace(RED, failed=1, tests=(SSO,), is_news=False),
            f"e2e-staging failed (1 of 340), as before it, first: `{SSO}`",
        ),
        (LOST, "e2e-staging did not find its tests: 0 tests collected"),
        (GARBLED, "e2e-staging sent a report that cannot be read: the XML ends too early"),
        (NO_RUN, "e2e-staging has no run so far"),
        (SuiteWord("e2e", Said.COLLECTED, total=9), "e2e was collected (9), not run"),
        (GREEN, "unit passed (1,204)"),
        (replace(GREEN, muted=2, vanished=1), "unit passed (1,204, 2 in quarantine failed, 1 test vanished)"),
    ],
)
def test_the_card_says_in_one_line_what_each_suite_said(word: SuiteWord, said: str) -> None:
    assert card_line(word).partition(": ")[2] == said


def test_the_line_names_the_commit_and_links_it() -> None:
    assert card_line(RED).startswith("Tests of a1b2c3d")
    card = render_card(cards.bad_release(tests=said_by(RED)), cards.PLACE, cards.CATALOG)
    assert f"github.example/acme/auth/commit/{cards.COMMIT}|a1b2c3d>:*" in str(card.blocks)


def test_tests_of_another_services_commit_say_whose_they_are() -> None:
    incident = cards.errors_after_deploy(
        attribution=cards.callee(), plan=cards.callee_plan(), tests=said_by(RED, service="backend")
    )

    told = str(render_card(incident, cards.PLACE, cards.CATALOG).blocks)

    assert "*Tests of backend-service `a1b2c3d`:* e2e-staging failed" in told


def test_of_many_suites_the_worst_are_named_and_the_others_counted() -> None:
    shown = words_shown(said_by(*(replace(RED, suite=f"suite-{n}") for n in range(40))), None)

    assert (len(shown.suites), shown.hidden) == (3, 37)


def test_without_a_word_the_card_has_no_line() -> None:
    assert "Tests of" not in readable(render_card(cards.bad_release(), cards.PLACE, cards.CATALOG))


DEPLOYS = {
    "although-red": deploy(RED, GREEN),
    "not-collected": deploy(LOST),
    "unreadable": deploy(GARBLED),
    "red-since": deploy(replace(RED, at=cards.later(90))),
    "green-by-now": deploy(replace(GREEN, at=cards.later(600))),
    "hostile": deploy(
        SuiteWord(HOSTILE, Said.FAILED, 3, 9, (HOSTILE,) * 3), SuiteWord("e2e", Said.UNREADABLE, reason=HOSTILE)
    ),
}


@pytest.mark.parametrize("case", DEPLOYS)
def test_a_deploy_with_what_its_tests_said_is_as_reviewed(case: str, compare: Compare) -> None:
    compare("deploy/tests", case, render("deploy/tests", DEPLOYS[case]))


@pytest.mark.parametrize(
    ("words", "tail"), [((GREEN,), "tests: unit passed (1,204)"), ((NO_RUN,), "has no run so far")]
)
def test_the_line_of_a_healthy_deploy_ends_with_its_tests(words: tuple[SuiteWord, ...], tail: str) -> None:
    counts = {"percent": 100, "total": 412, "failed": 0, "window_s": 60, "at": cards.START.isoformat()}
    credit = {"author": "dana@acme.example", "commit": cards.COMMIT, "commit_url": None, "revision": cards.BAD}

    assert render("deploy/quiet", deploy(*words) | counts | credit).text.endswith(tail)


def test_hostile_suites_stay_words_on_the_card() -> None:
    words = [SuiteWord(HOSTILE, said, 3, 9, (HOSTILE,), reason=HOSTILE) for said in Said]
    incident = cards.bad_release(tests=CommitTests(HOSTILE, HOSTILE, HOSTILE, tuple(words)))

    card = render_card(incident, cards.PLACE, cards.CATALOG)

    assert problems(card) == []
    assert "<!channel>" not in str(card)
    assert "hunter2" not in str(card)
