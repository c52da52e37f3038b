"""Every message as people see it, in every state: files in tests/snapshots/, reviewed by reading them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from support import cards
from support.snapshots import FOLDER, Compare

from bot.model.attribution import Attribution, Cause, Vote
from bot.model.catalog import RollbackPolicy
from bot.model.cloud_run import TrafficSplit, TrafficTarget
from bot.model.evidence import Gap
from bot.model.incident import Decision, Incident, IncidentState, PlanState, SameRise
from bot.notify.render import TEMPLATES, render, render_card

ACKNOWLEDGED = Decision("acknowledge", cards.RILEY, cards.later(52))
HOSTILE = (
    '\x1b[31m<!channel> & <@U0RILEY0001> `rm -rf` "quoted" \\n *bold*\n```\u202e\ud800 password=hunter2-swordfish '
    "xoxb-0000-obviously-fake <https://evil.example|click> "
) + "x" * 5_000


def _moved(state: PlanState, **fields: Any) -> Incident:
    return cards.bad_release(
        state=IncidentState.MITIGATED,
        plan=cards.plan(state),
        serving=cards.split(good=100),
        mitigated_at=cards.later(117.1),
        pinned_to=cards.GOOD,
        **fields,
    )


def _two_approvers() -> Incident:
    approved = (Decision("approve_rollback", cards.AVERY, cards.later(114)),)
    return cards.bad_release(plan=cards.plan(policy=RollbackPolicy.TWO_APPROVERS, decisions=approved))


def _canary() -> Incident:
    tags = (TrafficTarget(cards.BAD, 0, "next"),)
    before = TrafficSplit((*cards.split(bad=20, good=80).targets, *tags))
    after = TrafficSplit((*cards.split(good=100).targets, *tags))
    return cards.bad_release(serving=before, plan=cards.plan(before=before, after=after))


def _hostile() -> Incident:
    base = cards.bad_release()
    assert base.diagnosis is not None
    assert base.plan is not None
    return replace(
        base,
        why=HOSTILE,
        diagnosis=replace(base.diagnosis, title=HOSTILE, advice=HOSTILE, evidence=(HOSTILE,)),
        groups=(cards.group(HOSTILE, 3), cards.group("other " + HOSTILE, 2)),
        gaps=(Gap("Cloud Logging", HOSTILE),),
        attribution=cards.attribution(why=HOSTILE, revision=HOSTILE, service=HOSTILE),
        withdrawn=(cards.attribution(Cause.DEPENDENCY, culprit=HOSTILE, withdrawn=HOSTILE),),
        revisions=(replace(base.revisions[0], author=HOSTILE, commit=HOSTILE, build=HOSTILE, managed_by=HOSTILE),),
        plan=replace(base.plan, proof=HOSTILE, note=HOSTILE),
    )


def _many_groups() -> Incident:
    return cards.bad_release(groups=tuple(cards.group(f"error number {n}", 40 - n) for n in range(40)))


def _callee_resolved() -> Incident:
    return replace(
        cards.resolved(),
        attribution=cards.callee(),
        plan=cards.callee_plan(state=PlanState.VERIFIED),
        pinned_place=cards.CALLEE.key,
        pinned_to=cards.CALLEE_GOOD,
        resolution=f"rolled back to {cards.CALLEE_GOOD}",
    )


CARDS: dict[str, Callable[[], Incident]] = {
    "bad-release-opened": cards.bad_release,
    "bad-release-acknowledged": lambda: cards.bad_release(state=IncidentState.ACKNOWLEDGED, acknowledged=ACKNOWLEDGED),
    "bad-release-approved": lambda: cards.bad_release(plan=cards.plan(PlanState.APPROVED)),
    "bad-release-mitigated": lambda: _moved(PlanState.SHIFTED),
    "bad-release-unverified": lambda: _moved(PlanState.UNVERIFIED),
    "bad-release-resolved": cards.resolved,
    "bad-release-resolved-by-itself": lambda: replace(
        cards.resolved(),
        plan=None,
        pinned_to=None,
        mitigated_at=None,
        resolution="the errors stopped: healthy for 2 min",
    ),
    "bad-release-rejected": lambda: cards.bad_release(plan=cards.plan(PlanState.REJECTED)),
    "bad-release-refused": lambda: cards.bad_release(
        plan=cards.plan(PlanState.REFUSED, note="auth-service-00284-new took 100 % meanwhile")
    ),
    "bad-release-failed": lambda: cards.bad_release(
        plan=cards.plan(PlanState.FAILED, note="Cloud Run refused: the revision is not ready")
    ),
    "bad-release-expired": lambda: cards.bad_release(plan=cards.plan(PlanState.EXPIRED)),
    "bad-release-withdrawn": lambda: cards.bad_release(
        plan=cards.plan(PlanState.WITHDRAWN, note="the traffic changed")
    ),
    "bad-release-two-approvers": _two_approvers,
    "bad-release-canary": _canary,
    "bad-release-no-plan": lambda: cards.bad_release(
        plan=None, no_plan="no other revision is known to have served well: 00281 failed before"
    ),
    "bad-release-dry-run": lambda: cards.bad_release(plan=cards.plan(dry_run=True)),
    "bad-release-dry-run-verified": lambda: cards.bad_release(plan=cards.plan(PlanState.VERIFIED, dry_run=True)),
    "port-mismatch-opened": cards.port_mismatch,
    "port-mismatch-resolved": lambda: cards.port_mismatch(
        state=IncidentState.RESOLVED,
        resolved_at=cards.later(5400),
        resolution="auth-service-00286-fix is ready: deploys work again",
    ),
    "port-mismatch-new-service": lambda: cards.port_mismatch(served=False),
    "errors-after-deploy": cards.errors_after_deploy,
    "unmeasured": cards.unmeasured,
    "blamed-canary": lambda: replace(_canary(), attribution=cards.attribution(), novelty=cards.NEWS),
    "blamed-dependency": lambda: cards.errors_after_deploy(
        attribution=cards.outage(), plan=None, no_plan="moving traffic back would not help: no deploy is to blame"
    ),
    "blamed-callee": lambda: cards.errors_after_deploy(attribution=cards.callee(), plan=cards.callee_plan()),
    "blamed-callee-resolved": _callee_resolved,
    "undecided": lambda: cards.errors_after_deploy(
        undecided="inconclusive: 3 failures so far; about 5 more at this rate would settle it",
        same_rise=(SameRise(11, "backend"), SameRise(13, "billing")),
    ),
    "taken-back": lambda: cards.errors_after_deploy(
        attribution=cards.outage(), withdrawn=(cards.attribution(withdrawn=cards.outage().why),), plan=None
    ),
    "red-suite": lambda: cards.bad_release(tests=cards.TESTS),
    "hostile": _hostile,
    "forty-groups": _many_groups,
}


@pytest.mark.parametrize("case", CARDS)
def test_the_card_is_as_reviewed(case: str, compare: Compare) -> None:
    compare("incident/card", case, render_card(CARDS[case](), cards.PLACE, cards.CATALOG))


def test_a_late_card_says_how_late_it_is(compare: Compare) -> None:
    message = render_card(cards.bad_release(), cards.PLACE, cards.CATALOG, delayed_by=timedelta(minutes=7))

    compare("incident/card", "bad-release-delayed", message)


def _blamed(said: Attribution) -> dict[str, Any]:
    return {"service": "auth-service", "blamed": msgspec.to_builtins(said)}


AT, DUE = "2025-11-17T14:05:02Z", "2025-11-17T14:03:08Z"
NOTES: dict[str, dict[str, Any]] = {
    "opened": {"since": DUE, "why": "97 % of 1,241 requests failed in 3 min (threshold 5 % and 5)"},
    "joined": {"revision": "auth-service-00284-wrs"},
    "proposed": {"target": cards.GOOD, "why": "the traffic changed to auth-service-00284-wrs 100 %"},
    "acknowledged": {"by": cards.RILEY},
    "approved": {"by": cards.AVERY, "target": cards.GOOD, "approved": 1, "needed": 2},
    "rejected": {"by": cards.AVERY},
    "shifted": {"target": cards.GOOD, "took_s": 3.1, "dry_run": False},
    "shifted-dry-run": {"target": cards.GOOD, "took_s": 0.1, "dry_run": True},
    "verified": {"verified": True, "why": "0 of 412 requests failing; /health answers 200", "dry_run": False},
    "unverified": {"verified": False, "why": "38 of 412 requests failing; /health answers 500", "dry_run": False},
    "refused": {"why": "auth-service-00284-new took 100 % meanwhile"},
    "failed": {"why": "Cloud Run refused: the revision is not ready"},
    "withdrawn": {"why": "the traffic changed"},
    "expired": {},
    "evidence": {"why": "15 workers exited with code 3"},
    "resolved": {"why": f"rolled back to {cards.GOOD}"},
    "hostile": {"why": HOSTILE},
    "blamed-canary": _blamed(cards.attribution()),
    "blamed-dependency": _blamed(cards.outage()),
    "blamed-callee": _blamed(cards.callee()),
    "blamed-hostile": _blamed(cards.attribution(why=HOSTILE, votes=(Vote("trace", 5.0, HOSTILE),))),
    "wanted": {
        "service": "backend-service",
        "target": cards.CALLEE_GOOD,
        "number": 12,
        "failing": "auth-service (staging)",
    },
    "moved": {
        "service": "backend-service",
        "target": cards.CALLEE_GOOD,
        "number": 12,
        "failing": "auth-service (staging)",
    },
    "unblamed": _blamed(cards.attribution()) | {"why": cards.outage().why},
}
MOMENTS = {"shifted-dry-run": "shifted", "unverified": "verified", "hostile": "failed"}
MOMENTS |= dict.fromkeys((case for case in NOTES if case.startswith("blamed")), "blamed")


@pytest.mark.parametrize("case", NOTES)
def test_the_note_in_the_thread_is_as_reviewed(case: str, compare: Compare) -> None:
    context = {"moment": MOMENTS.get(case, case), "at": AT, **NOTES[case]}

    compare("incident/note", case, render("incident/note", context))


def test_a_healthy_deploy_is_told_in_one_quiet_line(compare: Compare) -> None:
    context = {
        "service": "auth-service",
        "environment": "staging",
        "revision": "auth-service-00284-wrs",
        "percent": 100,
    }
    counts = {"total": 412, "failed": 0, "window_s": 60, "at": AT}
    credit = {"author": "dana@acme.example", "commit": "a1b2c3d4e5f6", "commit_url": None}

    compare("deploy/quiet", "healthy", render("deploy/quiet", context | counts | credit))


def test_a_deploy_that_nobody_can_judge_is_told_in_one_line_and_hostile_words_stay_words(compare: Compare) -> None:
    why = "Cloud Logging did not answer within 10 s <!channel> `x`"
    context = {"where": "auth-service (staging)", "since": AT, "why": why}

    compare("deploy/blind", "logging-down", render("deploy/blind", context))


def test_every_template_has_a_reviewed_snapshot() -> None:
    templates = {
        path.relative_to(TEMPLATES).as_posix().removesuffix(".json.j2") for path in TEMPLATES.rglob("*.json.j2")
    }

    assert {name for name in templates if not list((FOLDER / name).glob("*.json"))} == set()


def test_every_snapshot_belongs_to_a_test() -> None:
    names = {path.stem for path in (FOLDER / "incident" / "card").glob("*.json")}

    assert names == {*CARDS, "bad-release-delayed"}
