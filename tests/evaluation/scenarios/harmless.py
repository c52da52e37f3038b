"""It looks like a rise after a deploy, and is none."""

from __future__ import annotations

from bot.model.attribution import Cause
from tests.evaluation import tracebacks, words
from tests.evaluation.fleet import log_uniform
from tests.evaluation.stage import Stage, Truth


def flapping_background(stage: Stage) -> Truth:
    """A service has had spells of errors all along; somebody deploys it, and the spells go on."""
    rng = stage.rng
    service = stage.fleet.services[stage.pick(least=0.3)]
    service.background = log_uniform(rng, 0.002, 0.01)
    service.burst_every_s, service.burst_s = rng.uniform(100, 200), rng.uniform(20, 50)
    service.burst_factor = rng.uniform(20, 60)
    stage.history(apart=(service.name,))
    stage.deploy(service.name, stage.t0, rng.choice((100, 100, 30)))
    return Truth(Cause.NONE)


def reworded(stage: Stage) -> Truth:
    """The deploy says the same everyday errors in other words, as often as before."""
    rng = stage.rng
    service = stage.fleet.services[stage.pick(least=0.4)]
    service.background, service.burst_every_s = log_uniform(rng, 0.02, 0.15), 0.0
    stage.history(apart=(service.name,))
    revision = stage.deploy(service.name, stage.t0, rng.choice((100, 100, 50)))
    stage.world.rewordings[revision] = tuple(
        words.complaint(rng) if rng.random() < 0.5 else tracebacks.exception(rng, service.language)
        for _ in service.errors
    )
    return Truth(Cause.NONE)


def raised_log_level(stage: Stage) -> Truth:
    """What was a warning is logged as an error from this revision on; nothing fails that did not fail before."""
    rng = stage.rng
    service = stage.fleet.services[stage.pick(least=0.4)]
    service.structured, service.split, service.chatty = True, False, rng.uniform(0.1, 0.5)
    service.chatter = (*service.chatter, words.complaint(rng, "WARNING"), words.complaint(rng, "WARNING"))
    stage.history(apart=(service.name,))
    revision = stage.deploy(service.name, stage.t0, rng.choice((100, 100, 50)))
    stage.world.louder[revision] = rng.choice(("ERROR", "ERROR", "CRITICAL"))
    return Truth(Cause.NONE)


def cold_starts(stage: Stage) -> Truth:
    """Every deploy of this service brings some seconds of cold-start errors, and so does this one."""
    rng = stage.rng
    service = stage.fleet.services[stage.pick(least=0.4)]
    service.cold = log_uniform(rng, 0.1, 0.7)
    for _ in range(rng.randint(1, 3)):
        stage.deploy(service.name, rng.uniform(stage.start + 60, stage.t0 - 150))
    stage.history(apart=(service.name,), chance=0.3)
    stage.deploy(service.name, stage.t0, rng.choice((100, 100, 50)))
    return Truth(Cause.NONE)


def quiet_deploys(stage: Stage) -> Truth:
    """Deploys, canaries that grow, the errors of every day: nothing."""
    rng = stage.rng
    stage.history(chance=0.6)
    for _ in range(rng.randint(1, 3)):
        stage.decoy(near_s=300)
    return Truth(Cause.NONE)
