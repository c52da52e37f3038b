"""Is it fixed? What the requests and the health path say after the traffic moved."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.act.health import HealthAnswer
from bot.act.plan import served_equals
from bot.decide.verdict import judge_serving
from bot.deps import Deps
from bot.errors import Permanent, Retryable
from bot.model.catalog import Place
from bot.model.cloud_run import ServiceState
from bot.model.evidence import RequestCount, Window
from bot.model.incident import RollbackPlan
from bot.model.judgement import Health

SHORTEST = timedelta(seconds=1)
"""A window of requests is at least this long."""


async def measure(deps: Deps, place: Place, plan: RollbackPlan, since: datetime, *, last: bool) -> dict[str, str]:
    """{"health": a `Health` word, "why": numbers in words}, built-in values because the workflow records them.

    Args:
        since: when the traffic was seen to be as planned.
        last: the time for verifying is over: say what is known, even if that is little.
    """
    if plan.dry_run:
        return {"health": Health.INCONCLUSIVE, "why": "nothing was moved, so there is nothing to measure"}
    now = deps.now()
    window = Window(since, max(now, since + SHORTEST))
    try:
        state = await deps.target.state(place)
        counts = await deps.count_requests(place, (plan.target,), window)
    except (Retryable, Permanent) as error:
        return {"health": Health.ERROR, "why": f"could not measure: {error}"}
    if not served_equals(state.fact, plan.after):
        return {"health": Health.ERROR, "why": f"the traffic was changed to {state.fact} while verifying"}
    answer = await _health_path(deps, place, state.uri)
    health, numbers = _judged(place, plan, state, counts.get(plan.target), answer, now=now, last=last)
    return {"health": health, "why": f"{numbers}; {answer.told}"}


async def measure_effect(deps: Deps, failing: Place, since: datetime, so_far: str, *, last: bool) -> dict[str, str]:
    """Did the service that failed because of another's revision get well? As `measure`.

    Args:
        so_far: what was measured where the traffic was moved.
    """
    now = deps.now()
    try:
        state = await deps.target.state(failing)
        counts = await deps.count_requests(
            failing, tuple(state.fact.serving), Window(since, max(now, since + SHORTEST))
        )
    except (Retryable, Permanent) as error:
        return {"health": Health.ERROR, "why": f"{so_far}; could not measure {failing.key}: {error}"}
    verdicts = judge_serving(state, counts, failing.detection, now)
    why = f"{so_far}; {failing.key}: {'; '.join(verdict.why for verdict in verdicts) or 'nothing serves'}"
    healths = {verdict.health for verdict in verdicts}
    if healths == {Health.HEALTHY}:
        return {"health": Health.HEALTHY, "why": why}
    worst = Health.UNHEALTHY if last and Health.UNHEALTHY in healths else Health.INCONCLUSIVE
    return {"health": worst, "why": why}


async def _health_path(deps: Deps, place: Place, uri: str) -> HealthAnswer:
    path = place.service.health
    if path is None:
        return HealthAnswer(None, "the catalog names no health path")
    return await deps.check_health(uri, path)


def _judged(
    place: Place,
    plan: RollbackPlan,
    state: ServiceState,
    count: RequestCount | None,
    answer: HealthAnswer,
    *,
    now: datetime,
    last: bool,
) -> tuple[Health, str]:
    """Healthy by enough requests; at the end also by a few without a failure and a health path that answers."""
    verdicts = judge_serving(state, {plan.target: count} if count else {}, place.detection, now)
    health = next((v.health for v in verdicts if v.revision == plan.target), Health.INCONCLUSIVE)
    asked = count is not None and count.total > 0
    numbers = f"{count.failed:,} of {count.total:,} requests failing" if count and asked else "no requests since"
    if answer.well is False or health is Health.UNHEALTHY:
        return (Health.UNHEALTHY if last else Health.INCONCLUSIVE), numbers
    if health is Health.HEALTHY:
        return Health.HEALTHY, numbers
    if last and answer.well and count is not None and count.failed == 0:
        return Health.HEALTHY, f"{numbers} (little traffic)"
    return Health.INCONCLUSIVE, f"{numbers}: too few to judge"
