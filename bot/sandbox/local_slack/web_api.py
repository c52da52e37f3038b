"""The Web API on HTTP: reads the arguments and the token, keeps the limits, dispatches, answers as Slack does.

Not imitated: `X-Slack-Req-Id` is random, gzip is left to the server, and JSON bodies may carry the token in
them as form bodies do.
"""

import asyncio
import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bot.sandbox.local_slack.arguments import Arguments
from bot.sandbox.local_slack.faults import Faults, Outage
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.method import Call, Method
from bot.sandbox.local_slack.rate_limits import RateLimits, Tier
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.state import State
from bot.sandbox.local_slack.tokens import Caller, TokenKind

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
NOBODY = Caller("", TokenKind.BOT, "", frozenset())


class WebApi:
    def __init__(self, methods: Mapping[str, Method], state: State, *, limits: RateLimits, faults: Faults) -> None:
        self.methods = methods
        self.state = state
        self.limits = limits
        self.faults = faults

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call of /api/{method}."""
        refuse_in_outage(self.faults, request)
        self.state.base_url = self.state.base_url or str(request.url.origin())
        name = request.match_info["method"]
        warnings: list[str] = []
        try:
            method = self._method(name)
            values = await read_values(request, warnings)
            caller = self._caller(request, values, method)
            body = self._call(method, values, caller)
        except Refused as refused:
            return json_response(refused.body(), status=refused.status, headers=refused.headers)
        if self.faults.take_loss(name):
            drop(request)
        if warnings:
            body["warning"] = ",".join(warnings)
            body.setdefault("response_metadata", {})["warnings"] = warnings
        return json_response({"ok": True, **body}, headers={"X-OAuth-Scopes": ",".join(sorted(caller.scopes))})

    def _method(self, name: str) -> Method:
        if name not in self.methods:
            raise Refused("unknown_method", more={"req_method": name})
        return self.methods[name]

    def _caller(self, request: web.Request, values: Json, method: Method) -> Caller:
        token = bearer(request) or str(values.get("token") or "")
        if not token and not method.needs_token:
            return NOBODY
        return self.state.tokens.caller(token)

    def _call(self, method: Method, values: Json, caller: Caller) -> Json:
        failure = self.faults.take_failure(method.name)
        if failure:
            raise failure.refusal()
        channel = str(values.get("channel") or "") if method.tier is Tier.POSTING else ""
        self.limits.spend(method.name, method.tier, token=caller.token, channel=channel)
        return method.call(Call(Arguments(values), caller, self.state))


async def read_values(request: web.Request, warnings: list[str]) -> Json:
    """The arguments from the query and the body; the body wins."""
    values: Json = dict(request.query)
    if request.method != "POST" or not request.can_read_body:
        return values
    match request.content_type:
        case "application/json":
            if not request.charset:
                warnings.append("missing_charset")
            values |= _json_object(await request.read())
        case content_type if content_type in {FORM, MULTIPART}:
            form = await request.post()
            values |= {name: _form_value(value) for name, value in form.items()}
        case _:
            raise Refused("invalid_post_type")
    return values


def _json_object(body: bytes) -> Json:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(value, dict):
        raise Refused("json_not_object")
    return value


def _form_value(value: str | bytes | bytearray | web.FileField) -> Any:
    if isinstance(value, bytes | bytearray):
        return value.decode(errors="replace")
    return value.file.read() if isinstance(value, web.FileField) else value


def bearer(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def json_response(body: Json, *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(body, status=status, headers={"X-Slack-Req-Id": secrets.token_hex(16), **(headers or {})})


def refuse_in_outage(faults: Faults, request: web.Request) -> None:
    match faults.outage:
        case None:
            return
        case Outage.DROPPED:
            drop(request)
        case Outage.UNAVAILABLE:
            raise web.HTTPServiceUnavailable(text="<html><body>Slack is temporarily unavailable</body></html>")


def drop(request: web.Request) -> None:
    """Break the connection: the caller never gets an answer."""
    if request.transport:
        request.transport.abort()
    raise asyncio.CancelledError  # aiohttp's own way to end a request whose client is gone: no answer, no log
