"""What audit entries say about a service, in the JSON of both APIs."""

from __future__ import annotations

from typing import Any

from support.dumps import NOT_LISTENING, START

from bot.model.cloud_run import TrafficSplit, TrafficTarget
from bot.replay.audit import ServiceTold, told

SERVICE = "projects/acme-staging/locations/us-central1/services/auth-service"


def _told(log: str, **payload: Any) -> ServiceTold | None:
    name = f"projects/acme-staging/logs/cloudaudit.googleapis.com%2F{log}"
    return told({"logName": name, "protoPayload": payload}, START, START.timestamp())


def test_a_request_of_api_v2_tells_the_split_that_is_asked_for_and_the_one_before() -> None:
    said = _told(
        "activity",
        methodName="google.cloud.run.v2.Services.UpdateService",
        resourceName=SERVICE,
        authenticationInfo={"principalEmail": "dana@acme.example"},
        request={
            "service": {"traffic": [{"revision": "auth-a", "percent": 90}, {"revision": "auth-b", "percent": 10}]}
        },
        response={
            "latestReadyRevision": f"{SERVICE}/revisions/auth-b",
            "trafficStatuses": [{"revision": "auth-a", "percent": 100}],
        },
    )

    assert said is not None
    assert said.wish == TrafficSplit((TrafficTarget("auth-a", 90), TrafficTarget("auth-b", 10)))
    assert said.fact == TrafficSplit((TrafficTarget("auth-a", 100),))
    assert (said.latest_ready, said.author) == ("auth-b", "dana@acme.example")


def test_a_refused_request_says_nothing_about_the_service() -> None:
    method = "google.cloud.run.v1.Services.ReplaceService"

    assert _told("activity", methodName=method, resourceName=SERVICE, status={"code": 7, "message": "denied"}) is None


def test_the_twin_entry_about_a_service_names_the_revision_that_is_not_ready() -> None:
    why = f"Revision 'auth-b' is not ready and cannot serve traffic. {NOT_LISTENING}"

    said = _told(
        "system_event",
        methodName="/Services.ReplaceService",
        resourceName="namespaces/acme-staging/services/auth-service",
        status={
            "code": 9,
            "message": f"Ready condition status changed to False for Service auth-service with message: {why}",
        },
        response={"kind": "Service", "status": {"latestReadyRevisionName": "auth-a"}},
    )

    assert said is not None
    assert (said.revision, said.ready, said.latest_ready) == ("auth-b", False, "auth-a")
    assert said.message.startswith("The user-provided container failed to start")


def test_whatever_has_the_wrong_type_counts_as_not_said() -> None:
    said = _told(
        "system_event",
        resourceName="namespaces/p/revisions/auth-b",
        response={"kind": "Revision", "metadata": [], "spec": {"containers": "none"}, "status": {"conditions": {}}},
        status="none",
    )

    assert said is not None
    assert (said.revision, said.ready, said.template) == ("auth-b", None, None)
