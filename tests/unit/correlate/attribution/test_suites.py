"""What the tests of a commit said, as evidence about its revision."""

from __future__ import annotations

import pytest
from unit.correlate.attribution.story import calm

from bot.correlate.attribution import Known, attribute
from bot.model.attribution import Attribution, Cause, Vote
from bot.model.commit_tests import Said, SuiteWord

SSO = "tests/test_login.py::test_sso"


def blamed(*words: SuiteWord) -> Attribution:
    story = calm("auth").deploy(600, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 700, fails=0.5, message="KeyError: 'plan'")
    [said] = attribute(story.signals, 700, Known(tested={"auth-2": words}))
    return said


def vote(*words: SuiteWord) -> Vote | None:
    return next((each for each in blamed(*words).votes if each.name == "suites"), None)


def test_a_red_suite_speaks_against_the_revision_of_its_commit_and_names_the_test() -> None:
    said = vote(SuiteWord("e2e-staging", Said.FAILED, 12, 340, (SSO,)))

    assert said is not None
    assert 0.5 < said.weight < 2.3
    assert said.says == f"e2e-staging failed on its commit (12 of 340 tests), first {SSO}"


def test_the_worse_it_was_tested_the_more_it_says_and_green_says_least() -> None:
    red = vote(SuiteWord("e2e", Said.FAILED, 1, 9))
    lost = vote(SuiteWord("e2e", Said.NOT_COLLECTED))
    before = vote(SuiteWord("e2e", Said.FAILED, 1, 9, is_news=False))
    green = vote(SuiteWord("e2e", Said.PASSED, total=9))

    assert red and lost and before and green  # noqa: PT018 - each says something
    assert red.weight > lost.weight > before.weight > 0 > green.weight > -0.5
    assert "as it did before" in before.says


@pytest.mark.parametrize("said", [Said.NO_RUN, Said.UNREADABLE, Said.COLLECTED])
def test_what_nobody_knows_says_nothing(said: Said) -> None:
    assert vote(SuiteWord("e2e", said)) is None


def test_one_red_suite_is_not_outweighed_by_green_ones() -> None:
    said = vote(SuiteWord("unit", Said.PASSED, total=900), SuiteWord("e2e", Said.FAILED, 1, 9))

    assert said is not None
    assert said.weight > 1


def test_red_tests_alone_blame_nobody() -> None:
    story = calm("auth", "shop").deploy(600, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 900, fails=0.0, message="")
    story.serve("shop", "shop-1", 700, 900, fails=0.5, message="save failed: connection to 10.0.0.5 refused")
    words = (SuiteWord("e2e", Said.FAILED, 12, 340),)

    found = attribute(story.signals, 900, Known(tested={"auth-2": words}))

    assert all(said.cause is not Cause.REVISION for said in found)
