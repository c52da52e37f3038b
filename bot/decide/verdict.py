"""Does what serves users work, and can a deploy become ready? Pure verdicts with their numbers in words.

Only *unhealthy* may propose a rollback. No data is never healthy: too little traffic is *inconclusive*, a reading
that failed is *error*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.decide.phrases import failures, listed, percent, span
from bot.decide.wilson import wilson
from bot.model.catalog import Detection
from bot.model.cloud_run import Revision, ServiceState
from bot.model.evidence import Gap, RequestCount
from bot.model.judgement import Health, IncidentKind, Verdict
from bot.redact import redact, shorten

_MAX_MESSAGE = 300


def judge_serving(
    state: ServiceState,
    counts: Mapping[str, RequestCount],
    detection: Detection,
    now: datetime,
    gaps: Sequence[Gap] = (),
) -> tuple[Verdict, ...]:
    """One verdict for each revision that has traffic, the largest share first; () when nothing serves.

    A revision with 0 % or only a tag serves nobody and is not judged, whatever its log says.

    Args:
        counts: requests within the detection window by revision; a missing revision was not measured.
        gaps: why it was not measured, for the sentence.
    """
    return tuple(
        _judge_revision(name, share, state, counts.get(name), detection, now, gaps)
        for name, share in state.fact.serving.items()
    )


def judge_deploy(state: ServiceState, now: datetime) -> Verdict:
    """Did the newest revision become ready? Unhealthy only when Cloud Run has finished and says no.

    While it works on the next revision, the last one that failed is judged: a new try does not make it ready.
    """
    health, why, judged = _judge_newest(state)
    return Verdict(health, IncidentKind.DEPLOY_BLOCKED, judged, why, now)


def is_failing(count: RequestCount, detection: Detection) -> bool:
    """At least as many failures and at least the ratio that the catalog names."""
    return count.failed >= detection.failures and count.ratio >= detection.ratio


def _judge_revision(
    name: str,
    share: int,
    state: ServiceState,
    count: RequestCount | None,
    detection: Detection,
    now: datetime,
    gaps: Sequence[Gap],
) -> Verdict:
    health, numbers = _health(count, detection, gaps, reconciling=state.reconciling)
    return Verdict(health, IncidentKind.SERVING_FAILURE, name, f"{name} serves {share} %: {numbers}", now)


def _health(
    count: RequestCount | None, detection: Detection, gaps: Sequence[Gap], *, reconciling: bool
) -> tuple[Health, str]:
    if count is None:
        reasons = [gap.told for gap in gaps]
        return Health.ERROR, f"its requests could not be counted ({listed(reasons) or 'nobody said why'})"
    limits = f"unhealthy from {detection.failures} failures and {percent(detection.ratio)}"
    told = f"{failures(count)} in {span(count.window.end - count.window.start)}; {limits}"
    if is_failing(count, detection):
        if reconciling and wilson(count.failed, count.total).low < detection.ratio:
            return Health.INCONCLUSIVE, f"{told}, not beyond doubt while Cloud Run is still changing the service"
        return Health.UNHEALTHY, told
    if reconciling:
        return Health.INCONCLUSIVE, f"{told}; Cloud Run is still changing the service"
    if count.total < detection.min_requests:
        few = "no request" if count.total == 0 else f"only {count.total}"
        return Health.INCONCLUSIVE, f"{told}; {few} of the {detection.min_requests} requests that a judgement needs"
    return Health.HEALTHY, told


def _judge_newest(state: ServiceState) -> tuple[Health, str, str]:
    """(health, why, the revision that was judged)"""
    name = state.latest_created
    revision = state.revision(name)
    under_way = state.reconciling or (revision is not None and revision.ready is None)
    failed = _failed_since_the_last_ready(state) if under_way else None
    if failed is not None:
        return Health.UNHEALTHY, f"{_not_ready(failed, state)}; Cloud Run is working on {name}", failed.name
    if not name:
        return Health.INCONCLUSIVE, "no revision was ever created", name
    if state.reconciling:
        return Health.INCONCLUSIVE, f"Cloud Run is still working on {name}", name
    if name == state.latest_ready:
        return Health.HEALTHY, f"{name} became ready", name
    if revision is None:
        return Health.ERROR, f"{name} could not be read", name
    return *_judge_readiness(revision, state), name


def _failed_since_the_last_ready(state: ServiceState) -> Revision | None:
    """The newest revision before the one under way that never became ready, if none became ready after it."""
    ready = state.revision(state.latest_ready)
    earlier = [r for r in state.revisions if r.name != state.latest_created and r.ready is False]
    return next((r for r in earlier if ready is None or r.created_at > ready.created_at), None)


def _judge_readiness(revision: Revision, state: ServiceState) -> tuple[Health, str]:
    if revision.ready is None:
        return Health.INCONCLUSIVE, f"Cloud Run has not decided yet whether {revision.name} is ready"
    if revision.ready:
        return Health.HEALTHY, f"{revision.name} is ready"
    return Health.UNHEALTHY, _not_ready(revision, state)


def _not_ready(revision: Revision, state: ServiceState) -> str:
    """Why it is not ready, and who serves instead."""
    message = shorten(redact(" ".join((revision.message or state.message).split())), _MAX_MESSAGE)
    reason = revision.reason or state.reason
    why = ": ".join(part for part in (reason, message) if part)
    served = f"users are served by {state.fact}" if state.fact.serving else "no revision serves"
    return f"{revision.name} never became ready{f' ({why})' if why else ''}; {served}"
