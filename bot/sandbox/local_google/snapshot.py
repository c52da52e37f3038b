"""The state of the local Cloud Run as JSON, for the console's side panel."""

from typing import Any, Final, TypeAlias

from google.cloud import run_v2

from bot.sandbox.local_google.conditions import FAILED, RECONCILING, SUCCEEDED
from bot.sandbox.local_google.names import Place, short
from bot.sandbox.local_google.state import LATEST, Registry, Revision, Service
from bot.sandbox.local_google.tally import Tally

Json: TypeAlias = dict[str, Any]

_WORDS: Final = {SUCCEEDED: "ready", FAILED: "failed", RECONCILING: "deploying"}


def snapshot(place: Place, registry: Registry, tally: Tally) -> Json:
    """All services of a place: `{"project", "region", "services": [service…]}`; see `service_json`."""
    services = [service_json(service, tally) for service in registry.at(place)]
    return {"project": place.project, "region": place.region, "services": services}


def service_json(service: Service, tally: Tally) -> Json:
    """One service.

    Shape: name, uri, state ("ready", "failed", "deploying"), message, reconciling, generation, latest_ready,
    latest_created, pinned (LATEST gets nothing), traffic (effective) and wished [{revision, percent, tag, latest, uri}],
    live {per_second, failing_ratio} over five seconds, revisions newest first.
    """
    pb = service.pb
    return {
        "name": service.name,
        "uri": pb.uri,
        "state": _WORDS.get(pb.terminal_condition.state, "unknown"),
        "message": pb.terminal_condition.message,
        "reconciling": pb.reconciling,
        "generation": pb.generation,
        "latest_ready": short(pb.latest_ready_revision),
        "latest_created": short(pb.latest_created_revision),
        "pinned": not any(target.type_ == LATEST and target.percent for target in pb.traffic),
        "traffic": [_target(part) for part in pb.traffic_statuses],
        "wished": [_target(part) for part in pb.traffic],
        "live": tally.live(service.name),
        "revisions": [revision_json(service, revision, tally) for revision in reversed(service.revisions.values())],
    }


def revision_json(service: Service, revision: Revision, tally: Tally) -> Json:
    """One revision: name, state, reason, message, image, created (RFC 3339), creator, labels, percent, tags, live."""
    ready = next(condition for condition in revision.pb.conditions if condition.type_ == "Ready")
    return {
        "name": revision.name,
        "state": _WORDS.get(ready.state, "unknown"),
        "reason": _reason(ready),
        "message": ready.message,
        "image": revision.pb.containers[0].image,
        "created": revision.pb.create_time.ToJsonString(),
        "creator": revision.pb.creator,
        "labels": dict(revision.pb.labels),
        "percent": service.serving().get(revision.name, 0),
        "tags": [part.tag for part in service.pb.traffic_statuses if part.tag and part.revision == revision.name],
        "live": tally.live(service.name, revision.name),
    }


def _reason(condition: Any) -> str:
    if condition.revision_reason:
        return str(run_v2.Condition.RevisionReason(condition.revision_reason).name)
    if condition.reason:
        return str(run_v2.Condition.CommonReason(condition.reason).name)
    return ""


def _target(part: Any) -> Json:
    return {
        "revision": short(part.revision),
        "percent": part.percent,
        "tag": part.tag,
        "latest": part.type_ == LATEST,
        "uri": getattr(part, "uri", ""),
    }
