"""What the team wrote in reliability.yaml: services, journeys, money, people. Read by `bot.catalog`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from bot.model.runner import RerunPolicy, SuiteRunner


class Severity(StrEnum):
    """How loud: P0 wakes people, P3 can wait for the next working day."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class RollbackPolicy(StrEnum):
    """How many different people must approve before traffic moves."""

    ONE_APPROVER = "one-approver"
    TWO_APPROVERS = "two-approvers"
    NEVER = "never"  # the bot proposes nothing for this deployment

    @property
    def approvals_needed(self) -> int:
        """Number of different approvers; 0 means that no approval can ever suffice."""
        return {self.ONE_APPROVER: 1, self.TWO_APPROVERS: 2, self.NEVER: 0}[self]


@dataclass(frozen=True)
class Arr:
    """Annual recurring revenue: amount > 0 in currency (ISO 4217), as known on the day `as_of`."""

    amount: float
    currency: str
    as_of: date


@dataclass(frozen=True)
class Journey:
    """A critical user journey: what a user must be able to do.

    Attributes:
        needs: keys of the services without which the journey is blocked.
        arr_share: part of the ARR that hangs on it, 0–1; None: nobody has said, impact is "unknown".
        objective: good fraction promised, 0–1.
    """

    title: str
    needs: tuple[str, ...]
    arr_share: float | None = None
    objective: float | None = None


@dataclass(frozen=True)
class RollbackRule:
    """Who may approve a rollback: Slack user (U…, W…) or user-group (S…) ids; none listed = nobody."""

    policy: RollbackPolicy = RollbackPolicy.ONE_APPROVER
    approvers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detection:
    """When serving counts as failing: at least `failures` 5xx and `ratio` of the requests within `window`.

    Attributes:
        failures: ≥ 1. ratio: 0–1. window: 10 s – 1 h.
        min_requests: with fewer requests in the window, no failure seen is *inconclusive*, not healthy.
    """

    failures: int = 5
    ratio: float = 0.05
    window: timedelta = timedelta(seconds=60)
    min_requests: int = 20


@dataclass(frozen=True)
class Deployment:
    """One Cloud Run service: a service of the catalog in one environment."""

    project: str
    region: str
    cloud_run: str
    rollback: RollbackRule = field(default_factory=RollbackRule)


@dataclass(frozen=True)
class Service:
    """A service as the team thinks of it.

    Attributes:
        tier: 1 (most important) – 4.
        channel: Slack channel id for its cards.
        health: path that answers 2xx when the service is well, None: not checked after a rollback.
        owners: Slack user or user-group ids. depends_on: service keys or names such as "postgres".
        deployments: by environment name ("staging", "production").
        repository: "https://github.com/acme/auth", for links to commits.
    """

    tier: int
    channel: str
    deployments: Mapping[str, Deployment]
    health: str | None = None
    owners: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    requires_env: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    repository: str | None = None
    detection: Detection | None = None


@dataclass(frozen=True)
class SeverityCondition:
    """All that is given must match; nothing given matches everything."""

    kind: str | None = None
    tier: int | None = None
    environment: str | None = None
    service: str | None = None
    guards_journey: bool | None = None


@dataclass(frozen=True)
class SeverityRule:
    """First match wins."""

    then: Severity
    when: SeverityCondition = field(default_factory=SeverityCondition)


@dataclass(frozen=True)
class Business:
    """What the business stands to lose and how long it may take to restore."""

    arr: Arr | None = None
    restore_within: timedelta = timedelta(hours=4)


@dataclass(frozen=True)
class Quarantine:
    """A test that never pages until the end of the day `until` (UTC). `test`: node id as the reports name it."""

    test: str
    until: date
    owner: str
    why: str


@dataclass(frozen=True)
class Suite:
    """A collection of tests: the journeys it guards, its targets (0–1) and warning budgets (counts).

    Attributes:
        runner: None: it can be watched, not run again.
        channel: Slack channel id; None: that of the first service that lists the suite.
        auto_rerun: a failed collection is tried again once, without anybody asking.
    """

    guards: tuple[str, ...] = ()
    targets: Mapping[str, float] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    runner: SuiteRunner | None = None
    channel: str | None = None
    quarantine: tuple[Quarantine, ...] = ()
    auto_rerun: bool = False
    rerun: RerunPolicy = field(default_factory=RerunPolicy)


@dataclass(frozen=True)
class Place:
    """One deployment with the service it belongs to: what is watched, judged and rolled back.

    `key` ("auth/staging") is its identity in the database and in logs.
    """

    service_key: str
    environment: str
    service: Service
    deployment: Deployment
    detection: Detection

    @property
    def key(self) -> str:
        return f"{self.service_key}/{self.environment}"

    @property
    def resource_name(self) -> str:
        """Full name in the Cloud Run Admin API v2."""
        d = self.deployment
        return f"projects/{d.project}/locations/{d.region}/services/{d.cloud_run}"


@dataclass(frozen=True)
class Catalog:
    """The whole of reliability.yaml. Lookups return None or () for what is not in it."""

    services: Mapping[str, Service]
    business: Business = field(default_factory=Business)
    journeys: Mapping[str, Journey] = field(default_factory=dict)
    severity: tuple[SeverityRule, ...] = ()
    suites: Mapping[str, Suite] = field(default_factory=dict)
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    detection: Detection = field(default_factory=Detection)

    @property
    def places(self) -> tuple[Place, ...]:
        """Every deployment, in the order of the file."""
        return tuple(
            Place(key, environment, service, deployment, service.detection or self.detection)
            for key, service in self.services.items()
            for environment, deployment in service.deployments.items()
        )

    def place(self, key: str) -> Place | None:
        """The place with this key, "auth/staging"."""
        return next((p for p in self.places if p.key == key), None)

    def find(self, project: str, region: str | None, cloud_run: str) -> Place | None:
        """The place of a Cloud Run service; region None matches any."""
        return next(
            (
                p
                for p in self.places
                if (p.deployment.project, p.deployment.cloud_run) == (project, cloud_run)
                and region in {None, p.deployment.region}
            ),
            None,
        )

    def journeys_of(self, service_key: str) -> tuple[tuple[str, Journey], ...]:
        """(key, journey) of the journeys that need this service."""
        return tuple((key, journey) for key, journey in self.journeys.items() if service_key in journey.needs)

    def services_with(self, suite: str) -> tuple[Service, ...]:
        """The services that list this suite, in the order of the file."""
        return tuple(service for service in self.services.values() if suite in service.suites)

    def channel_of(self, suite: str) -> str | None:
        """The suite's channel, else that of the first service that lists it; None: nobody has said where."""
        known = self.suites.get(suite)
        if known is not None and known.channel is not None:
            return known.channel
        return next((service.channel for service in self.services_with(suite)), None)
