from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.decide.verdict import judge_deploy, judge_serving
from bot.model.catalog import Detection
from bot.model.cloud_run import TrafficSplit, TrafficTarget
from bot.model.evidence import Gap
from bot.model.judgement import Health, IncidentKind
from tests.support.values import BAD, GOOD, NOON, requests, revision, split, state

DETECTION = Detection(failures=5, ratio=0.05, window=timedelta(seconds=60), min_requests=20)


def judged(failed, total, **fields):
    (verdict,) = judge_serving(state(**fields), {BAD: requests(failed, total)}, DETECTION, NOON)
    return verdict


@pytest.mark.parametrize(
    ("failed", "total", "health"),
    [
        (0, 1000, Health.HEALTHY),
        (4, 20, Health.HEALTHY),  # a fifth, but fewer than five
        (5, 20, Health.UNHEALTHY),
        (5, 100, Health.UNHEALTHY),  # exactly 5 %
        (5, 101, Health.HEALTHY),
        (5, 5, Health.UNHEALTHY),  # few requests, but all of them fail
        (4, 4, Health.INCONCLUSIVE),
        (0, 19, Health.INCONCLUSIVE),
        (0, 20, Health.HEALTHY),
        (0, 0, Health.INCONCLUSIVE),
    ],
)
def test_serving_is_judged_by_number_and_share_of_failures(failed, total, health):
    assert judged(failed, total).health is health


def test_the_sentence_has_value_threshold_window_and_sample_size():
    assert judged(1204, 1241).why == (
        f"{BAD} serves 100 %: 1,204 of 1,241 requests failed (97 %) in 60 s; unhealthy from 5 failures and 5 %"
    )


def test_a_cut_reading_says_at_least_and_sampled():
    count = replace(requests(12, 5000), complete=False)

    (verdict,) = judge_serving(state(), {BAD: count}, DETECTION, NOON)

    assert "at least 12 of 5,000 sampled requests failed (0.2 %)" in verdict.why


def test_few_requests_say_how_many_are_needed():
    assert judged(3, 12).why.endswith("only 12 of the 20 requests that a judgement needs")
    assert judged(0, 0).why.endswith("no request of the 20 requests that a judgement needs")


def test_what_was_not_measured_is_an_error_with_the_reason():
    (verdict,) = judge_serving(state(), {}, DETECTION, NOON, (Gap("Cloud Logging", "did not answer"),))

    assert verdict.health is Health.ERROR
    assert "Cloud Logging: did not answer" in verdict.why


def test_each_revision_with_traffic_is_judged_the_largest_share_first():
    counts = {BAD: requests(50, 50), GOOD: requests(0, 950, GOOD)}

    verdicts = judge_serving(state(split(bad=5, good=95)), counts, DETECTION, NOON)

    assert [(v.revision, v.health) for v in verdicts] == [(GOOD, Health.HEALTHY), (BAD, Health.UNHEALTHY)]


def test_a_revision_with_only_a_tag_is_not_judged():
    tagged = TrafficSplit((TrafficTarget(BAD, 0, "preview"), TrafficTarget(GOOD, 100)))

    verdicts = judge_serving(state(tagged), {BAD: requests(50, 50)}, DETECTION, NOON)

    assert [v.revision for v in verdicts] == [GOOD]


def test_when_nothing_serves_there_is_nothing_to_judge():
    assert judge_serving(state(TrafficSplit()), {}, DETECTION, NOON) == ()


@pytest.mark.parametrize(
    ("failed", "total", "health"),
    [(0, 1000, Health.INCONCLUSIVE), (5, 60, Health.INCONCLUSIVE), (60, 60, Health.UNHEALTHY)],
)
def test_while_cloud_run_works_only_what_is_beyond_doubt_counts(failed, total, health):
    assert judged(failed, total, reconciling=True).health is health


@given(st.integers(0, 3000), st.integers(0, 3000), st.booleans())
def test_no_data_is_never_healthy_and_unhealthy_always_has_its_failures(failed, more, reconciling):
    verdict = judged(failed, failed + more, reconciling=reconciling)

    if verdict.health is Health.HEALTHY:
        assert failed + more >= DETECTION.min_requests
    if verdict.health is Health.UNHEALTHY:
        assert failed >= DETECTION.failures
        assert failed / (failed + more) >= DETECTION.ratio


FAILED = revision(BAD, NOON, ready=False, reason="HEALTH_CHECK_CONTAINER_ERROR", message="did not listen on PORT=8080")
READY = revision(GOOD, NOON - timedelta(days=6))


def deploy(*revisions, fact=None, **fields):
    return judge_deploy(state(fact or split(good=100), *revisions, **fields), NOON)


def test_a_revision_that_never_became_ready_blocks_the_deploy_and_says_who_serves():
    verdict = deploy(FAILED, READY)

    assert (verdict.health, verdict.kind, verdict.revision) == (Health.UNHEALTHY, IncidentKind.DEPLOY_BLOCKED, BAD)
    assert verdict.why == (
        f"{BAD} never became ready (HEALTH_CHECK_CONTAINER_ERROR: did not listen on PORT=8080); "
        f"users are served by {GOOD} 100 %"
    )


def test_a_new_service_that_never_became_ready_serves_nobody():
    verdict = deploy(FAILED, fact=TrafficSplit(), latest_ready="")

    assert verdict.health is Health.UNHEALTHY
    assert verdict.why.endswith("no revision serves")


@pytest.mark.parametrize(
    ("revisions", "fields", "health"),
    [
        ((FAILED, READY), {"reconciling": True}, Health.INCONCLUSIVE),
        ((replace(FAILED, ready=None), READY), {}, Health.INCONCLUSIVE),
        ((revision(BAD), READY), {}, Health.HEALTHY),
        ((revision(BAD), READY), {"latest_ready": GOOD}, Health.HEALTHY),
        ((READY,), {"latest_created": "unread-00001-abc"}, Health.ERROR),
        ((READY,), {"latest_created": "", "latest_ready": ""}, Health.INCONCLUSIVE),
    ],
)
def test_a_deploy_is_judged_only_when_cloud_run_has_decided(revisions, fields, health):
    assert deploy(*revisions, **fields).health is health


def test_a_secret_in_a_condition_message_is_not_repeated():
    hostile = replace(FAILED, message="password=hunter2 <!channel>" + "x" * 100_000)

    verdict = deploy(hostile, READY)

    assert "hunter2" not in verdict.why
    assert len(verdict.why) < 600


def test_while_the_next_try_is_under_way_the_one_that_failed_still_blocks():
    trying = revision("auth-service-00284-try", NOON + timedelta(minutes=2), ready=None)
    failed = revision(BAD, NOON + timedelta(minutes=1), ready=False)
    live = state(split(good=100), trying, failed, revision(GOOD), reconciling=True)

    verdict = judge_deploy(live, NOON)

    assert (verdict.health, verdict.revision) == (Health.UNHEALTHY, BAD)
    assert "working on auth-service-00284-try" in verdict.why


def test_a_revision_that_failed_before_the_last_ready_one_blocks_nothing():
    failed = revision(BAD, NOON - timedelta(minutes=5), ready=False)
    live = state(split(good=100), revision(GOOD), failed, reconciling=True)

    assert judge_deploy(live, NOON).health is Health.INCONCLUSIVE
