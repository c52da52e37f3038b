"""How the world stands before anything happens: three healthy services, one of them on its way to trouble."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.sandbox.local_google import LocalGoogle, Past
from bot.sandbox.scenarios.apps import AUTH, AUTH_APP, BACKEND, BACKEND_APP, WEBSOCKET

DEPLOYER: Final = "dana@acme.example"
_ENVIRONMENT: Final = {"ENVIRONMENT": "staging", "LOG_LEVEL": "info"}
_AUTH_ENVIRONMENT: Final = _ENVIRONMENT | {"JWT_SECRET": "sandbox-only-not-a-secret"}


def image_of(service: str, commit: str) -> str:
    """The reference of the image that the pipeline builds from a commit."""
    return f"us-central1-docker.pkg.dev/acme-staging/apps/{service}:{commit[:7]}"


def labels_of(commit: str, build: str) -> dict[str, str]:
    """The labels that a Cloud Build trigger's deploy sets."""
    return {"commit-sha": commit, "gcb-build-id": build, "managed-by": "gcp-cloud-build-deploy-cloud-run"}


def _past(service: str, number: int, suffix: str, ago: timedelta, commit: str, env: Mapping[str, str]) -> Past:
    return Past(
        number=number,
        suffix=suffix,
        at=datetime.now(UTC) - ago,
        by=DEPLOYER,
        image=image_of(service, commit),
        labels=labels_of(commit, f"{number:08d}-5eed-4bad-8bad-{int(commit[:8], 16):012d}"),
        env=dict(env),
    )


async def set_up(google: LocalGoogle) -> None:
    """Put the services of the start into place; call once, before the traffic begins."""
    for image in (
        image_of(AUTH, "c0ffee1a2b3c4d5e6f708192a3b4c5d6e7f80912"),
        image_of(AUTH, "9d8c7b6a5f4e3d2c1b0a99887766554433221100"),
        image_of(AUTH, "5b1e7d09c8a7f6e5d4c3b2a190817263544536ab"),
    ):
        google.images[image] = AUTH_APP
    for image in (
        image_of(BACKEND, "71f0e2d3c4b5a69788796a5b4c3d2e1f00112233"),
        image_of(BACKEND, "e4d5c6b7a8f90123456789abcdef0123456789ab"),
    ):
        google.images[image] = BACKEND_APP
    await google.remember(
        AUTH,
        _past(AUTH, 279, "wvd", timedelta(days=23), "c0ffee1a2b3c4d5e6f708192a3b4c5d6e7f80912", _AUTH_ENVIRONMENT),
        _past(AUTH, 280, "nxt", timedelta(days=13), "9d8c7b6a5f4e3d2c1b0a99887766554433221100", _AUTH_ENVIRONMENT),
        _past(AUTH, 281, "kzq", timedelta(days=6), "5b1e7d09c8a7f6e5d4c3b2a190817263544536ab", _AUTH_ENVIRONMENT),
    )
    await google.remember(
        BACKEND,
        _past(BACKEND, 118, "fhr", timedelta(days=16), "71f0e2d3c4b5a69788796a5b4c3d2e1f00112233", _ENVIRONMENT),
        _past(BACKEND, 119, "mtc", timedelta(days=9), "e4d5c6b7a8f90123456789abcdef0123456789ab", _ENVIRONMENT),
    )
    await google.remember(
        WEBSOCKET,
        _past(WEBSOCKET, 63, "bqs", timedelta(days=31), "2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d", _ENVIRONMENT),
        _past(WEBSOCKET, 64, "zpl", timedelta(days=11), "0f1e2d3c4b5a69788796a5b4c3d2e1f0a9b8c7d6", _ENVIRONMENT),
    )
