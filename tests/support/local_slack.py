"""A local Slack behind a real port, and what was seen in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import identities
from bot.sandbox.local_slack import ALL_BOT_SCOPES, Change, ChangeKind, LocalSlack, SlackOptions

RILEY, AVERY, OSCAR = identities.RESPONDER.id, identities.APPROVER.id, identities.OUTSIDER.id
ALERTS, RANDOM = identities.AUTH_ALERTS.id, identities.RANDOM.id
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
QUICK = SlackOptions(
    bot_scopes=ALL_BOT_SCOPES,
    rate_scale=0,
    retry_after=(timedelta(0), timedelta(0), timedelta(0)),
)
IMPATIENT = replace(QUICK, ack_deadline=timedelta(seconds=0.2))


@dataclass
class Hands:
    """A clock that only moves when told."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Desk:
    """The local Slack, where it is reached, and every change since."""

    slack: LocalSlack
    url: str
    changes: list[Change] = field(default_factory=list)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, change: Change) -> None:
        self.changes.append(change)
        self._heard.set()

    def client(self, token: str | None = None) -> AsyncWebClient:
        """Slack's own client, which does not try again by itself; the bot's token if none is given."""
        token = self.slack.bot_token if token is None else token
        return AsyncWebClient(token=token, base_url=f"{self.url}/api/", retry_handlers=[])

    def told(self, kind: ChangeKind) -> list[Change]:
        return [change for change in self.changes if change.kind is kind]

    async def next(self, kind: ChangeKind, *, number: int = 1) -> Change:
        """The change of this kind, or its `number`-th; waits for it."""
        await self.until(lambda: len(self.told(kind)) >= number)
        return self.told(kind)[number - 1]

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for a change after which this holds."""
        async with asyncio.timeout(3):
            while not true():
                self._heard.clear()
                await self._heard.wait()

    def texts(self, channel: str = ALERTS) -> list[str]:
        return [message.draft.text for message in self.slack.workspace.channel(channel).messages.values()]

    def whispers(self, user: str = RILEY, channel: str = ALERTS) -> list[str]:
        """The texts that only this person sees."""
        ephemerals = self.slack.workspace.channel(channel).ephemerals.values()
        return [message.draft.text for message in ephemerals if message.draft.only_for == user]


@asynccontextmanager
async def desk(options: SlackOptions = QUICK, *, clock: Callable[[], datetime] | None = None) -> AsyncIterator[Desk]:
    slack = LocalSlack(options=options, **({"clock": clock} if clock else {}))
    async with serving(slack.routes()) as url:
        slack.base_url = url
        opened = Desk(slack, url)
        slack.listen(opened.hear)
        yield opened
        await slack.close()


@asynccontextmanager
async def serving(routes: list[web.RouteDef]) -> AsyncIterator[str]:
    """The address of a server on loopback."""
    app = web.Application()
    app.add_routes(routes)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def refusal(call: Awaitable[Any]) -> Any:
    """The response of a call that Slack refuses; fails if it does not."""
    try:
        await call
    except SlackApiError as refused:
        return refused.response
    raise AssertionError("Slack did not refuse")


async def error_of(call: Awaitable[Any]) -> str:
    return str((await refusal(call))["error"])
