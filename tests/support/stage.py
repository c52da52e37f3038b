"""A local Slack and a local Google Cloud in the test's own process, for bots that run (and die) in processes of their own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.local_google import LocalGoogle
from bot.sandbox.local_google.history import Past
from bot.sandbox.local_google.pace import Pace
from bot.sandbox.local_slack import LocalSlack
from support.values import BAD, GOOD

BOT = Path(__file__).with_name("bot_process.py")
CHANNEL = "C0AUTHOPS01"


@dataclass
class Stage:
    slack: LocalSlack
    google: LocalGoogle
    environment: Mapping[str, str]
    bots: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def run_bot(self, *options: str) -> asyncio.subprocess.Process:
        """Start the bot; its log goes to this test's stderr. It is gone when the stage is."""
        bot = await asyncio.create_subprocess_exec(
            sys.executable, str(BOT), *options, env={**os.environ, **self.environment}, stdin=asyncio.subprocess.DEVNULL
        )
        self.bots.append(bot)
        return bot

    def messages(self) -> list[dict[str, Any]]:
        workspace = self.slack.workspace
        return [workspace.message_json(message) for message in workspace.channel(CHANNEL).messages.values()]

    def cards(self) -> list[dict[str, Any]]:
        return [m for m in self.messages() if m.get("thread_ts", m["ts"]) == m["ts"]]

    def notes(self) -> list[str]:
        return [m["text"] for m in self.messages() if m.get("thread_ts", m["ts"]) != m["ts"]]

    def generation(self) -> int:
        """How often the service was changed, as Cloud Run counts."""
        (service,) = self.google.snapshot()["services"]
        return int(service["generation"])

    def serving(self) -> dict[str, int]:
        (service,) = self.google.snapshot()["services"]
        return {r["name"]: r["percent"] for r in service["revisions"] if r["percent"]}


@asynccontextmanager
async def stage(folder: Path, database_url: str, **settings: str) -> AsyncIterator[Stage]:
    """auth-service with two ready revisions, the newer one (`BAD`) serving everything."""
    google = LocalGoogle(project="acme-staging", region="us-central1", pace=Pace(traffic_shift=timedelta(seconds=0.3)))
    await google.start()
    now = datetime.now(UTC)
    await google.remember(
        "auth-service",
        Past(281, GOOD[-3:], now - timedelta(days=6), "dana@acme.example", "registry.example/auth:281"),
        Past(283, BAD[-3:], now - timedelta(minutes=40), "dana@acme.example", "registry.example/auth:283"),
    )
    port = _free_port()
    slack = LocalSlack(request_url=f"http://127.0.0.1:{port}/slack/events")
    app = web.Application()
    app.add_routes(slack.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slack.base_url = f"http://127.0.0.1:{site.port}"
    environment = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": f"{slack.base_url}/api/",
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "RELIABILITY_GOOGLE_ENDPOINT": google.grpc_address,
        "RELIABILITY_DRY_RUN": "false",
        "RELIABILITY_CATALOG": str(_catalog(folder)),
        "RELIABILITY_WATCH__VERIFY_FOR": "PT2S",
        "RELIABILITY_WATCH__VERIFY_POLL": "PT0.5S",
        "RELIABILITY_WATCH__SHIFT_POLL": "PT0.1S",
        **settings,
    }
    staged = Stage(slack, google, environment)
    try:
        yield staged
    finally:
        for bot in staged.bots:
            if bot.returncode is None:
                bot.kill()
                await bot.wait()
        await slack.close()
        await runner.cleanup()
        await google.stop()


def _catalog(folder: Path) -> Path:
    path = folder / "reliability.yaml"
    path.write_text(
        f"""
services:
  auth:
    tier: 1
    channel: {CHANNEL}
    health: /health
    deployments:
      staging:
        project: acme-staging
        region: us-central1
        cloud_run: auth-service
        rollback: {{policy: one-approver, approvers: [U0AVERY0001]}}
severity: [{{then: P0}}]
"""
    )
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
