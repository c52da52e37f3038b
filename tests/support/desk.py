"""The bot's dependencies, real ones: a database, Google's clients on a local Google Cloud, a Slack that nobody reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import aiohttp

from bot.act.cloud_run import CloudRun
from bot.act.health import check_health
from bot.decide.timing import WatchConfig
from bot.deps import Deps
from bot.gcp.budget import Rate, ReadBudget
from bot.gcp.clients import open_clients
from bot.gcp.config import GoogleConfig
from bot.gcp.logging import count_requests, read_entries, read_errors
from bot.gcp.monitoring import read_traffic
from bot.sandbox.local_google import LocalGoogle
from bot.sandbox.local_google.pace import Pace
from bot.store.database import Database
from support.values import catalog

FAST = Pace(
    provision=timedelta(milliseconds=50),
    startup_limit=timedelta(milliseconds=500),
    traffic_shift=timedelta(milliseconds=100),
    metrics=timedelta(0),
)


@asynccontextmanager
async def local_google() -> AsyncIterator[LocalGoogle]:
    google = LocalGoogle(project="acme-staging", region="us-central1", pace=FAST, seed=7)
    await google.start()
    try:
        yield google
    finally:
        await google.stop()


@asynccontextmanager
async def desk(
    db: Database, google: LocalGoogle, watch: WatchConfig | None = None, rate: Rate | None = None
) -> AsyncIterator[Deps]:
    """Deps with everything real but Slack: what is to be said stays in the outbox.

    Args:
        rate: of reads of Cloud Logging, where a test looks more often in a second than its quota allows.
    """
    clients = await open_clients(GoogleConfig(endpoint=google.grpc_address, timeout=timedelta(seconds=2)))
    clients = replace(clients, budget=ReadBudget(rate or Rate()))
    async with aiohttp.ClientSession() as http:
        try:
            yield Deps(
                db=db,
                catalog=catalog(),
                count_requests=partial(count_requests, clients),
                read_entries=partial(read_entries, clients, platform_texts=True),
                read_errors=partial(read_errors, clients),
                read_traffic=partial(read_traffic, clients),
                target=CloudRun(clients),
                notifiers=(),
                members=_nobody,
                check_health=partial(check_health, http, deadline=timedelta(seconds=2)),
                now=lambda: datetime.now(UTC),
                wake_outbox=lambda: None,
                watch=watch or WatchConfig(),
                dry_run=False,
            )
        finally:
            await clients.close()


async def _nobody(group: str) -> frozenset[str]:
    del group
    return frozenset()
