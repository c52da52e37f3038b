"""Small hand-made episodes: a service that serves, fails and is deployed, told signal by signal."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.correlate.attribution import Attributor, Config, Deploy, Log, Requests, Signal
from bot.model.attribution import Attribution, Cause

BUG = "KeyError: 'currency' in charge_order"
REFUSED = "could not connect to the database at 10.1.2.3:5432: Connection refused"


@dataclass
class Story:
    """Signals by time of arrival; seconds from 0, where ten minutes of calm lie before 600."""

    signals: list[Signal] = field(default_factory=list)

    def serve(
        self, service: str, revision: str, start: float, end: float, *, every: float = 1.0, fails: float = 0.0,
        message: str = BUG, severity: str = "ERROR", traced: bool = False, status: int = 500,
    ) -> Story:  # fmt: skip
        """One request `every` seconds, of which the share `fails`, evenly, logs `message`."""
        debt, at = 0.0, start
        while at < end:
            debt += fails
            failed, debt = debt >= 1.0, debt - (debt >= 1.0)
            name = f"{service}-{revision}-{at:.2f}"
            self.say(
                at, service, revision, message if failed else "GET /", severity if failed else "INFO",
                trace=f"t{at:.2f}" if traced else None, insert_id=name, status=status if failed else 200,
            )  # fmt: skip
            at += every
        return self

    def say(
        self, at: float, service: str, revision: str, message: str, severity: str | None = "ERROR", **more: object
    ) -> Story:
        late = more.pop("late", 1.0)
        assert isinstance(late, float)
        self.signals.append(Log(at, at + late, service, revision, severity, message, **more))  # type: ignore[arg-type]
        return self

    def deploy(self, at: float, service: str, revision: str, prev: str, traffic: float = 100.0) -> Story:
        self.signals.append(Deploy(at, at + 2, service, revision, prev, traffic))
        return self

    def config(self, at: float, service: str, name: str) -> Story:
        self.signals.append(Config(at, at + 2, service, name))
        return self

    def count(self, at: float, service: str, revision: str, response_class: str, count: int) -> Story:
        self.signals.append(Requests(at, at + 60, service, revision, response_class, count))
        return self

    def ordered(self) -> list[Signal]:
        return sorted(self.signals, key=lambda signal: signal.rt)

    def told(self, until: float = 1_200.0) -> list[tuple[float, Attribution]]:
        """What is said, and when; `none` left out."""
        engine, said, tick = Attributor(), [], 10.0
        for signal in [*self.ordered(), None]:
            while tick <= until and (signal is None or signal.rt > tick):
                said += [(tick, one) for one in engine.tick(tick) if one.cause is not Cause.NONE]
                tick += 10.0
            if signal is not None and signal.rt <= until:
                engine.feed(signal)
        return said

    def causes(self, until: float = 1_200.0) -> list[tuple[Cause, str, str]]:
        return [(one.cause, one.service, one.revision) for _, one in self.told(until)]


def calm(*services: str, until: float = 600.0) -> Story:
    """Ten minutes in which every service serves one request a second and fails one in 200."""
    story = Story()
    for service in services:
        story.serve(service, f"{service}-1", 0, until, fails=0.005, message="failed to load avatar")
    return story
