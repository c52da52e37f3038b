"""google.cloud.run.v2 Services and Revisions over the control plane.

Not imitated: IAM methods, jobs, worker pools, builds, show_deleted, multi-region services.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final

import grpc
from google.cloud import run_v2
from google.protobuf.field_mask_pb2 import FieldMask  # type: ignore[attr-defined]  # made at import time

from bot.sandbox.local_google.audit import AuditLog, Call, quote
from bot.sandbox.local_google.control_plane import ControlPlane
from bot.sandbox.local_google.grpc_service import BidiMethod, Method
from bot.sandbox.local_google.names import Place, check_service_id, parse_parent, parse_revision, parse_service
from bot.sandbox.local_google.operations import Operations
from bot.sandbox.local_google.refusals import Refusal, invalid, not_found
from bot.sandbox.local_google.state import Registry, Revision, Service
from bot.sandbox.local_google.wish import SPEC, check_wish

SERVICES: Final = "google.cloud.run.v2.Services"
REVISIONS: Final = "google.cloud.run.v2.Revisions"
_LARGEST_PAGE: Final = 1_000
_DEFAULT_PAGE: Final = 100

_Service: Final = run_v2.Service.pb()
_ServicesReply: Final = run_v2.ListServicesResponse.pb()
_RevisionsReply: Final = run_v2.ListRevisionsResponse.pb()
_AGENT: Final = "google-api-python-client grpc-python-asyncio"


class ServicesApi:
    """The RPCs of google.cloud.run.v2.Services."""

    def __init__(
        self, registry: Registry, plane: ControlPlane, operations: Operations, audit: AuditLog, caller: str
    ) -> None:
        """`caller` is the principal that audit entries name: the plaintext channel carries no identity."""
        self._registry = registry
        self._plane = plane
        self._operations = operations
        self._audit = audit
        self._caller = caller

    def methods(self) -> dict[str, Method | BidiMethod]:
        """The table for `grpc_service.service`."""
        return {
            "GetService": Method(run_v2.GetServiceRequest.pb(), self.get),
            "ListServices": Method(run_v2.ListServicesRequest.pb(), self.list_services),
            "CreateService": Method(run_v2.CreateServiceRequest.pb(), self.create),
            "UpdateService": Method(run_v2.UpdateServiceRequest.pb(), self.update),
            "DeleteService": Method(run_v2.DeleteServiceRequest.pb(), self.delete),
        }

    async def get(self, request: Any) -> Any:
        """The service as it is now."""
        place, name = parse_service(request.name)
        return self._registry.get(place, name).pb

    async def list_services(self, request: Any) -> Any:
        """The services of one region, by name."""
        place = parse_parent(request.parent)
        services = [service.pb for service in self._registry.at(place)]
        reply = _ServicesReply()
        page, reply.next_page_token = paged(services, request.page_size, request.page_token)
        reply.services.extend(page)
        return reply

    async def create(self, request: Any) -> Any:
        """A new service with its first revision."""
        place, name = parse_parent(request.parent), request.service_id
        call = Call(self._caller, "CreateService", 2, quote(request, f"{SERVICES[:-9]}.CreateServiceRequest"), _AGENT)
        return await self._create(place, name, request.service, call, validate_only=request.validate_only)

    async def _create(self, place: Place, name: str, wish: Any, call: Call, *, validate_only: bool) -> Any:
        try:
            check_service_id(name)
            self._registry.check_free(place, name)
            if validate_only:
                trial = _Service()
                trial.CopyFrom(wish)
                trial.name = place.service(name)
                check_wish(trial)
                return self._finished(place, trial)
            return (await self._plane.create(place, name, wish, call)).pb
        except Refusal as refusal:
            self._audit.refused(place, name, call, refusal.code, refusal.message)
            raise

    async def update(self, request: Any) -> Any:
        """Merge the named fields (none named = all that may be written) and let the reconciler follow."""
        place, name = parse_service(request.service.name)
        call = Call(self._caller, "UpdateService", 2, quote(request, f"{SERVICES[:-9]}.UpdateServiceRequest"), _AGENT)
        service = self._registry.find(place, name)
        if service is None and request.allow_missing:
            return await self._create(place, name, request.service, call, validate_only=request.validate_only)
        try:
            service = self._registry.get(place, name)
            check_etag(service.pb, request.service.etag)
            wish = merged(service.pb, request.service, request.update_mask)
            if request.validate_only:
                check_wish(wish)
                return self._finished(place, wish)
            return self._plane.update(service, wish, call).pb
        except Refusal as refusal:
            self._audit.refused(place, name, call, refusal.code, refusal.message)
            raise

    def _finished(self, place: Place, resource: Any) -> Any:
        operation = self._operations.begin(place, resource)
        operation.succeed(resource)
        return operation.pb

    async def delete(self, request: Any) -> Any:
        """Remove the service."""
        place, name = parse_service(request.name)
        call = Call(self._caller, "DeleteService", 2, quote(request, f"{SERVICES[:-9]}.DeleteServiceRequest"), _AGENT)
        service = self._registry.get(place, name)
        check_etag(service.pb, request.etag)
        if request.validate_only:
            return self._finished(place, service.pb)
        return self._plane.delete(service, call).pb


class RevisionsApi:
    """The RPCs of google.cloud.run.v2.Revisions."""

    def __init__(self, registry: Registry, operations: Operations) -> None:
        """Read from the same registry."""
        self._registry = registry
        self._operations = operations

    def methods(self) -> dict[str, Method | BidiMethod]:
        """The table for `grpc_service.service`."""
        return {
            "GetRevision": Method(run_v2.GetRevisionRequest.pb(), self.get),
            "ListRevisions": Method(run_v2.ListRevisionsRequest.pb(), self.list_revisions),
            "DeleteRevision": Method(run_v2.DeleteRevisionRequest.pb(), self.delete),
        }

    def _find(self, full_name: str) -> tuple[Service, Revision]:
        place, service_name, name = parse_revision(full_name)
        service = self._registry.get(place, service_name)
        if name not in service.revisions:
            raise not_found(
                f"Resource '{name}' of kind 'REVISION' in region '{place.region}' in project '{place.project}' does not exist."
            )
        return service, service.revisions[name]

    async def get(self, request: Any) -> Any:
        """The revision as it is now."""
        return self._find(request.name)[1].pb

    async def list_revisions(self, request: Any) -> Any:
        """The revisions of a service, or of all (`-`), newest first."""
        place, name = parse_service(request.parent)
        if place.region == "-":
            raise invalid(f"Invalid parent '{request.parent}': a location is required.")
        services = self._registry.at(place) if name == "-" else (self._registry.get(place, name),)
        found = [revision.pb for service in services for revision in service.revisions.values()]
        found.sort(key=lambda raw: (-raw.create_time.ToNanoseconds(), raw.name))
        reply = _RevisionsReply()
        page, reply.next_page_token = paged(found, request.page_size, request.page_token)
        reply.revisions.extend(page)
        return reply

    async def delete(self, request: Any) -> Any:
        """Remove a revision that neither serves nor is the newest."""
        service, revision = self._find(request.name)
        check_etag(revision.pb, request.etag)
        targeted = {part.revision for part in (*service.pb.traffic, *service.pb.traffic_statuses)}
        if revision.name in targeted or revision is service.newest:
            raise Refusal(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"Revision '{revision.name}' cannot be deleted: it serves traffic or is the latest of its service.",
            )
        operation = self._operations.begin(service.place, revision.pb)
        if not request.validate_only:
            del service.revisions[revision.name]
        operation.succeed(revision.pb)
        return operation.pb


def check_etag(resource: Any, given: str) -> None:
    """ABORTED when the caller read an older version."""
    if given and given != resource.etag:
        raise Refusal(
            grpc.StatusCode.ABORTED,
            f"Conflict for resource '{resource.name.rsplit('/', 1)[-1]}': version '{given}' was specified but current "
            f"version is '{resource.etag}'.",
        )


def merged(current: Any, wish: Any, mask: Any) -> Any:
    """A copy of `current` with the masked fields of `wish`; output-only fields in either are ignored.

    Raises:
        Refusal: INVALID_ARGUMENT for a path that the type does not have.
    """
    paths = [path for path in mask.paths if path != "*"]
    if not FieldMask(paths=paths).IsValidForDescriptor(current.DESCRIPTOR):
        raise invalid(f"Invalid update_mask: {', '.join(paths)}.")
    wanted = SPEC if len(paths) < len(mask.paths) or not paths else tuple(p for p in paths if p.split(".")[0] in SPEC)
    result = _Service()
    result.CopyFrom(current)
    for path in wanted:
        if "." not in path:
            result.ClearField(path)
    FieldMask(paths=wanted).MergeMessage(wish, result, True, True)
    return result


def paged(items: Sequence[Any], size: int, token: str) -> tuple[Sequence[Any], str]:
    """One page and the token of the next one ("" = last page)."""
    if size < 0:
        raise invalid("page_size must not be negative.")
    size = min(size or _DEFAULT_PAGE, _LARGEST_PAGE)
    try:
        start = int(base64.urlsafe_b64decode(token)) if token else 0
    except (ValueError, binascii.Error):
        raise invalid("page_token is invalid.") from None
    more = start + size < len(items)
    return items[start : start + size], base64.urlsafe_b64encode(str(start + size).encode()).decode() if more else ""
