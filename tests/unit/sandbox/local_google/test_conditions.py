"""Conditions of services and revisions."""

from datetime import UTC, datetime, timedelta

from google.cloud import run_v2

from bot.sandbox.local_google import conditions
from bot.sandbox.local_google.conditions import FAILED, SUCCEEDED, Reason, RevisionReason, Trouble
from bot.sandbox.local_google.names import Place

THEN = datetime(2025, 11, 24, 12, tzinfo=UTC)
NOW = THEN + timedelta(minutes=5)
PLACE = Place("acme-staging", "us-central1")


def since(condition) -> datetime:
    return condition.last_transition_time.ToDatetime(UTC)


def test_a_condition_that_stays_as_it_is_keeps_its_transition_time():
    service = run_v2.Service.pb()()

    conditions.put(service.conditions, "RoutesReady", SUCCEEDED, THEN)
    again = conditions.put(service.conditions, "RoutesReady", SUCCEEDED, NOW)

    assert len(service.conditions) == 1
    assert since(again) == THEN


def test_a_condition_that_changes_gets_a_new_transition_time():
    service = run_v2.Service.pb()()

    conditions.put(service.conditions, "RoutesReady", SUCCEEDED, THEN)
    changed = conditions.put(service.conditions, "RoutesReady", FAILED, NOW, Trouble("no"))

    assert (since(changed), changed.message) == (NOW, "no")


def test_a_condition_carries_one_reason_and_loses_it_when_all_is_well():
    condition = run_v2.Condition.pb()()

    conditions.update(condition, "Ready", FAILED, THEN, conditions.image_not_found("app:1"))
    missing = condition.WhichOneof("reasons"), condition.reason
    conditions.update(
        condition, "Ready", FAILED, THEN, conditions.never_listened(PLACE, "auth", "auth-00001-abc", 8080)
    )
    deaf = condition.WhichOneof("reasons"), condition.revision_reason
    conditions.update(condition, "Ready", SUCCEEDED, NOW)

    assert missing == ("reason", Reason.CONTAINER_MISSING)
    assert deaf == ("revision_reason", RevisionReason.HEALTH_CHECK_CONTAINER_ERROR)
    assert (condition.WhichOneof("reasons"), condition.message) == (None, "")


def test_the_link_to_the_logs_names_the_revision():
    url = conditions.logs_url(PLACE, "auth-service", "auth-service-00282-lsb")

    assert url.startswith("https://console.cloud.google.com/logs/viewer?project=acme-staging&")
    assert "revision_name%3D%22auth-service-00282-lsb%22" in url
    assert " " not in url
