"""Something rose, and no revision is to blame, though one may have been deployed near."""

from __future__ import annotations

from bot.model.attribution import Cause
from tests.evaluation import tracebacks, words
from tests.evaluation.faults import Fault, Surge
from tests.evaluation.fleet import log_uniform
from tests.evaluation.stage import Stage, Truth, Unfit, steady
from tests.evaluation.words import Wording


def outage_after_deploy(stage: Stage) -> Truth:
    """A dependency goes down seconds to minutes after an innocent deploy, for old and new revisions and everybody."""
    rng = stage.rng
    stage.history()
    onset = stage.t0 + log_uniform(rng, 8, 300)
    name = stage.outage(onset, users=2)
    users = stage.fleet.users(name, least=0.05)
    service = rng.choice(users) if rng.random() < 0.8 else rng.choice(stage.names())
    stage.deploy(service, stage.t0, rng.choice((100, 100, 50, 10)))
    if rng.random() < 0.3:
        stage.decoy(apart=tuple(users))
    return Truth(Cause.DEPENDENCY, least=10, spread=2)


def outage_without_deploy(stage: Stage) -> Truth:
    """A dependency goes down, and the last deploy is ten minutes and more ago."""
    stage.history(quiet_s=600, chance=0.3)
    stage.outage(stage.t0)
    return Truth(Cause.DEPENDENCY, least=10)


def healthy_canary_in_trouble(stage: Stage) -> Truth:
    """An innocent canary serves beside the old revision when the dependency of both goes down for minutes."""
    rng = stage.rng
    stage.history()
    users = [name for one in stage.fleet.dependencies for name in stage.fleet.users(one, least=0.3)]
    if not users:
        raise Unfit
    service = rng.choice(users)
    stage.deploy(service, stage.t0, rng.choice((10, 25, 50)))
    stage.outage(stage.t0 + log_uniform(rng, 5, 200), user=service)
    return Truth(Cause.DEPENDENCY, least=10)


def config_change(stage: Stage) -> Truth:
    """A setting or secret is changed; all revisions of the service that read it fail from then on."""
    rng = stage.rng
    service = stage.pick(least=0.15)
    stage.history(chance=0.3, quiet_s=300)
    name = rng.choice(("jwt-key", "DATABASE_URL", "payment-token", "feature-flags", "RATE_LIMIT"))
    if rng.random() < 0.5:  # an innocent deploy near: of it as a canary or some minutes before, or of another service
        near = rng.choice(("canary", "before", "other", "other"))
        if near == "canary":
            stage.deploy(service, stage.t0 - rng.uniform(20, 200), 50)
        elif near == "before":
            stage.deploy(service, stage.t0 - rng.uniform(120, 280), 100)
        else:
            stage.decoy(apart=(service,))
    stage.world.config(service, name, stage.t0)
    since = stage.t0 + rng.uniform(0, 60)
    wording = rng.choice(
        (
            words.complaint(rng),
            tracebacks.exception(rng, stage.fleet.services[service].language),
            Wording(f"invalid value for {name}: <uuid>"),
            Wording("jwt.exceptions.InvalidSignatureError: Signature verification failed"),
        )
    )
    stage.world.fail(Fault(service, steady(since, stage.ratio(service, 1.0, low=0.1, per_minute=2)), wording))
    return Truth(Cause.CONFIG, least=10)


def surge(stage: Stage) -> Truth:
    """Many times the usual requests come in, there is no room for all of them; a deploy may be near."""
    rng = stage.rng
    service = stage.pick(least=0.3, where=lambda s: s.external > 0.6 * s.total)
    stage.history(chance=0.3)
    if not stage.fleet.dialect.counts and stage.fleet.dialect.requests != "all":
        stage.retell(counts=True)  # who sees neither requests nor counts sees no surge
    factor, start = rng.uniform(4, 10), stage.t0 + rng.uniform(10, 120)
    until = start + rng.uniform(240, 600)
    stage.world.surges.append(Surge(service, start, until, factor))
    if rng.random() < 0.6:
        stage.deploy(service if rng.random() < 0.5 else rng.choice(stage.names()), stage.t0, rng.choice((100, 50)))
    refused = (1 - 1 / factor) * rng.uniform(0.3, 0.9)
    wording = rng.choice(words.OVERLOAD)
    status = 429 if wording.severity == "WARNING" else 503

    def chance(t: float) -> float:
        return refused if start + 5 <= t < until else 0.0

    stage.world.fail(Fault(service, chance, wording, "", status, wait_s=(0, rng.choice((0, 10)))))
    return Truth(Cause.TRAFFIC, least=20)


def client_errors(stage: Stage) -> Truth:
    """Somebody begins to send what cannot be answered: 4xx rise on every revision."""
    rng = stage.rng
    service = stage.pick(least=0.3, where=lambda s: s.external > 0.05)
    stage.history(chance=0.3)
    start = stage.t0 + rng.uniform(0, 120)
    if rng.random() < 0.5:
        others = rng.random() < 0.6
        stage.deploy(rng.choice(stage.names()) if others else service, start - rng.uniform(20, 240), 40)
    status, ratio = rng.choice((400, 401, 404, 422)), rng.uniform(0.25, 0.8)
    silent = rng.random() < 0.6 and stage.fleet.dialect.requests != "none"
    wording = None if silent else Wording(f"rejected request <uuid> with {status}: invalid input", "WARNING")
    stage.world.fail(Fault(service, steady(start, ratio), wording, "", status))
    return Truth(Cause.CLIENT, least=20)
