"""A Cloud Audit log entry about Cloud Run → the fact in it. Pure.

One `gcloud run deploy` writes about six entries; these become events:

    log            about                           event
    activity       a service, create/replace/update  DEPLOY, TRAFFIC when nothing but its traffic is to change, or
                                                     REFUSED when `status.code` is set
    system_event   a revision, Ready True            REVISION_READY
    system_event   a revision, Ready False           REVISION_FAILED
    activity       a secret's versions in Secret Manager  CONFIG, of no service in particular

Everything else is none of our business: SetIamPolicy, jobs, deletions, the service's twin of a revision's entry, the
last entry of an operation that began well. Method names of system events differ between APIs ("/Services.…",
"/InternalServices.…"), so what an entry is about is read from its log, its resource and its response's kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec

from bot.errors import Rejected
from bot.ingest.source import clean, decode
from bot.model.event import DeployEvent, EventKind

_ACTIVITY = "cloudaudit.googleapis.com/activity"
_SYSTEM_EVENT = "cloudaudit.googleapis.com/system_event"
_CHANGES_A_SERVICE = re.compile(r"(^|[./])(Create|Replace|Update|Patch)(Internal)?Service$")
_NAME = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SERVICE = re.compile(
    rf"(?:namespaces/(?P<ns>[^/]+)|projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+))/services/(?P<service>{_NAME})"
)
_REVISION = re.compile(
    r"(?:namespaces/(?P<ns>[^/]+)|projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+))"
    rf"(?:/services/(?P<service>{_NAME}))?/revisions/(?P<revision>{_NAME})"
)
_CHANGES_A_SECRET = re.compile(r"\.SecretManagerService\.(?:Add|Enable|Disable|Destroy)SecretVersion$")
_SECRET = re.compile(r"projects/(?P<project>[^/]+)/secrets/(?P<secret>[A-Za-z0-9_-]{1,255})(?:/versions/[^/]+)?")
_GENERATED_SUFFIX = re.compile(r"-\d{5}-[a-z0-9]{3}$")
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
_READY_WORDS = {"True": True, "False": False, "CONDITION_SUCCEEDED": True, "CONDITION_FAILED": False}
_COMMIT_LABELS = ("commit-sha", "commit_sha", "gcb-commit-sha")


class _Resource(msgspec.Struct):
    type: str = ""
    labels: dict[str, str] = {}


class _Status(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Principal(msgspec.Struct, rename="camel"):
    principal_email: str = ""


class _AuditLog(msgspec.Struct, rename="camel"):
    service_name: str = ""
    method_name: str = ""
    resource_name: str = ""
    status: _Status | None = None
    authentication_info: _Principal | None = None
    request: Any = None
    response: Any = None


class _Operation(msgspec.Struct):
    first: bool = False
    last: bool = False


class _LogEntry(msgspec.Struct, rename="camel"):
    log_name: str
    timestamp: Annotated[datetime, msgspec.Meta(tz=True)]
    resource: _Resource
    proto_payload: _AuditLog | None = None
    operation: _Operation | None = None


@dataclass(frozen=True)
class _Facts:
    kind: EventKind
    project: str
    region: str
    service: str
    revision: str | None
    detail: str


def read_entry(entry: bytes, event_id: str, source: str, received_at: datetime) -> DeployEvent | None:
    """The event in a LogEntry's JSON; None when it is not about a deploy.

    Raises:
        Rejected: to be parked; this is no LogEntry, or one about a revision that does not say of which service.
    """
    found = decode(entry, _LogEntry, "the log entry")
    audit = found.proto_payload
    if audit is None:
        return None
    log = unquote(found.log_name).partition("/logs/")[2]
    if log == _ACTIVITY and _CHANGES_A_SECRET.search(audit.method_name):
        facts = _from_secret(audit)
    elif found.resource.type != "cloud_run_revision":
        return None
    elif log == _ACTIVITY:
        facts = _from_activity(audit, found.operation or _Operation())
    elif log == _SYSTEM_EVENT:
        facts = _from_system_event(audit, found.resource.labels)
    else:
        return None
    if facts is None:
        return None
    labels = found.resource.labels
    return DeployEvent(
        id=event_id,
        source=source,
        kind=facts.kind,
        project=clean(labels.get("project_id") or facts.project, 100),
        region=clean(labels.get("location") or facts.region, 100) or None,
        service=facts.service,
        revision=facts.revision,
        at=found.timestamp.astimezone(UTC),
        received_at=received_at,
        commit=_commit(audit),
        author=clean(audit.authentication_info.principal_email, 320) or None if audit.authentication_info else None,
        detail=clean(facts.detail),
    )


def _from_activity(audit: _AuditLog, operation: _Operation) -> _Facts | None:
    """What somebody asked of Cloud Run. The new revision's name is not known yet: the response shows the old state."""
    match = _SERVICE.fullmatch(audit.resource_name)
    if match is None or not _CHANGES_A_SERVICE.search(audit.method_name):
        return None
    status = audit.status or _Status()
    if operation.last and not operation.first:
        # The first entry told it already, and a revision that failed has its own entry. Yet an operation that ends
        # badly is worth a look at the service; it is no refusal, something may well have changed.
        return _facts(EventKind.DEPLOY, match, detail=_said(status)) if status.code else None
    if status.code:
        return _facts(EventKind.REFUSED, match, detail=_said(status))
    return _facts(EventKind.TRAFFIC if _moves_traffic_only(audit) else EventKind.DEPLOY, match)


def _from_secret(audit: _AuditLog) -> _Facts | None:
    """A version of a secret was added, enabled, disabled or destroyed; instances that start from now on see it."""
    match = _SECRET.fullmatch(audit.resource_name)
    if match is None or (audit.status is not None and audit.status.code):
        return None
    detail = f"secret {match['secret']}"
    return _Facts(EventKind.CONFIG, match["project"], "", service="", revision=None, detail=detail)


def _moves_traffic_only(audit: _AuditLog) -> bool:
    """Whether no revision can follow: the mask of API v2 says so, or a whole service was written in which traffic
    differs from the state before (which the response shows) and the template does not. In doubt it is a deploy.
    """
    request, before = _mapping(audit.request), _mapping(audit.response)
    mask = request.get("updateMask")
    if mask:
        paths = _mapping(mask).get("paths") or (mask.split(",") if isinstance(mask, str) else ())
        return bool(paths) and isinstance(paths, list) and all(re.match(r"traffic\b", str(path)) for path in paths)
    wanted = _mapping(request.get("service"))
    wanted, before = (_mapping(service.get("spec")) or service for service in (wanted, before))
    template = wanted.get("template")
    return bool(template) and template == before.get("template") and wanted.get("traffic") != before.get("traffic")


def _from_system_event(audit: _AuditLog, labels: Mapping[str, str]) -> _Facts | None:
    """What became of a revision. The twin entry about its service says nothing more."""
    match = _REVISION.fullmatch(audit.resource_name)
    response = _mapping(audit.response)
    kind = response.get("kind") or str(response.get("@type", "Revision")).rpartition(".")[2]
    if match is None or kind != "Revision":
        return None
    ready, message = _ready(response, audit.status or _Status())
    if ready is None:
        return None
    service = _service_of(match, response, labels)
    if service is None:
        raise Rejected("the log entry: names a revision but not its service", status=400, park=True)
    kind_of_event = EventKind.REVISION_READY if ready else EventKind.REVISION_FAILED
    return _facts(kind_of_event, match, service=service, detail="" if ready else message)


def _facts(kind: EventKind, match: re.Match[str], *, service: str | None = None, detail: str = "") -> _Facts:
    found = match.groupdict()
    return _Facts(
        kind=kind,
        project=found["ns"] or found["project"],
        region=found["region"] or "",
        service=service or found["service"],
        revision=found.get("revision"),
        detail=detail,
    )


def _ready(response: Mapping[str, Any], status: _Status) -> tuple[bool | None, str]:
    """(ready, or None while undecided; message). Conditions of API v1 have a `status`, those of v2 a `state`."""
    conditions = _mapping(response.get("status")).get("conditions") or response.get("conditions")
    for condition in conditions if isinstance(conditions, list) else ():
        found = _mapping(condition)
        if found.get("type") == "Ready":
            word = found.get("status") or found.get("state")
            message = found.get("message")
            return _READY_WORDS.get(str(word)), message if isinstance(message, str) else status.message
    return (False, status.message) if status.code else (True, status.message)


def _service_of(match: re.Match[str], response: Mapping[str, Any], labels: Mapping[str, str]) -> str | None:
    """`service_name` is empty in the first entry of a revision: then from wherever else it can be read."""
    metadata = _mapping(_mapping(response.get("metadata")).get("labels"))
    revision = match["revision"]
    candidates = (
        labels.get("service_name"),
        match["service"],
        metadata.get("serving.knative.dev/service"),
        labels.get("configuration_name"),
        _GENERATED_SUFFIX.sub("", revision) if _GENERATED_SUFFIX.search(revision) else None,
    )
    return next((name for name in candidates if isinstance(name, str) and re.fullmatch(_NAME, name)), None)


def _commit(audit: _AuditLog) -> str | None:
    """Commit from the labels of what was asked for, the revision's before the service's."""
    for labels in _label_sets(audit):
        for name in _COMMIT_LABELS:
            value = labels.get(name)
            if isinstance(value, str) and _COMMIT.fullmatch(value):
                return value.lower()
    return None


def _label_sets(audit: _AuditLog) -> Iterator[Mapping[str, Any]]:
    for subject in (_mapping(_mapping(audit.request).get("service")), _mapping(audit.response)):
        if subject is not audit.response or subject.get("kind") == "Revision":
            template_v1 = _mapping(_mapping(subject.get("spec")).get("template"))
            yield _mapping(_mapping(template_v1.get("metadata")).get("labels"))
            yield _mapping(_mapping(subject.get("template")).get("labels"))
            yield _mapping(_mapping(subject.get("metadata")).get("labels"))
            yield _mapping(subject.get("labels"))


def _said(status: _Status) -> str:
    return status.message or f"code {status.code}"


def _mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is a JSON object, else an empty one: requests differ between APIs."""
    return value if isinstance(value, dict) else {}
