"""A fleet drawn from a seed: services, who calls whom, what they share, how they log.

Rates are requests per second; probabilities are per request. Nothing here knows what will go wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

from . import tracebacks, words
from .words import Wording

NAMES = (
    "gateway", "checkout", "auth", "cart", "pricing", "inventory", "search", "payments", "profile", "shipping", "reviews",
    "mailer", "ledger", "recommend", "media", "admin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something that several services use and nobody here deploys. `kind`: postgres, redis or api."""

    name: str
    kind: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Use:
    """A request of a service uses `dependency` with probability `chance`; `tolerant` callers log its failure and answer 200."""

    dependency: str
    chance: float
    tolerant: bool
    wording: Wording


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a service calls `callee` with probability `chance`; a failure of it fails the caller with `passes_on`."""

    callee: str
    chance: float
    passes_on: float
    failed: Wording
    garbled: Wording


@dataclass(slots=True)
class Service:
    """A service and its own normal.

    Attributes:
        external: mean requests per second from outside; total: with those of its callers.
        latency_s: median of its own work. background: errors of every day, chance per request.
        burst_every_s: 0, or the background comes in bursts of `burst_s` seconds, `burst_factor` times as dense.
        structured: severities are set by its logger; False is plain stderr, where they are absent.
        split: tracebacks reach the log line by line. skew_s: its clock against everybody's.
        cold: chance of a cold-start error per request right after a deploy of this service.
    """

    name: str
    language: str
    external: float
    latency_s: float
    background: float
    client_errors: float
    burst_every_s: float
    burst_s: float
    burst_factor: float
    burst_phase: float
    structured: bool
    split: bool
    skew_s: float
    cold: float
    chatty: float
    first_revision: int
    errors: tuple[Wording, ...]
    chatter: tuple[Wording, ...]
    cold_wording: Wording
    uses: list[Use] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    total: float = 0.0

    def usual(self) -> float:
        """The mean chance of an everyday error, spells included."""
        if not self.burst_every_s:
            return self.background
        return self.background * (1 + (self.burst_factor - 1) * self.burst_s / self.burst_every_s)

    def background_at(self, t: float) -> float:
        """Chance of an everyday error at `t`."""
        if not self.burst_every_s:
            return self.background
        inside = (t + self.burst_phase) % self.burst_every_s < self.burst_s
        return min(0.6, self.background * self.burst_factor) if inside else self.background


@dataclass(frozen=True, slots=True)
class Dialect:
    """How this project logs and how its entries travel; one per episode.

    Attributes:
        requests: request log entries for "all" requests, for "errors" only, or for "none".
        merged: the application's line carries the status, there is no second entry for the same failure.
        request_text: request log entries repeat method, path and status as text; otherwise their message is absent.
        traces, counts: application lines carry trace ids; Cloud Monitoring's counts arrive.
        lines: log entries per failure, at least 1. delay_s: mean of arrival minus source time.
        late, late_s: share of entries that come up to `late_s` seconds late. twice: chance that an entry is delivered again.
    """

    requests: str
    merged: bool
    request_text: bool
    traces: bool
    counts: bool
    lines: int
    delay_s: float
    late: float
    late_s: float
    twice: float
    tail: float
    swing: float
    period_s: float
    phase: float


@dataclass(slots=True)
class Fleet:
    """The services by name in the order of calls (callers first), their dependencies and the dialect."""

    services: dict[str, Service]
    dependencies: dict[str, Dependency]
    dialect: Dialect

    def users(self, dependency: str, *, least: float = 0.0) -> list[str]:
        """Services that fail without it, with at least `least` requests per second that need it."""
        return [
            service.name
            for service in self.services.values()
            for use in service.uses
            if use.dependency == dependency and not use.tolerant and service.total * use.chance >= least
        ]

    def callers(self, callee: str) -> list[str]:
        """Services that call it."""
        return [
            service.name for service in self.services.values() if any(call.callee == callee for call in service.calls)
        ]

    def settle(self) -> None:
        """Add up what callers bring, callers first."""
        for service in self.services.values():
            service.total = service.external
        for service in self.services.values():
            for call in service.calls:
                self.services[call.callee].total += service.total * call.chance


def log_uniform(rng: Random, low: float, high: float) -> float:
    """Each order of magnitude as likely as the next."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def draw_fleet(rng: Random, *, visits_per_s: float) -> Fleet:
    """3–12 services whose requests, those between services included, add up to at most `visits_per_s`."""
    names = rng.sample(NAMES, rng.randint(3, 12))
    language = rng.choice(words.LANGUAGES) if rng.random() < 0.4 else ""  # some houses speak one language
    dependencies = _draw_dependencies(rng)
    services = {name: _draw_service(rng, name, language or rng.choice(words.LANGUAGES)) for name in names}
    for position, service in enumerate(services.values()):
        _connect(rng, service, names[position + 1 :], dependencies)
        if position == 0 or rng.random() < 0.4:
            service.external = log_uniform(rng, 0.03, 4)
    fleet = Fleet(services, dependencies, _draw_dialect(rng))
    fleet.settle()
    for service in services.values():  # nobody is called by no one
        if service.total < 0.02:
            service.external += log_uniform(rng, 0.02, 1)
    fleet.settle()
    total = sum(service.total for service in services.values())
    if total > visits_per_s:
        for service in services.values():
            service.external *= visits_per_s / total
        fleet.settle()
    return fleet


def _draw_dependencies(rng: Random) -> dict[str, Dependency]:
    net = f"10.{rng.randint(1, 60)}.{rng.randint(0, 20)}"
    every = [
        Dependency("postgres", "postgres", rng.choice((f"{net}.5", "db-main.internal.example")), 5432),
        Dependency("redis", "redis", rng.choice((f"{net}.9", "redis.internal.example")), 6379),
        Dependency("payment-api", "api", "api.pay.example", 443),
        Dependency("mail-api", "api", "smtp-relay.example", 443),
    ]
    return {one.name: one for one in rng.sample(every, rng.randint(2, 4))}


def _draw_service(rng: Random, name: str, language: str) -> Service:
    bursty = rng.random() < 0.25
    structured = rng.random() < 0.65
    errors = [
        tracebacks.exception(rng, language) if rng.random() < 0.5 else words.complaint(rng)
        for _ in range(rng.randint(2, 4))
    ]
    return Service(
        name=name,
        language=language,
        external=0.0,
        latency_s=log_uniform(rng, 0.02, 0.8),
        background=log_uniform(rng, 0.0005, 0.012),
        client_errors=log_uniform(rng, 0.002, 0.05),
        burst_every_s=rng.uniform(120, 220) if bursty else 0.0,
        burst_s=rng.uniform(10, 40),
        burst_factor=rng.uniform(5, 20),
        burst_phase=rng.uniform(0, 200),
        structured=structured,
        split=not structured and language in {"python", "java", "go"} and rng.random() < 0.4,
        skew_s=rng.gauss(0, 0.3),
        cold=log_uniform(rng, 0.05, 0.4) if rng.random() < 0.25 else 0.0,
        chatty=rng.choice((0.0, 0.1, 0.3)),
        first_revision=rng.randint(3, 180),
        errors=tuple(errors),
        chatter=tuple(words.chatter(rng) for _ in range(3)),
        cold_wording=rng.choice(words.COLD),
    )


def _connect(rng: Random, service: Service, later: list[str], dependencies: dict[str, Dependency]) -> None:
    for callee in rng.sample(later, min(len(later), rng.choice((0, 1, 1, 2, 3)))):
        chance = rng.uniform(0.15, 1.0)
        passes_on = 1.0 if rng.random() < 0.7 else rng.uniform(0.0, 0.6)
        service.calls.append(
            Call(callee, chance, passes_on, words.upstream_failed(rng, callee), words.garbled(rng, callee))
        )
    for dependency in dependencies.values():
        if rng.random() < 0.45:
            wording = words.unreachable(rng, dependency.kind, dependency.host, dependency.port, service.language)
            tolerant = dependency.kind == "redis" and rng.random() < 0.4
            service.uses.append(Use(dependency.name, rng.uniform(0.3, 1.0), tolerant, wording))


def _draw_dialect(rng: Random) -> Dialect:
    return Dialect(
        requests=rng.choices(("all", "errors", "none"), (45, 35, 20))[0],
        merged=rng.random() < 0.25,
        request_text=rng.random() < 0.5,
        traces=rng.random() < 0.6,
        counts=rng.random() < 0.85,
        lines=rng.choice((1, 1, 2, 3)),
        delay_s=rng.uniform(0.3, 4),
        late=rng.choice((0.0, 0.01, 0.05)),
        late_s=rng.uniform(20, 120),
        twice=rng.choice((0.0, 0.0, 0.01, 0.05)),
        tail=log_uniform(rng, 0.0001, 0.002),
        swing=rng.uniform(0, 0.5),
        period_s=rng.uniform(1800, 7200),
        phase=rng.uniform(0, 6.28),
    )
