"""Senders of deploy events as the bot meets them: Pub/Sub with a signed token, a pipeline with a signed webhook.

Their keys are their own; each test decides what the bot trusts.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from multidict import CIMultiDict
from pydantic import SecretStr

from bot.ingest.config import PubSubConfig, WebhookConfig
from bot.ingest.keys import PublicKeys
from bot.ingest.source import Delivery, Trust

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AUDIENCE = "https://bot.example/events/pubsub"
ACCOUNT = "push@acme-ops.iam.gserviceaccount.com"
SECRET = "whsec_" + base64.b64encode(b"not a secret, only a test").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"nobody trusts this one here").decode()


@dataclass(frozen=True)
class Config:
    """What `bot.ingest` needs of the settings."""

    pubsub: PubSubConfig = field(default_factory=lambda: PubSubConfig(audience=AUDIENCE, service_account=ACCOUNT))
    webhook: WebhookConfig = field(default_factory=lambda: WebhookConfig(secret=(SecretStr(SECRET),)))


@cache
def private_key(name: str = "google") -> rsa.RSAPrivateKey:
    """One key per name and test run: making one takes a tenth of a second."""
    del name
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@dataclass(frozen=True)
class PubSub:
    """A push subscription that signs as `ACCOUNT`."""

    name: str = "pubsub"
    now: datetime = NOW
    kid: str = "key-1"
    key: rsa.RSAPrivateKey = field(default_factory=private_key)

    def claims(self) -> dict[str, Any]:
        return {
            "iss": "https://accounts.google.com",
            "aud": AUDIENCE,
            "sub": "100000000000000000001",
            "email": ACCOUNT,
            "email_verified": True,
            "iat": int(self.now.timestamp()),
            "exp": int((self.now + timedelta(hours=1)).timestamp()),
        }

    def token(self, **changed: Any) -> str:
        """`changed` replaces claims; None leaves one out."""
        claims = {key: value for key, value in (self.claims() | changed).items() if value is not None}
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.kid})

    def headers(self, body: bytes = b"", delivery_id: str = "") -> dict[str, str]:
        del body, delivery_id
        return {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"}

    def body(self, entry: Mapping[str, Any], message_id: str = "9000000001") -> bytes:
        return envelope(json.dumps(entry).encode(), message_id)

    @property
    def public_keys(self) -> PublicKeys:
        return {self.kid: self.key.public_key()}

    @property
    def jwks(self) -> dict[str, Any]:
        """As the issuer serves it."""
        public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": self.kid, "alg": "RS256", "use": "sig"}]}


@dataclass(frozen=True)
class Pipeline:
    """Anybody who has the secret."""

    name: str = "webhook"
    now: datetime = NOW
    secret: str = SECRET

    def headers(self, body: bytes, delivery_id: str = "msg_1") -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "webhook-id": delivery_id,
            "webhook-timestamp": str(int(self.now.timestamp())),
            "webhook-signature": self.signature(body, delivery_id),
        }

    def signature(self, body: bytes, delivery_id: str = "msg_1") -> str:
        """By hand, as the specification says it: the library signs text only, and hostile bodies are not text."""
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{delivery_id}.{int(self.now.timestamp())}.".encode() + body
        return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def envelope(data: bytes, message_id: str = "9000000001") -> bytes:
    """Pub/Sub's wrapping of a message."""
    message = {
        "messageId": message_id,
        "message_id": message_id,
        "publishTime": "2026-03-02T12:00:00.123Z",
        "data": base64.b64encode(data).decode(),
        "attributes": {"logging.googleapis.com/timestamp": "2026-03-02T11:59:58.1Z"},
    }
    return json.dumps({"message": message, "subscription": "projects/acme-ops/subscriptions/deploys"}).encode()


def delivery(headers: Mapping[str, str], body: bytes, at: datetime = NOW) -> Delivery:
    return Delivery(CIMultiDict(headers), body, at)


def trust(*senders: PubSub, config: Config | None = None) -> Trust:
    keys = {kid: key for sender in senders for kid, key in sender.public_keys.items()}
    return Trust(config or Config(), keys)
