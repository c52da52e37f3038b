"""What a scenario is written with: a fleet, a main moment `t0`, deploys, faults; and the episode that comes out.

A scenario is `Callable[[Stage], Truth]`: it arranges what happens and says what is true. `play` draws again (with the
next sub-seed) when chance left the cause invisible, fewer than `Truth.least` of its entries: no one could tell then.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from bot.correlate.attribution.signals import Deploy, Signal
from bot.model.attribution import Cause

from . import tracebacks, words
from .faults import Fault, Outage
from .fleet import Fleet, Service, draw_fleet, log_uniform
from .words import TIMED_OUT, Wording
from .world import World

Chance = Callable[[float], float]
SETTLED_S = 240.0  # entries of the cause that count as visible came at least this long before the end
FEW = 3
BUDGET = 9_000  # visits of services per episode, about; each is some signals


@dataclass(frozen=True, slots=True)
class Truth:
    """What an episode is about. `service`, `revision`: of the guilty revision, "" for any other cause.

    `least`: entries of the cause that must be visible; `spread`: services that an outage strikes at least three times,
    their echoes in callers not counted. Fewer, and the episode is drawn again.
    """

    cause: Cause
    service: str = ""
    revision: str = ""
    least: int = 6
    spread: int = 0


@dataclass(frozen=True, slots=True)
class Episode:
    """Signals in the order of arrival, and the truth about them.

    Attributes:
        onset_s: true time of the first error of the cause, 0.0 where the cause is `none`.
        innocent: every (service, revision) deployed in the episode that is not guilty.
        draws: how many times it was drawn until its cause was visible.
    """

    scenario: str
    seed: int
    signals: list[Signal]
    truth: Truth
    onset_s: float
    innocent: frozenset[tuple[str, str]]
    start_s: float
    end_s: float
    draws: int


class Stage:
    """One draw of an episode: `t0` is when its main event happens, `end` when it is over."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.start = float(1_760_000_000 + rng.randint(0, 10_000) * 60)
        self.t0 = self.start + rng.uniform(600, 1200)
        self.end = self.t0 + rng.uniform(720, 1080)
        self.fleet: Fleet = draw_fleet(rng, visits_per_s=BUDGET / (self.end - self.start))
        self.world = World(rng, self.fleet, self.start, self.end)
        self._serial: dict[str, int] = {}
        for service in self.fleet.services.values():
            self._serial[service.name] = service.first_revision
            now = self._next_name(service.name)
            self.world.splits[service.name] = [(self.start - 86_400, now, now, 1.0)]

    # who

    def names(self) -> list[str]:
        """All services, callers first."""
        return list(self.fleet.services)

    def pick(
        self, *, least: float = 0.0, apart: tuple[str, ...] = (), where: Callable[[Service], bool] | None = None
    ) -> str:
        """A service; one with `least` requests per second if there is, else one that gets so many from now on."""
        fit = [s for s in self.fleet.services.values() if s.name not in apart and (where is None or where(s))]
        if not fit:
            raise Unfit
        busy = [service for service in fit if service.total >= least]
        service = self.rng.choice(busy or fit)
        if service.total < least:
            service.external += least - service.total
            self.fleet.settle()
        return service.name

    def total(self, service: str) -> float:
        """Mean requests per second of `service`."""
        return self.fleet.services[service].total

    def retell(self, **changes: Any) -> None:
        """Change the dialect where the phenomenon asks for it."""
        self.fleet.dialect = replace(self.fleet.dialect, **changes)

    # deploys

    def _next_name(self, service: str) -> str:
        self._serial[service] += 1
        suffix = "".join(self.rng.choice("bcdfghjkmnpqrstvwxz") for _ in range(3))
        return f"{service}-{self._serial[service]:05d}-{suffix}"

    def deploy(self, service: str, at: float, percent: float = 100.0, *, serves: bool = True, cold: bool = True) -> str:
        """A new revision takes `percent` from the one that serves; services with cold starts have them. Its name."""
        revision = self._next_name(service)
        self.world.deploy(service, revision, at, percent, serves=serves)
        if cold and serves:
            self._cold_start(service, revision, at)
        return revision

    def _cold_start(self, service: str, revision: str, at: float) -> None:
        owner = self.fleet.services[service]
        if not owner.cold:
            return
        lasts = self.rng.uniform(6, 40)
        chance = owner.cold * self.rng.uniform(0.7, 1.3)

        def cold(t: float) -> float:
            return chance * math.exp(-2 * (t - at) / lasts) if at <= t < at + lasts else 0.0

        self.world.fail(Fault(service, cold, owner.cold_wording, revision, 503, wait_s=(0, 3), main=False))

    def history(self, *, quiet_s: float = 200.0, chance: float = 0.4, apart: tuple[str, ...] = ()) -> None:
        """Innocent deploys before `t0`, none in the last `quiet_s` seconds."""
        for service in self.names():
            latest = self.t0 - quiet_s
            if service not in apart and latest > self.start + 90 and self.rng.random() < chance:
                self.deploy(service, self.rng.uniform(self.start + 60, latest), self.rng.choice((100, 100, 50)))

    def decoy(self, *, near_s: float = 150.0, apart: tuple[str, ...] = (), chance: float = 1.0) -> None:
        """Perhaps an innocent deploy of another service close to `t0`."""
        others = [name for name in self.names() if name not in apart]
        if others and self.rng.random() < chance:
            self.deploy(
                self.rng.choice(others), self.t0 + self.rng.uniform(-near_s, near_s), self.rng.choice((100, 25))
            )

    # faults

    def ratio(
        self, service: str, share: float, *, low: float = 0.03, high: float = 1.0, per_minute: float = 1.0
    ) -> float:
        """An error ratio that, with this share of the traffic, makes at least `per_minute` errors a minute, if it can.

        It is also at least five times the service's everyday errors: with six errors less is no rise that could be told from chance.
        """
        rate = self.total(service) * share * 60
        floor = max(low, min(high, per_minute / max(rate, 1e-9)), 5 * self.fleet.services[service].usual())
        return log_uniform(self.rng, floor, max(high, floor)) if floor < high else high

    def bug(self, service: str, revision: str, chance: Chance) -> None:
        """The revision is wrong from now on, in one of the ways code is wrong."""
        rng, owner, dialect = self.rng, self.fleet.services[service], self.fleet.dialect
        kinds = ["exception"] * 9 + ["complaint"] * 4 + ["grown", "crash", "logged only"]
        if dialect.requests != "none":
            kinds += ["time-out", "silent"]
        kinds += ["wrong address"] if self._shared(service) else []
        fault = Fault(
            service, chance, tracebacks.exception(rng, owner.language), revision, rng.choice((500, 500, 500, 503))
        )
        match rng.choice(kinds):
            case "complaint":
                fault = replace(fault, wording=words.complaint(rng))
            case "grown":
                fault = replace(fault, wording=rng.choice(owner.errors))
            case "crash":
                fault = replace(fault, wording=words.CRASHED[2], also=(rng.choice(words.CRASHED[:2]),), status=503)
            case "logged only":
                fault = replace(fault, status=200)
            case "time-out":
                fault = replace(fault, wording=TIMED_OUT, status=504, wait_s=(10, rng.choice((10, 30, 60))))
            case "silent":
                fault = replace(fault, wording=None)
            case "wrong address":  # its own mistake, though it sounds like the dependency's
                fault = replace(fault, wording=rng.choice(self._shared(service)))
            case _:
                pass
        self.world.fail(fault)

    def _shared(self, service: str) -> list[Wording]:
        """Complaints about dependencies that another service uses, too, often enough to show that they are well."""
        return [
            use.wording
            for use in self.fleet.services[service].uses
            if not use.tolerant and set(self.fleet.users(use.dependency, least=0.2)) - {service}
        ]

    def outage(self, start: float, *, users: int = 1, user: str = "") -> str:
        """A dependency fails for everybody from `start`; one with at least `users` services that show it. Its name.

        Raises:
            Unfit: no dependency has so many users (with `user` among them).
        """
        rng = self.rng
        fit = []
        for name in self.fleet.dependencies:
            seen = self.fleet.users(name, least=0.05)
            if len(seen) >= users and (not user or user in seen):
                fit.append(name)
        if not fit:
            raise Unfit
        name = rng.choice(fit)
        slow = rng.choice(((0.0, 0.2), (1.0, 5.0), (5.0, 30.0)))
        share = log_uniform(rng, 0.2, 1.0)
        lasts = log_uniform(rng, 90, self.end - start + 90)
        self.world.outages.setdefault(name, []).append(Outage(name, start, start + lasts, share, slow))
        return name


class Unfit(Exception):
    """This fleet cannot show the scenario; another one is drawn."""


Scenario = Callable[[Stage], Truth]


def steady(since: float, ratio: float) -> Chance:
    """The same chance from `since` on."""
    return lambda t: ratio if t >= since else 0.0


def play(name: str, scenario: Scenario, seed: int) -> Episode:
    """The episode of `seed`: the same for the same arguments, on every machine.

    Raises:
        RuntimeError: forty draws in a row did not show the cause; the scenario asks for too much.
    """
    for draw in range(40):
        stage = Stage(Random(f"{name}/{seed}/{draw}"))
        try:
            truth = scenario(stage)
        except Unfit:
            continue
        signals = stage.world.play()
        visible = [one for one in stage.world.main if one[1] <= stage.end - SETTLED_S]
        enough = truth.least * (stage.fleet.dialect.lines + 1) / 2
        if truth.cause is not Cause.NONE and (
            len(visible) < enough or len([n for n in stage.world.struck.values() if n >= FEW]) < truth.spread
        ):
            continue
        guilty = (truth.service, truth.revision)
        deployed = {(one.service, one.revision) for one in signals if isinstance(one, Deploy)}
        onset = stage.world.main[0][0] if stage.world.main else 0.0
        return Episode(
            name, seed, signals, truth, onset, frozenset(deployed - {guilty}), stage.start, stage.end, draw + 1
        )
    raise RuntimeError(f"{name}: seed {seed} shows no cause in forty draws")
