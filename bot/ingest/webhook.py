"""Deploys told by anybody's pipeline: `POST /events/deploy`, signed as standardwebhooks.com says.

    webhook-id          the delivery's id; a retry repeats it
    webhook-timestamp   seconds since the epoch, within five minutes of now
    webhook-signature   one or more of `v1,<base64 of HMAC-SHA256(id.timestamp.body)>`, separated by spaces

    {"project": "acme-staging", "region": "us-central1", "service": "auth-service", "revision": "auth-service-00283-qab",
     "commit": "a1b2c3d", "author": "dana@acme.example", "at": "2025-09-15T14:02:11Z"}

`project` and `service` are needed, the rest helps. `reliability send deploy` does all this from a pipeline.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from bot.errors import Rejected
from bot.ingest.source import Delivery, Source, Trust, decode, is_delivery_id
from bot.model.event import DeployEvent, EventKind

_NAME = "webhook"
_TOLERANCE = timedelta(minutes=5)
_OLDEST = timedelta(days=30)  # of `at`: an older deploy is no news, and dates near year 1 overflow
_MOST_SIGNATURES = 16
_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_MALFORMED = 400


class Deploy(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The body. `null` is the same as absent."""

    project: str
    service: str
    region: str | None = None
    revision: str | None = None
    commit: str | None = None
    author: str | None = None
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


# field → (what it must look like, in a pattern and in words)
_FORMS = {
    "project": (re.compile(r"([a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"), "a Google Cloud project id"),
    "service": (re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"), "the name of a Cloud Run service"),
    "region": (re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}"), "a region such as us-central1"),
    "revision": (re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"), "the short name of a revision"),
    "commit": (re.compile(r"[0-9a-fA-F]{7,64}"), "a commit SHA of 7 to 64 hexadecimal digits"),
    "author": (re.compile(r"[^\x00-\x1f\x7f]{1,320}"), "1 to 320 characters on one line"),
}


def verify(delivery: Delivery, trust: Trust) -> str:
    """The `webhook-id`, once one signature is proven to be ours."""
    delivery_id = delivery.headers.get("webhook-id", "")
    timestamp = delivery.headers.get("webhook-timestamp", "")
    signatures = delivery.headers.get("webhook-signature", "")
    if not (delivery_id and timestamp and signatures):
        raise Rejected("not signed: webhook-id, webhook-timestamp and webhook-signature are needed", status=401)
    if not is_delivery_id(delivery_id):
        raise Rejected("webhook-id must be 1 to 128 printable characters without spaces", status=401)
    _check_time(timestamp, delivery.received_at)
    signed = b".".join((delivery_id.encode(), timestamp.encode(), delivery.body))
    expected = [_signature(key, signed) for key in trust.config.webhook.keys]
    offered = [s.encode("utf-8", "surrogateescape") for s in signatures.split(" ")[:_MOST_SIGNATURES]]
    if not any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in offered):
        raise Rejected("the signature is not ours: is RELIABILITY_WEBHOOK_SECRET the same on both sides?", status=401)
    return delivery_id


def parse(delivery: Delivery, delivery_id: str) -> list[DeployEvent]:
    """Exactly one event."""
    deploy = decode(delivery.body, Deploy, "the deploy")
    for name, (form, words) in _FORMS.items():
        value = getattr(deploy, name)
        if value is not None and not form.fullmatch(value):
            raise _malformed(name, f"must be {words}")
    at = delivery.received_at if deploy.at is None else deploy.at
    if not delivery.received_at - _OLDEST <= at <= delivery.received_at + _TOLERANCE:
        raise _malformed("at", "must lie within the last 30 days")
    return [
        DeployEvent(
            id=f"{_NAME}:{delivery_id}",
            source=_NAME,
            kind=EventKind.DEPLOY,
            project=deploy.project,
            region=deploy.region,
            service=deploy.service,
            revision=deploy.revision,
            at=at.astimezone(UTC),
            received_at=delivery.received_at,
            commit=deploy.commit.lower() if deploy.commit else None,
            author=deploy.author,
        )
    ]


def _check_time(timestamp: str, now: datetime) -> None:
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Rejected("webhook-timestamp must be whole seconds since 1970", status=401)
    if abs(int(timestamp) - now.timestamp()) > _TOLERANCE.total_seconds():
        raise Rejected("webhook-timestamp is more than five minutes from now: stale, or the clocks differ", status=401)


def _signature(key: bytes, signed: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))


def _malformed(field: str, why: str) -> Rejected:
    return Rejected(f"the deploy: `{field}`: {why}", status=_MALFORMED, park=True)


SOURCE = Source(
    name=_NAME,
    path="/events/deploy",
    enabled_by=("RELIABILITY_WEBHOOK_SECRET",),
    is_enabled=lambda config: config.webhook.enabled,
    verify=verify,
    parse=parse,
    content_types=("application/json",),
    taken=202,
    parked=_MALFORMED,
)
