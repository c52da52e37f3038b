"""Conditions of services and revisions, with the reasons of the v2 API and the platform's own sentences."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from google.cloud import run_v2

from bot.sandbox.local_google.names import Place

State: Final = run_v2.Condition.State
Severity: Final = run_v2.Condition.Severity
Reason: Final = run_v2.Condition.CommonReason
RevisionReason: Final = run_v2.Condition.RevisionReason

SUCCEEDED: Final = int(State.CONDITION_SUCCEEDED)
FAILED: Final = int(State.CONDITION_FAILED)
RECONCILING: Final = int(State.CONDITION_RECONCILING)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something is not ready.

    Attributes:
        message: the platform's words, without "Revision '…' is not ready …" in front.
        reason: common reason, or 0.
        revision_reason: reason of a revision, or 0; at most one of the two is set.
        condition: the revision's condition that failed first.
    """

    message: str
    reason: int = 0
    revision_reason: int = 0
    condition: str = "ContainerHealthy"


def update(condition: Any, kind: str, state: int, now: datetime, trouble: Trouble | None = None) -> None:
    """Write a raw Condition; the transition time moves only when the state does."""
    if condition.state != state or condition.type_ != kind:
        condition.last_transition_time.FromDatetime(now)
    condition.type_ = kind
    condition.state = state
    condition.message = trouble.message if trouble else ""
    condition.ClearField("reason")
    condition.ClearField("revision_reason")
    if trouble and trouble.revision_reason:
        condition.revision_reason = trouble.revision_reason
    elif trouble and trouble.reason:
        condition.reason = trouble.reason


def put(conditions: Any, kind: str, state: int, now: datetime, trouble: Trouble | None = None) -> Any:
    """The condition `kind` of a repeated field, written; added when it was not there."""
    found = next((condition for condition in conditions if condition.type_ == kind), None)
    condition = conditions.add() if found is None else found
    update(condition, kind, state, now, trouble)
    return condition


def logs_url(place: Place, service: str, revision: str) -> str:
    """The link to the logs of a revision that the platform puts into its messages."""
    wanted = "\n".join(
        (
            'resource.type="cloud_run_revision"',
            f'resource.labels.service_name="{service}"',
            f'resource.labels.revision_name="{revision}"',
        )
    )
    return (
        f"https://console.cloud.google.com/logs/viewer?project={place.project}&resource=cloud_run_revision/service_name/"
        f"{service}/revision_name/{revision}&advancedFilter={quote(wanted, safe='_-.')}"
    )


def never_listened(place: Place, service: str, revision: str, port: int) -> Trouble:
    """The container ran but nothing answered on the port, or it exited before."""
    return Trouble(
        "The user-provided container failed to start and listen on the port defined provided by the "
        f"PORT={port} environment variable within the allocated timeout. This can happen when the container port is "
        "misconfigured or if the timeout is too short. The health check timeout can be extended. Logs for this revision "
        f"might contain more information.\n\nLogs URL: {logs_url(place, service, revision)} \nFor more troubleshooting "
        "guidance, see https://cloud.google.com/run/docs/troubleshooting#container-failed-to-start",
        revision_reason=int(RevisionReason.HEALTH_CHECK_CONTAINER_ERROR),
    )


def image_not_found(image: str) -> Trouble:
    """The registry has no such image."""
    return Trouble(f"Image '{image}' not found.", reason=int(Reason.CONTAINER_MISSING), condition="ContainerReady")


def not_ready(revision: str, trouble: Trouble) -> Trouble:
    """A revision's trouble as the service tells it."""
    return Trouble(
        f"Revision '{revision}' is not ready and cannot serve traffic. {trouble.message}",
        reason=trouble.reason,
        revision_reason=trouble.revision_reason,
    )


def is_ready(revision: Any) -> bool:
    """Whether a raw Revision's Ready condition holds."""
    return any(condition.type_ == "Ready" and condition.state == SUCCEEDED for condition in revision.conditions)
