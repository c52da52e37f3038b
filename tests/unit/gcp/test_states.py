"""Cloud Run's messages in our words; no I/O."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud.run_v2 import types as wire
from google.longrunning.operations_pb2 import Operation

from bot.errors import Conflict, Permanent
from bot.gcp.run import check_operation
from bot.gcp.states import revision_state, service_state, wire_targets
from bot.model.cloud_run import TrafficSplit, TrafficTarget

AT = datetime(2025, 9, 15, 14, 2, tzinfo=UTC)
PREFIX = "projects/acme-staging/locations/us-central1/services/auth-service"
GOOD, BAD = "auth-service-00281-kzq", "auth-service-00283-qab"
LATEST = wire.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
NAMED = wire.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


def service(**fields: Any) -> Any:
    return wire.Service.pb(wire.Service(name=PREFIX, **fields))


def revision(**fields: Any) -> Any:
    return wire.Revision.pb(wire.Revision({"name": f"{PREFIX}/revisions/{BAD}", "create_time": AT, **fields}))


def condition(state: str, **fields: Any) -> dict[str, Any]:
    return {"type_": "Ready", "state": f"CONDITION_{state}", "last_transition_time": AT, **fields}


def test_the_wish_may_follow_latest_while_the_fact_names_the_revision():
    state = service_state(
        service(
            traffic=[
                wire.TrafficTarget(type_=LATEST, percent=100),
                wire.TrafficTarget(type_=NAMED, revision=GOOD, tag="t"),
            ],
            traffic_statuses=[wire.TrafficTargetStatus(type_=LATEST, revision=BAD, percent=100)],
            latest_created_revision=f"{PREFIX}/revisions/{BAD}",
            latest_ready_revision=f"{PREFIX}/revisions/{BAD}",
        ),
        [],
    )

    assert state.wish == TrafficSplit((TrafficTarget(None, 100), TrafficTarget(GOOD, 0, "t")))
    assert state.fact == TrafficSplit((TrafficTarget(BAD, 100),))
    assert (state.latest_created, state.latest_ready) == (BAD, BAD)


def test_a_tag_only_entry_that_comes_first_serves_nobody():
    state = service_state(
        service(
            traffic_statuses=[
                wire.TrafficTargetStatus(type_=NAMED, revision=BAD, tag="canary"),
                wire.TrafficTargetStatus(type_=NAMED, revision=f"{PREFIX}/revisions/{GOOD}", percent=100),
            ]
        ),
        [],
    )

    assert state.fact.serving == {GOOD: 100}


def test_no_traffic_written_means_all_of_it_to_latest():
    assert service_state(service(), []).wish == TrafficSplit((TrafficTarget(None, 100),))


def test_a_service_that_never_served_has_no_fact():
    assert service_state(service(), []).fact == TrafficSplit()
    assert service_state(service(), []).latest_ready == ""


def test_a_failed_service_tells_why():
    failed = condition("FAILED", reason="REVISION_FAILED", message="Revision is not ready")

    state = service_state(service(terminal_condition=failed), [])

    assert (state.failed, state.reason, state.message) == (True, "REVISION_FAILED", "Revision is not ready")


def test_a_reconciling_service_is_not_failed():
    state = service_state(service(terminal_condition=condition("RECONCILING"), reconciling=True), [])

    assert (state.reconciling, state.failed, state.reason) == (True, False, "")


def test_a_ready_revision_says_since_when():
    read = revision_state(revision(conditions=[condition("SUCCEEDED")]))

    assert (read.ready, read.ready_at, read.reason) == (True, AT, "")


@pytest.mark.parametrize("state", ["CONDITION_PENDING", "CONDITION_RECONCILING", "STATE_UNSPECIFIED"])
def test_a_revision_that_cloud_run_has_not_decided_is_neither_ready_nor_not(state: str):
    read = revision_state(revision(conditions=[{**condition("PENDING"), "state": state}]))

    assert (read.ready, read.ready_at) == (None, None)


def test_a_revision_without_conditions_is_not_decided():
    assert revision_state(revision()).ready is None


def test_the_reason_is_whichever_of_the_three_kinds_is_set():
    failed = condition("FAILED", revision_reason="HEALTH_CHECK_CONTAINER_ERROR", message="failed to start and listen")

    read = revision_state(revision(conditions=[failed]))

    assert (read.ready, read.reason) == (False, "HEALTH_CHECK_CONTAINER_ERROR")
    assert read.message == "failed to start and listen"


def test_a_ready_condition_without_words_borrows_those_of_the_one_that_failed():
    beneath = condition(
        "FAILED", type_="ContainerHealthy", revision_reason="HEALTH_CHECK_CONTAINER_ERROR", message="port"
    )

    read = revision_state(revision(conditions=[beneath, condition("FAILED")]))

    assert (read.reason, read.message) == ("HEALTH_CHECK_CONTAINER_ERROR", "port")


def test_a_reason_newer_than_the_client_library_is_a_number_rather_than_an_error():
    raw = revision(conditions=[condition("FAILED")])
    raw.conditions[0].revision_reason = 99

    assert revision_state(raw).reason == "REASON_99"


def test_of_several_containers_the_one_with_a_port_is_the_service():
    containers = [
        {"image": "r/proxy"},
        {"image": "r/auth@sha256:a", "ports": [{"container_port": 8081}], "env": [{"name": "PORT"}, {"name": "JWT"}]},
    ]

    read = revision_state(
        revision(containers=containers, labels={"commit-sha": "a1b2c3d"}, creator="dana@acme.example")
    )

    assert (read.image, read.port, read.env_names) == ("r/auth@sha256:a", 8081, ("PORT", "JWT"))
    assert (read.labels, read.creator) == ({"commit-sha": "a1b2c3d"}, "dana@acme.example")


def test_without_a_port_in_the_template_the_port_is_unknown():
    assert revision_state(revision(containers=[{"image": "r/auth"}])).port is None


def test_revisions_are_newest_first_whatever_order_they_came_in():
    old = wire.Revision.pb(wire.Revision(name=f"{PREFIX}/revisions/{GOOD}", create_time=AT.replace(day=8)))

    assert [r.name for r in service_state(service(), [old, revision()]).revisions] == [BAD, GOOD]


def test_a_split_is_written_as_cloud_run_wants_it():
    split = TrafficSplit((TrafficTarget(GOOD, 100), TrafficTarget(None, 0, "latest")))

    assert wire_targets(split) == [
        wire.TrafficTarget(type_=NAMED, revision=GOOD, percent=100),
        wire.TrafficTarget(type_=LATEST, tag="latest"),
    ]


def operation(*, done: bool, code: int = 0) -> Any:
    begun = Operation(name="operations/1", done=done)
    if code:
        begun.error.code, begun.error.message = code, f"Revision '{GOOD}' is not ready and cannot serve traffic."
    return begun


def test_an_operation_that_is_under_way_or_went_well_is_no_error():
    check_operation(operation(done=False))
    check_operation(operation(done=True))


def test_an_operation_that_failed_at_once_is_told_with_googles_words():
    with pytest.raises(Permanent, match=rf"did not move the traffic: Revision '{GOOD}' is not ready"):
        check_operation(operation(done=True, code=9))


def test_an_operation_that_another_overtook_is_a_conflict():
    with pytest.raises(Conflict):
        check_operation(operation(done=True, code=10))


def test_the_secrets_of_a_revision_are_those_of_its_variables_and_of_its_volumes():
    found = revision_state(
        revision(
            containers=[
                {
                    "env": [
                        {"name": "JWT", "value_source": {"secret_key_ref": {"secret": "jwt-key", "version": "latest"}}},
                        {"name": "PLAIN", "value": "1"},
                        {"name": "TWICE", "value_source": {"secret_key_ref": {"secret": "projects/9/secrets/jwt-key"}}},
                    ]
                }
            ],
            volumes=[{"name": "tls", "secret": {"secret": "tls-cert"}}],
        )
    )

    assert found.secrets == ("jwt-key", "tls-cert")
    assert revision_state(revision()).secrets == ()
