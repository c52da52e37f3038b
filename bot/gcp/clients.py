"""The async clients of Google Cloud that the bot uses, built once and closed once."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import google.auth
import grpc.aio
from google.api_core.exceptions import ServiceUnavailable
from google.api_core.retry import if_exception_type
from google.api_core.retry.retry_unary_async import AsyncRetry
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcAsyncIOTransport
from google.cloud.monitoring_v3.services.metric_service import MetricServiceAsyncClient
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcAsyncIOTransport
from google.cloud.run_v2 import (
    ExecutionsAsyncClient,
    JobsAsyncClient,
    RevisionsAsyncClient,
    ServicesAsyncClient,
    TasksAsyncClient,
)
from google.cloud.run_v2.services.executions.transports import ExecutionsGrpcAsyncIOTransport
from google.cloud.run_v2.services.jobs.transports import JobsGrpcAsyncIOTransport
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcAsyncIOTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcAsyncIOTransport
from google.cloud.run_v2.services.tasks.transports import TasksGrpcAsyncIOTransport

from bot.errors import InvalidConfiguration
from bot.gcp.budget import ReadBudget
from bot.gcp.config import GoogleConfig
from bot.gcp.errors import LOG_IN, Call

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ANY_LENGTH = (("grpc.max_receive_message_length", -1),)  # a page of log entries is longer than gRPC's 4 MB


@dataclass(frozen=True)
class Clients:
    """What reads and moves Cloud Run, runs its jobs, and reads its logs and its request counts.

    Attributes:
        timeout: no call, its retries included, takes longer.
        account: e-mail of the service account that the bot is, None where Google does not tell.
        budget: Cloud Logging's read quota.
    """

    services: ServicesAsyncClient
    revisions: RevisionsAsyncClient
    logging: LoggingServiceV2AsyncClient
    monitoring: MetricServiceAsyncClient
    jobs: JobsAsyncClient
    executions: ExecutionsAsyncClient
    tasks: TasksAsyncClient
    timeout: timedelta
    account: str | None = None
    budget: ReadBudget = field(default_factory=ReadBudget)

    @property
    def seconds(self) -> float:
        return self.timeout.total_seconds()

    @property
    def retry(self) -> AsyncRetry:
        """For reads. The libraries' own would go on for up to a minute, past every deadline of ours."""
        unavailable = if_exception_type(ServiceUnavailable)
        return AsyncRetry(predicate=unavailable, initial=0.2, maximum=2.0, multiplier=2.0, timeout=self.seconds)

    def call(self, source: str, project: str, role: str, *, missing: str = "") -> Call:
        """The words for one call's refusals, see `bot.gcp.errors.translated`."""
        return Call(source, project, role, self.timeout, self.account, missing)

    async def close(self) -> None:
        reading = (self.services, self.revisions, self.logging, self.monitoring)
        for client in (*reading, self.jobs, self.executions, self.tasks):
            await client.transport.close()  # type: ignore[no-untyped-call]  # generated code


async def open_clients(config: GoogleConfig) -> Clients:
    """Build the clients; nothing is asked of Google yet but who we are.

    Raises:
        InvalidConfiguration: there are no credentials.
    """
    if config.endpoint is not None:
        return _plaintext(config.endpoint, config.timeout)
    try:
        # Looking for credentials reads files and may ask the metadata server: not on the event loop.
        credentials, _ = await asyncio.to_thread(google.auth.default, scopes=[_SCOPE])
    except DefaultCredentialsError as error:
        text = f"Google Cloud: no credentials found: {LOG_IN}. Without Google: `reliability sandbox`"
        raise InvalidConfiguration(text) from error
    return Clients(
        ServicesAsyncClient(credentials=credentials),
        RevisionsAsyncClient(credentials=credentials),
        LoggingServiceV2AsyncClient(credentials=credentials),
        MetricServiceAsyncClient(credentials=credentials),
        JobsAsyncClient(credentials=credentials),
        ExecutionsAsyncClient(credentials=credentials),
        TasksAsyncClient(credentials=credentials),
        config.timeout,
        _account(credentials),
    )


async def first_page(pager: Any) -> Any:
    """The page that an async pager has fetched already; further ones are asked for by their token, one by one."""
    async with aclosing(pager.pages) as pages:
        return await anext(pages)


def _plaintext(endpoint: str, timeout: timedelta) -> Clients:
    """One unencrypted channel without credentials: the sandbox's Google, never the real one."""
    channel = grpc.aio.insecure_channel(endpoint, options=_ANY_LENGTH)
    return Clients(
        ServicesAsyncClient(transport=ServicesGrpcAsyncIOTransport(channel=channel)),
        RevisionsAsyncClient(transport=RevisionsGrpcAsyncIOTransport(channel=channel)),
        LoggingServiceV2AsyncClient(transport=LoggingServiceV2GrpcAsyncIOTransport(channel=channel)),
        MetricServiceAsyncClient(transport=MetricServiceGrpcAsyncIOTransport(channel=channel)),
        JobsAsyncClient(transport=JobsGrpcAsyncIOTransport(channel=channel)),
        ExecutionsAsyncClient(transport=ExecutionsGrpcAsyncIOTransport(channel=channel)),
        TasksAsyncClient(transport=TasksGrpcAsyncIOTransport(channel=channel)),
        timeout,
    )


def _account(credentials: Credentials) -> str | None:
    """The bot's own e-mail; "default" is what Google's platforms say before the first token."""
    account: str | None = getattr(credentials, "service_account_email", None)
    return None if account == "default" else account
