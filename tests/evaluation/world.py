"""The physics: requests walk the call graph, meet faults, and leave log entries and counts behind.

A request that arrives at a service is answered by one of its revisions, by the traffic split of that second. It may meet a
`Fault` there; it uses dependencies, which may be out for everybody; it calls other services, whose failures come back to
it under the same trace; what is left is the service's everyday errors. A time-out takes its time before it is logged.
All times are true times in seconds; clock skew and delays are put on when an entry is written.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from bot.correlate.attribution.signals import Config, Deploy, Log, Requests, Signal

from .faults import Answer, Fault, Outage, Surge
from .fleet import Dialect, Fleet, Service
from .words import Wording

Plan = tuple[
    float, float, str, str, float, bool
]  # a deploy: t, how late it is told, service, revision, percent, serves


@dataclass(slots=True)
class World:
    """One episode while it is being made; `signals` is unsorted until `play`."""

    rng: Random
    fleet: Fleet
    start: float
    end: float
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    outages: dict[str, list[Outage]] = field(default_factory=dict)
    surges: list[Surge] = field(default_factory=list)
    splits: dict[str, list[tuple[float, str, str, float]]] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    rewordings: dict[str, tuple[Wording, ...]] = field(default_factory=dict)  # by revision
    louder: dict[str, str] = field(default_factory=dict)  # by revision: the severity its warnings get
    signals: list[Signal] = field(default_factory=list)
    main: list[tuple[float, float, str]] = field(default_factory=list)  # true time, arrival, service of each main entry
    struck: dict[str, int] = field(default_factory=dict)  # failures of an outage by the service that met it itself
    counts: Counter[tuple[str, str, str, int]] = field(default_factory=Counter)
    serial: int = 0

    # what scenarios say

    def revision(self, service: str, t: float) -> str:
        """The revision that most requests of `service` meet at `t`, by what was planned until now."""
        _, revision, previous, share = self._split(service, t)
        return revision if share >= 0.5 else previous

    def deploy(self, service: str, revision: str, t: float, percent: float, *, serves: bool = True) -> None:
        """Plan it: announced some seconds late, and (`serves`) with its share of the traffic from `t` on.

        May be called in any order of time: what it replaces is settled anew each time.
        """
        late = self.rng.uniform(5, 45) if self.rng.random() < 0.1 else self.rng.uniform(0.5, 6)
        self.plans.append((t, late, service, revision, percent, serves))
        self._settle(service)

    def _settle(self, service: str) -> None:
        self.plans.sort()
        self.splits[service] = self.splits[service][:1]
        for at, _, _, planned, percent, serves in [plan for plan in self.plans if plan[2] == service]:
            if serves and percent > 0:
                self.splits[service].append((at, planned, self.revision(service, at), percent / 100))

    def _promote(self) -> None:
        """A canary that is followed by another deploy of its service was given all traffic before that."""
        for earlier, later in self._pairs():
            (t, late, service, revision, percent, serves), until = earlier, later[0]
            if serves and percent < 100 and later[3] != revision:
                self.plans.append(((t + until) / 2, late, service, revision, 100.0, True))
        for service in self.splits:
            self._settle(service)

    def _pairs(self) -> list[tuple[Plan, Plan]]:
        by_service = sorted(self.plans, key=lambda plan: (plan[2], plan[0]))
        return [(one, two) for one, two in pairwise(by_service) if one[2] == two[2]]

    def _announce(self) -> None:
        for t, late, service, revision, percent, _ in self.plans:
            serving = self._split(service, t - 0.001)
            previous = serving[2] if serving[1] == revision else self.revision(service, t - 0.001)
            self.signals.append(Deploy(round(t, 3), round(t + late, 3), service, revision, previous, float(percent)))

    def config(self, service: str, name: str, t: float) -> None:
        """Announce a change of configuration; what it does is a `Fault` on every revision."""
        self.signals.append(Config(round(t, 3), round(t + self.rng.uniform(0.5, 8), 3), service, name))

    def fail(self, fault: Fault) -> None:
        """Let `fault` happen."""
        self.faults.setdefault(fault.service, []).append(fault)

    def say(
        self, t: float, service: str, revision: str, wording: Wording, *, main: bool, trace: str | None = None
    ) -> None:
        """Write one failure's application line, or lines."""
        owner = self.fleet.services[service]
        severity = wording.severity if owner.structured else None
        if revision in self.louder and wording.severity == "WARNING" and severity:
            severity = self.louder[revision]
        text = wording.render(self.rng)
        if owner.split and "\n" in text:
            for number, line in enumerate(text.split("\n")):
                self.write(t + number * 0.0002, service, revision, None, line, None, main=main)
            return
        self.write(t, service, revision, severity, text, trace, main=main)

    def write(
        self,
        t: float,
        service: str,
        revision: str,
        severity: str | None,
        message: str | None,
        trace: str | None,
        *,
        main: bool = False,
        status: int | None = None,
    ) -> None:
        """Write one entry and let it travel: skewed, late, perhaps twice."""
        rng, dialect = self.rng, self.fleet.dialect
        self.serial += 1
        arrival = t + 0.05 + rng.expovariate(1 / dialect.delay_s)
        if dialect.late and rng.random() < dialect.late:
            arrival += rng.uniform(5, dialect.late_s)
        source = round(t + self.fleet.services[service].skew_s, 3)
        entry = Log(
            source, round(arrival, 3), service, revision, severity, message, trace, f"{self.serial:08x}", status
        )
        self.signals.append(entry)
        if main:
            self.main.append((t, arrival, service))
        while dialect.twice and rng.random() < dialect.twice:
            arrival += rng.expovariate(1 / 20)
            self.signals.append(
                Log(source, round(arrival, 3), service, revision, severity, message, trace, entry.insert_id, status)
            )

    # what happens

    def play(self) -> list[Signal]:
        """Let all requests of the episode come in; the signals in the order of arrival, up to the end."""
        self._promote()
        self._announce()
        for service in self.fleet.services.values():
            for t in self._arrivals(service):
                trace = f"{self.rng.getrandbits(64):016x}" if self.fleet.dialect.traces else None
                self._visit(service, t, trace)
        self._tail()
        if self.fleet.dialect.counts:
            self._count()
        self.signals = [signal for signal in self.signals if signal.rt <= self.end]
        self.signals.sort(key=lambda signal: signal.rt)
        self.main = sorted(one for one in self.main if one[1] <= self.end)
        return self.signals

    def _arrivals(self, service: Service) -> list[float]:
        rng, dialect = self.rng, self.fleet.dialect
        if service.external <= 0:
            return []
        times: list[float] = []
        peak, t = service.external * (1 + dialect.swing), self.start
        while (t := t + rng.expovariate(peak)) < self.end:
            drift = 1 + dialect.swing * math.sin(6.2832 * (t - self.start) / dialect.period_s + dialect.phase)
            if rng.random() * (1 + dialect.swing) < drift:
                times.append(t)
        for surge in self.surges:
            t, extra = surge.start, service.external * (surge.factor - 1)
            while surge.service == service.name and (t := t + rng.expovariate(extra)) < min(surge.end, self.end):
                times.append(t)
        return times

    def _split(self, service: str, t: float) -> tuple[float, str, str, float]:
        found = self.splits[service][0]
        for split in self.splits[service]:
            if split[0] <= t:
                found = split
        return found

    def _visit(self, service: Service, t: float, trace: str | None) -> Answer:
        rng = self.rng
        _, revision, previous, share = self._split(service.name, t)
        if share < 1 and rng.random() >= share:
            revision = previous
        done = t + service.latency_s * (0.5 + rng.random())
        if service.chatty and rng.random() < service.chatty:
            self.say(t, service.name, revision, rng.choice(service.chatter), main=False, trace=trace)
        answer = self._meet_fault(service, revision, t, done, trace)
        if answer is None:
            answer = self._use(service, revision, t, done, trace) or self._call(service, revision, t, done, trace)
        if answer is None:
            answer = self._everyday(service, revision, t, done, trace)
        if not (answer.told and self.fleet.dialect.merged):
            self._request_log(service.name, revision, answer, trace)
        self.counts[service.name, revision, f"{answer.status // 100}xx", int((answer.done - self.start) // 60)] += 1
        return answer

    def _meet_fault(self, service: Service, revision: str, t: float, done: float, trace: str | None) -> Answer | None:
        for fault in self.faults.get(service.name, ()):
            if fault.revision not in {"", revision} or self.rng.random() >= fault.chance(t):
                continue
            done += self.rng.uniform(*fault.wait_s)
            if fault.wording is None:
                return Answer(fault.status, done, fault.main, fault.garbles)
            if fault.wording.platform and self.fleet.dialect.requests != "none":
                return Answer(fault.status, done, fault.main, text=fault.wording.render(self.rng))
            self._failure_lines(service, revision, done, fault.wording, fault.status, trace, main=fault.main)
            for further in fault.also:
                self.say(done + 0.01, service.name, revision, further, main=fault.main)
            return Answer(fault.status, done, fault.main, fault.garbles, told=fault.status >= 400)
        return None

    def _use(self, service: Service, revision: str, t: float, done: float, trace: str | None) -> Answer | None:
        for use in service.uses:
            for outage in self.outages.get(use.dependency, ()):
                if not (outage.start <= t < outage.end and self.rng.random() < use.chance * outage.share):
                    continue
                done += self.rng.uniform(*outage.wait_s)
                self.struck[service.name] = self.struck.get(service.name, 0) + 1
                if use.tolerant:
                    self.say(done, service.name, revision, Wording(use.wording.text, "WARNING"), main=True, trace=trace)
                    continue
                self._failure_lines(service, revision, done, use.wording, 500, trace, main=True)
                return Answer(500, done, main=True, told=True)
        return None

    def _call(self, service: Service, revision: str, t: float, done: float, trace: str | None) -> Answer | None:
        for call in service.calls:
            if self.rng.random() >= call.chance:
                continue
            answer = self._visit(self.fleet.services[call.callee], t + 0.005, trace)
            done = max(done, answer.done + 0.01)
            if answer.garbled or (answer.status >= 500 and self.rng.random() < call.passes_on):
                wording = call.garbled if answer.garbled else call.failed
                self._failure_lines(service, revision, done, wording, 502, trace, main=answer.main)
                return Answer(502, done, answer.main, told=True)
        return None

    def _everyday(self, service: Service, revision: str, t: float, done: float, trace: str | None) -> Answer:
        draw = self.rng.random()
        if draw < service.background_at(t):
            errors = self.rewordings.get(revision, service.errors)
            self._failure_lines(service, revision, done, self.rng.choice(errors), 500, trace, main=False)
            return Answer(500, done, main=False, told=True)
        return Answer(
            self.rng.choice((400, 401, 404, 404, 429)) if draw > 1 - service.client_errors else 200, done, main=False
        )

    def _failure_lines(
        self, service: Service, revision: str, t: float, wording: Wording, status: int, trace: str | None, *, main: bool
    ) -> None:
        dialect = self.fleet.dialect
        if dialect.merged and status >= 400:
            severity = wording.severity if service.structured else None
            self.write(t, service.name, revision, severity, wording.render(self.rng), trace, main=main, status=status)
        else:
            self.say(t, service.name, revision, wording, main=main, trace=trace)
        for number in range(dialect.lines - 1 if status >= 500 else 0):
            text = ("request {} failed, giving up", "error handler: responding to {} with an error page")[number % 2]
            self.say(
                t + 0.003, service.name, revision, Wording(text.format(f"r-{self.serial}")), main=main, trace=trace
            )

    def _request_log(self, service: str, revision: str, answer: Answer, trace: str | None) -> None:
        dialect: Dialect = self.fleet.dialect
        bad = answer.status >= 400
        if dialect.requests == "none" or (dialect.requests == "errors" and not bad):
            return
        severity = "ERROR" if answer.status >= 500 else "WARNING" if bad else "INFO"
        path = f"POST https://{service}-x7k2-ew.a.run.app/v1/items/{self.rng.randint(1, 9999)} {answer.status}"
        text = answer.text or (path if dialect.request_text else None)
        main = answer.main and bad
        self.write(answer.done, service, revision, severity, text, trace, main=main, status=answer.status)

    def _tail(self) -> None:
        """Errors that happen once and never again: every fleet has them, and each is a new fingerprint."""
        for service in self.fleet.services.values():
            t = self.start
            rate = max(service.total * self.fleet.dialect.tail, 1e-6)
            while (t := t + self.rng.expovariate(rate)) < self.end:
                kind = self.rng.choice(("lease", "feed", "sweep", "hook", "sync", "index"))
                text = f"{kind}{self.rng.choice('abcdefgh')} {self.rng.choice(('stalled', 'aborted', 'unparsable'))} at step <n>"
                self.say(t, service.name, self.revision(service.name, t), Wording(text), main=False)

    def _count(self) -> None:
        for (service, revision, kind, minute), count in sorted(self.counts.items()):
            until = self.start + 60 * (minute + 1)
            arrival = until + self.rng.uniform(30, 120)
            self.signals.append(Requests(until, round(arrival, 3), service, revision, kind, count, 60.0))
