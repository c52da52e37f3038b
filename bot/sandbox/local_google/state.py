"""What Cloud Run knows: services with their revisions. The raw protobuf messages are the truth; the rest is upkeep."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from google.cloud import run_v2

from bot.sandbox.local_google.conditions import Trouble, is_ready
from bot.sandbox.local_google.image import Image
from bot.sandbox.local_google.names import Place, short
from bot.sandbox.local_google.operations import Operation
from bot.sandbox.local_google.refusals import Refusal, not_found

LATEST: Final = int(run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST)
PINNED: Final = int(run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION)
DEFAULT_PORT: Final = 8080


@dataclass(slots=True)
class Revision:
    """One revision; `starting` until the platform has judged it, then `trouble` says why it cannot serve."""

    name: str
    pb: Any
    image: Image
    instance: str
    starting: bool = True
    trouble: Trouble | None = None

    @property
    def ready(self) -> bool:
        """Whether it may get traffic."""
        return not self.starting and is_ready(self.pb)

    @property
    def port(self) -> int:
        """The port that Cloud Run expects the container to listen on."""
        return container_port(self.pb)


@dataclass(slots=True)
class Awaited:
    """An operation and what it waits for: a revision of its own, or only traffic."""

    operation: Operation
    revision: str = ""


@dataclass(slots=True)
class Service:
    """One service.

    Attributes:
        pb: the raw Service.
        revisions: by short name, oldest first.
        number: of the newest revision.
        template_generation: the generation whose template made the newest revision.
        changed: set when the reconciler has something to look at again.
        awaited: operations that end when the service has settled.
        settling: whether a reconciler is at work.
    """

    place: Place
    name: str
    pb: Any
    revisions: dict[str, Revision] = field(default_factory=dict)
    number: int = 0
    template_generation: int = 1
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    awaited: list[Awaited] = field(default_factory=list)
    settling: bool = False

    @property
    def newest(self) -> Revision:
        """The revision created last."""
        return self.revisions[short(self.pb.latest_created_revision)]

    def serving(self) -> dict[str, int]:
        """Percent by revision, as effective now; parts of 0 % are left out."""
        shares: dict[str, int] = {}
        for status in self.pb.traffic_statuses:
            if status.percent:
                shares[status.revision] = shares.get(status.revision, 0) + status.percent
        return shares


class Registry:
    """All services of all places."""

    def __init__(self) -> None:
        """Begin empty."""
        self._services: dict[tuple[Place, str], Service] = {}

    def add(self, service: Service) -> None:
        """Keep a new service."""
        self._services[service.place, service.name] = service

    def remove(self, service: Service) -> None:
        """Forget a service and its revisions."""
        del self._services[service.place, service.name]

    def find(self, place: Place, name: str) -> Service | None:
        """The service or None."""
        return self._services.get((place, name))

    def get(self, place: Place, name: str) -> Service:
        """The service; NOT_FOUND when there is none."""
        service = self.find(place, name)
        if service is None:
            raise not_found(
                f"Resource '{name}' of kind 'SERVICE' in region '{place.region}' in project '{place.project}' does not exist."
            )
        return service

    def next_number(self, place: Place, name: str) -> int:
        """The number that the next revision of a service gets."""
        service = self.find(place, name)
        return (service.number if service else 0) + 1

    def check_free(self, place: Place, name: str) -> None:
        """ALREADY_EXISTS when there is such a service."""
        if (place, name) in self._services:
            raise Refusal(grpc.StatusCode.ALREADY_EXISTS, f"Resource '{name}' already exists.")

    def at(self, place: Place) -> Iterator[Service]:
        """The services of a place by name."""
        for key in sorted(self._services, key=lambda key: key[1]):
            if key[0] == place:
                yield self._services[key]

    def __iter__(self) -> Iterator[Service]:
        """All services in the order of their creation."""
        return iter(tuple(self._services.values()))


def container_port(template: Any) -> int:
    """The port of the ingress container of a raw Revision or RevisionTemplate."""
    for container in template.containers:
        for port in container.ports:
            return int(port.container_port) or DEFAULT_PORT
    return DEFAULT_PORT
