"""What an audit entry says about a service beside the event in it: revisions as they were made, the traffic split.

Pure. Entries quote services and revisions in the JSON of API v1 (Knative, gcloud) or of v2 (Terraform, client
libraries); both are read, and whatever is missing or of the wrong type counts as not said.
Source: https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services,
https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.correlate.entry_json import timestamp
from bot.model.cloud_run import TrafficSplit, TrafficTarget

_NOT_READY = re.compile(r"Revision '([a-z][a-z0-9-]{0,62})' is not ready and cannot serve traffic\.?\s*(.*)", re.DOTALL)
_CHANGES_A_SERVICE = re.compile(r"(^|[./])(Create|Replace|Update|Patch)(Internal)?Service$")


@dataclass(frozen=True)
class Template:
    """What a revision was made of, as far as it is said; fields as in `bot.model.cloud_run.Revision`."""

    image: str = ""
    port: int | None = None
    env_names: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ServiceTold:
    """One audit entry.

    Attributes:
        asked: it is somebody's request (activity log); else it says what became of it (system_event).
        wish: the traffic that is asked for. fact: the traffic that is served; of a request, before it.
        revision: the one that it is about; `created_at`, `ready` and `message` are that one's.
        template: of that revision, or of the one that a request makes.
        latest_ready: short name, "" where it is not said.
    """

    arrived: float
    at: datetime
    asked: bool
    revision: str = ""
    created_at: datetime | None = None
    ready: bool | None = None
    reason: str = ""
    message: str = ""
    template: Template | None = None
    wish: TrafficSplit | None = None
    fact: TrafficSplit | None = None
    latest_ready: str = ""
    uri: str = ""
    author: str | None = None
    settled: bool = False


def told(entry: Mapping[str, Any], at: datetime, arrived: float) -> ServiceTold | None:
    """What an entry of the activity or system_event log says; None where that is nothing about a service's state."""
    audit = _map(entry.get("protoPayload"))
    response, request = _map(audit.get("response")), _map(_map(audit.get("request")).get("service"))
    log = str(entry.get("logName", ""))
    if log.endswith("activity"):
        return _asked(audit, request, response, at, arrived)
    kind = response.get("kind") or str(response.get("@type", "")).rpartition(".")[2]
    if "/revisions/" in str(audit.get("resourceName")):
        return _of_revision(audit, response, at, arrived)
    if kind == "Service" or "/services/" in str(audit.get("resourceName")):
        return _of_service(audit, response, at, arrived)
    return None


def _asked(
    audit: Mapping[str, Any], request: Mapping[str, Any], before: Mapping[str, Any], at: datetime, arrived: float
) -> ServiceTold | None:
    method, status = str(audit.get("methodName")), _map(audit.get("status"))
    if status.get("code") or not _CHANGES_A_SERVICE.search(method):
        return None
    spec, status_before = _map(request.get("spec")) or request, _map(before.get("status")) or before
    traffic = spec.get("traffic")
    template = _map(spec.get("template"))
    who = _map(audit.get("authenticationInfo")).get("principalEmail")
    return ServiceTold(
        arrived,
        at,
        asked=True,
        template=_template(template) if template else None,
        wish=_split(traffic) if isinstance(traffic, list) and traffic else None,
        fact=_split(status_before.get("traffic") if "spec" in before else before.get("trafficStatuses")),
        latest_ready=_short(status_before.get("latestReadyRevisionName") or before.get("latestReadyRevision")),
        author=who if isinstance(who, str) and who else None,
    )


def _of_revision(
    audit: Mapping[str, Any], response: Mapping[str, Any], at: datetime, arrived: float
) -> ServiceTold | None:
    metadata, spec = _map(response.get("metadata")), _map(response.get("spec")) or response
    ready = next((c for c in _conditions(response) if c.get("type") == "Ready"), {})
    word = str(ready.get("status") or ready.get("state"))
    failed = bool(_map(audit.get("status")).get("code"))
    state = {"True": True, "CONDITION_SUCCEEDED": True, "False": False, "CONDITION_FAILED": False}.get(word)
    message = ready.get("message") or _map(audit.get("status")).get("message") or ""
    labels = {**_strings(metadata.get("labels")), **_strings(response.get("labels"))}
    made = _template({"spec": spec, "metadata": {"labels": labels}})
    return ServiceTold(
        arrived,
        at,
        asked=False,
        revision=_short(audit.get("resourceName")),
        created_at=timestamp(metadata.get("creationTimestamp")) or timestamp(response.get("createTime")),
        ready=state if ready else (False if failed else None),
        reason=str(ready.get("reason") or ""),
        message=str(message) if state is False or failed else "",
        template=made if made.image or made.env_names else None,
        settled=state is not None,
    )


def _of_service(audit: Mapping[str, Any], response: Mapping[str, Any], at: datetime, arrived: float) -> ServiceTold:
    status = _map(response.get("status")) or response
    said = str(_map(audit.get("status")).get("message") or "")
    not_ready = _NOT_READY.search(said)
    wish = (_map(response.get("spec")) or response).get("traffic")
    return ServiceTold(
        arrived,
        at,
        asked=False,
        revision=not_ready[1] if not_ready else "",
        ready=False if not_ready else None,
        message=not_ready[2] if not_ready else "",
        wish=_split(wish) if isinstance(wish, list) and wish else None,
        fact=_split(status.get("traffic") if "status" in response else response.get("trafficStatuses")),
        latest_ready=_short(status.get("latestReadyRevisionName") or response.get("latestReadyRevision")),
        uri=str(status.get("url") or response.get("uri") or ""),
        settled=True,
    )


def _split(targets: object) -> TrafficSplit | None:
    """None where it is not said."""
    if not isinstance(targets, list) or not targets:
        return None
    found = []
    for target in map(_map, targets):
        percent = target.get("percent", 0)
        revision = _short(target.get("revisionName") or target.get("revision"))
        if isinstance(percent, int) and not isinstance(percent, bool) and 0 <= percent <= 100:
            tag = target.get("tag")
            found.append(TrafficTarget(revision or None, percent, tag if isinstance(tag, str) and tag else None))
    return TrafficSplit(tuple(found)) if sum(target.percent for target in found) == 100 else None


def _template(template: Mapping[str, Any]) -> Template:
    spec = _map(template.get("spec")) or template
    containers = [_map(c) for c in _list(spec.get("containers"))]
    serving = next((c for c in containers if c.get("ports")), containers[0] if containers else {})
    ports = [_map(port).get("containerPort") for port in _list(serving.get("ports"))]
    variables = [_map(v) for v in _list(serving.get("env"))]
    return Template(
        image=str(serving.get("image") or ""),
        port=next((port for port in ports if isinstance(port, int)), None),
        env_names=tuple(str(v["name"]) for v in variables if isinstance(v.get("name"), str)),
        secrets=tuple(sorted({name for v in variables if (name := _secret(v))})),
        labels=_strings(_map(template.get("metadata")).get("labels")) or _strings(template.get("labels")),
    )


def _secret(variable: Mapping[str, Any]) -> str:
    of_v1 = _map(_map(variable.get("valueFrom")).get("secretKeyRef")).get("name")
    of_v2 = _map(_map(variable.get("valueSource")).get("secretKeyRef")).get("secret")
    return _short(of_v1 or of_v2)


def _conditions(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [_map(c) for c in _list(_map(response.get("status")).get("conditions") or response.get("conditions"))]


def _short(name: object) -> str:
    return name.rpartition("/")[2] if isinstance(name, str) else ""


def _strings(value: object) -> dict[str, str]:
    return {key: text for key, text in _map(value).items() if isinstance(text, str)}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
