"""Which rollback is proposed, and when a proposal gives way to another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support import cards
from support.values import BAD, GOOD, NOON, incident, place, plan, revision, split, state

from bot.decide.timing import WatchConfig
from bot.model.catalog import RollbackPolicy
from bot.model.cloud_run import ServiceState
from bot.model.incident import FailedRevision, PlanState
from bot.model.judgement import Diagnosis, IncidentKind
from bot.model.ledger import ServedSpan
from bot.workflows.proposals import propose

CONFIG = WatchConfig()
LEDGER = (ServedSpan(GOOD, 8640.0, 100, 0, NOON),)


def proposed(about=None, live=None, *, at=NOON, where=None):
    return propose(about or incident(), where or place(), live or state(), LEDGER, now=at, config=CONFIG, dry_run=False)


def test_the_plan_says_exactly_what_will_be_written():
    made = proposed().plan

    assert made is not None
    assert (made.before, made.after, made.target) == (split(bad=100), split(good=100), GOOD)
    assert made.expires_at == NOON + CONFIG.proposal_expires
    assert made.digest
    assert "6 d" in made.proof


def test_a_plan_that_still_fits_is_not_proposed_anew():
    first = proposed().plan

    assert proposed(incident(plan=first), at=NOON + timedelta(minutes=5)).plan is first


def test_a_plan_is_withdrawn_and_made_anew_when_the_traffic_changed():
    first = proposed().plan

    again = proposed(incident(plan=first), state(split(good=10, bad=90)))

    assert again.plan is not None
    assert again.plan.before == split(good=10, bad=90)
    assert again.plan.id != first.id
    assert "changed" in again.withdraw


def test_a_proposal_nobody_decided_on_is_made_anew_after_its_time():
    first = proposed().plan

    again = proposed(incident(plan=first), at=NOON + CONFIG.proposal_expires)

    assert again.plan is not None
    assert again.plan.created_at == NOON + CONFIG.proposal_expires


@pytest.mark.parametrize("state_now", [PlanState.APPROVED, PlanState.SHIFTED])
def test_nothing_else_is_proposed_while_a_plan_is_carried_out(state_now):
    under_way = plan(state=state_now)

    assert proposed(incident(plan=under_way), state(split(good=50, bad=50))).plan is under_way


@pytest.mark.parametrize("state_now", [PlanState.VERIFIED, PlanState.UNVERIFIED])
def test_nothing_else_is_proposed_while_the_traffic_is_as_a_rollback_left_it(state_now):
    done = plan(state=state_now)

    assert proposed(incident(plan=done), state(split(good=100))).plan is done


def test_traffic_that_went_back_to_the_failing_revision_after_a_rollback_gets_a_new_proposal():
    done = plan(state=PlanState.UNVERIFIED)

    again = proposed(incident(plan=done), state(split(bad=100))).plan

    assert again is not None
    assert (again.id, again.state) == ("plan-1-2", PlanState.PROPOSED)


def test_rollbacks_that_did_not_help_are_not_proposed_for_ever():
    third = plan(id="plan-1-3", state=PlanState.UNVERIFIED, verification="still failing")

    last = proposed(incident(plan=third), state(split(bad=100)))

    assert last.plan is third
    assert "still failing" in last.no_plan


@pytest.mark.parametrize(
    ("outdated", "why"),
    [
        ({"policy": RollbackPolicy.TWO_APPROVERS}, "another approval"),
        ({"resource_name": "projects/acme-old/locations/us-central1/services/auth-service"}, "another service"),
        ({"dry_run": True}, "dry run"),
    ],
)
def test_a_proposal_of_an_earlier_catalog_or_mode_is_withdrawn_and_made_anew(outdated, why):
    again = proposed(incident(plan=plan(**outdated)))

    assert why in again.withdraw
    assert again.plan is not None
    assert again.plan.policy is RollbackPolicy.ONE_APPROVER


def test_a_no_stays_a_no_for_the_same_traffic():
    rejected = plan(state=PlanState.REJECTED)

    assert proposed(incident(plan=rejected)).plan is rejected
    assert proposed(incident(plan=rejected), state(split(good=10, bad=90))).plan is not rejected


def test_a_refused_plan_leads_to_a_fresh_one_but_not_for_ever():
    refused = plan(state=PlanState.REFUSED)
    third = replace(refused, id="plan-1-3", note="traffic has changed")

    assert proposed(incident(plan=refused)).plan is not refused
    last = proposed(incident(plan=third))
    assert last.plan is third
    assert "traffic has changed" in last.no_plan


def test_a_blocked_deploy_needs_no_rollback_while_somebody_serves():
    blocked = incident(kind=IncidentKind.DEPLOY_BLOCKED)

    nothing = proposed(blocked, state(split(good=100), revision(BAD, ready=False), revision(GOOD)))

    assert nothing.plan is None
    assert nothing.no_plan.startswith("not needed")
    assert GOOD in nothing.no_plan


def test_a_blocked_first_deploy_has_nothing_to_go_back_to():
    blocked = incident(kind=IncidentKind.DEPLOY_BLOCKED)

    nothing = proposed(blocked, state(split(), revision(BAD, ready=False), latest_ready=""))

    assert nothing.plan is None
    assert "not possible" in nothing.no_plan


def test_the_catalog_can_say_never():
    assert "never" in proposed(where=place(policy=RollbackPolicy.NEVER)).no_plan


def test_a_cause_that_moving_traffic_does_not_mend_proposes_nothing_only_when_it_is_sure():
    cause = Diagnosis("database_unreachable", "The database refuses connections", "", "", (), 0.95, False)

    assert "would not help" in proposed(incident(diagnosis=cause)).no_plan
    assert proposed(incident(diagnosis=replace(cause, confidence=0.7))).plan is not None


def test_a_target_that_fails_too_is_withdrawn():
    first = proposed().plan
    both = (FailedRevision(BAD, NOON), FailedRevision(GOOD, NOON))

    again = proposed(incident(plan=first, revisions=both))

    assert again.plan is None
    assert "fails too" in again.withdraw


UNHELPFUL = Diagnosis("memory_limit", "Out of memory", "", "", (), 0.95, rollback_helps=False)


def test_no_rollback_is_proposed_where_no_deploy_is_to_blame():
    made = proposed(incident(attribution=cards.outage()))

    assert made.plan is None
    assert "no deploy is to blame" in made.no_plan


def test_a_shown_plan_is_withdrawn_when_it_turns_out_that_no_deploy_is_to_blame():
    first = proposed().plan

    made = proposed(incident(plan=first, attribution=cards.outage()))

    assert made.plan is None
    assert "no deploy is to blame" in made.withdraw


def test_a_deploy_that_is_surely_to_blame_is_rolled_back_whatever_it_died_of():
    assert proposed(incident(diagnosis=UNHELPFUL)).plan is None
    assert proposed(incident(diagnosis=UNHELPFUL, attribution=cards.attribution())).plan is not None


def test_the_rollback_moves_the_deployment_whose_revision_is_to_blame():
    theirs = cards.CALLEE
    live = ServiceState(
        name="backend-service",
        uri="",
        etag="1",
        wish=split(bad=100),
        fact=split(bad=100),
        latest_created=BAD,
        latest_ready=BAD,
        reconciling=False,
        revisions=(revision(BAD, NOON), revision(GOOD, NOON - timedelta(days=1))),
    )
    about = incident(revisions=(), attribution=cards.callee())

    made = propose(about, theirs, live, LEDGER, now=NOON, config=CONFIG, dry_run=False, guilty=BAD)

    assert made.plan is not None
    assert (made.plan.place, made.plan.resource_name) == (theirs.key, theirs.resource_name)
    assert made.plan.target == GOOD


def test_a_plan_for_the_failing_service_gives_way_when_another_service_turns_out_to_be_guilty():
    first = proposed().plan

    made = propose(
        incident(plan=first), cards.CALLEE, state(), LEDGER, now=NOON, config=CONFIG, dry_run=False, guilty=BAD
    )

    assert made.plan is not None
    assert made.plan.place == cards.CALLEE.key
    assert "belongs to backend/staging" in made.withdraw


def _deployed(before: timedelta):
    return incident(revisions=(FailedRevision(BAD, NOON - before, None, None),))


def test_a_revision_that_served_well_for_an_hour_is_not_rolled_back_before_it_is_known_to_be_guilty():
    served = (*LEDGER, ServedSpan(BAD, 90.0, 100, 0, NOON))

    shown = propose(_deployed(timedelta(hours=2)), place(), state(), served, now=NOON, config=CONFIG, dry_run=False)

    assert shown.plan is None
    assert "not offered yet" in shown.no_plan


def test_a_revision_that_waited_without_traffic_for_hours_has_not_served_well():
    assert proposed(_deployed(timedelta(hours=2))).plan is not None


def test_a_revision_that_is_older_than_the_bots_watch_is_taken_to_have_served():
    assert "not offered yet" in proposed(_deployed(timedelta(days=7))).no_plan
