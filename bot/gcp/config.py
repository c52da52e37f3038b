"""How the bot reaches Google Cloud."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field


class GoogleConfig(BaseModel, frozen=True, extra="forbid"):
    """Without `endpoint`: the real Google Cloud, with application default credentials."""

    endpoint: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9.\-\[\]:]+:[0-9]{1,5}$",
        description="host:port of a gRPC server that plays Google Cloud, unencrypted; the sandbox's, never a real one.",
        examples=["127.0.0.1:9000"],
    )
    timeout: timedelta = Field(
        default=timedelta(seconds=10), description="Give up one call to Google after this.", examples=["PT10S"]
    )
    project: str | None = Field(
        default=None, description="Project that the bot itself runs in, for its log entries.", examples=["acme-ops"]
    )
