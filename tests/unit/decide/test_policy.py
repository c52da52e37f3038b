from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.decide.digest import plan_digest
from bot.decide.policy import expired, next_look, quorum, restored
from bot.decide.timing import WatchConfig
from bot.errors import UserError
from bot.model.catalog import RollbackPolicy
from bot.model.cloud_run import TrafficSplit, TrafficTarget
from bot.model.incident import Decision, PlanState
from tests.support.values import GOOD, NOON, incident, plan

WATCH = WatchConfig()


def approvals(*people):
    return tuple(Decision("approve_rollback", person, NOON) for person in people)


def test_one_person_counts_once():
    two = plan(policy=RollbackPolicy.TWO_APPROVERS, decisions=approvals("U0A", "U0A"))

    assert quorum(two) == (1, 2)
    assert quorum(replace(two, decisions=approvals("U0A", "U0B"))) == (2, 2)


def test_a_rejection_is_no_approval():
    assert quorum(plan(decisions=(Decision("reject_rollback", "U0A", NOON),))) == (0, 1)


def test_never_cannot_be_approved_by_anybody():
    with pytest.raises(UserError, match="never"):
        quorum(plan(policy=RollbackPolicy.NEVER, decisions=approvals("U0A", "U0B", "U0C")))


def test_a_plan_expires_at_its_very_moment():
    shown = plan()

    assert not expired(shown, shown.expires_at - timedelta(microseconds=1))
    assert expired(shown, shown.expires_at)


@pytest.mark.parametrize(
    ("after_s", "next_s"),
    [(-10, -10), (0, 5), (4.9, 5), (5, 10), (117, 120), (119, 120), (120, 150), (149, 150), (1770, 1800), (1799, 1800)],
)
def test_looks_are_frequent_first_and_seldom_later(after_s, next_s):
    assert next_look(NOON, NOON + timedelta(seconds=after_s), WATCH) == NOON + timedelta(seconds=next_s)


@pytest.mark.parametrize("after_s", [1800, 1801, 86_400])
def test_looking_ends_after_half_an_hour(after_s):
    assert next_look(NOON, NOON + timedelta(seconds=after_s), WATCH) is None


def test_a_whole_watch_looks_24_times_often_and_56_times_seldom():
    moments, now = [], NOON
    while (upcoming := next_look(NOON, now, WATCH)) is not None:
        moments.append(upcoming)
        now = upcoming

    assert len([m for m in moments if m <= NOON + timedelta(minutes=2)]) == 24
    assert len(moments) == 24 + 56


@given(st.timedeltas(timedelta(), timedelta(hours=1)))
def test_the_next_look_is_always_later_than_now(elapsed):
    upcoming = next_look(NOON, NOON + elapsed, WATCH)

    assert upcoming is None or upcoming > NOON + elapsed


def test_the_time_to_restore_runs_from_the_first_failure_to_the_first_relief():
    over = incident(mitigated_at=NOON + timedelta(minutes=7), resolved_at=NOON + timedelta(minutes=9))

    assert restored(over) == (timedelta(minutes=7), True)
    assert restored(incident()) is None
    assert restored(incident(resolved_at=NOON + timedelta(hours=5))) == (timedelta(hours=5), False)


def test_a_clock_that_runs_backwards_gives_no_negative_time_to_restore():
    assert restored(incident(resolved_at=NOON - timedelta(seconds=1))).took == timedelta()


CHANGES = {
    "id": "plan-2",
    "incident_id": "inc-2",
    "place": "auth/production",
    "resource_name": "projects/other",
    "before": TrafficSplit((TrafficTarget(GOOD, 100),)),
    "after": TrafficSplit((TrafficTarget(GOOD, 99),)),
    "etag": '"2"',
    "target": "auth-service-00280-xyz",
    "proof": "none",
    "policy": RollbackPolicy.TWO_APPROVERS,
    "expires_at": NOON + timedelta(hours=9),
    "dry_run": True,
}


@pytest.mark.parametrize("field", CHANGES)
def test_whatever_was_shown_is_part_of_the_digest(field):
    assert plan_digest(plan()) != plan_digest(replace(plan(), **{field: CHANGES[field]}))


def test_a_tag_is_part_of_the_digest():
    tagged = replace(plan(), after=TrafficSplit((TrafficTarget(GOOD, 100, "stable"),)))

    assert plan_digest(plan()) != plan_digest(tagged)


def test_what_happens_while_it_is_carried_out_does_not_change_the_digest():
    shown = plan()
    later = replace(
        shown, state=PlanState.SHIFTED, decisions=approvals("U0A"), shifted_at=NOON, note="x", digest=plan_digest(shown)
    )

    assert plan_digest(later) == plan_digest(shown)
    assert len(plan_digest(shown)) == 64


@given(st.text(), st.text())
def test_no_text_can_be_moved_from_one_field_to_the_next(one, other):
    same = one == other

    assert (plan_digest(plan(target=one, proof=other)) == plan_digest(plan(target=other, proof=one))) is same
