"""A revision is to blame."""

from __future__ import annotations

from bot.model.attribution import Cause
from tests.evaluation import words
from tests.evaluation.faults import Fault
from tests.evaluation.fleet import log_uniform
from tests.evaluation.stage import Stage, Truth, steady
from tests.evaluation.words import Wording


def _guilty(service: str, revision: str, least: int = 6) -> Truth:
    return Truth(Cause.REVISION, service, revision, least)


def _onset(stage: Stage) -> float:
    """Seconds from a deploy until what is wrong with it begins to show: mostly at once."""
    return 0.0 if stage.rng.random() < 0.6 else log_uniform(stage.rng, 2, 120)


def bad_revision(stage: Stage) -> Truth:
    """All traffic moves to a revision that fails 3–100 % of its requests; sometimes somebody else deploys meanwhile."""
    service = stage.pick(least=0.1)
    stage.history(apart=(service,) if stage.rng.random() < 0.5 else ())
    stage.decoy(apart=(service,), chance=0.35)
    if stage.rng.random() < 0.1:
        stage.world.config(stage.pick(apart=(service,)), "feature-flags", stage.t0 - stage.rng.uniform(20, 200))
    revision = stage.deploy(service, stage.t0)
    stage.bug(service, revision, steady(stage.t0 + _onset(stage), stage.ratio(service, 1.0)))
    return _guilty(service, revision)


def bad_canary(stage: Stage) -> Truth:
    """1–50 % of the traffic moves to a bad revision; the old one goes on beside it."""
    service = stage.pick(least=0.8)
    stage.history()
    stage.decoy(apart=(service,), chance=0.3)
    percent = round(log_uniform(stage.rng, max(1.0, min(50.0, 150 / (stage.total(service) * 60))), 50))
    revision = stage.deploy(service, stage.t0, percent)
    since = stage.t0 + _onset(stage)
    ratio = stage.ratio(service, percent / 100)
    if stage.rng.random() < 0.06 and stage.fleet.dialect.requests == "all":
        wording = stage.rng.choice(
            (None, Wording("401 Unauthorized: signature of the token cannot be verified", "WARNING"))
        )
        stage.world.fail(Fault(service, steady(since, max(ratio, 0.5)), wording, revision, 401))
    else:
        stage.bug(service, revision, steady(since, ratio))
    return _guilty(service, revision)


def low_traffic(stage: Stage) -> Truth:
    """One to six requests a minute, most of which fail on the new revision."""
    rng = stage.rng
    for quiet in stage.fleet.services.values():
        quiet.external = min(quiet.external, rng.uniform(0.01, 0.06))
    stage.fleet.settle()
    service = stage.pick(least=rng.uniform(1.0, 6.0) / 60)
    stage.history(chance=0.2)
    revision = stage.deploy(service, stage.t0)
    stage.bug(service, revision, steady(stage.t0, stage.ratio(service, 1.0, low=0.3, per_minute=0.8)))
    return _guilty(service, revision, 5)


def simultaneous(stage: Stage) -> Truth:
    """Two to four services are deployed within a minute; one is guilty."""
    service = stage.pick(least=0.15)
    stage.history(chance=0.2)
    others = [name for name in stage.names() if name != service]
    for name in stage.rng.sample(others, min(len(others), stage.rng.randint(1, 3))):
        stage.deploy(name, stage.t0 + stage.rng.uniform(-45, 45), stage.rng.choice((100, 100, 30)))
    percent = stage.rng.choice((100, 100, 50))
    revision = stage.deploy(service, stage.t0, percent)
    stage.bug(service, revision, steady(stage.t0, stage.ratio(service, percent / 100, per_minute=1.5)))
    return _guilty(service, revision)


def guilty_callee(stage: Stage) -> Truth:
    """The new revision of a callee answers nonsense, or 500 without a line of its own: only its callers complain."""
    rng = stage.rng
    service = stage.pick(least=0.15, where=lambda s: bool(stage.fleet.callers(s.name)))
    callers = stage.fleet.callers(service)
    stage.history(chance=0.3)
    if (
        rng.random() < 0.4
    ):  # a deploy of a caller in the same second could be the one that reads wrong: not within half a minute
        name = rng.choice(callers if rng.random() < 0.5 else [name for name in stage.names() if name != service])
        stage.deploy(name, stage.t0 + rng.choice((rng.uniform(-240, -40), rng.uniform(30, 60))), rng.choice((100, 50)))
    revision = stage.deploy(service, stage.t0, rng.choice((100, 100, 50)))
    garbles = rng.random() < 0.6
    for caller in callers:  # somebody says who it was, or the trace leads there
        for number, call in enumerate(stage.fleet.services[caller].calls):
            if call.callee == service and service not in call.failed.text and not _traced(stage):
                named = Wording(f"call to {service} failed with status 500 after <ms> ms")
                changed = type(call)(service, call.chance, call.passes_on, named, call.garbled)
                stage.fleet.services[caller].calls[number] = changed
    chance = steady(stage.t0, stage.ratio(service, 0.5, low=0.08, per_minute=2))
    stage.world.fail(Fault(service, chance, None, revision, 200 if garbles else 500, garbles))
    return _guilty(service, revision)


def _traced(stage: Stage) -> bool:
    return stage.fleet.dialect.traces and stage.fleet.dialect.requests != "none"


def slow_leak(stage: Stage) -> Truth:
    """The revision runs out of something minutes after its deploy, slowly at first."""
    rng = stage.rng
    service = stage.pick(least=0.4)
    stage.history(chance=0.3)
    percent = rng.choice((100, 100, 50))
    revision = stage.deploy(service, stage.t0, percent)
    begins, ramp = stage.t0 + rng.uniform(120, 400), rng.uniform(60, 300)
    top = stage.ratio(service, percent / 100, low=0.2, per_minute=4)
    wording = rng.choice(words.LEAKS)

    def chance(t: float) -> float:
        return top * min(1.0, max(0.0, (t - begins) / ramp))

    also = (words.CRASHED[2],) if "emory" in wording.text else ()
    stage.world.fail(Fault(service, chance, wording, revision, 503, also=also))
    return _guilty(service, revision)


def flapping_revision(stage: Stage) -> Truth:
    """The bad revision fails in spells, with calm between them."""
    rng = stage.rng
    service = stage.pick(least=0.4)
    stage.history()
    percent = rng.choice((100, 50, 20))
    revision = stage.deploy(service, stage.t0, percent)
    on, off = rng.uniform(20, 60), rng.uniform(30, 120)
    ratio = stage.ratio(service, percent / 100, low=0.2, per_minute=6)
    stage.bug(service, revision, lambda t: ratio if t >= stage.t0 and (t - stage.t0) % (on + off) < on else 0.0)
    return _guilty(service, revision)


def startup_failure(stage: Stage) -> Truth:
    """The new revision does not start: some lines from the platform, and the old revision goes on serving."""
    rng = stage.rng
    service = stage.pick()
    stage.history()
    stage.decoy(apart=(service,), chance=0.3)
    revision = stage.deploy(service, stage.t0, rng.choice((100, 100, 20)), serves=False)
    boot = Wording(rng.choice(words.BOOT))
    t = stage.t0 + rng.uniform(-20, 5)  # the platform starts it before it says that it was deployed
    for _ in range(rng.randint(2, 6)):
        stage.world.say(t, service, revision, boot, main=True)
        stage.world.write(t + 0.2, service, revision, "WARNING", "Container called exit(1).", None, main=True)
        stage.world.write(t + 0.3, service, revision, "ERROR", rng.choice(words.STARTUP), None, main=True)
        t += rng.uniform(4, 25)
    return _guilty(service, revision, 2)


def cured_by_rollback(stage: Stage) -> Truth:
    """A bad revision, and some minutes later the rollback that ends it: the old revision is not to blame."""
    rng = stage.rng
    service = stage.pick(least=0.4)
    stage.history(apart=(service,), chance=0.3)
    before = stage.world.revision(service, stage.t0)
    revision = stage.deploy(service, stage.t0)
    stage.bug(service, revision, steady(stage.t0, stage.ratio(service, 1.0, low=0.1, per_minute=5)))
    stage.world.deploy(service, before, stage.t0 + rng.uniform(180, 420), 100)
    return _guilty(service, revision)
