"""Services and revisions in the JSON of the v1 (Knative) API: the form in which audit entries quote them."""

import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from google.cloud import run_v2

from bot.sandbox.local_google.conditions import FAILED, SUCCEEDED
from bot.sandbox.local_google.names import short
from bot.sandbox.local_google.state import LATEST, Service, container_port

Json: TypeAlias = dict[str, Any]

_STATUS: Final = {SUCCEEDED: "True", FAILED: "False"}
_WORD: Final = re.compile(r"_?([A-Z]+)")


def service(resource: Service, raw: Any) -> Json:
    """The v1 Service of a raw v2 Service (now, or as it was before a change)."""
    status: Json = {
        "observedGeneration": raw.observed_generation,
        "conditions": _conditions((raw.terminal_condition, *raw.conditions)),
        "latestCreatedRevisionName": short(raw.latest_created_revision),
        "latestReadyRevisionName": short(raw.latest_ready_revision),
        "traffic": [_target(part) for part in raw.traffic_statuses],
        "url": raw.uri,
        "address": {"url": raw.uri},
    }
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": _metadata(resource, resource.name, raw),
        "spec": {"template": template(raw.template), "traffic": [_target(part) for part in raw.traffic]},
        "status": {key: value for key, value in status.items() if value},
    }


def revision(resource: Service, name: str, raw: Any) -> Json:
    """The v1 Revision of a raw v2 Revision."""
    metadata = _metadata(resource, name, raw)
    metadata["labels"] |= {
        "serving.knative.dev/configuration": resource.name,
        "serving.knative.dev/service": resource.name,
    }
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Revision",
        "metadata": metadata,
        "spec": template(raw)["spec"],
        "status": {
            "observedGeneration": raw.observed_generation,
            "conditions": _conditions(raw.conditions),
            "logUrl": raw.log_uri,
            "imageDigest": f"{raw.containers[0].image}" if raw.containers else "",
        },
    }


def template(raw: Any) -> Json:
    """The v1 RevisionTemplate of a raw template (or of a revision, which has the same fields)."""
    containers = [
        {
            "image": container.image,
            "ports": [{"name": "http1", "containerPort": container_port(raw)}],
            "env": [{"name": variable.name, "value": variable.value} for variable in container.env],
        }
        for container in raw.containers
    ]
    return {
        "metadata": {"labels": dict(raw.labels), "annotations": dict(raw.annotations)},
        "spec": {"containers": containers, "serviceAccountName": raw.service_account, "timeoutSeconds": 300},
    }


def _metadata(resource: Service, name: str, raw: Any) -> Json:
    return {
        "name": name,
        "namespace": resource.place.project,
        "uid": raw.uid,
        "generation": raw.generation,
        "resourceVersion": raw.etag.strip('"'),
        "creationTimestamp": raw.create_time.ToJsonString(),
        "labels": {**dict(raw.labels), "cloud.googleapis.com/location": resource.place.region},
        "annotations": {
            **dict(raw.annotations),
            "serving.knative.dev/creator": raw.creator,
            "serving.knative.dev/lastModifier": getattr(raw, "last_modifier", raw.creator),
            "run.googleapis.com/client-name": getattr(raw, "client", ""),
        },
    }


def _target(part: Any) -> Json:
    target: Json = {"percent": part.percent}
    if part.type_ == LATEST:
        target["latestRevision"] = True
    if part.revision:
        target["revisionName"] = short(part.revision)
    if part.tag:
        target["tag"] = part.tag
    if uri := getattr(part, "uri", ""):
        target["url"] = uri
    return target


def _conditions(conditions: Iterable[Any]) -> list[Json]:
    return [_condition(condition) for condition in conditions if condition.type_]


def _condition(condition: Any) -> Json:
    written: Json = {
        "type": condition.type_,
        "status": _STATUS.get(condition.state, "Unknown"),
        "lastTransitionTime": condition.last_transition_time.ToJsonString(),
    }
    if reason := _reason(condition):
        written["reason"] = reason
    if condition.message:
        written["message"] = condition.message
    if condition.severity:
        written["severity"] = run_v2.Condition.Severity(condition.severity).name.capitalize()
    return written


def _reason(condition: Any) -> str:
    """HEALTH_CHECK_CONTAINER_ERROR → HealthCheckContainerError."""
    match condition.WhichOneof("reasons"):
        case "reason":
            name = run_v2.Condition.CommonReason(condition.reason).name
        case "revision_reason":
            name = run_v2.Condition.RevisionReason(condition.revision_reason).name
        case _:
            return ""
    return _WORD.sub(lambda word: word.group(1).capitalize(), name)
