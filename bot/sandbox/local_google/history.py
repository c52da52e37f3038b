"""Services that were there before the sandbox started: revisions with times in the past, and no log of how they came."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from google.cloud import run_v2

from bot.sandbox.local_google import conditions
from bot.sandbox.local_google.conditions import SUCCEEDED, never_listened
from bot.sandbox.local_google.image import Image
from bot.sandbox.local_google.names import Place, etag
from bot.sandbox.local_google.revisions import judge_revision, make_revision, mark_active
from bot.sandbox.local_google.state import DEFAULT_PORT, LATEST, Revision, Service


@dataclass(frozen=True, slots=True)
class Past:
    """One revision of the past; the last ready one of a service serves 100 %, by LATEST.

    Attributes:
        number, suffix: of its name, `<service>-<number>-<suffix>`.
        at: when it was deployed.
        by: who deployed it.
        image: reference.
        labels: user labels, such as `commit-sha`.
        failed: it never became ready.
    """

    number: int
    suffix: str
    at: datetime
    by: str
    image: str
    labels: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    failed: bool = False


def fill_template(template: Any, *, image: str, env: dict[str, str], port: int, labels: dict[str, str]) -> None:
    """Write what a deploy says about its container into a raw RevisionTemplate."""
    if not template.containers:
        template.containers.add()
        template.max_instance_request_concurrency = 80
        template.timeout.FromSeconds(300)
        template.scaling.max_instance_count = 20
    container = template.containers[0]
    container.image = image
    container.ClearField("ports")
    container.ports.add(name="http1", container_port=port)
    variables = {variable.name: variable.value for variable in container.env} | env
    container.ClearField("env")
    for name, value in variables.items():
        container.env.add(name=name, value=value)
    template.labels.update(labels)


def remember(place: Place, name: str, uri: str, past: tuple[Past, ...], images: dict[str, Image]) -> Service:
    """A settled service with these revisions, oldest first; at least one of them was ready."""
    pb = run_v2.Service.pb()(name=place.service(name), uid=str(uuid.uuid4()), creator=past[0].by, uri=uri, urls=[uri])
    pb.ingress = int(run_v2.types.IngressTraffic.INGRESS_TRAFFIC_ALL)
    pb.client = "gcloud"
    pb.create_time.FromDatetime(past[0].at)
    pb.traffic.add(type_=LATEST, percent=100)
    pb.template.service_account = f"{name}@{place.project}.iam.gserviceaccount.com"
    service = Service(place, name, pb)
    for step in past:
        _remember_revision(service, step, images)
    serving = pb.latest_ready_revision.rsplit("/", 1)[-1]
    pb.traffic_statuses.add(type_=LATEST, revision=serving, percent=100)
    mark_active(service.revisions[serving].pb, active=True, now=past[-1].at)
    for kind in ("RoutesReady", "ConfigurationsReady"):
        conditions.put(pb.conditions, kind, SUCCEEDED, past[-1].at)
    conditions.update(pb.terminal_condition, "Ready", SUCCEEDED, past[-1].at)
    pb.observed_generation = pb.generation
    return service


def _remember_revision(service: Service, step: Past, images: dict[str, Image]) -> None:
    pb, full_name = service.pb, f"{service.name}-{step.number:05d}-{step.suffix}"
    pb.generation += 1
    pb.labels.update(step.labels)
    pb.last_modifier = step.by
    pb.update_time.FromDatetime(step.at)
    pb.etag = etag(pb.name, pb.generation, step.at)
    fill_template(pb.template, image=step.image, env=step.env, port=DEFAULT_PORT, labels=step.labels)
    raw = make_revision(service, full_name, step.by, step.at, str(uuid.uuid4()))
    trouble = never_listened(service.place, service.name, full_name, DEFAULT_PORT) if step.failed else None
    judge_revision(raw, trouble, step.at)
    if trouble is None:
        mark_active(raw, active=False, now=step.at)
        pb.latest_ready_revision = raw.name
    pb.latest_created_revision = raw.name
    image = images.get(step.image, Image())
    service.revisions[full_name] = Revision(
        full_name, raw, image, f"{step.number:064x}", starting=False, trouble=trouble
    )
    service.number, service.template_generation = step.number, pb.generation
