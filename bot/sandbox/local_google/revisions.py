"""Make the raw Revision that a template describes."""

from datetime import datetime
from typing import Any, Final

from google.cloud import run_v2

from bot.sandbox.local_google import conditions
from bot.sandbox.local_google.conditions import FAILED, RECONCILING, SUCCEEDED, RevisionReason, Trouble
from bot.sandbox.local_google.names import etag
from bot.sandbox.local_google.state import Service

_Revision: Final = run_v2.Revision.pb()
KINDS: Final = ("ContainerReady", "ContainerHealthy", "ResourcesAvailable")
_SHARED: Final = (
    "scaling",
    "vpc_access",
    "timeout",
    "service_account",
    "containers",
    "volumes",
    "execution_environment",
    "encryption_key",
    "max_instance_request_concurrency",
    "session_affinity",
)


def make_revision(service: Service, name: str, creator: str, now: datetime, uid: str) -> Any:
    """A raw Revision of the service's present template, still reconciling."""
    template = service.pb.template
    revision = _Revision(name=service.place.revision(service.name, name), uid=uid, generation=1, service=service.name)
    revision.labels.update(template.labels)
    revision.annotations.update(template.annotations)
    for field in template.DESCRIPTOR.fields:
        if field.name not in _SHARED:
            continue
        if field.is_repeated:
            getattr(revision, field.name).MergeFrom(getattr(template, field.name))
        elif field.message_type is None:
            setattr(revision, field.name, getattr(template, field.name))
        elif template.HasField(field.name):
            getattr(revision, field.name).CopyFrom(getattr(template, field.name))
    revision.create_time.FromDatetime(now)
    revision.update_time.FromDatetime(now)
    revision.launch_stage = service.pb.launch_stage
    revision.creator = creator
    revision.reconciling = True
    revision.etag = etag(revision.name, 1, now)
    revision.log_uri = conditions.logs_url(service.place, service.name, name)
    conditions.put(revision.conditions, "Ready", RECONCILING, now, Trouble("Deploying Revision."))
    for kind in KINDS:
        conditions.put(revision.conditions, kind, RECONCILING, now)
    return revision


def judge_revision(revision: Any, trouble: Trouble | None, now: datetime) -> None:
    """Write the outcome of the start into the raw Revision's conditions."""
    failed_at = KINDS.index(trouble.condition) if trouble and trouble.condition in KINDS else len(KINDS)
    for position, kind in enumerate(KINDS):
        if position == failed_at:
            conditions.put(revision.conditions, kind, FAILED, now, trouble)
        elif position < failed_at or kind == "ResourcesAvailable":
            conditions.put(revision.conditions, kind, SUCCEEDED, now)
    conditions.put(revision.conditions, "Ready", FAILED if trouble else SUCCEEDED, now, trouble)
    revision.reconciling = False
    revision.observed_generation = revision.generation
    revision.update_time.FromDatetime(now)


def mark_active(revision: Any, *, active: bool, now: datetime) -> None:
    """The condition Active, of severity INFO: a ready revision without traffic is held in reserve."""
    reserve = Trouble("", revision_reason=int(RevisionReason.RESERVE))
    state = SUCCEEDED if active else RECONCILING
    condition = conditions.put(revision.conditions, "Active", state, now, None if active else reserve)
    condition.severity = int(conditions.Severity.INFO)
