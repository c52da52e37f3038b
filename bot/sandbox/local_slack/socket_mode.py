"""Socket Mode: WebSocket connections that the app opens, envelopes over them, acknowledgements back.

Each envelope goes to one of the connections, in turn; its acknowledgement is taken from any of them, as the app's
may have been renewed meanwhile. Not imitated: `approximate_connection_time` is a figure only (connections are renewed
on demand, not by age), the warning some seconds before a renewal, and acknowledgements that come late are dropped.
"""

import asyncio
import json
import logging
import secrets
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus

from aiohttp import WSMsgType, web

from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.parcels import NotDelivered, Parcel, ParcelKind

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 10
HEARTBEAT_SECONDS = 10.0
CLOSE_SECONDS = 1.0  # for the app's own farewell
HOST = "applink-sandbox"


class SocketMode:
    def __init__(self, app_id: str, *, deadline: timedelta, changed: Callable[[], None]) -> None:
        self.app_id = app_id
        self.deadline = deadline
        self._changed = changed
        self._tickets: set[str] = set()
        self._connections: list[web.WebSocketResponse] = []
        self._waiting: dict[str, asyncio.Future[Json | None]] = {}  # by envelope_id
        self._sent = 0

    @property
    def connections(self) -> int:
        return len(self._connections)

    def issue_link(self, base_url: str) -> str:
        """The address of one connection to come; each ticket is good once."""
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return f"ws{base_url.removeprefix('http')}/link?ticket={ticket}&app_id={self.app_id}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """/link: one connection, from hello to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=HTTPStatus.NOT_FOUND, text="invalid ticket")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, timeout=CLOSE_SECONDS)
        await socket.prepare(request)
        if len(self._connections) >= MOST_CONNECTIONS:
            await socket.send_json(self._farewell("too_many_websockets"))
            await socket.close()
            return socket
        await socket.send_json(self._hello(self.connections + 1))
        self._connections.append(socket)
        self._changed()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(message.data)
        finally:
            self._forget(socket)
        return socket

    async def send(self, parcel: Parcel) -> Json | None:
        """Deliver to one connection and wait for its acknowledgement; its payload, if it has one."""
        if not self._connections:
            raise NotDelivered("dispatch_failed", "connection_failed")
        socket = self._connections[self._sent % len(self._connections)]
        self._sent += 1
        envelope_id = str(uuid.uuid4())
        acknowledgement: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = acknowledgement
        try:
            async with asyncio.timeout(self.deadline.total_seconds()):
                await socket.send_json(_envelope(parcel, envelope_id))
                payload = await acknowledgement
        except TimeoutError:
            raise NotDelivered("operation_timeout", "timeout") from None
        except ConnectionError:
            raise NotDelivered("dispatch_failed", "connection_failed") from None
        finally:
            del self._waiting[envelope_id]
        return payload if parcel.wants_answer else None

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every connection to go away, as Slack does when it renews them, and close it."""
        leaving = tuple(self._connections)
        for socket in leaving:
            self._forget(socket)
        await asyncio.gather(*(self._part(socket, reason) for socket in leaving))

    async def _part(self, socket: web.WebSocketResponse, reason: str) -> None:
        with suppress(ConnectionError):  # it is gone already
            await socket.send_json(self._farewell(reason))
        await socket.close()

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._connections:
            self._connections.remove(socket)
            self._changed()

    def _acknowledged(self, data: str) -> None:
        try:
            answer = json.loads(data)
            envelope_id, payload = answer["envelope_id"], answer.get("payload")
        except (ValueError, KeyError, TypeError, AttributeError):
            logger.warning("Not an acknowledgement, ignored: %.200s", data)
            return
        waiting = self._waiting.get(envelope_id)
        if waiting is None or waiting.done():
            logger.warning("Acknowledgement of an envelope that is not waited for: %s", envelope_id)
            return
        waiting.set_result(payload if isinstance(payload, dict) else None)

    def _hello(self, connections: int) -> Json:
        return {
            "type": "hello",
            "num_connections": connections,
            "connection_info": {"app_id": self.app_id},
            "debug_info": {"host": HOST, "build_number": 1, "approximate_connection_time": 18060},
        }

    def _farewell(self, reason: str) -> Json:
        return {"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}}


def _envelope(parcel: Parcel, envelope_id: str) -> Json:
    envelope: Json = {
        "envelope_id": envelope_id,
        "type": parcel.kind.value,
        "payload": parcel.payload,
        "accepts_response_payload": parcel.wants_answer,
    }
    if parcel.kind is ParcelKind.EVENT:
        envelope["retry_attempt"] = parcel.retry.number if parcel.retry else 0
        envelope["retry_reason"] = parcel.retry.reason if parcel.retry else ""
    return envelope
