"""Cloud Run audit-log entries pushed by Pub/Sub: `POST /events/pubsub`.

The push carries a token in `Authorization`, signed RS256 by Google for the service account of the subscription.
The body is Pub/Sub's envelope {"message": {"messageId", "data": base64 of the LogEntry}, "subscription"}, or, where
payload unwrapping is on, the LogEntry itself with its id in `x-goog-pubsub-message-id`.

What is authentic but cannot be read is answered 204 all the same: anything else would come back for days.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import jwt
import msgspec
from jwt.types import Options

from bot.errors import Rejected
from bot.ingest.cloud_audit import read_entry
from bot.ingest.config import PubSubConfig
from bot.ingest.keys import PublicKeys
from bot.ingest.source import Delivery, Source, Trust, decode, id_of_body, is_delivery_id
from bot.model.event import DeployEvent

_NAME = "pubsub"
_LEEWAY_S = 30  # clocks differ
_LONGEST_TOKEN = 8_192
_MESSAGE_ID = "x-goog-pubsub-message-id"
# Times are checked by us against the time of receipt, so that the same delivery is always judged the same.
_CHECKS: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["exp", "iat", "aud", "iss"],
}


class _Message(msgspec.Struct, rename="camel"):
    message_id: str = ""
    data: bytes = b""


class _Envelope(msgspec.Struct):
    message: _Message | None = None


def verify(delivery: Delivery, trust: Trust) -> str:
    """The message's id, once the token is proven to be the push subscription's."""
    token = _token(delivery)
    if not trust.verified.holds(token, delivery.received_at):
        expires = check_token(token, trust.keys, trust.config.pubsub, delivery.received_at)
        trust.verified.add(token, expires)
    named = delivery.headers.get(_MESSAGE_ID, "") or _id_in(delivery.body)
    return named if is_delivery_id(named) else id_of_body(delivery.body)


def check_token(token: str, keys: PublicKeys, config: PubSubConfig, now: datetime) -> float:
    """When the token expires, seconds since the epoch.

    Raises:
        Rejected: 401; the text says which check failed and which setting it was compared with.
    """
    key = keys.get(_kid(token) or "")
    if key is None:
        raise _refused("it is signed with a key that the issuer does not publish")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=config.audience,
            issuer=list(config.issuers),
            options=_CHECKS,
        )
    except jwt.InvalidAudienceError as error:
        raise _refused("its audience is not RELIABILITY_PUBSUB__AUDIENCE") from error
    except jwt.InvalidIssuerError as error:
        raise _refused("its issuer is not Google") from error
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise _refused("its signature or form is wrong") from error
    _check_account(claims, config)
    return _check_times(claims, now)


def parse(delivery: Delivery, delivery_id: str) -> list[DeployEvent]:
    """At most one event: one message holds one log entry."""
    entry = _entry_in(delivery.body)
    event = read_entry(entry, f"{_NAME}:{delivery_id}", _NAME, delivery.received_at)
    return [] if event is None else [event]


def key_id(delivery: Delivery) -> str | None:
    """The key that signed the token; None where there is no token worth fetching keys for, or it is malformed."""
    try:
        return _kid(_token(delivery))
    except Rejected:
        return None


def _token(delivery: Delivery) -> str:
    scheme, _, token = delivery.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Rejected(
            "no bearer token: turn on authentication of the push subscription (--push-auth-service-account)", status=401
        )
    if len(token) > _LONGEST_TOKEN or not token.isascii():
        raise _refused("it is no JSON Web Token")
    return token


def _kid(token: str) -> str | None:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    kid = header.get("kid")
    return kid if isinstance(kid, str) and header.get("alg") == "RS256" else None


def _check_account(claims: dict[str, Any], config: PubSubConfig) -> None:
    if claims.get("email_verified") is not True:
        raise _refused("its e-mail is not verified")
    if claims.get("email") != config.service_account:
        raise _refused("its e-mail is not RELIABILITY_PUBSUB__SERVICE_ACCOUNT")


def _check_times(claims: dict[str, Any], now: datetime) -> float:
    seconds = now.timestamp()
    expires, issued = _seconds(claims["exp"]), _seconds(claims["iat"])
    not_before = _seconds(claims.get("nbf", issued))
    if expires + _LEEWAY_S <= seconds:
        raise _refused("it has expired")
    if max(issued, not_before) - _LEEWAY_S > seconds:
        raise _refused("it is not valid yet: compare the clocks")
    return expires


def _seconds(claim: object) -> float:
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not math.isfinite(claim):
        raise _refused("its times are not numbers")
    return float(claim)


def _refused(why: str) -> Rejected:
    return Rejected(f"the token is refused: {why}", status=401)


def _id_in(body: bytes) -> str:
    """The envelope's message id, "" where there is none to be found; `parse` says why."""
    try:
        envelope = decode(body, _Envelope, "the push")
    except Rejected:
        return ""
    return envelope.message.message_id if envelope.message else ""


def _entry_in(body: bytes) -> bytes:
    """The LogEntry's JSON out of either form of push."""
    envelope = decode(body, _Envelope, "the push")
    if envelope.message is None:
        return body
    if not envelope.message.data:
        raise Rejected("the push: the message has no data", status=400, park=True)
    return envelope.message.data


SOURCE = Source(
    name=_NAME,
    path="/events/pubsub",
    enabled_by=("RELIABILITY_PUBSUB__AUDIENCE", "RELIABILITY_PUBSUB__SERVICE_ACCOUNT"),
    is_enabled=lambda config: config.pubsub.enabled,
    verify=verify,
    parse=parse,
    key_id=key_id,
    taken=204,
    parked=204,
)
