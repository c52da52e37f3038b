"""What the event sources need to believe a delivery."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

GOOGLE_CERTS = "https://www.googleapis.com/oauth2/v3/certs"
GOOGLE_ISSUERS = ("https://accounts.google.com", "accounts.google.com")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SHORTEST_SECRET = 24  # bytes; the Standard Webhooks specification asks for 24 to 64
_LONGEST_SECRET = 64


def _by_comma(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class PubSubConfig(BaseModel, frozen=True, extra="forbid"):
    """Whose pushes are believed. Without audience and service account the route answers 404."""

    audience: str | None = Field(
        default=None,
        description="Audience of the push subscription's token; Pub/Sub's default is the push URL itself.",
        examples=["https://bot.example/events/pubsub"],
    )
    service_account: str | None = Field(
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="E-mail of the service account that the push subscription signs as.",
        examples=["push@acme-ops.iam.gserviceaccount.com"],
    )
    certs_url: str = Field(
        default=GOOGLE_CERTS,
        description="Where the keys (JWKS) of the token's issuer are. https, or http on this computer.",
        examples=[GOOGLE_CERTS],
    )
    issuers: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_by_comma)] = Field(
        default=GOOGLE_ISSUERS,
        min_length=1,
        description="Accepted issuers of the token, separated by commas.",
        examples=["https://accounts.google.com"],
    )

    @field_validator("certs_url")
    @classmethod
    def _cannot_be_swapped_on_the_way(cls, value: str) -> str:
        url = urlsplit(value)
        if not url.hostname or not (url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)):
            raise ValueError("must be an https:// address")
        return value

    @property
    def enabled(self) -> bool:
        return self.audience is not None and self.service_account is not None


class WebhookConfig(BaseModel, frozen=True, extra="forbid"):
    """Who may post deploys. Without a secret the route answers 404."""

    secret: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_by_comma)] = Field(
        default=(),
        description="Standard Webhooks secret of POST /events/deploy and /events/config, whsec_…; while rotating, old and new separated "
        "by a comma.",
        examples=["whsec_$(openssl rand -base64 32)"],
    )

    @field_validator("secret")
    @classmethod
    def _can_be_used(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in secrets:
            signing_key(secret)
        return secrets

    @property
    def enabled(self) -> bool:
        return bool(self.secret)

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The bytes to sign with."""
        return tuple(signing_key(secret) for secret in self.secret)


class IngestConfig(Protocol):
    """What the routes need of the settings."""

    @property
    def pubsub(self) -> PubSubConfig: ...

    @property
    def webhook(self) -> WebhookConfig: ...


def signing_key(secret: SecretStr) -> bytes:
    """The key inside `whsec_<base64>`.

    Raises:
        ValueError: says what is wrong with the secret, never what it is.
    """
    text = secret.get_secret_value()
    if not text.startswith("whsec_"):
        raise ValueError("each secret begins with whsec_")
    encoded = text.removeprefix("whsec_")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("what follows whsec_ is not base64") from error
    if not _SHORTEST_SECRET <= len(key) <= _LONGEST_SECRET:
        raise ValueError(f"holds {len(key)} bytes, not {_SHORTEST_SECRET} to {_LONGEST_SECRET}")
    return key
