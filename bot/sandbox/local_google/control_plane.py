"""Cloud Run's reconciler: accepted changes become revisions, revisions become ready or fail, traffic follows.

Level-triggered: one reconciler per service looks at the wish and at what is, until nothing is left to do; only then do
the waiting operations end. As in the real one: LATEST follows the latest *ready* revision, a template that fails leaves
traffic where it was, and a wish that cannot be met ends its operation with an error while the wish stays written.
Assumed, since no public text says it: after a failed deploy a change of traffic alone succeeds as an operation while the
service's Ready condition keeps telling of the failed revision.
Not imitated: deletion in the background, revision retirement, the cap of 1,000 revisions, gradual rollouts.
"""

import asyncio
import random
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import grpc
from google.cloud import run_v2

from bot.sandbox.local_google import conditions
from bot.sandbox.local_google.audit import AuditLog, Call
from bot.sandbox.local_google.background import Background
from bot.sandbox.local_google.conditions import FAILED, RECONCILING, SUCCEEDED, Trouble, not_ready
from bot.sandbox.local_google.containers import Containers
from bot.sandbox.local_google.image import Image, image_for
from bot.sandbox.local_google.names import Place, etag, revision_suffix, short
from bot.sandbox.local_google.operations import Operation, Operations
from bot.sandbox.local_google.pace import Pace
from bot.sandbox.local_google.refusals import Refusal
from bot.sandbox.local_google.revisions import judge_revision, make_revision, mark_active
from bot.sandbox.local_google.state import LATEST, Awaited, Registry, Revision, Service
from bot.sandbox.local_google.traffic_split import TargetProblem, effective
from bot.sandbox.local_google.wish import check_wish, spec

_Service: Final = run_v2.Service.pb()
_NUMBER: Final = re.compile(r"(\d{5})-")


class Addresses(Protocol):
    """Gives services and tagged revisions their own address."""

    async def uri(self, service: Service, tag: str = "") -> str:
        """Opened on first use."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the reconciler works with."""

    registry: Registry
    operations: Operations
    audit: AuditLog
    containers: Containers
    background: Background
    addresses: Addresses
    images: Mapping[str, Image]
    pace: Pace
    clock: Callable[[], datetime]
    chance: random.Random
    changed: Callable[[Service], None]


class ControlPlane:
    """Takes changes and makes them true."""

    def __init__(self, parts: Parts) -> None:
        """Nothing to do yet."""
        self._parts = parts

    async def create(self, place: Place, name: str, wish: Any, call: Call) -> Operation:
        """Accept a new service; its name is known to be free and well-formed."""
        now = self._parts.clock()
        pb = _Service()
        pb.CopyFrom(wish)
        pb.name, pb.uid, pb.creator = place.service(name), str(uuid.uuid4()), call.principal
        pb.create_time.FromDatetime(now)
        if not pb.traffic:
            pb.traffic.add(type_=LATEST, percent=100)
        check_wish(pb)
        service = Service(place, name, pb)
        pb.uri = await self._parts.addresses.uri(service)
        pb.urls.append(pb.uri)
        self._parts.registry.check_free(place, name)  # somebody may have been faster while the address was opened
        self._parts.registry.add(service)
        return self._accept(service, pb, None, call, template_changed=True)

    def update(self, service: Service, wish: Any, call: Call) -> Operation:
        """Accept a change; an unchanged wish is a finished operation.

        Args:
            service: to be changed.
            wish: a copy of its raw message with the changed fields in it.
            call: who asks, and how.

        Raises:
            Refusal: nothing changed.
        """
        if not wish.traffic:
            wish.traffic.add(type_=LATEST, percent=100)
        check_wish(wish)
        if spec(wish) == spec(service.pb):
            operation = self._parts.operations.begin(service.place, service.pb)
            operation.succeed(service.pb)
            return operation
        template_changed = wish.template != service.pb.template
        if template_changed and (named := wish.template.revision) in service.revisions:
            raise Refusal(
                grpc.StatusCode.ALREADY_EXISTS, f"Revision named '{named}' with different configuration already exists."
            )
        before = _Service()
        before.CopyFrom(service.pb)
        return self._accept(service, wish, before, call, template_changed=template_changed)

    def delete(self, service: Service, call: Call) -> Operation:
        """Remove a service and its revisions at once."""
        operation = self._parts.operations.begin(service.place, service.pb)
        self._parts.audit.accepted(service, service.pb, call, operation.pb.name)
        service.pb.ClearField("traffic_statuses")
        self._parts.containers.keep_wanted(service)
        service.pb.delete_time.FromDatetime(self._parts.clock())
        self._parts.registry.remove(service)
        waiting, service.awaited = service.awaited, []
        for awaited in waiting:
            awaited.operation.fail(grpc.StatusCode.ABORTED, f"Service '{service.name}' was deleted.")
        operation.succeed(service.pb)
        self._parts.audit.ended(service, call, operation.pb.name, None)
        return operation

    def _accept(self, service: Service, wish: Any, before: Any, call: Call, *, template_changed: bool) -> Operation:
        now, pb = self._parts.clock(), wish
        service.pb = pb
        pb.generation += 1
        pb.update_time.FromDatetime(now)
        pb.last_modifier = call.principal
        pb.etag = etag(pb.name, pb.generation, now)
        pb.reconciling = True
        conditions.update(
            pb.terminal_condition, "Ready", RECONCILING, now, Trouble("Waiting for operation to complete.")
        )
        conditions.put(pb.conditions, "RoutesReady", RECONCILING, now)
        operation = self._parts.operations.begin(service.place, pb)
        awaited = Awaited(operation)
        self._parts.audit.accepted(service, before, call, operation.pb.name)
        if template_changed:
            revision = self._start_revision(service, call)
            awaited.revision = revision.name
            operation.pb.metadata.Pack(pb)
        service.awaited.append(awaited)
        self._parts.background.start(self._report(service, awaited, call), f"operation of {service.name}")
        self._wake(service, call.verb)
        return operation

    async def _report(self, service: Service, awaited: Awaited, call: Call) -> None:
        operation = awaited.operation
        await operation.ended.wait()
        trouble = operation.pb.error.message if operation.pb.HasField("error") else None
        self._parts.audit.ended(service, call, operation.pb.name, trouble)

    def _start_revision(self, service: Service, call: Call) -> Revision:
        now, pb = self._parts.clock(), service.pb
        named = _NUMBER.match(pb.template.revision.removeprefix(f"{service.name}-"))
        service.number = max(service.number, int(named.group(1))) if named else service.number + 1
        name = pb.template.revision or f"{service.name}-{service.number:05d}-{revision_suffix(self._parts.chance)}"
        raw = make_revision(service, name, call.principal, now, str(uuid.uuid4()))
        reference = raw.containers[0].image
        instance = f"{self._parts.chance.getrandbits(4 * 64):064x}"
        revision = Revision(name, raw, image_for(reference, self._parts.images), instance)
        service.revisions[name] = revision
        service.template_generation = pb.generation
        pb.latest_created_revision = raw.name
        conditions.put(pb.conditions, "ConfigurationsReady", RECONCILING, now)
        self._parts.background.start(self._start(service, revision, call.verb), f"start of {name}")
        return revision

    async def _start(self, service: Service, revision: Revision, verb: str) -> None:
        trouble = await self._parts.containers.boot(service, revision)
        now = self._parts.clock()
        revision.trouble, revision.starting = trouble, False
        judge_revision(revision.pb, trouble, now)
        if trouble is None:
            mark_active(revision.pb, active=False, now=now)
            latest = service.revisions.get(short(service.pb.latest_ready_revision))
            if latest is None or latest.pb.create_time.ToNanoseconds() < revision.pb.create_time.ToNanoseconds():
                service.pb.latest_ready_revision = revision.pb.name
            self._parts.audit.revision_became_ready(service, revision, seconds=None, verb=verb)
        else:
            self._parts.audit.revision_failed(service, revision, trouble, verb=verb)
        self._wake(service, verb)

    def _wake(self, service: Service, verb: str) -> None:
        service.changed.set()
        self._parts.changed(service)
        if not service.settling:
            service.settling = True
            self._parts.background.start(self._settle(service, verb), f"reconciler of {service.name}")

    async def _settle(self, service: Service, verb: str) -> None:
        try:
            while True:
                service.changed.clear()
                problem = await self._route(service)
                if service.changed.is_set():
                    continue
                if not service.newest.starting:
                    break
                await service.changed.wait()
            if not service.pb.HasField("delete_time"):
                self._conclude(service, problem, verb)
        finally:
            service.settling = False

    async def _route(self, service: Service) -> TargetProblem | None:
        """Bring the effective traffic nearer to the wish; what stands in the way, if anything."""
        newest = service.newest
        if newest.starting and any(target.type_ == LATEST for target in service.pb.traffic):
            return None  # "latest" is about to be known
        if newest.trouble and service.template_generation == service.pb.generation:
            return None  # a deploy that failed leaves traffic where it was
        tags = {
            target.tag: await self._parts.addresses.uri(service, target.tag)
            for target in service.pb.traffic
            if target.tag
        }
        try:
            statuses = effective(service, tags)
        except TargetProblem as problem:
            return problem
        if statuses == list(service.pb.traffic_statuses):
            return None
        await asyncio.sleep(self._parts.pace.traffic_shift.total_seconds())
        if service.changed.is_set():
            return None  # the wish moved on meanwhile
        service.pb.ClearField("traffic_statuses")
        service.pb.traffic_statuses.extend(statuses)
        now, serving = self._parts.clock(), service.serving()
        for revision in service.revisions.values():
            if revision.ready:
                mark_active(revision.pb, active=revision.name in serving, now=now)
        self._parts.containers.keep_wanted(service)
        return None

    def _conclude(self, service: Service, problem: TargetProblem | None, verb: str) -> None:
        now, pb, newest = self._parts.clock(), service.pb, service.newest
        template_trouble = not_ready(newest.name, newest.trouble) if newest.trouble else None
        route_trouble = problem.trouble if problem else None
        if template_trouble and not pb.traffic_statuses:
            route_trouble = template_trouble
        trouble = route_trouble or template_trouble
        for kind, own in (("RoutesReady", route_trouble), ("ConfigurationsReady", template_trouble)):
            conditions.put(pb.conditions, kind, FAILED if own else SUCCEEDED, now, own)
        conditions.update(pb.terminal_condition, "Ready", FAILED if trouble else SUCCEEDED, now, trouble)
        pb.reconciling = False
        pb.update_time.FromDatetime(now)
        if route_trouble is None and (template_trouble is None or service.template_generation != pb.generation):
            pb.observed_generation = pb.generation
        waiting, service.awaited = service.awaited, []
        for revision in (service.revisions.get(awaited.revision) for awaited in waiting):
            if revision is not None and revision.ready:
                seconds = now.timestamp() - revision.pb.create_time.ToNanoseconds() / 1e9
                self._parts.audit.revision_became_ready(service, revision, seconds=seconds, verb=verb)
        self._parts.audit.service_settled(service, trouble, verb=verb)
        for awaited in waiting:
            own_revision = service.revisions.get(awaited.revision)
            if own_revision is not None and own_revision.trouble is not None:
                text = not_ready(own_revision.name, own_revision.trouble).message
                awaited.operation.fail(grpc.StatusCode.FAILED_PRECONDITION, text)
            elif problem is not None:
                code = grpc.StatusCode.NOT_FOUND if problem.missing else grpc.StatusCode.FAILED_PRECONDITION
                awaited.operation.fail(code, problem.trouble.message)
            else:
                awaited.operation.succeed(pb)
        self._parts.changed(service)
