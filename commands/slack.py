"""The only importer of slack_bolt: acknowledge first, then dispatch, then answer.

Slack wants an answer within three seconds and repeats nothing that people typed or pressed, so every listener calls
`ack()` before anything else. Answers go to the one who asked (ephemeral) unless a reply says otherwise.
"""

from __future__ import annotations

import asyncio
import difflib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.logger.messages import warning_client_prioritized_and_token_skipped
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ReliabilityError, UserError
from bot.notify.message import Message
from bot.notify.render import render
from commands import ACTIONS, COMMANDS
from commands.command import Action, Ask, Command, Desk, Reply

log = logging.getLogger(__name__)

Respond = Callable[..., Awaitable[Any]]

CONNECTS_WITHIN_S = 5.0
"""A start waits this long for Slack; afterwards the bot runs, and Slack joins when it can."""

LINKS = re.compile(r"^open_")
"""Buttons that only open a page: Slack tells us about the press all the same and wants an answer."""


def slack_app(client: AsyncWebClient, *, signing_secret: str | None, desk: Desk) -> AsyncApp:
    """The Bolt app with every command and button.

    Args:
        signing_secret: None in Socket Mode, where Slack's connection itself is authenticated.
    """
    logging.getLogger("slack_bolt.AsyncApp").addFilter(_says_something)
    app = AsyncApp(
        client=client,
        signing_secret=signing_secret,
        request_verification_enabled=signing_secret is not None,
    )

    @app.command("/reliability")
    async def slash(ack: Respond, respond: Respond, command: dict[str, Any]) -> None:
        await ack()
        ask = Ask(command["user_id"], command["channel_id"])
        await _answer(respond, _run_command(respond, ask, command.get("text", ""), desk))

    for action in ACTIONS:
        app.action(action.id)(_listener(action, desk))
    app.action({"action_id": LINKS})(_acknowledge_only)
    return app


def _says_something(record: logging.LogRecord) -> bool:
    """Bolt reads SLACK_BOT_TOKEN itself and warns that our client's token, the same one, is used instead."""
    return record.getMessage() != warning_client_prioritized_and_token_skipped()


async def _acknowledge_only(ack: Respond) -> None:
    await ack()


def _listener(action: Action, desk: Desk) -> Callable[..., Awaitable[None]]:
    async def pressed(ack: Respond, respond: Respond, body: dict[str, Any]) -> None:
        await ack()
        channel = body.get("channel") or body.get("container") or {}
        ask = Ask(body["user"]["id"], channel.get("id") or channel.get("channel_id") or "")
        value = body["actions"][0].get("value") or ""
        log.info("action.pressed", extra={"action": action.id, "user": ask.user, "object": value})
        await _answer(respond, action.run(ask, value, desk))

    return pressed


async def _run_command(respond: Respond, ask: Ask, text: str, desk: Desk) -> Reply:
    words = text.split() or ["help"]
    command = find_command(words[0])
    args = command.parse(words[1:])
    if command.at_once:
        await _respond(respond, Message(command.at_once), to_everybody=False)
    return await command.run(ask, args, desk)


def find_command(word: str) -> Command:
    """The subcommand with this name.

    Raises:
        UserError: there is none; the text names the nearest one.
    """
    names = [command.name for command in COMMANDS]
    for command in COMMANDS:
        if command.name == word.casefold():
            return command
    near = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.4)
    hint = f" Did you mean `/reliability {near[0]}`?" if near else ""
    raise UserError(f"I do not know `{word[:40]}`.{hint} `/reliability help` lists what I know.")


async def _answer(respond: Respond, work: Awaitable[Reply | None]) -> None:
    try:
        reply = await work
    except UserError as error:
        reply = Reply("reply/error", {"text": str(error)})
    except ReliabilityError as error:
        log.warning("request.failed", extra={"why": str(error)})
        reply = Reply("reply/error", {"text": f"That did not work: {error}"})
    except Exception:
        log.exception("request.crashed")
        reply = Reply("reply/error", {"text": "That did not work because of a fault of mine; it is in my log."})
    if reply is None:
        return
    message = render(reply.template, reply.context)
    await _respond(respond, message, to_everybody=reply.to_everybody)


async def _respond(respond: Respond, message: Message, *, to_everybody: bool) -> None:
    try:
        await respond(
            text=message.text,
            blocks=list(message.blocks),
            response_type="in_channel" if to_everybody else "ephemeral",
            replace_original=False,
        )
    except (SlackApiError, OSError) as error:
        log.warning("reply.lost", extra={"why": str(error)})


def slack_routes(app: AsyncApp) -> list[web.RouteDef]:
    """HTTP mode: commands, buttons and events all arrive at one signed URL."""

    async def endpoint(request: web.Request) -> web.Response:
        try:
            asked = await to_bolt_request(request)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # Bolt reads a body before it looks at the signature, and expects what Slack sends
            log.warning("slack.malformed", extra={"why": type(error).__name__})
            return web.Response(status=400, text="This is not a request as Slack sends it.")
        return await to_aiohttp_response(await app.async_dispatch(asked))

    return [web.post("/slack/events", endpoint)]


@asynccontextmanager
async def socket_mode(app: AsyncApp, app_token: str, connections: int = 2) -> AsyncIterator[None]:
    """Socket Mode, over two connections: Slack renews them one at a time and each envelope reaches one of them.

    A Slack that is down at the start keeps nobody waiting: the connecting goes on while the bot does its other work.
    """
    handlers = [AsyncSocketModeHandler(app, app_token, web_client=app.client) for _ in range(connections)]
    async with asyncio.TaskGroup() as tasks:
        connecting = [tasks.create_task(handler.connect_async()) for handler in handlers]  # type: ignore[no-untyped-call]
        try:
            _, late = await asyncio.wait(connecting, timeout=CONNECTS_WITHIN_S)
            if late:
                log.warning("slack.not_connected_yet", extra={"connections": len(late)})
            yield
        finally:
            for task in connecting:
                task.cancel()
            for handler in handlers:
                await handler.close_async()  # type: ignore[no-untyped-call]
