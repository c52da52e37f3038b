from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.decide.transitions import (
    INCIDENT_TABLE,
    PLAN_TABLE,
    Action,
    IncidentTrigger,
    PlanTrigger,
    advance_incident,
    advance_plan,
    allowed,
    already,
)
from bot.errors import Conflict
from bot.model.catalog import RollbackPolicy
from bot.model.incident import Decision, IncidentState, PlanState
from tests.support.values import NOON, incident, plan

ENDED = {s for s in PlanState if not any(state is s for state, _ in PLAN_TABLE)}


class Clicks(RuleBasedStateMachine):
    """Anything may be tried in any order, as people, sweeps and workflows do."""

    def __init__(self):
        super().__init__()
        self.incident = IncidentState.OPENED
        self.plan = PlanState.PROPOSED
        self.plan_was = [PlanState.PROPOSED]

    @rule(trigger=st.sampled_from(IncidentTrigger))
    def try_incident(self, trigger):
        before = self.incident
        try:
            self.incident = advance_incident(before, trigger)
        except Conflict:
            assert (before, trigger) not in INCIDENT_TABLE
        else:
            assert (before, trigger) in INCIDENT_TABLE
            assert before is not IncidentState.RESOLVED

    @rule(trigger=st.sampled_from(PlanTrigger))
    def try_plan(self, trigger):
        before = self.plan
        try:
            self.plan = advance_plan(before, trigger)
        except Conflict:
            assert (before, trigger) not in PLAN_TABLE
        else:
            self.plan_was.append(self.plan)
            assert before not in ENDED

    @rule(action=st.sampled_from(Action))
    def press(self, action):
        """A button that is shown can be pressed; one that is not shown cannot."""
        shown = allowed(incident(state=self.incident, plan=plan(state=self.plan)))
        if action is Action.ACKNOWLEDGE:
            assert (action in shown) == ((self.incident, IncidentTrigger.ACKNOWLEDGE) in INCIDENT_TABLE)
        else:
            possible = self.plan is PlanState.PROPOSED and self.incident is not IncidentState.RESOLVED
            assert (action in shown) == possible

    @invariant()
    def traffic_is_judged_only_after_it_moved(self):
        if self.plan in {PlanState.VERIFIED, PlanState.UNVERIFIED}:
            assert PlanState.SHIFTED in self.plan_was

    @invariant()
    def traffic_moves_only_after_approval(self):
        if PlanState.SHIFTED in self.plan_was:
            assert self.plan_was.index(PlanState.APPROVED) < self.plan_was.index(PlanState.SHIFTED)

    @invariant()
    def no_state_comes_twice(self):
        assert len(set(self.plan_was)) == len(self.plan_was)


TestClicks = Clicks.TestCase
TestClicks.settings = settings(max_examples=60, stateful_step_count=25)


def test_every_state_can_be_reached_and_every_plan_ends():
    assert set(PLAN_TABLE.values()) | {PlanState.PROPOSED} == set(PlanState)
    assert set(INCIDENT_TABLE.values()) == set(IncidentState)
    assert {
        PlanState.VERIFIED,
        PlanState.UNVERIFIED,
        PlanState.REJECTED,
        PlanState.REFUSED,
        PlanState.FAILED,
        PlanState.EXPIRED,
        PlanState.WITHDRAWN,
    } == ENDED


def paths(state=PlanState.PROPOSED):
    onward = [after for (before, _), after in PLAN_TABLE.items() if before is state]
    return [[state, *rest] for after in onward for rest in paths(after)] if onward else [[state]]


def test_every_life_of_a_plan_is_one_of_seven():
    assert sorted(" ".join(path[1:]) for path in paths()) == [
        "approved failed",
        "approved refused",
        "approved shifted unverified",
        "approved shifted verified",
        "expired",
        "rejected",
        "withdrawn",
    ]


def test_a_fresh_card_shows_all_three_buttons():
    assert allowed(incident(plan=plan())) == (Action.APPROVE, Action.REJECT, Action.ACKNOWLEDGE)


def test_without_a_plan_only_acknowledge_is_shown():
    assert allowed(incident()) == (Action.ACKNOWLEDGE,)


def test_acknowledging_does_not_take_the_rollback_away():
    assert allowed(incident(state=IncidentState.ACKNOWLEDGED, plan=plan())) == (Action.APPROVE, Action.REJECT)


def test_a_plan_that_may_never_be_approved_has_no_button():
    assert allowed(incident(plan=plan(policy=RollbackPolicy.NEVER))) == (Action.ACKNOWLEDGE,)


def test_a_resolved_incident_has_no_button():
    assert allowed(incident(state=IncidentState.RESOLVED, plan=plan())) == ()


def test_the_buttons_are_the_action_ids_of_the_commands():
    assert [str(action) for action in Action] == ["approve_rollback", "reject_rollback", "acknowledge"]


AVERY = Decision("approve_rollback", "U0AVERY0001", NOON)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"state": PlanState.APPROVED, "decisions": (AVERY,)},
            (
                "<@U0AVERY0001> approved it at <!date^1772452800^{time_secs}|12:00:00 UTC>; "
                "the rollback to auth-service-00281-kzq is under way."
            ),
        ),
        (
            {"state": PlanState.REJECTED, "decisions": (replace(AVERY, action="reject_rollback"),)},
            "<@U0AVERY0001> rejected this rollback at <!date^1772452800^{time_secs}|12:00:00 UTC>.",
        ),
        (
            {"state": PlanState.REFUSED, "decisions": (AVERY,), "note": "traffic had changed"},
            (
                "<@U0AVERY0001> approved it at <!date^1772452800^{time_secs}|12:00:00 UTC>, "
                "but nothing was moved: traffic had changed."
            ),
        ),
        (
            {"state": PlanState.EXPIRED},
            "This proposal expired at <!date^1772454600^{time_secs}|12:30:00 UTC>: nobody had decided.",
        ),
    ],
)
def test_a_stale_click_says_who_decided_what_and_when(fields, sentence):
    assert already(plan(**fields)) == sentence


@pytest.mark.parametrize("state", PlanState)
@pytest.mark.parametrize("decisions", [(), (AVERY,), (replace(AVERY, action="reject_rollback"),)])
def test_there_is_a_sentence_for_every_plan(state, decisions):
    assert already(plan(state=state, decisions=decisions)).endswith(".")


@pytest.mark.parametrize("state", IncidentState)
@pytest.mark.parametrize("when", [None, NOON + timedelta(minutes=1)])
def test_there_is_a_sentence_for_every_incident(state, when):
    seen = Decision("acknowledge", "U0RILEY0001", when) if when else None

    told = already(incident(state=state, acknowledged=seen, mitigated_at=when, resolved_at=when))

    assert told.endswith(".")
    if state is IncidentState.ACKNOWLEDGED and when:
        assert told.startswith("<@U0RILEY0001> acknowledged this incident already at <!date^")
