"""What people work on: incident, rollback plan, decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model.attribution import Attribution
from bot.model.bookmark import Bookmark
from bot.model.catalog import RollbackPolicy, Severity
from bot.model.cloud_run import TrafficSplit
from bot.model.commit_tests import CommitTests
from bot.model.evidence import ErrorGroup, Gap, RequestCount
from bot.model.judgement import Diagnosis, Impact, IncidentKind
from bot.model.novelty import Baseline, Novelty


class IncidentState(StrEnum):
    """opened → acknowledged → mitigated → resolved; see `bot.decide.transitions`."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"  # traffic moved or a fix is out; being verified
    RESOLVED = "resolved"


class PlanState(StrEnum):
    """Life of a rollback plan; see `bot.decide.transitions`."""

    PROPOSED = "proposed"  # shown with its button
    APPROVED = "approved"  # enough approvals are stored; the workflow owns it now
    SHIFTED = "shifted"  # traffic_statuses are as planned; being verified
    VERIFIED = "verified"  # errors stopped, health answers
    UNVERIFIED = "unverified"  # traffic moved, but errors did not stop or could not be measured
    REJECTED = "rejected"  # somebody said no
    REFUSED = "refused"  # live traffic drifted from what was shown: nothing moved
    FAILED = "failed"  # Cloud Run would not do it: nothing moved as far as we can tell
    EXPIRED = "expired"  # nobody decided in time
    WITHDRAWN = "withdrawn"  # no longer needed: the incident went away by itself


@dataclass(frozen=True)
class FailedRevision:
    """One revision that belongs to the incident, with who and what made it."""

    name: str
    deployed_at: datetime
    commit: str | None = None
    author: str | None = None
    build: str | None = None
    managed_by: str | None = None


UNDER_WAY = frozenset({PlanState.APPROVED, PlanState.SHIFTED})
"""A plan that is being carried out, whatever is found out meanwhile."""


@dataclass(frozen=True)
class Decision:
    """Who pressed what, when. `by` is a Slack user id."""

    action: str
    by: str
    at: datetime


@dataclass(frozen=True)
class RollbackPlan:
    """Return traffic to a trusted revision: exactly what was shown, and nothing else, is executed.

    Attributes:
        before: live traffic (fact) when the plan was made; a different live split refuses the plan.
        after: whole list to be written, tags kept.
        etag: of the service when the plan was made (informative: the shift uses the freshly read one).
        target: the revision that will serve. proof: why it is trusted, one line.
        digest: sha256 over everything above; recomputed before execution.
        decisions: approvals and rejections, in order.
        dry_run: True: nothing will be moved, and the card says so.
        note: why it was refused, failed or could not be verified; "" otherwise.
    """

    id: str
    incident_id: str
    place: str
    resource_name: str
    before: TrafficSplit
    after: TrafficSplit
    etag: str
    target: str
    proof: str
    policy: RollbackPolicy
    state: PlanState
    created_at: datetime
    expires_at: datetime
    dry_run: bool
    digest: str = ""
    decisions: tuple[Decision, ...] = ()
    shifted_at: datetime | None = None
    verified_at: datetime | None = None
    shift_took_s: float | None = None
    verification: str = ""
    note: str = ""


@dataclass(frozen=True)
class ReadTo:
    """How far the log of one revision was read: `groups` of its incident hold what was counted until there."""

    revision: str
    mark: Bookmark


@dataclass(frozen=True)
class SameRise:
    """Another incident of the same rise in errors, as people know it: its number and its service."""

    number: int
    service: str


@dataclass(frozen=True)
class Incident:
    """One open problem of one deployment; there is one per place and kind at a time.

    Attributes:
        id: `inc-…`, sortable by time. number: small, for people ("#12").
        revisions: failing ones, newest first. attempts: deploys that failed since `since` ("5 of 5 failed").
        since: first failing request (serving_failure) or first failed revision (deploy_blocked).
        serving: who serves now, as Cloud Run says.
        requests: of the failing revision; before: of the revision that served before it, for comparison.
        no_plan: why no rollback is offered, "" when `plan` is there.
        impact: now; worst_impact: the largest that was ever seen, told when it is over.
        pinned_to: the revision that a rollback gave all traffic to; pinned_place: of which place, "" for this one.
        attribution: whose fault it is, as far as that is decided; withdrawn: what was said before, each with its reason.
        undecided: what is missing to decide it, "" where it is decided or was never weighed.
        same_rise: other incidents of the same rise, in the order of their numbers.
        novelty: which of `groups` came with the failing revision; baseline: what that was compared with.
        attributed_at: when that was weighed last. read_to: how far the log of a failing revision was read.
        tests: what the suites said of the commit of the revision to blame, else of the failing one; None: nobody knows.
        version: grows with every change; the card shows the newest.
    """

    id: str
    number: int
    place: str
    service: str
    environment: str
    kind: IncidentKind
    severity: Severity
    state: IncidentState
    opened_at: datetime
    since: datetime
    restore_by: datetime
    revisions: tuple[FailedRevision, ...]
    attempts: int
    failed_attempts: int
    serving: TrafficSplit
    follows_latest: bool
    why: str
    diagnosis: Diagnosis | None = None
    requests: RequestCount | None = None
    before: RequestCount | None = None
    groups: tuple[ErrorGroup, ...] = ()
    gaps: tuple[Gap, ...] = ()
    impact: Impact | None = None
    worst_impact: Impact | None = None
    plan: RollbackPlan | None = None
    no_plan: str = ""
    acknowledged: Decision | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    resolution: str = ""
    pinned_to: str | None = None
    version: int = 1
    uri: str = ""
    last_seen: datetime | None = None
    previous_good: str | None = None
    attribution: Attribution | None = None
    withdrawn: tuple[Attribution, ...] = ()
    novelty: tuple[Novelty, ...] = ()
    baseline: Baseline | None = None
    attributed_at: datetime | None = None
    read_to: ReadTo | None = None
    undecided: str = ""
    same_rise: tuple[SameRise, ...] = ()
    pinned_place: str = ""
    tests: CommitTests | None = None
