"""What `gcloud run deploy` and `gcloud run services update-traffic` do, with gcloud's entries in the audit log."""

import random
from collections.abc import Mapping
from typing import Any, Final

from google.cloud import run_v2

from bot.sandbox.local_google import knative
from bot.sandbox.local_google.audit import Call
from bot.sandbox.local_google.control_plane import ControlPlane
from bot.sandbox.local_google.history import fill_template
from bot.sandbox.local_google.names import Place, revision_suffix, short
from bot.sandbox.local_google.operations import Operation
from bot.sandbox.local_google.state import DEFAULT_PORT, LATEST, PINNED, Registry, Service, container_port

_Service: Final = run_v2.Service.pb()
_REQUEST: Final = "type.googleapis.com/google.cloud.run.v1"


class Deployer:
    """A person with gcloud."""

    def __init__(self, place: Place, registry: Registry, plane: ControlPlane, chance: random.Random) -> None:
        """Works in one place."""
        self._chance = chance
        self._place = place
        self._registry = registry
        self._plane = plane

    async def deploy(
        self,
        name: str,
        *,
        image: str,
        by: str,
        env: Mapping[str, str],
        port: int | None,
        labels: Mapping[str, str],
        traffic: str,
        suffix: str | None,
        number: int | None,
    ) -> tuple[str, Operation]:
        """Create or replace the service; the new revision's name and the operation to wait for."""
        service = self._registry.find(self._place, name)
        wish = _Service()
        if service is not None:
            wish.CopyFrom(service.pb)
        else:
            wish.name = self._place.service(name)
            wish.template.service_account = f"{name}@{self._place.project}.iam.gserviceaccount.com"
        wish.client, wish.client_version = "gcloud", "550.0.0"
        wish.labels.update(labels)
        next_number = number or self._registry.next_number(self._place, name)
        named = suffix is not None or number is not None
        own_name = f"{name}-{next_number:05d}-{suffix or revision_suffix(self._chance)}" if named else ""
        old = service.pb.template if service is not None and service.pb.template.containers else None
        fill_template(
            wish.template,
            image=image,
            env=dict(env),
            port=port or (container_port(old) if old is not None else DEFAULT_PORT),
            labels=dict(labels),
        )
        wish.template.revision = own_name
        wish.template.annotations["client.knative.dev/nonce"] = f"deploy-{next_number}-{wish.generation}"
        self._aim(wish, traffic)
        operation = await self._send(name, service, wish, by)
        return short(self._registry.get(self._place, name).pb.latest_created_revision), operation

    async def traffic(self, name: str, split: Mapping[str, int], by: str) -> Operation:
        """`--to-revisions`; the key "LATEST" stands for `--to-latest`. Tags stay."""
        service = self._registry.get(self._place, name)
        wish = _Service()
        wish.CopyFrom(service.pb)
        tags = [(target.tag, target.revision, target.type_) for target in wish.traffic if target.tag]
        wish.ClearField("traffic")
        for tag, revision, kind in tags:
            wish.traffic.add(tag=tag, revision=revision, type_=kind)
        for revision, percent in split.items():
            if revision == "LATEST":
                wish.traffic.add(type_=LATEST, percent=percent)
            else:
                wish.traffic.add(type_=PINNED, revision=revision, percent=percent)
        return await self._send(name, service, wish, by)

    def _aim(self, wish: Any, traffic: str) -> None:
        if traffic == "latest":
            kept = [(target.tag, target.revision) for target in wish.traffic if target.tag and target.revision]
            wish.ClearField("traffic")
            for tag, revision in kept:
                wish.traffic.add(type_=PINNED, tag=tag, revision=revision)
            wish.traffic.add(type_=LATEST, percent=100)
        elif traffic == "none" or traffic.startswith("tag:"):
            statuses = [(status.revision, status.percent, status.tag) for status in wish.traffic_statuses]
            wish.ClearField("traffic")
            for revision, percent, tag in statuses:
                wish.traffic.add(type_=PINNED, revision=revision, percent=percent, tag=tag)
            if traffic.startswith("tag:"):
                wish.traffic.add(type_=PINNED, revision=wish.template.revision, tag=traffic.removeprefix("tag:"))
        elif traffic != "keep":
            raise ValueError(f"traffic must be latest, keep, none or tag:NAME, not {traffic!r}")

    async def _send(self, name: str, service: Service | None, wish: Any, by: str) -> Operation:
        if service is None:
            call = Call(by, "CreateService", 1, self._request("Create", name, wish))
            return await self._plane.create(self._place, name, wish, call)
        return self._plane.update(service, wish, Call(by, "ReplaceService", 1, self._request("Replace", name, wish)))

    def _request(self, verb: str, name: str, wish: Any) -> dict[str, Any]:
        quoted = knative.service(Service(self._place, name, wish), wish)
        quoted.pop("status")
        resource = f"namespaces/{self._place.project}" + (f"/services/{name}" if verb == "Replace" else "")
        return {"@type": f"{_REQUEST}.{verb}ServiceRequest", "name": resource, "service": quoted}
