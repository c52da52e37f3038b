"""Deploys told by anybody's pipeline: `POST /events/deploy`, signed as standardwebhooks.com says.

    webhook-id          the delivery's id; a retry repeats it
    webhook-timestamp   seconds since the epoch, within five minutes of now
    webhook-signature   one or more of `v1,<base64 of HMAC-SHA256(id.timestamp.body)>`, separated by spaces

    {"project": "acme-staging", "region": "us-central1", "service": "auth-service", "revision": "auth-service-00283-qab",
     "commit": "a1b2c3d", "author": "dana@acme.example", "at": "2025-09-15T14:02:11Z", "files": ["app/login.py"]}

`project` and `service` are needed, the rest helps: with the `files` that the commit changed, a traceback that touches
one of them speaks against this revision. `reliability send deploy` does all this from a pipeline.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from bot.errors import Rejected
from bot.ingest.source import Delivery, Source, Trust, clean, decode, is_delivery_id
from bot.model.event import DeployEvent, EventKind

_NAME = "webhook"
_WHAT = "the deploy"
_MOST_FILES = 500
_LONGEST_PATH = 400
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
    files: tuple[str, ...] | None = None


# field → (what it must look like, in a pattern and in words)
FORMS = {
    "project": (re.compile(r"([a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"), "a Google Cloud project id"),
    "service": (re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"), "the name of a Cloud Run service"),
    "region": (re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}"), "a region such as us-central1"),
    "revision": (re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"), "the short name of a revision"),
    "commit": (re.compile(r"[0-9a-fA-F]{7,64}"), "a commit SHA of 7 to 64 hexadecimal digits"),
    "author": (re.compile(r"[^\x00-\x1f\x7f]{1,320}"), "1 to 320 characters on one line"),
}


class Signing:
    """A signature that is checked while the body arrives, so that nobody has to hold all of it.

    Args:
        headers, received_at: of the delivery. keys: ours; any of them will do.

    Raises:
        Rejected: 401; the headers alone say that it cannot be ours, or not of now.
    """

    def __init__(self, headers: Mapping[str, str], received_at: datetime, keys: Sequence[bytes]) -> None:
        self.delivery_id = headers.get("webhook-id", "")
        timestamp = headers.get("webhook-timestamp", "")
        signatures = headers.get("webhook-signature", "")
        if not (self.delivery_id and timestamp and signatures):
            raise Rejected("not signed: webhook-id, webhook-timestamp and webhook-signature are needed", status=401)
        if not is_delivery_id(self.delivery_id):
            raise Rejected("webhook-id must be 1 to 128 printable characters without spaces", status=401)
        _check_time(timestamp, received_at)
        beginning = b".".join((self.delivery_id.encode(), timestamp.encode(), b""))
        self._expected = [hmac.new(key, beginning, hashlib.sha256) for key in keys]
        self._offered = [s.encode("utf-8", "surrogateescape") for s in signatures.split(" ")[:_MOST_SIGNATURES]]

    def update(self, chunk: bytes) -> None:
        for expected in self._expected:
            expected.update(chunk)

    def check(self) -> str:
        """The `webhook-id`, once one signature is proven to be ours. Raises Rejected, 401, where none is."""
        ours = [b"v1," + base64.b64encode(expected.digest()) for expected in self._expected]
        if not any(hmac.compare_digest(mine, theirs) for mine in ours for theirs in self._offered):
            raise Rejected(
                "the signature is not ours: is RELIABILITY_WEBHOOK_SECRET the same on both sides?", status=401
            )
        return self.delivery_id


def verify(delivery: Delivery, trust: Trust) -> str:
    """The `webhook-id`, once one signature is proven to be ours."""
    signing = Signing(delivery.headers, delivery.received_at, trust.config.webhook.keys)
    signing.update(delivery.body)
    return signing.check()


def parse(delivery: Delivery, delivery_id: str) -> list[DeployEvent]:
    """Exactly one event."""
    deploy = decode(delivery.body, Deploy, _WHAT)
    check_forms(deploy, FORMS, _WHAT)
    at = check_moment(deploy.at, delivery.received_at, _WHAT)
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
            files=_files(deploy.files or ()),
        )
    ]


def check_forms(body: msgspec.Struct, forms: Mapping[str, tuple[re.Pattern[str], str]], what: str) -> None:
    """Raises Rejected, to be parked: names the first field that does not look as it must."""
    for name, (form, words) in forms.items():
        value = getattr(body, name)
        if value is not None and not form.fullmatch(value):
            raise _malformed(what, name, f"must be {words}")


def check_moment(at: datetime | None, received_at: datetime, what: str) -> datetime:
    """When it happened, the moment of receipt where the sender does not say. Raises Rejected, to be parked."""
    at = received_at if at is None else at
    if not received_at - _OLDEST <= at <= received_at + _TOLERANCE:
        raise _malformed(what, "at", "must lie within the last 30 days")
    return at


def _files(paths: Sequence[str]) -> tuple[str, ...]:
    """Paths as they may be stored: a commit that changes thousands of files says little by each of them."""
    return tuple(clean(path, _LONGEST_PATH) for path in paths[:_MOST_FILES] if path)


def _check_time(timestamp: str, now: datetime) -> None:
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Rejected("webhook-timestamp must be whole seconds since 1970", status=401)
    if abs(int(timestamp) - now.timestamp()) > _TOLERANCE.total_seconds():
        raise Rejected("webhook-timestamp is more than five minutes from now: stale, or the clocks differ", status=401)


def _malformed(what: str, field: str, why: str) -> Rejected:
    return Rejected(f"{what}: `{field}`: {why}", status=_MALFORMED, park=True)


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
