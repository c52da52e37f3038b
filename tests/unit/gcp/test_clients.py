"""Building the clients; nothing is asked of Google."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import InvalidConfiguration
from bot.gcp.clients import open_clients
from bot.gcp.config import GoogleConfig


async def test_without_credentials_the_bot_does_not_start_and_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "gone.json"))

    with pytest.raises(InvalidConfiguration, match=r"gcloud auth application-default login.*service account"):
        await open_clients(GoogleConfig())


async def test_an_endpoint_needs_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "gone.json"))

    clients = await open_clients(GoogleConfig(endpoint="127.0.0.1:9", timeout=timedelta(seconds=3)))
    await clients.close()

    assert clients.timeout == timedelta(seconds=3)
