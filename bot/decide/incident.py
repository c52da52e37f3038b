"""Life of an incident, without I/O: what a look at a deployment makes of it.

`Findings` is everything one look learned about one problem; `opened` makes an incident of it, `updated` carries an
open one along, `recovery` says in words why an open one is over, or None while it is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.decide.blame import Blame, latched, same_suspect
from bot.model.attribution import Attribution
from bot.model.catalog import Place, Severity
from bot.model.cloud_run import Revision, ServiceState
from bot.model.commit_tests import CommitTests
from bot.model.event import DeployEvent, EventKind
from bot.model.evidence import ErrorGroup, Gap, RequestCount
from bot.model.incident import FailedRevision, Incident, IncidentState, PlanState, ReadTo
from bot.model.judgement import Diagnosis, Health, Impact, IncidentKind, Verdict
from bot.model.novelty import Baseline, Novelty
from bot.model.series import ErrorSeries

COMMIT_LABELS = ("commit-sha", "commit", "git-sha")
"""User labels that carry the commit: the deploy-cloudrun action writes `commit-sha`."""

_EVENT_MATCH = timedelta(minutes=2)


@dataclass(frozen=True)
class Elsewhere:
    """The guilty revision, where it belongs to another deployment than the one that fails."""

    place: Place
    state: ServiceState
    revision: str


@dataclass(frozen=True)
class Findings:
    """One problem as one look saw it; fields as in `Incident`.

    Attributes:
        elsewhere: where the revision to blame is another deployment's. series: errors over time, for the chart.
    """

    place: Place
    kind: IncidentKind
    severity: Severity
    at: datetime
    since: datetime
    state: ServiceState
    why: str
    revisions: tuple[FailedRevision, ...]
    attempts: int
    failed_attempts: int
    impact: Impact
    diagnosis: Diagnosis | None = None
    requests: RequestCount | None = None
    before: RequestCount | None = None
    previous_good: str | None = None
    groups: tuple[ErrorGroup, ...] = ()
    gaps: tuple[Gap, ...] = ()
    attribution: Attribution | None = None
    elsewhere: Elsewhere | None = None
    novelty: tuple[Novelty, ...] = ()
    baseline: Baseline | None = None
    attributed_at: datetime | None = None
    read_to: ReadTo | None = None
    series: ErrorSeries | None = None
    undecided: str = ""
    tests: CommitTests | None = None


def opened(findings: Findings, restore_within: timedelta) -> Incident:
    """A new incident; `number` is 0 until it is stored."""
    place = findings.place
    seed = f"{place.key}:{findings.kind}:{findings.at.isoformat()}"
    suffix = hashlib.sha256(seed.encode()).hexdigest()[:6]
    return _with(
        findings,
        Incident(
            id=f"inc-{findings.at:%Y%m%d%H%M%S}-{suffix}",
            number=0,
            place=place.key,
            service=place.service_key,
            environment=place.environment,
            kind=findings.kind,
            severity=findings.severity,
            state=IncidentState.OPENED,
            opened_at=findings.at,
            since=findings.since,
            restore_by=findings.since + restore_within,
            revisions=(),
            attempts=0,
            failed_attempts=0,
            serving=findings.state.fact,
            follows_latest=findings.state.wish.follows_latest,
            why=findings.why,
        ),
    )


def updated(incident: Incident, findings: Findings, refresh_after: timedelta) -> Incident:
    """The open incident with what is new. Counts alone refresh it only every `refresh_after`, so that the card is
    calm; a new revision, cause, severity, split or gap refreshes it at once, and so does a fresh weighing of whose fault
    it is, which has a pace of its own.
    """
    changed = _with(findings, incident)
    if incident.last_seen is None or findings.at - incident.last_seen >= refresh_after:
        return changed
    news = [
        {revision.name for revision in changed.revisions} != {revision.name for revision in incident.revisions},
        _code(changed) != _code(incident),
        changed.severity != incident.severity,
        changed.serving != incident.serving,
        changed.gaps != incident.gaps,
        changed.failed_attempts != incident.failed_attempts,
        bool(changed.groups) != bool(incident.groups),
        not same_suspect(changed.attribution, incident.attribution),
        changed.attributed_at != incident.attributed_at,
        changed.tests != incident.tests,
    ]
    return changed if any(news) else incident


def _code(incident: Incident) -> str:
    return incident.diagnosis.code if incident.diagnosis else ""


def _with(findings: Findings, incident: Incident) -> Incident:
    known = {revision.name: revision for revision in incident.revisions}
    known |= {revision.name: revision for revision in findings.revisions}
    # what could not be read this time does not take away what was proven before
    blind = bool(findings.gaps)
    blame = latched(Blame(incident.attribution, incident.withdrawn), findings.attribution)
    return replace(
        incident,
        severity=min(incident.severity, findings.severity),
        since=min(incident.since, findings.since),
        revisions=tuple(sorted(known.values(), key=lambda r: (r.deployed_at, r.name), reverse=True)),
        attempts=max(incident.attempts, findings.attempts),
        failed_attempts=max(incident.failed_attempts, findings.failed_attempts),
        serving=findings.state.fact,
        follows_latest=findings.state.wish.follows_latest,
        uri=findings.state.uri,
        why=findings.why,
        diagnosis=findings.diagnosis if findings.diagnosis or not blind else incident.diagnosis,
        requests=findings.requests or incident.requests,
        before=findings.before or incident.before,
        previous_good=findings.previous_good or incident.previous_good,
        groups=findings.groups if findings.groups or not blind else incident.groups,
        gaps=findings.gaps,
        impact=findings.impact,
        worst_impact=_worse(incident.worst_impact, findings.impact),
        last_seen=findings.at,
        attribution=blame.stands,
        withdrawn=blame.withdrawn,
        novelty=findings.novelty or incident.novelty,
        baseline=findings.baseline or incident.baseline,
        attributed_at=findings.attributed_at or incident.attributed_at,
        read_to=findings.read_to or incident.read_to,
        undecided="" if blame.stands else findings.undecided or incident.undecided,
        tests=findings.tests,
    )


def _worse(known: Impact | None, seen: Impact) -> Impact:
    """The one with more at risk; unknown is worse than nothing and less than any amount."""

    def weight(impact: Impact) -> tuple[bool, float]:
        at_risk = impact.arr_at_risk
        return impact.now, at_risk.expected if at_risk else 0.0

    return seen if known is None or weight(seen) >= weight(known) else known


def recovery(
    incident: Incident, state: ServiceState, verdicts: Sequence[Verdict], now: datetime, quiet_for: timedelta
) -> str | None:
    """Why the incident is over, in words; None while it is not, or while a rollback is under way.

    Only *healthy* ends a serving failure: no data is not healthy.
    """
    if incident.plan is not None and incident.plan.state in {PlanState.APPROVED, PlanState.SHIFTED}:
        return None
    if incident.kind is IncidentKind.DEPLOY_BLOCKED:
        return _deploys_again(incident, state)
    failing = {revision.name for revision in incident.revisions}
    serving = [verdict for verdict in verdicts if verdict.kind is IncidentKind.SERVING_FAILURE]
    if not serving or any(verdict.health is not Health.HEALTHY for verdict in serving):
        return None
    if not failing & set(state.fact.serving):
        return f"{state.fact} serves now and is healthy"
    if incident.last_seen is not None and now - incident.last_seen >= quiet_for:
        minutes = quiet_for.total_seconds() / 60
        return f"the errors stopped: healthy for {minutes:g} min"
    return None


def _deploys_again(incident: Incident, state: ServiceState) -> str | None:
    newest = next(iter(incident.revisions), None)
    ready = state.revision(state.latest_ready)
    if ready is None or state.latest_ready != state.latest_created:
        return None
    if ready.name in {revision.name for revision in incident.revisions}:
        return f"{ready.name} became ready after all"
    if newest is None or ready.created_at >= newest.deployed_at or state.revision(newest.name) is None:
        return f"{ready.name} is ready: deploys work again"
    return None


def failed_streak(state: ServiceState) -> tuple[tuple[Revision, ...], int]:
    """Revisions that never became ready since the last ready one, newest first, and how many were
    tried to the end since then.
    """
    ready = state.revision(state.latest_ready)
    tried = [
        revision
        for revision in state.revisions
        if revision.ready is not None and (ready is None or revision.created_at > ready.created_at)
    ]
    return tuple(revision for revision in tried if revision.ready is False), len(tried)


def credited(revision: Revision, state: ServiceState, events: Sequence[DeployEvent]) -> FailedRevision:
    """Who and what made a revision: from an event that names it, else from the deploy event nearest before it,
    else from its labels, else from who changed the service last. What nobody knows stays None.
    """
    named = [event for event in events if event.revision == revision.name]
    near = [
        event
        for event in events
        if event.kind is EventKind.DEPLOY
        and event.revision is None
        and abs(event.at - revision.created_at) <= _EVENT_MATCH
    ]
    near.sort(key=lambda event: abs(event.at - revision.created_at))
    told = [*named, *near]
    commit = next((event.commit for event in told if event.commit), None)
    author = next((event.author for event in told if event.author), None)
    labels = revision.labels
    newest = revision.name == state.latest_created
    return FailedRevision(
        name=revision.name,
        deployed_at=revision.created_at,
        commit=commit or next((labels[key] for key in COMMIT_LABELS if labels.get(key)), None),
        author=author or revision.creator or (state.last_modifier if newest else None),
        build=labels.get("gcb-build-id") or None,
        managed_by=labels.get("managed-by") or None,
    )
