"""Life of an incident as looks see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.values import BAD, GOOD, NOON, incident, place, plan, requests, revision, split, state

from bot.decide.incident import Findings, credited, failed_streak, opened, recovery, updated
from bot.model.catalog import Severity
from bot.model.event import DeployEvent, EventKind
from bot.model.evidence import Gap
from bot.model.incident import FailedRevision, IncidentState, PlanState
from bot.model.judgement import Diagnosis, Health, Impact, IncidentKind, Verdict

MINUTE = timedelta(minutes=1)


def findings(**fields):
    base = Findings(
        place=place(),
        kind=IncidentKind.SERVING_FAILURE,
        severity=Severity.P0,
        at=NOON,
        since=NOON - timedelta(seconds=20),
        state=state(),
        why="97 % of 1,241 requests fail",
        revisions=(FailedRevision(BAD, NOON - MINUTE, "a1b2c3d", "dana@acme.example"),),
        attempts=0,
        failed_attempts=0,
        impact=Impact(True, (), "USD", None),
        requests=requests(97, 100),
    )
    return replace(base, **fields)


def healthy(name=GOOD, health=Health.HEALTHY):
    return Verdict(health, IncidentKind.SERVING_FAILURE, name, "", NOON)


def test_a_new_incident_counts_the_time_to_restore_from_the_first_failure():
    made = opened(findings(), timedelta(hours=4))

    assert made.restore_by == NOON - timedelta(seconds=20) + timedelta(hours=4)
    assert (made.state, made.serving, made.plan) == (IncidentState.OPENED, split(bad=100), None)


def test_the_same_findings_make_the_same_incident():
    assert opened(findings(), MINUTE) == opened(findings(), MINUTE)


def test_new_counts_alone_do_not_change_a_card_that_is_fresh():
    made = opened(findings(), MINUTE)

    same = updated(made, findings(at=NOON + timedelta(seconds=5), requests=requests(99, 100)), timedelta(seconds=30))

    assert same is made


def test_a_fresh_weighing_is_kept_or_it_would_be_done_again_with_every_look():
    made = opened(findings(attributed_at=NOON), MINUTE)
    later = NOON + timedelta(seconds=20)

    weighed = updated(made, findings(at=later, attributed_at=later), timedelta(seconds=30))

    assert weighed.attributed_at == later


def test_new_counts_change_a_card_that_is_old_enough():
    made = opened(findings(), MINUTE)

    later = updated(made, findings(at=NOON + timedelta(seconds=30), requests=requests(99, 100)), timedelta(seconds=30))

    assert later.requests is not None
    assert later.requests.failed == 99


def test_a_further_failing_revision_joins_at_once_newest_first():
    made = opened(findings(), MINUTE)
    other = FailedRevision("auth-service-00284-xyz", NOON)

    later = updated(made, findings(revisions=(other,), at=NOON + timedelta(seconds=1)), timedelta(seconds=30))

    assert [r.name for r in later.revisions] == ["auth-service-00284-xyz", BAD]


def test_a_look_without_logs_keeps_the_cause_that_was_proven_before():
    cause = Diagnosis("missing_module", "t", "e", "a", (), 0.95, True)
    made = opened(findings(diagnosis=cause), MINUTE)

    later = updated(
        made,
        findings(diagnosis=None, gaps=(Gap("Cloud Logging", "did not answer"),), at=NOON + MINUTE),
        timedelta(seconds=30),
    )

    assert later.diagnosis == cause
    assert later.gaps


@pytest.mark.parametrize("health", [Health.INCONCLUSIVE, Health.ERROR, Health.UNHEALTHY])
def test_only_a_healthy_verdict_ends_a_serving_failure(health):
    now_good = state(split(good=100))

    assert recovery(incident(), now_good, [healthy(health=health)], NOON, MINUTE) is None
    assert recovery(incident(), now_good, [healthy()], NOON, MINUTE) is not None


def test_no_verdict_at_all_ends_nothing():
    assert recovery(incident(), state(split(good=100)), [], NOON, MINUTE) is None


def test_a_failing_revision_that_still_serves_has_to_be_healthy_for_a_while():
    seen = incident(last_seen=NOON)

    assert recovery(seen, state(), [healthy(BAD)], NOON + MINUTE, 2 * MINUTE) is None
    assert recovery(seen, state(), [healthy(BAD)], NOON + 2 * MINUTE, 2 * MINUTE) is not None


@pytest.mark.parametrize("under_way", [PlanState.APPROVED, PlanState.SHIFTED])
def test_a_rollback_under_way_ends_the_incident_itself(under_way):
    rolling = incident(plan=plan(state=under_way))

    assert recovery(rolling, state(split(good=100)), [healthy()], NOON, MINUTE) is None


def test_a_blocked_deploy_is_over_when_a_later_revision_is_ready():
    failed, fixed = revision(BAD, NOON, ready=False), revision("auth-service-00284-fix", NOON + MINUTE)
    blocked = incident(kind=IncidentKind.DEPLOY_BLOCKED)
    good = revision(GOOD, NOON - MINUTE)

    assert recovery(blocked, state(split(good=100), failed, good), [], NOON, MINUTE) is None
    why = recovery(blocked, state(split(good=100), fixed, failed, good), [], NOON, MINUTE)

    assert why == "auth-service-00284-fix is ready: deploys work again"


def test_a_blocked_deploy_is_not_over_because_an_older_revision_is_ready():
    blocked = incident(kind=IncidentKind.DEPLOY_BLOCKED)
    good = revision(GOOD, NOON - MINUTE)
    still = state(split(good=100), revision(BAD, NOON, ready=None), good)

    assert recovery(blocked, still, [], NOON, MINUTE) is None


def test_the_streak_counts_what_failed_since_the_last_ready_revision():
    newer = [revision(f"auth-service-0028{n}-x", NOON + n * MINUTE, ready=False) for n in (5, 4, 3)]

    failed, tried = failed_streak(state(split(good=100), *newer, revision(GOOD, NOON)))

    assert (len(failed), tried) == (3, 3)


def test_of_a_service_that_never_was_ready_every_revision_counts():
    failed, tried = failed_streak(state(split(), revision(BAD, NOON, ready=False), latest_ready=""))

    assert (len(failed), tried) == (1, 1)


def deploy_event(**fields):
    base = DeployEvent(
        "e1", "pubsub", EventKind.DEPLOY, "acme-staging", "us-central1", "auth-service", None, NOON, NOON
    )
    return replace(base, **fields)


def test_the_event_that_names_the_revision_is_believed_before_the_one_that_is_near():
    events = [
        deploy_event(author="near@acme.example"),
        deploy_event(revision=BAD, author="named@acme.example", commit="beef123", at=NOON + MINUTE),
    ]

    credit = credited(revision(BAD, NOON), state(), events)

    assert (credit.author, credit.commit) == ("named@acme.example", "beef123")


def test_a_deploy_event_of_another_hour_is_not_credited():
    events = [deploy_event(author="other@acme.example", at=NOON - timedelta(hours=1))]

    assert credited(revision(GOOD, NOON), state(), events).author is None


def test_labels_and_the_last_modifier_fill_in_what_no_event_said():
    labelled = revision(BAD, NOON, labels={"commit-sha": "a1b2c3d", "gcb-build-id": "77", "managed-by": "gcloud"})

    credit = credited(labelled, state(None, labelled, last_modifier="dana@acme.example"), [])

    assert credit == FailedRevision(BAD, NOON, "a1b2c3d", "dana@acme.example", "77", "gcloud")
