"""Plausible model values for tests; every function takes what the test is about and makes up the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.model.catalog import (
    Arr,
    Business,
    Catalog,
    Deployment,
    Detection,
    Journey,
    Place,
    RollbackPolicy,
    RollbackRule,
    Service,
    Severity,
    SeverityCondition,
    SeverityRule,
)
from bot.model.cloud_run import Revision, ServiceState, TrafficSplit, TrafficTarget
from bot.model.evidence import RequestCount, Window
from bot.model.incident import FailedRevision, Incident, IncidentState, PlanState, RollbackPlan
from bot.model.judgement import IncidentKind

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GOOD, BAD = "auth-service-00281-kzq", "auth-service-00283-qab"


def catalog(**rollback: Any) -> Catalog:
    rule = replace(RollbackRule(RollbackPolicy.ONE_APPROVER, ("U0AVERY0001",)), **rollback)
    deployment = Deployment("acme-staging", "us-central1", "auth-service", rule)
    return Catalog(
        services={"auth": Service(1, "C0AUTHOPS01", {"staging": deployment}, health="/health")},
        business=Business(Arr(500_000, "USD", date(2025, 9, 15))),
        journeys={"golden-path": Journey("Sign in and get a first answer", ("auth",), 1.0, 0.95)},
        severity=(SeverityRule(Severity.P0, SeverityCondition(tier=1)),),
        detection=Detection(),
    )


def place(**rollback: Any) -> Place:
    return catalog(**rollback).places[0]


def split(**shares: int) -> TrafficSplit:
    """split(good=100) or split(good=5, bad=95)"""
    names = {"good": GOOD, "bad": BAD}
    return TrafficSplit(tuple(TrafficTarget(names[key], percent) for key, percent in shares.items()))


def revision(name: str, at: datetime = NOON, *, ready: bool | None = True, **fields: Any) -> Revision:
    return Revision(name=name, created_at=at, ready=ready, image=f"registry.example/{name}@sha256:0", **fields)


def state(fact: TrafficSplit | None = None, *revisions: Revision, **fields: Any) -> ServiceState:
    known = revisions or (revision(BAD, NOON), revision(GOOD, NOON - timedelta(days=6)))
    ready = [r for r in known if r.ready]
    base = ServiceState(
        name="auth-service",
        uri="http://127.0.0.1:1",
        etag='"1"',
        wish=TrafficSplit((TrafficTarget(None, 100),)),
        fact=fact or split(bad=100),
        latest_created=known[0].name,
        latest_ready=ready[0].name if ready else "",
        reconciling=False,
        revisions=tuple(known),
    )
    return replace(base, **fields)


def requests(failed: int, total: int, name: str = BAD, at: datetime = NOON) -> RequestCount:
    window = Window(at - timedelta(seconds=60), at)
    return RequestCount(name, window, total, failed, first_failure=window.start if failed else None)


def plan(**fields: Any) -> RollbackPlan:
    base = RollbackPlan(
        id="plan-1-1",
        incident_id="inc-1",
        place="auth/staging",
        resource_name=place().resource_name,
        before=split(bad=100),
        after=split(good=100),
        etag='"1"',
        target=GOOD,
        proof="6 d at 100 %, 0 incidents",
        policy=RollbackPolicy.ONE_APPROVER,
        state=PlanState.PROPOSED,
        created_at=NOON,
        expires_at=NOON + timedelta(minutes=30),
        dry_run=False,
    )
    return replace(base, **fields)


def incident(**fields: Any) -> Incident:
    base = Incident(
        id="inc-1",
        number=1,
        place="auth/staging",
        service="auth",
        environment="staging",
        kind=IncidentKind.SERVING_FAILURE,
        severity=Severity.P0,
        state=IncidentState.OPENED,
        opened_at=NOON,
        since=NOON,
        restore_by=NOON + timedelta(hours=4),
        revisions=(FailedRevision(BAD, NOON, "a1b2c3d", "dana@acme.example"),),
        attempts=0,
        failed_attempts=0,
        serving=split(bad=100),
        follows_latest=True,
        why="97 % of 1,241 requests fail",
    )
    return replace(base, **fields)
