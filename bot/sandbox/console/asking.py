"""Reading a POST with care, and answering what cannot be done with {error, hint}."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web

from bot.sandbox.local_slack.elements import NotThere, interactive
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.refusals import Refused

DOCS_HINT: Final = "See the docstring of bot/sandbox/console"


class Objection(Exception):
    """The request cannot be done; becomes {error, hint}."""

    def __init__(self, error: str, *, hint: str = DOCS_HINT, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(error)
        self.hint = hint
        self.status = status


@dataclass(frozen=True)
class Asked:
    """A POST's body, read with care."""

    request: web.Request
    body: Json

    def text(self, name: str) -> str:
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise Objection(f"`{name}` is missing or not text")
        return value

    def object(self, name: str) -> Json:
        value = self.body.get(name) or {}
        if not isinstance(value, dict):
            raise Objection(f"`{name}` is not an object: {{block_id: {{action_id: …}}}}")
        return value

    def optional(self, name: str) -> str | None:
        value = self.body.get(name)
        if value is not None and not isinstance(value, str):
            raise Objection(f"`{name}` is not text")
        return value


def only_block(blocks: Sequence[Json], action_id: str) -> str:
    """The block of the one element with this action_id."""
    found = [str(each.block["block_id"]) for each in interactive(blocks) if each.element["action_id"] == action_id]
    if len(found) != 1:
        raise Objection(f"{len(found)} elements have the action_id {action_id!r}", hint="Give its block_id")
    return found[0]


def answering(deed: Callable[[Asked], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A POST handler around `deed`: reads JSON, turns what it refuses into {error, hint}."""

    async def handler(request: web.Request) -> web.Response:
        try:
            return web.json_response(await deed(Asked(request, await read_object(request))))
        except Objection as objection:
            error, hint, status = str(objection), objection.hint, objection.status
        except Refused as refused:
            error, hint, status = refused.error, "The local Slack's own error code", HTTPStatus.BAD_REQUEST
        except NotThere as gone:
            error, hint, status = str(gone), "It may have changed meanwhile", HTTPStatus.NOT_FOUND
        return web.json_response({"error": error, "hint": hint}, status=status)

    return handler


async def read_object(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Objection("The body is not JSON") from None
    if not isinstance(body, dict):
        raise Objection("The body is not a JSON object")
    return body
