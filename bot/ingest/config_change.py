"""A setting or secret that changed without a deploy, told by whoever changed it: `POST /events/config`, signed as deploys are.

    {"project": "acme-staging", "region": "us-central1", "service": "auth-service", "name": "feature flag new-login",
     "author": "dana@acme.example", "at": "2025-09-15T14:02:11Z"}

`project`, `service` and `name` are needed. Changes of secrets in Secret Manager need nobody to tell them: they are in
the audit log. Never send the value.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from bot.ingest.source import Delivery, Source, decode
from bot.ingest.webhook import FORMS, check_forms, check_moment, verify
from bot.model.event import DeployEvent, EventKind

_NAME = "config"
_WHAT = "the change"
_FORMS = {name: FORMS[name] for name in ("project", "service", "region", "author")} | {
    "name": (re.compile(r"[^\x00-\x1f\x7f]{1,200}"), "1 to 200 characters on one line"),
}


class Change(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The body. `null` is the same as absent."""

    project: str
    service: str
    name: str
    region: str | None = None
    author: str | None = None
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


def parse(delivery: Delivery, delivery_id: str) -> list[DeployEvent]:
    """Exactly one event."""
    change = decode(delivery.body, Change, _WHAT)
    check_forms(change, _FORMS, _WHAT)
    at = check_moment(change.at, delivery.received_at, _WHAT)
    return [
        DeployEvent(
            id=f"{_NAME}:{delivery_id}",
            source=_NAME,
            kind=EventKind.CONFIG,
            project=change.project,
            region=change.region,
            service=change.service,
            revision=None,
            at=at.astimezone(UTC),
            received_at=delivery.received_at,
            author=change.author,
            detail=change.name,
        )
    ]


SOURCE = Source(
    name=_NAME,
    path="/events/config",
    enabled_by=("RELIABILITY_WEBHOOK_SECRET",),
    is_enabled=lambda config: config.webhook.enabled,
    verify=verify,
    parse=parse,
    content_types=("application/json",),
    taken=202,
    parked=400,
)
