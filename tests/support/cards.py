"""Incidents as they happen, for the card's tests: the bad release, the port mismatch, errors after a deploy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.decide import impact
from bot.model.attribution import Attribution, Cause, Vote
from bot.model.catalog import (
    Arr,
    Business,
    Catalog,
    Deployment,
    Journey,
    RollbackPolicy,
    RollbackRule,
    Service,
    Severity,
)
from bot.model.cloud_run import TrafficSplit, TrafficTarget
from bot.model.commit_tests import CommitTests, Said, SuiteWord
from bot.model.evidence import ErrorGroup, Gap, RequestCount, Window
from bot.model.incident import Decision, FailedRevision, Incident, IncidentState, PlanState, RollbackPlan
from bot.model.judgement import Diagnosis, IncidentKind
from bot.model.novelty import Novelty, NoveltyKind

START = datetime(2025, 11, 17, 14, 3, 8, tzinfo=UTC)
AVERY, OLIVE, RILEY = "U0AVERY0001", "U0OLIVE0001", "U0RILEY0001"
GOOD, UNREADY, BAD = "auth-service-00281-kzq", "auth-service-00282-lsb", "auth-service-00283-qab"
CALLEE_GOOD, CALLEE_BAD = "backend-service-00017-hal", "backend-service-00018-bad"
COMMIT = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"

CATALOG = Catalog(
    services={
        "auth": Service(
            tier=1,
            channel="C0AUTHOPS01",
            health="/health",
            repository="https://github.example/acme/auth",
            deployments={
                "staging": Deployment(
                    "acme-staging",
                    "us-central1",
                    "auth-service",
                    RollbackRule(RollbackPolicy.ONE_APPROVER, ("S0APPROVERS",)),
                )
            },
        ),
        "backend": Service(
            tier=1,
            channel="C0BACKEND01",
            deployments={
                "staging": Deployment(
                    "acme-staging",
                    "us-central1",
                    "backend-service",
                    RollbackRule(RollbackPolicy.ONE_APPROVER, ("S0APPROVERS",)),
                )
            },
        ),
    },
    business=Business(Arr(500_000, "USD", date(2025, 9, 15))),
    journeys={"golden-path": Journey("Sign in and get a first answer", ("auth",), 1.0, 0.95)},
)
PLACE, CALLEE = CATALOG.places
TESTS = CommitTests(
    "auth",
    BAD,
    COMMIT,
    (
        SuiteWord("e2e-staging", Said.FAILED, 12, 340, ("tests/test_login.py::test_sso",), at=START),
        SuiteWord("unit", Said.PASSED, total=1_204, at=START),
    ),
)


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def split(**shares: int) -> TrafficSplit:
    """split(good=100): named good, unready or bad."""
    names = {"good": GOOD, "unready": UNREADY, "bad": BAD}
    return TrafficSplit(tuple(TrafficTarget(names[key], percent) for key, percent in shares.items()))


def counted(failed: int, total: int, revision: str = BAD, *, seconds: int = 180, complete: bool = True) -> RequestCount:
    window = Window(later(0), later(seconds))
    return RequestCount(revision, window, total, failed, complete, window.start if failed else None)


def group(title: str, count: int, *, sample: str = "", first: float = 3, is_echo: bool = False) -> ErrorGroup:
    return ErrorGroup(f"v1:{title}", title, count, later(first), later(180), sample or title, is_echo=is_echo)


MISSING_MODULE = Diagnosis(
    code="missing_module",
    title="Module `app.services.monitoring` is missing from the image",
    explanation="Every worker fails while it imports the application; gunicorn gives up and the container exits.",
    advice="Add the package to the image (is it in .dockerignore?) or revert the commit",
    evidence=("ModuleNotFoundError: No module named 'app.services.monitoring'", "Container called exit(3)."),
    confidence=0.95,
    rollback_helps=True,
    facts={"module": "app.services.monitoring"},
)
TRACEBACK = """Traceback (most recent call last):
  File "/app/main.py", line 7, in <module>
    from app.services.monitoring import track
ModuleNotFoundError: No module named 'app.services.monitoring'"""
PORT_MISMATCH = Diagnosis(
    code="port_mismatch",
    title="gunicorn listens on 8081, Cloud Run expects 8080",
    explanation="Cloud Run asks the port in $PORT; nothing answers there, so the revision never becomes ready.",
    advice="Bind to 0.0.0.0:$PORT instead of a fixed port",
    evidence=("[INFO] Listening at: http://0.0.0.0:8081 (1)",),
    confidence=0.95,
    rollback_helps=False,
    facts={"expected_port": "8080", "actual_port": "8081"},
)


def plan(state: PlanState = PlanState.PROPOSED, **fields: Any) -> RollbackPlan:
    """The rollback of the bad release, in any state, with what belongs to that state."""
    approved = (Decision("approve_rollback", AVERY, later(114)),)
    moved = {PlanState.SHIFTED, PlanState.VERIFIED, PlanState.UNVERIFIED}
    after: dict[str, Any] = {
        "decisions": () if state in {PlanState.PROPOSED, PlanState.EXPIRED, PlanState.WITHDRAWN} else approved
    }
    if state in moved:
        after |= {"shifted_at": later(117.1), "shift_took_s": 3.1}
    if state is PlanState.VERIFIED:
        after |= {"verified_at": later(180), "verification": "0 of 412 requests failing; /health answers 200"}
    if state is PlanState.UNVERIFIED:
        after |= {"verification": "38 of 412 requests failing; /health answers 500"}
    if state is PlanState.REJECTED:
        after["decisions"] = (Decision("reject_rollback", AVERY, later(114)),)
    base = RollbackPlan(
        id="plan-20251117140319-4f2a90-1",
        incident_id="inc-20251117140319-4f2a90",
        place=PLACE.key,
        resource_name=PLACE.resource_name,
        before=split(bad=100),
        after=split(good=100),
        etag='"7"',
        target=GOOD,
        proof="served 6 d at 100 % with 0 incidents; it is ready and its image is known",
        policy=RollbackPolicy.ONE_APPROVER,
        state=state,
        created_at=later(11),
        expires_at=later(1811),
        dry_run=False,
    )
    return replace(base, **(after | fields))


def bad_release(**fields: Any) -> Incident:
    """The flagship: 00283 became ready, took all traffic, and every worker dies."""
    requests = counted(1204, 1241)
    base = Incident(
        id="inc-20251117140319-4f2a90",
        number=12,
        place=PLACE.key,
        service="auth",
        environment="staging",
        kind=IncidentKind.SERVING_FAILURE,
        severity=Severity.P0,
        state=IncidentState.OPENED,
        opened_at=later(11),
        since=START,
        restore_by=START + timedelta(hours=4),
        revisions=(FailedRevision(BAD, later(-37), COMMIT, "dana@acme.example"),),
        attempts=0,
        failed_attempts=0,
        serving=split(bad=100),
        follows_latest=True,
        why="97 % of 1,241 requests failed in 3 min (threshold 5 % and 5)",
        diagnosis=MISSING_MODULE,
        requests=requests,
        before=counted(2, 1530, GOOD),
        groups=(
            group(MISSING_MODULE.evidence[0], 15, sample=TRACEBACK),
            group("Container called exit(3).", 15, first=3.2, is_echo=True),
            group("The request failed because the instance could not start", 1204, first=4, is_echo=True),
            group("gunicorn: Worker failed to boot", 15, first=3.1, is_echo=True),
            group("redis: connection reset by peer", 2, first=40),
        ),
        impact=impact.estimate(CATALOG, "auth", IncidentKind.SERVING_FAILURE, requests, 100, later(180)),
        plan=plan(),
        uri="https://auth-service.example",
        last_seen=later(180),
        previous_good=GOOD,
    )
    return replace(base, **fields)


def resolved() -> Incident:
    """The bad release after its rollback was verified."""
    return bad_release(
        state=IncidentState.RESOLVED,
        plan=plan(PlanState.VERIFIED),
        serving=split(good=100),
        follows_latest=False,
        acknowledged=Decision("acknowledge", RILEY, later(52)),
        mitigated_at=later(117.1),
        resolved_at=later(180),
        resolution=f"rolled back to {GOOD}",
        pinned_to=GOOD,
        version=6,
    )


def port_mismatch(*, served: bool = True, **fields: Any) -> Incident:
    """00282 never became ready; with `served` 00281 goes on serving, else nobody does."""
    serving = split(good=100) if served else TrafficSplit()
    base = bad_release(
        kind=IncidentKind.DEPLOY_BLOCKED,
        revisions=tuple(
            FailedRevision(name, later(-60 * age), COMMIT, "ci-deployer@acme-staging.iam.gserviceaccount.com", "b-17")
            for age, name in enumerate((UNREADY, "auth-service-00282-b", "auth-service-00282-a"))
        ),
        attempts=5,
        failed_attempts=5,
        serving=serving,
        why="5 of 5 deploys failed: HEALTH_CHECK_CONTAINER_ERROR",
        diagnosis=PORT_MISMATCH,
        requests=None,
        before=None,
        groups=(
            group(PORT_MISMATCH.evidence[0], 5),
            group("The user-provided container failed to start and listen on the port", 5, is_echo=True),
        ),
        impact=impact.estimate(CATALOG, "auth", IncidentKind.DEPLOY_BLOCKED, None, 100 if served else 0, later(180)),
        plan=None,
        no_plan=f"not needed: users are still served by {serving}"
        if served
        else "not possible: no earlier revision was ever ready",
    )
    return replace(base, **fields)


def errors_after_deploy(**fields: Any) -> Incident:
    """Ready, then three in ten requests fail; the cause is not known; 5 pages of log were not all of it."""
    requests = counted(1502, 5000, complete=False)
    base = bad_release(
        diagnosis=None,
        requests=requests,
        groups=(group("TypeError: 'NoneType' object is not subscriptable", 1502),),
        impact=impact.estimate(CATALOG, "auth", IncidentKind.SERVING_FAILURE, requests, 100, later(180)),
    )
    return replace(base, **fields)


def unmeasured(**fields: Any) -> Incident:
    """Cloud Logging did not answer and nobody has said what the journey is worth."""
    catalog = replace(CATALOG, journeys={"golden-path": Journey("Sign in and get a first answer", ("auth",))})
    base = bad_release(
        diagnosis=None,
        requests=None,
        before=None,
        groups=(),
        gaps=(Gap("Cloud Logging", "did not answer within 5 s"),),
        impact=impact.estimate(catalog, "auth", IncidentKind.SERVING_FAILURE, None, 100, later(180)),
    )
    return replace(base, **fields)


SIDE_BY_SIDE = Vote(
    "side_by_side", 9.1, "312 of 1,020 requests fail on 00283 (30.6 %), 4 of 9,180 on 00281 beside it (0.04 %)"
)
ONSET = Vote("onset", 3.4, "errors began 14 s after 00283 took traffic")
ALIKE = Vote("elsewhere_too", 6.2, "backend-service, which nobody deployed, fails alike since 14:03:06 UTC")
SAME_BESIDE = Vote("side_by_side", -5.0, "00281 beside it fails just as often: 41 % and 40 %")


def attribution(cause: Cause = Cause.REVISION, **fields: Any) -> Attribution:
    """Whose fault it is; by default the bad canary's."""
    base = Attribution(
        cause=cause,
        service="auth-service",
        revision=BAD if cause is Cause.REVISION else "",
        confidence=0.97,
        why="it fails 30.6 % of its requests, the revision beside it 0.04 %",
        at_s=later(30).timestamp(),
        since_s=START.timestamp(),
        votes=(SIDE_BY_SIDE, ONSET, Vote("spread", -0.9, "it logs no traceback of its own")),
        seen_in=("auth-service",),
    )
    return replace(base, **fields)


def outage() -> Attribution:
    """The database's."""
    return attribution(
        Cause.DEPENDENCY,
        service="",
        culprit="postgres at 10.20.0.5:5432",
        why="auth-service and backend-service fail alike with connection refused, and nobody deployed backend-service",
        votes=(ALIKE, SAME_BESIDE, replace(ONSET, weight=1.2)),
        seen_in=("auth-service", "backend-service"),
    )


def callee() -> Attribution:
    """The backend's, whose errors show in auth-service only."""
    return attribution(
        service="backend-service",
        revision=CALLEE_BAD,
        why="its callers fail since it took traffic, in the same traces",
        votes=(Vote("trace", 7.7, "204 of 210 failing traces of auth-service went through backend-service-00018-bad"),),
        seen_in=("auth-service",),
    )


def callee_plan(**fields: Any) -> RollbackPlan:
    """A rollback of the backend on the card of auth-service."""
    return plan(
        place=CALLEE.key,
        resource_name=CALLEE.resource_name,
        before=TrafficSplit((TrafficTarget(CALLEE_BAD, 100),)),
        after=TrafficSplit((TrafficTarget(CALLEE_GOOD, 100),)),
        target=CALLEE_GOOD,
        **fields,
    )


def novelty(title: str, kind: NoveltyKind, count: int, growth: float | None = None) -> Novelty:
    return Novelty(kind, group(title, count), rate=None, growth=growth)


NEWS = (
    novelty(MISSING_MODULE.evidence[0], NoveltyKind.NEW, 15),
    novelty("KeyError: 'tenant'", NoveltyKind.NEW, 9),
    novelty("upstream timed out", NoveltyKind.GROWN, 80, growth=8.2),
    novelty("redis: connection reset by peer", NoveltyKind.PRE_EXISTING, 2),
)
