"""Cloud Run Admin v2: read a service with its revisions, and write its traffic."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud.run_v2.types import ListRevisionsResponse, Revision, Service, UpdateServiceRequest
from google.rpc.code_pb2 import ABORTED

from bot.errors import Conflict, Permanent
from bot.gcp.clients import Clients, first_page
from bot.gcp.errors import Call, translated
from bot.gcp.states import service_state, short, wire_targets
from bot.model.catalog import Place
from bot.model.cloud_run import ServiceState, TrafficSplit

MAX_REVISIONS = 50
_VIEWER = "roles/run.viewer"
_DEVELOPER = "roles/run.developer"


async def read_service(clients: Clients, place: Place, *, also: Collection[str] = ()) -> ServiceState:
    """The service and its newest revisions, at most `MAX_REVISIONS` plus those that matter but are older.

    A revision that the service still names but that somebody has deleted is not in `revisions`.

    Args:
        also: short names of revisions that are to be there, however old they are.

    Raises:
        Retryable: Cloud Run did not answer, or its quota is used up.
        Permanent: there is no such service, or the bot may not read it.
    """
    async with translated(_call(clients, place, _VIEWER)):
        # The service first: every revision that it names exists by the time the list is read.
        wrapped = await clients.services.get_service(
            name=place.resource_name, retry=clients.retry, timeout=clients.seconds
        )
        service = Service.pb(wrapped)
        revisions = await _newest_revisions(clients, place)
        known = {short(revision.name) for revision in revisions}
        for name in sorted((_needed(service) | set(also)) - known):
            revisions += await _revision(clients, place, name)
    return service_state(service, revisions)


async def write_traffic(clients: Clients, place: Place, split: TrafficSplit, *, etag: str) -> None:
    """Ask for this traffic split; returns when Cloud Run has accepted it, not when it is served.

    Only `traffic` is written, so that no new revision comes of it. Never sent twice by itself: after a Retryable it is
    unknown whether the change took place.

    Raises:
        Conflict: the service is no longer the one with this etag.
        Permanent: Cloud Run will not do it.
        Retryable: no answer; read the service before sending again.
    """
    request = UpdateServiceRequest(
        service=Service(name=place.resource_name, traffic=wire_targets(split), etag=etag),
        update_mask={"paths": ["traffic"]},
    )
    async with translated(_call(clients, place, _DEVELOPER)):
        answer = await clients.services.update_service(request, retry=None, timeout=clients.seconds)
    check_operation(answer.operation)


def check_operation(operation: Any) -> None:
    """Most changes are still under way when they are answered; one that has already failed says so here.

    Raises:
        Conflict: another change came first.
        Permanent: Cloud Run will not do it.
    """
    if operation.done and operation.HasField("error"):
        text = f"Cloud Run did not move the traffic: {operation.error.message}"
        raise Conflict(text) if operation.error.code == ABORTED else Permanent(text)


async def _newest_revisions(clients: Clients, place: Place) -> list[Any]:
    """One page; Cloud Run lists by creation, newest first."""
    pager = await clients.revisions.list_revisions(
        {"parent": place.resource_name, "page_size": MAX_REVISIONS}, retry=clients.retry, timeout=clients.seconds
    )
    return list(ListRevisionsResponse.pb(await first_page(pager)).revisions)


async def _revision(clients: Clients, place: Place, name: str) -> list[Any]:
    try:
        wrapped = await clients.revisions.get_revision(
            name=f"{place.resource_name}/revisions/{name}", retry=clients.retry, timeout=clients.seconds
        )
    except NotFound:
        return []
    return [Revision.pb(wrapped)]


def _needed(service: Any) -> set[str]:
    serving = {short(status.revision) for status in service.traffic_statuses if status.percent > 0}
    return (serving | {short(service.latest_created_revision), short(service.latest_ready_revision)}) - {""}


def _call(clients: Clients, place: Place, role: str) -> Call:
    deployment = place.deployment
    missing = (
        f"Cloud Run has no service {deployment.cloud_run} in {deployment.region} of {deployment.project}: not deployed "
        f"yet? Otherwise correct cloud_run, region or project of {place.key} in reliability.yaml"
    )
    return clients.call("Cloud Run", deployment.project, role, missing=missing)
