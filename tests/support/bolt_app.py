"""A real Bolt app beside a local Slack, reached over signed HTTP or over Socket Mode."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.async_app import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from support.local_slack import Desk, serving


@dataclass
class Line:
    """The app, the Slack that it is installed in, and the headers of every delivery over HTTP."""

    desk: Desk
    app: AsyncApp
    deliveries: list[Mapping[str, str]] = field(default_factory=list)
    handlers: list[AsyncSocketModeHandler] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        self.deliveries.append(dict(request.headers))
        return await to_aiohttp_response(await self.app.async_dispatch(await to_bolt_request(request)))

    async def connect(self) -> AsyncSocketModeHandler:
        """Open one more Socket Mode connection."""
        handler = AsyncSocketModeHandler(self.app, self.desk.slack.app_token)
        await handler.connect_async()
        self.handlers.append(handler)
        await self.desk.until(lambda: self.desk.slack.socket.connections == len(self.handlers))
        return handler


def bolt_app(desk: Desk, *, signing_secret: str = "") -> AsyncApp:
    client = AsyncWebClient(token=desk.slack.bot_token, base_url=f"{desk.url}/api/", retry_handlers=[])
    app = AsyncApp(client=client, signing_secret=signing_secret or desk.slack.signing_secret)

    @app.error
    async def unexpected(error: Exception, context: AsyncBoltContext) -> None:
        raise error

    return app


@asynccontextmanager
async def over_http(desk: Desk, *, signing_secret: str = "") -> AsyncIterator[Line]:
    line = Line(desk, bolt_app(desk, signing_secret=signing_secret))
    async with serving([web.post("/slack/events", line.receive)]) as url:
        desk.slack.request_url = f"{url}/slack/events"
        yield line
        await desk.slack.close()


@asynccontextmanager
async def over_socket(desk: Desk, *, connections: int = 1) -> AsyncIterator[Line]:
    line = Line(desk, bolt_app(desk))
    async with AsyncExitStack() as closing:
        for _ in range(connections):
            handler = await line.connect()
            closing.push_async_callback(handler.close_async)
        yield line
