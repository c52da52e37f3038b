"""Cloud Audit Logs of Cloud Run: who changed what, and what the system made of it.

As the real ones: `response` of an accepted change is the service as it was BEFORE; `revision_name` is empty on entries
about a service; a ready revision is told twice, the first time without a service name; v2 changes are long-running and
make two entries. Not imitated: SetIamPolicy and actAs entries, Data Access logs, request metadata beyond the caller.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from google.cloud.audit import audit_log_pb2

from bot.sandbox.local_google import knative
from bot.sandbox.local_google.conditions import Trouble
from bot.sandbox.local_google.entries import Recorder, Source, severity
from bot.sandbox.local_google.image import Severity
from bot.sandbox.local_google.names import Place
from bot.sandbox.local_google.state import Revision, Service
from bot.sandbox.local_google.wire_json import to_json

ACTIVITY: Final = "cloudaudit.googleapis.com/activity"
SYSTEM_EVENT: Final = "cloudaudit.googleapis.com/system_event"
_FAILED: Final = 9  # google.rpc.Code.FAILED_PRECONDITION


@dataclass(frozen=True, slots=True)
class Call:
    """A change that somebody asked for.

    Attributes:
        principal: the e-mail address of who asks.
        verb: "CreateService", "ReplaceService", "UpdateService" or "DeleteService".
        version: 1 = Knative API (gcloud), 2 = Admin API v2.
        request: what was asked, as the entry quotes it.
        agent: the caller's user agent.
    """

    principal: str
    verb: str
    version: int
    request: dict[str, Any] = field(default_factory=dict)
    agent: str = "gcloud/550.0.0 command/gcloud.run.deploy"

    @property
    def method(self) -> str:
        """The full method name."""
        return f"google.cloud.run.v{self.version}.Services.{self.verb}"


class AuditLog:
    """Writes the entries."""

    def __init__(self, recorder: Recorder) -> None:
        """Through the recorder, which knows the store and the time."""
        self._recorder = recorder

    def accepted(self, service: Service, before: Any | None, call: Call, operation: str) -> None:
        """A change was accepted; `before` is the raw Service as it was, None for a new one."""
        response = None if before is None else knative.service(service, before)
        self._activity(service.place, service.name, call, response=response, operation=(operation, True, False))

    def ended(self, service: Service, call: Call, operation: str, trouble: str | None) -> None:
        """A long-running change is over; v1 calls are not long-running and make no second entry."""
        if call.version == 2:
            failure = None if trouble is None else (_FAILED, trouble)
            response = knative.service(service, service.pb)
            where = (operation, False, True)
            self._activity(service.place, service.name, call, response=response, failure=failure, operation=where)

    def refused(self, place: Place, name: str, call: Call, code: grpc.StatusCode, message: str) -> None:
        """A change was refused: no response."""
        self._activity(place, name, call, failure=(int(code.value[0]), message))

    def revision_became_ready(self, service: Service, revision: Revision, *, seconds: float | None, verb: str) -> None:
        """The Ready condition of a revision turned True; `seconds` = how long the deploy took, told the second time."""
        message = f"Ready condition status changed to True for Revision {revision.name}"
        message += "." if seconds is None else f" with message: Deploying revision succeeded in {seconds:.2f}s."
        source = Source(service.place, "" if seconds is None else service.name, revision.name)
        self._revision_event(service, revision, source, "INFO", message, verb=verb)

    def revision_failed(self, service: Service, revision: Revision, trouble: Trouble, *, verb: str) -> None:
        """The Ready condition of a revision turned False."""
        message = (
            f"Ready condition status changed to False for Revision {revision.name} with message: {trouble.message}"
        )
        source = Source(service.place, service.name, revision.name)
        self._revision_event(service, revision, source, "ERROR", message, verb=verb)

    def service_settled(self, service: Service, trouble: Trouble | None, *, verb: str) -> None:
        """The service's Ready condition turned True or False."""
        message = f"Ready condition status changed to {trouble is None} for Service {service.name}"
        message += "." if trouble is None else f" with message: {trouble.message}"
        payload = self._payload(f"/Services.{verb}", f"namespaces/{service.place.project}/services/{service.name}")
        payload.response.update(knative.service(service, service.pb))
        self._event(Source(service.place, service.name, ""), payload, "INFO" if trouble is None else "ERROR", message)

    def _revision_event(
        self, service: Service, revision: Revision, source: Source, level: Severity, message: str, *, verb: str
    ) -> None:
        payload = self._payload(f"/Services.{verb}", f"namespaces/{service.place.project}/revisions/{revision.name}")
        payload.response.update(knative.revision(service, revision.name, revision.pb))
        self._event(source, payload, level, message, configuration=service.name)

    def _event(self, source: Source, payload: Any, level: Severity, message: str, *, configuration: str = "") -> None:
        payload.status.message = message
        if level == "ERROR":
            payload.status.code = _FAILED
        entry = self._recorder.blank(source, SYSTEM_EVENT)
        entry.resource.labels["configuration_name"] = configuration or source.service
        self._close(entry, payload, level)

    def _activity(
        self,
        place: Place,
        name: str,
        call: Call,
        *,
        response: dict[str, Any] | None = None,
        failure: tuple[int, str] | None = None,
        operation: tuple[str, bool, bool] | None = None,
    ) -> None:
        resource = f"namespaces/{place.project}/services/{name}" if call.version == 1 else place.service(name)
        payload = self._payload(call.method, resource)
        payload.authentication_info.principal_email = call.principal
        payload.request_metadata.caller_ip = "203.0.113.24"
        payload.request_metadata.caller_supplied_user_agent = call.agent
        permission = {"CreateService": "create", "DeleteService": "delete"}.get(call.verb, "update")
        payload.authorization_info.add(resource=resource, permission=f"run.services.{permission}", granted=True)
        payload.request.update(call.request)
        if response is not None:
            payload.response.update(response)
        if failure is not None:
            payload.status.code, payload.status.message = failure
        entry = self._recorder.blank(Source(place, name, ""), ACTIVITY)
        if operation is not None and call.version == 2:
            entry.operation.id, entry.operation.first, entry.operation.last = operation
            entry.operation.producer = "run.googleapis.com"
        self._close(entry, payload, "NOTICE" if failure is None else "ERROR")

    def _payload(self, method: str, resource: str) -> Any:
        return audit_log_pb2.AuditLog(service_name="run.googleapis.com", method_name=method, resource_name=resource)

    def _close(self, entry: Any, payload: Any, level: Severity) -> None:
        entry.proto_payload.Pack(payload)
        entry.severity = severity(level)
        entry.insert_id = self._recorder.insert_id(entry.timestamp.ToDatetime())[-13:]
        self._recorder.keep(entry)


def quote(message: Any, kind: str) -> dict[str, Any]:
    """A raw request as an audit entry quotes it: JSON with its type."""
    return {"@type": f"type.googleapis.com/{kind}", **to_json(message)}
