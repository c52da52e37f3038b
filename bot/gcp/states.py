"""Cloud Run's messages → `bot.model.cloud_run`. Pure; takes the raw protobuf messages, not their wrappers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from google.cloud.run_v2.types import Condition, TrafficTargetAllocationType
from google.cloud.run_v2.types import TrafficTarget as WireTarget

from bot.model.cloud_run import Revision, ServiceState, TrafficSplit, TrafficTarget

_LATEST = TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
_NAMED = TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
_FAILED = Condition.State.CONDITION_FAILED
_READY = {int(Condition.State.CONDITION_SUCCEEDED): True, int(_FAILED): False}


def service_state(service: Any, revisions: Iterable[Any]) -> ServiceState:
    """A Service message and Revision messages in any order."""
    latest_ready = short(service.latest_ready_revision)
    terminal = service.terminal_condition
    failed = terminal.state == _FAILED
    return ServiceState(
        name=short(service.name),
        uri=service.uri,
        etag=service.etag,
        wish=_wish(service.traffic),
        fact=_fact(service.traffic_statuses, latest_ready),
        latest_created=short(service.latest_created_revision),
        latest_ready=latest_ready,
        reconciling=service.reconciling,
        failed=failed,
        reason=reason_of(terminal) if failed else "",
        message=terminal.message if failed else "",
        last_modifier=service.last_modifier or None,
        updated_at=_moment(service, "update_time"),
        revisions=newest_first(revision_state(revision) for revision in revisions),
    )


def revision_state(revision: Any) -> Revision:
    """A Revision message; one without a Ready condition is not decided yet."""
    conditions = list(revision.conditions)
    ready = next((c for c in conditions if c.type_ == "Ready"), None)
    verdict = None if ready is None else _READY.get(ready.state)
    # Ready repeats what failed beneath it, mostly; where it has no words of its own, the condition beneath has.
    failing = [c for c in (ready, *conditions) if c is not None and c.state == _FAILED] if verdict is False else []
    container = _serving_container(revision.containers)
    return Revision(
        name=short(revision.name),
        created_at=_moment(revision, "create_time") or datetime.fromtimestamp(0, UTC),
        ready=verdict,
        reason=next(filter(None, map(reason_of, failing)), ""),
        message=next((c.message for c in failing if c.message), "" if ready is None or verdict else ready.message),
        image=container.image if container else "",
        port=container.ports[0].container_port or None if container and container.ports else None,
        env_names=tuple(env.name for env in container.env) if container else (),
        labels=dict(revision.labels),
        creator=revision.creator or None,
        ready_at=_moment(ready, "last_transition_time") if verdict else None,
        secrets=_secrets(revision),
    )


def newest_first(revisions: Iterable[Revision]) -> tuple[Revision, ...]:
    """By creation; equal times by name, so that the order never depends on the answer's."""
    return tuple(sorted(revisions, key=lambda r: (r.created_at, r.name), reverse=True))


def reason_of(condition: Any) -> str:
    """The enum word of whichever of the three kinds of reason is set, "" when none is."""
    kind = condition.WhichOneof("reasons")
    if kind is None:
        return ""
    number = getattr(condition, kind)
    known = condition.DESCRIPTOR.fields_by_name[kind].enum_type.values_by_number.get(number)
    if known is None:
        return f"REASON_{number}"  # newer than the client library
    return "" if known.name.endswith("_UNDEFINED") else str(known.name)


def wire_targets(split: TrafficSplit) -> list[WireTarget]:
    """A split as Cloud Run wants it written."""
    return [
        WireTarget(
            type_=_LATEST if target.revision is None else _NAMED,
            revision=target.revision or "",
            percent=target.percent,
            tag=target.tag or "",
        )
        for target in split.targets
    ]


def short(name: str) -> str:
    """Last part of a resource name: Cloud Run gives some revisions by full name and some by short."""
    return name.rsplit("/", 1)[-1]


def _wish(targets: Sequence[Any]) -> TrafficSplit:
    if not targets:  # documented: no traffic given means all of it to the latest ready revision
        return TrafficSplit((TrafficTarget(None, 100),))
    return TrafficSplit(
        tuple(
            TrafficTarget(None if t.type_ == _LATEST else short(t.revision), t.percent, t.tag or None) for t in targets
        )
    )


def _fact(statuses: Sequence[Any], latest_ready: str) -> TrafficSplit:
    """A status names its revision, LATEST too; where it does not, the latest ready one is meant."""
    return TrafficSplit(
        tuple(TrafficTarget(short(s.revision) or latest_ready or None, s.percent, s.tag or None) for s in statuses)
    )


def _secrets(revision: Any) -> tuple[str, ...]:
    """Secrets of every container's variables and of the volumes; named in full where they are another project's."""
    names = {env.value_source.secret_key_ref.secret for container in revision.containers for env in container.env} | {
        volume.secret.secret for volume in revision.volumes
    }
    return tuple(sorted({short(name) for name in names if name}))


def _serving_container(containers: Sequence[Any]) -> Any | None:
    """Of several containers the one with a port takes the requests; the others are sidecars."""
    return next((c for c in containers if c.ports), containers[0] if containers else None)


def _moment(message: Any, field: str) -> datetime | None:
    if message is None or not message.HasField(field):
        return None
    moment: datetime = getattr(message, field).ToDatetime(tzinfo=UTC)
    return moment
