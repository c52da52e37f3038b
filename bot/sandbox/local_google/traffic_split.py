"""From the traffic that is wished for to the traffic that is served."""

import random
from typing import Any, Final

from google.cloud import run_v2

from bot.sandbox.local_google.conditions import Trouble, not_ready
from bot.sandbox.local_google.names import short
from bot.sandbox.local_google.refusals import invalid
from bot.sandbox.local_google.state import LATEST, PINNED, Service

_Status: Final = run_v2.TrafficTargetStatus.pb()


class TargetProblem(Exception):
    """A revision that cannot get traffic; `trouble` is what the service says about it."""

    def __init__(self, trouble: Trouble, *, missing: bool) -> None:
        """Keep the platform's words."""
        super().__init__(trouble.message)
        self.trouble = trouble
        self.missing = missing


def check_targets(traffic: Any) -> None:
    """Refuse what Cloud Run refuses at once: sums other than 100, double tags, targets that say two things."""
    if not traffic:
        return
    tags = [target.tag for target in traffic if target.tag]
    if len(tags) != len(set(tags)):
        raise invalid("spec.traffic: Revision tags must be unique.")
    for index, target in enumerate(traffic):
        if not 0 <= target.percent <= 100:
            raise invalid(f"spec.traffic[{index}].percent: must be between 0 and 100, was {target.percent}.")
        if target.type_ == LATEST and target.revision:
            raise invalid(f"spec.traffic[{index}]: revision must be empty when the allocation type is LATEST.")
        if target.type_ == PINNED and not target.revision:
            raise invalid(f"spec.traffic[{index}]: revision is required when the allocation type is REVISION.")
    total = sum(target.percent for target in traffic)
    if total != 100:
        raise invalid(f"spec.traffic: Traffic targets sum to {total} percent, must be exactly 100.")


def effective(service: Service, uri_of_tag: dict[str, str]) -> list[Any]:
    """The raw statuses that the wished traffic leads to; parts of 0 % come first.

    Raises:
        TargetProblem: a target is missing or not ready.
    """
    statuses = []
    for target in service.pb.traffic:
        name = short(target.revision) if target.revision else short(service.pb.latest_ready_revision)
        if not name:
            raise TargetProblem(Trouble("No revision of this service is ready to serve traffic."), missing=True)
        revision = service.revisions.get(name)
        if revision is None:
            raise TargetProblem(Trouble(f"Revision '{name}' not found."), missing=True)
        if not revision.ready:
            raise TargetProblem(
                not_ready(name, revision.trouble or Trouble("It is still being created.")), missing=False
            )
        kind = PINNED if target.revision else LATEST
        uri = uri_of_tag[target.tag] if target.tag else ""
        statuses.append(_Status(type_=kind, revision=name, percent=target.percent, tag=target.tag, uri=uri))
    return sorted(statuses, key=lambda status: bool(status.percent))


def choose(service: Service, tag: str, chance: random.Random) -> str | None:
    """The revision that answers a request to the service's address, or to one of its tags; None = nobody."""
    if tag:
        return next((str(status.revision) for status in service.pb.traffic_statuses if status.tag == tag), None)
    shares = service.serving()
    return chance.choices(list(shares), weights=list(shares.values()))[0] if shares else None
