"""LocalGoogle: one project of Google Cloud on this machine, spoken to by the real clients over the wire.

What plays: Cloud Run Admin v2, Logging v2 and Monitoring v3 by gRPC without TLS, the services' own HTTP, the audit log
pushed by a "Pub/Sub" with signed identity tokens. Not imitated: identities and permissions (whoever reaches the port may
do all), quotas unless a fault plays them, several regions, persistence: everything is forgotten at the end.
"""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import grpc

from bot.sandbox.local_google import logging_api, monitoring_api, operations, run_api
from bot.sandbox.local_google.application import Application
from bot.sandbox.local_google.audit import AuditLog
from bot.sandbox.local_google.background import Background
from bot.sandbox.local_google.containers import Containers
from bot.sandbox.local_google.control_plane import ControlPlane, Parts
from bot.sandbox.local_google.dependencies import Dependencies
from bot.sandbox.local_google.deployer import Deployer
from bot.sandbox.local_google.entries import Exchange, Recorder, Source
from bot.sandbox.local_google.faults import Fault, Faults
from bot.sandbox.local_google.front_end import FrontEnd
from bot.sandbox.local_google.grpc_service import service as grpc_service
from bot.sandbox.local_google.history import Past, remember
from bot.sandbox.local_google.image import Image
from bot.sandbox.local_google.log_store import LogStore
from bot.sandbox.local_google.names import Place
from bot.sandbox.local_google.oidc import Signer
from bot.sandbox.local_google.pace import Pace
from bot.sandbox.local_google.push import Push, Subscription
from bot.sandbox.local_google.request_counts import RequestCounts
from bot.sandbox.local_google.snapshot import service_json, snapshot
from bot.sandbox.local_google.state import Registry, Service
from bot.sandbox.local_google.tally import Tally

_LARGEST_REQUEST: Final = 10 << 20  # bytes, as entries.write takes


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LocalGoogle:
    """The whole local cloud; `start` opens its ports, `stop` closes them.

    Attributes:
        images: what a container image does, by reference; scenarios add theirs.
        dependencies: what services need beside each other; all are there at first.
        logs: every log entry.
        logging: the Logging RPCs (`logging.scan_limit` makes pages short).
        push: the Pub/Sub side; None without a push URL.
        grpc_address: "127.0.0.1:port" once started.
    """

    def __init__(
        self,
        *,
        project: str,
        region: str,
        push_url: str | None = None,
        push_audience: str = "",
        push_service_account: str = "",
        push_duplicates: bool = False,
        caller: str = "",
        pace: Pace | None = None,
        seed: int | None = None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Build all parts; nothing listens yet.

        Args:
            project: its id.
            region: the only one.
            push_url: where audit entries are pushed; None = nowhere.
            push_audience: `aud` of the pushes' tokens; the push URL if empty.
            push_service_account: `email` of the pushes' tokens.
            push_duplicates: deliver each message twice.
            caller: whom audit entries name for calls over gRPC.
            pace: how long the platform takes.
            seed: makes names, answers and traffic choices repeatable.
            clock: wall-clock time, aware.
        """
        self.place = Place(project, region)
        self.images: dict[str, Image] = {}
        self.dependencies = Dependencies()
        self.grpc_address = ""
        pace = pace or Pace()
        chance = random.Random(seed)  # noqa: S311 - believable, not secret
        self._clock = clock
        self._background = Background()
        self._faults = Faults(clock)
        self._registry = Registry()
        self._listeners: list[Callable[[dict[str, Any]], None]] = []
        self.logs = LogStore(clock, chance)
        self.logging = logging_api.LoggingApi(self.logs)
        requests = RequestCounts()
        self.logs.watch(requests.notice)
        self._monitoring = monitoring_api.MonitoringApi(requests, clock, pace.metrics)
        self._signer = Signer(email=push_service_account, audience=push_audience or (push_url or ""), clock=clock)
        self._recorder = recorder = Recorder(self.logs, clock, chance)
        self._tally = Tally(clock)
        containers = Containers(recorder, self._background, pace, clock, chance)
        application = Application(self._registry, containers, self.dependencies, chance)
        self._front_end = FrontEnd(self._registry, recorder, containers, application, clock, chance, self._tally)
        self._operations, audit = operations.Operations(), AuditLog(recorder)
        self._plane = ControlPlane(
            Parts(
                self._registry,
                self._operations,
                audit,
                containers,
                self._background,
                self._front_end,
                self.images,
                pace,
                clock,
                chance,
                self._tell,
            )
        )
        self._deployer = Deployer(self.place, self._registry, self._plane, chance)
        caller = caller or f"reliability-bot@{project}.iam.gserviceaccount.com"
        self._services_api = run_api.ServicesApi(self._registry, self._plane, self._operations, audit, caller)
        self.push: Push | None = None
        if push_url is not None:
            subscription = Subscription(f"projects/{project}/subscriptions/deploy-events", push_url, push_duplicates)
            self.push = Push(subscription, self._signer, self._background, pace, clock)
            self.logs.watch(self.push.notice)
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Open the gRPC port and make ready for services' addresses."""
        await self._front_end.start()
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", _LARGEST_REQUEST)])
        server.add_generic_rpc_handlers(
            (
                grpc_service(run_api.SERVICES, self._services_api.methods(), self._faults),
                grpc_service(
                    run_api.REVISIONS, run_api.RevisionsApi(self._registry, self._operations).methods(), self._faults
                ),
                grpc_service(operations.SERVICE, self._operations.methods(), self._faults),
                grpc_service(logging_api.SERVICE, self.logging.methods(), self._faults),
                grpc_service(monitoring_api.SERVICE, self._monitoring.methods(), self._faults),
            )
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        self._server = server
        self.grpc_address = f"127.0.0.1:{port}"

    async def stop(self) -> None:
        """Close everything."""
        await self._background.stop()
        if self.push is not None:
            await self.push.stop()
        if self._server is not None:
            await self._server.stop(grace=0.1)
        await self._front_end.stop()

    def certs(self) -> dict[str, Any]:
        """The JSON Web Key Set that checks the pushes' tokens."""
        return self._signer.certs()

    def push_token(self, **claims: Any) -> str:
        """A token as the pushes carry it, with some claims replaced: for tests of what must be refused."""
        return self._signer.token(**claims)

    def uri(self, service: str) -> str:
        """The address of a service."""
        return str(self._registry.get(self.place, service).pb.uri)

    def services(self) -> list[str]:
        """The names of the services."""
        return [service.name for service in self._registry.at(self.place)]

    def revisions(self, service: str) -> list[str]:
        """The short names of a service's revisions, oldest first; none when there is no such service."""
        found = self._registry.find(self.place, service)
        return list(found.revisions) if found else []

    def serving(self, service: str) -> dict[str, int]:
        """Percent by revision, as effective now."""
        return self._registry.get(self.place, service).serving()

    def behaviour(self, service: str, revision: str) -> Image:
        """What the image of a revision does."""
        return self._registry.get(self.place, service).revisions[revision].image

    def newest_number(self, service: str) -> int:
        """The highest revision number so far; 0 when there is no such service."""
        return self._registry.next_number(self.place, service) - 1

    def snapshot(self) -> dict[str, Any]:
        """Services, revisions, traffic, conditions: JSON for the side panel."""
        return snapshot(self.place, self._registry, self._tally)

    def listen(self, callback: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Call back with `{"kind": "service", "service": …}` at each change; returns how to stop."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def _tell(self, service: Service) -> None:
        for listener in tuple(self._listeners):
            listener({"kind": "service", "service": service_json(service, self._tally)})

    async def remember(self, service: str, *past: Past) -> None:
        """A service that was there before the sandbox started, oldest revision first."""
        made = remember(self.place, service, "", past, self.images)
        made.pb.uri = await self._front_end.uri(made)
        made.pb.ClearField("urls")
        made.pb.urls.append(made.pb.uri)
        self._registry.add(made)
        self._tell(made)

    def remember_request(self, service: str, seen: Exchange, at: datetime) -> None:
        """A request that the service's revision answered before the sandbox started; call in the order of time."""
        found = self._registry.get(self.place, service)
        (name,) = found.serving()
        self._recorder.request(Source(self.place, service, name, found.revisions[name].instance), seen, at)

    async def deploy(
        self,
        service: str,
        *,
        image: str,
        by: str,
        env: Mapping[str, str] | None = None,
        port: int | None = None,
        labels: Mapping[str, str] | None = None,
        traffic: str = "latest",
        suffix: str | None = None,
        number: int | None = None,
        wait: bool = False,
    ) -> str:
        """What `gcloud run deploy` does.

        Args:
            service: created when it does not exist.
            image: reference; `images` says what it does.
            by: who deploys.
            env: added to the variables of the revision before.
            port: the container port that Cloud Run expects; None = as before, 8080 at first.
            labels: user labels of service and revision.
            traffic: "latest" = send all traffic to the latest ready revision, "keep" = as it is (gcloud's default:
                a pinned service stays pinned), "none" = `--no-traffic`, "tag:NAME" = only by that tag.
            suffix: end of the revision's name; None = chosen by chance.
            number: of the revision; None = the next. With both None the platform names the revision.
            wait: return when the deploy has succeeded or failed, instead of when it is accepted.

        Returns:
            The new revision's name.
        """
        if traffic.startswith("tag:") and suffix is None and number is None:
            number = self._registry.next_number(self.place, service)  # a tag needs a name to point at
        revision, operation = await self._deployer.deploy(
            service,
            image=image,
            by=by,
            env=env or {},
            port=port,
            labels=labels or {},
            traffic=traffic,
            suffix=suffix,
            number=number,
        )
        if wait:
            await operation.ended.wait()
        return revision

    async def set_traffic(self, service: str, split: Mapping[str, int], *, by: str, wait: bool = False) -> None:
        """What `gcloud run services update-traffic --to-revisions` does; `{"LATEST": 100}` is `--to-latest`."""
        operation = await self._deployer.traffic(service, split, by)
        if wait:
            await operation.ended.wait()

    def fail(
        self,
        api: str,
        code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE,
        *,
        times: int | None = None,
        until: datetime | None = None,
        after_effect: bool = False,
    ) -> None:
        """From now on, gRPC calls whose full method name contains `api` fail.

        Args:
            api: "run", "logging", "UpdateService", "ListLogEntries" …; case ignored.
            code: what the caller gets.
            times: so many calls; None = no limit.
            until: before this moment; None = until `heal`.
            after_effect: the change is made and only the answer is lost.
        """
        self._faults.add(Fault(api, code, times, until, after_effect))

    def heal(self) -> None:
        """All calls work again."""
        self._faults.heal()
