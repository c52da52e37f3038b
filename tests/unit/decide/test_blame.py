"""A blame stands once it is said; it is taken back only for something surer, and with the reason."""

from __future__ import annotations

from dataclasses import replace

from support import cards

from bot.decide.blame import CALM_S, Blame, goes_on, latched, same_suspect, speaks_against_rollback
from bot.model.attribution import Cause

REVISION, OUTAGE = cards.attribution(), cards.outage()


def test_what_was_said_stands_while_later_looks_decide_nothing() -> None:
    assert latched(Blame(REVISION), None) == Blame(REVISION)
    assert latched(Blame(REVISION), cards.attribution(Cause.NONE)) == Blame(REVISION)


def test_a_surer_answer_takes_the_earlier_one_back_and_gives_the_reason() -> None:
    after = latched(Blame(REVISION), OUTAGE)

    assert after.stands == OUTAGE
    assert [(said.revision, said.withdrawn) for said in after.withdrawn] == [(cards.BAD, OUTAGE.why)]


def test_a_doubtful_answer_does_not_replace_the_one_that_stands() -> None:
    assert latched(Blame(REVISION), replace(OUTAGE, confidence=0.6)) == Blame(REVISION)


def test_the_same_suspect_keeps_the_earliest_beginning_and_takes_the_latest_numbers() -> None:
    later = replace(REVISION, why="by now it fails 40 %", since_s=REVISION.since_s + 60)

    after = latched(Blame(REVISION), later)

    assert after.stands == replace(later, since_s=REVISION.since_s)


def test_a_withdrawn_attribution_leaves_nobody_to_blame() -> None:
    gone = replace(REVISION, withdrawn="the errors began before the deploy")

    assert latched(Blame(REVISION), gone) == Blame(None, (gone,))
    assert latched(Blame(), gone) == Blame()


def test_no_more_than_three_earlier_answers_are_remembered() -> None:
    blame = Blame()
    for number in range(10):
        blame = latched(blame, cards.attribution(revision=f"auth-service-{number:05}-abc"))

    assert len(blame.withdrawn) == 3


def test_a_dependency_that_is_named_more_exactly_is_the_same_suspect() -> None:
    assert same_suspect(replace(OUTAGE, culprit="postgres"), OUTAGE)
    assert not same_suspect(replace(OUTAGE, culprit="redis at 10.20.0.9:6379"), OUTAGE)
    assert not same_suspect(REVISION, OUTAGE)
    assert not same_suspect(REVISION, None)


def test_only_a_sure_cause_that_is_no_deploy_speaks_against_a_rollback() -> None:
    assert speaks_against_rollback(OUTAGE)
    assert not speaks_against_rollback(replace(OUTAGE, confidence=0.6))
    assert not speaks_against_rollback(replace(OUTAGE, withdrawn="it was the deploy after all"))
    assert not speaks_against_rollback(REVISION)
    assert not speaks_against_rollback(None)


def test_what_was_said_about_an_earlier_rise_does_not_hold_after_a_pause() -> None:
    assert goes_on(0.0, 600.0, range(0, 600, 60))
    assert not goes_on(0.0, 600.0, [0.0, 60.0, 600.0])
    assert goes_on(0.0, CALM_S, [])
    assert goes_on(700.0, 600.0, [])


def test_a_revision_that_was_taken_back_is_not_blamed_again_by_the_same_incident() -> None:
    said = cards.callee()
    cleared = latched(Blame(said), replace(said, withdrawn="it serves nobody any more"))

    assert latched(cleared, said) == cleared
    assert latched(cleared, cards.outage()).stands == cards.outage()
