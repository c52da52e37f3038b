"""The HTTP side of Cloud Run: one server that plays every service, each on its own port.

Real addresses have no path prefix, so each service, and each tagged revision, gets a port of its own and
`uri + "/health"` works as in production. The revision is chosen by the effective traffic split and its program answers
(`application.py`); each answered request leaves a line in the request log, with the caller's trace if it handed one on.
Not imitated: TLS, HTTP/2, IAM on requests, queueing and cold starts, request bodies.
"""

import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from aiohttp import web

from bot.sandbox.local_google.application import Answered, Application, Asked
from bot.sandbox.local_google.containers import Containers
from bot.sandbox.local_google.entries import Exchange, Recorder
from bot.sandbox.local_google.state import Registry, Revision, Service
from bot.sandbox.local_google.traces import Trace, trace_of
from bot.sandbox.local_google.traffic_split import choose

MALFORMED: Final = (
    "The request failed because either the HTTP response was malformed or connection to the instance had an error. "
    "Additional troubleshooting documentation can be found at: "
    "https://cloud.google.com/run/docs/troubleshooting#malformed-response-or-connection-error"
)


@dataclass(frozen=True, slots=True)
class _Address:
    service: Service
    tag: str


class Tally(Protocol):
    """Counts answers, for whoever shows them."""

    def count(self, service: str, revision: str, status: int) -> None:
        """One more answer."""
        ...


class FrontEnd:
    """The server; addresses open on first use."""

    def __init__(
        self,
        registry: Registry,
        recorder: Recorder,
        containers: Containers,
        application: Application,
        clock: Callable[[], datetime],
        chance: random.Random,
        tally: Tally,
    ) -> None:
        """Closed until `start`."""
        self._registry = registry
        self._recorder = recorder
        self._containers = containers
        self._application = application
        self._clock = clock
        self._chance = chance
        self._tally = tally
        self._addresses: dict[int, _Address] = {}
        self._ports: dict[tuple[str, str], int] = {}
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)

    async def start(self) -> None:
        """Ready to open addresses."""
        await self._application.start()
        await self._runner.setup()

    async def stop(self) -> None:
        """Close all addresses."""
        await self._runner.cleanup()
        await self._application.stop()

    async def uri(self, service: Service, tag: str = "") -> str:
        """The address of a service or of one of its tags."""
        key = (service.pb.name, tag)
        if key not in self._ports:
            listening = socket.socket()
            listening.bind(("127.0.0.1", 0))
            port = listening.getsockname()[1]
            self._ports[key] = port
            self._addresses[port] = _Address(service, tag)
            await web.SockSite(self._runner, listening).start()
        self._addresses[self._ports[key]] = _Address(service, tag)  # a service of the same name was made anew
        return f"http://127.0.0.1:{self._ports[key]}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        sockname = request.get_extra_info("sockname")
        address = self._addresses[sockname[1]]
        name = choose(address.service, address.tag, self._chance)
        if name is None:  # no route: Google's front end answers, and no revision logs it
            return web.Response(status=404, text="The requested URL was not found on this server.")
        revision = address.service.revisions[name]
        trace = trace_of(request.headers, self._chance)
        began = self._clock()
        answered = await self._application.answer(address.service, revision, Asked(request.method, request.path, trace))
        self._record(request, address.service, revision, answered, trace, self._clock() - began)
        return web.Response(status=answered.status, text=answered.body)

    def _record(
        self,
        request: web.Request,
        service: Service,
        revision: Revision,
        answered: Answered,
        trace: Trace,
        latency: timedelta,
    ) -> None:
        forwarded = request.headers.get("X-Forwarded-For", "203.0.113.7").split(",")[0].strip()
        status = answered.status
        self._recorder.request(
            self._containers.source(service, revision),
            Exchange(
                method=request.method,
                url=str(request.url),
                status=status,
                latency=latency,
                user_agent=request.headers.get("User-Agent", ""),
                remote_ip=forwarded,
                request_size=len(str(request.rel_url)) + 280,
                response_size=self._chance.randint(180, 2_400) if status < 500 else self._chance.randint(90, 240),
                trace=trace.trace,
                span=trace.span,
                platform_text=MALFORMED if answered.by_platform else "",
            ),
        )
        self._tally.count(service.name, revision.name, status)
