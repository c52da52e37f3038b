"""What entries suffer on their way: a bad revision, or nothing, half of the time each."""

from __future__ import annotations

from bot.model.attribution import Cause
from tests.evaluation import tracebacks
from tests.evaluation.faults import Fault
from tests.evaluation.scenarios.deploys import bad_canary, bad_revision
from tests.evaluation.stage import Stage, Truth, steady


def duplicates(stage: Stage) -> Truth:
    """Entries are delivered again and again; half of the time nothing is wrong."""
    rng = stage.rng
    stage.retell(twice=rng.uniform(0.3, 0.7))
    if rng.random() < 0.5:
        return bad_revision(stage) if rng.random() < 0.5 else bad_canary(stage)
    stage.history()
    stage.deploy(stage.pick(least=0.3), stage.t0, rng.choice((100, 50, 10)))
    return Truth(Cause.NONE)


def late_and_skewed(stage: Stage) -> Truth:
    """Entries come minutes late and by clocks seconds apart; the deploy is guilty, or it ends what was wrong before."""
    rng = stage.rng
    stage.retell(late=rng.uniform(0.1, 0.4), late_s=rng.uniform(60, 150), delay_s=rng.uniform(2, 6))
    for service in stage.fleet.services.values():
        service.skew_s = rng.uniform(-5, 5)
    if rng.random() < 0.5:
        return bad_revision(stage)
    name = stage.pick(least=0.3)
    stage.history(apart=(name,))
    old = stage.world.revision(name, stage.t0)
    wrong = tracebacks.exception(rng, stage.fleet.services[name].language)
    ratio = rng.uniform(0.1, 0.6)  # from the very beginning, until the deploy cures it
    stage.world.fail(Fault(name, steady(stage.start, ratio), wrong, old, main=False))
    stage.deploy(name, stage.t0)
    return Truth(Cause.NONE)
