"""Answers to `/reliability …`: what they show, in files where the whole is worth reviewing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from jinja2 import UndefinedError
from support import cards
from support.snapshots import Compare, problems

from bot.decide.impact import combine, estimate
from bot.model.catalog import Deployment, Place
from bot.model.cloud_run import Revision, ServiceState, TrafficSplit, TrafficTarget
from bot.model.event import DeployEvent, EventKind
from bot.model.evidence import Gap
from bot.model.incident import Incident
from bot.model.judgement import Health, IncidentKind, Verdict
from bot.notify.message import Message
from bot.notify.plain import readable
from bot.notify.render import render


@dataclass(frozen=True)
class Look:
    """As bot.store.places.LastLook."""

    at: datetime
    state: ServiceState | None
    verdicts: tuple[Verdict, ...] = ()
    gaps: tuple[Gap, ...] = ()


def state(place: Place, serving: str, newest: str, **fields: Any) -> ServiceState:
    name = place.deployment.cloud_run
    fact = TrafficSplit((TrafficTarget(f"{name}-{serving}", 100),))
    base = ServiceState(
        name=name,
        uri="https://service.example",
        etag='"1"',
        wish=TrafficSplit((TrafficTarget(None, 100),)),
        fact=fact,
        latest_created=f"{name}-{newest}",
        latest_ready=f"{name}-{serving}",
        reconciling=False,
        revisions=(Revision(f"{name}-{newest}", cards.later(-37), ready=serving == newest),),
    )
    return replace(base, **fields)


def place(cloud_run: str) -> Place:
    deployment = Deployment("acme-staging", "us-central1", cloud_run)
    return replace(cards.PLACE, service_key=cloud_run.split("-", maxsplit=1)[0], deployment=deployment)


def entry(where: Place, look: Look | None, *events: DeployEvent) -> dict[str, Any]:
    return {"place": where, "look": look, "events": events}


def deployed(service: str, revision: str) -> DeployEvent:
    return DeployEvent(
        id="webhook:1",
        source="webhook",
        kind=EventKind.DEPLOY,
        project="acme-staging",
        region="us-central1",
        service=service,
        revision=f"{service}-{revision}",
        at=cards.later(-37),
        received_at=cards.later(-36),
        commit=cards.COMMIT,
        author="dana@acme.example",
    )


BACKEND, WEBSOCKET = place("backend-service"), place("websocket-service")


def context(*places: dict[str, Any], incidents: tuple[Incident, ...] = (), **fields: Any) -> dict[str, Any]:
    impacts = [incident.impact for incident in incidents if incident.impact]
    return {
        "now": cards.later(180),
        "places": list(places),
        "incidents": incidents,
        "impact": combine(impacts, cards.CATALOG),
        "parked": [],
        "unknown": [],
        "undelivered": [],
        "dry_run": False,
        **fields,
    }


def everything() -> dict[str, Any]:
    broken = Look(cards.later(180), state(cards.PLACE, "00283-qab", "00283-qab"))
    blocked = Look(cards.later(180), state(BACKEND, "00017-abc", "00018-xyz", wish=cards.split(good=100)))
    return context(
        entry(WEBSOCKET, None),
        entry(BACKEND, blocked),
        entry(cards.PLACE, broken, deployed("auth-service", "00283-qab")),
        incidents=(cards.bad_release(),),
        parked=[{"source": "webhook", "at": cards.later(0), "why": "no `service` in it"}],
        unknown=[{"project": "acme-prod", "service": "billing"}],
        undelivered=[
            {"id": "inc-1", "why": "Slack did not answer chat.postMessage (HTTP 503)", "since": cards.later(0)}
        ],
    )


def told(message: Message) -> str:
    assert problems(message) == []
    return readable(message)


def test_the_status_of_everything_is_as_reviewed(compare: Compare) -> None:
    compare("reply/status", "one-open-incident", render("reply/status", everything()))


def test_what_is_on_fire_comes_first() -> None:
    said = told(render("reply/status", everything()))

    assert said.index("auth-service") < said.index("backend-service")
    assert said.index("auth-service") < said.index("websocket-service")


def test_the_status_of_one_service_says_why_and_what_happened(compare: Compare) -> None:
    verdict = Verdict(
        Health.UNHEALTHY, IncidentKind.SERVING_FAILURE, cards.BAD, "97 % of 1,241 requests failed", cards.later(180)
    )
    look = Look(cards.later(180), state(cards.PLACE, "00283-qab", "00283-qab"), (verdict,))
    one = context(entry(cards.PLACE, look, deployed("auth-service", "00283-qab")), incidents=(cards.bad_release(),))

    compare("reply/status_one", "bad-release", render("reply/status_one", one))


def test_without_incidents_nothing_is_at_risk() -> None:
    look = Look(cards.later(180), state(cards.PLACE, "00281-kzq", "00281-kzq"))

    said = told(render("reply/status", context(entry(cards.PLACE, look))))

    assert said.splitlines()[0] == "1 deployment, no open incident"
    assert "ARR" not in said


def test_a_service_that_could_not_be_read_says_so_and_not_that_it_is_well() -> None:
    look = Look(cards.later(180), None, gaps=(Gap("Cloud Run", "did not answer within 5 s"),))

    said = told(render("reply/status", context(entry(cards.PLACE, look))))

    assert "⚠️ Cloud Run: did not answer within 5 s" in said
    assert "Serving" not in said


def test_a_missing_permission_is_told_once_with_its_whole_command() -> None:
    command = f"gcloud projects add-iam-policy-binding acme-staging --member=serviceAccount:{'bot-' * 10}x@example"
    gap = Gap(
        "Cloud Logging", f"Cloud Logging does not let the bot do this: {'x' * 90} is missing. Grant it: `{command}`"
    )
    why = f"{cards.BAD} serves 100 %: its requests could not be counted (Cloud Logging: {gap.why})"
    verdict = Verdict(Health.ERROR, IncidentKind.SERVING_FAILURE, cards.BAD, why, cards.later(180))
    look = Look(cards.later(180), state(cards.PLACE, "00283-qab", "00283-qab"), (verdict,), (gap,))

    said = told(render("reply/status_one", context(entry(cards.PLACE, look))))

    assert said.count(command) == 1
    assert "its requests could not be counted (see above)" in said


def test_of_many_parked_events_and_unknown_services_the_newest_are_named_and_the_rest_counted() -> None:
    parked = [{"source": "pubsub", "at": cards.later(-n), "why": f"reason {n} {'x' * 300}"} for n in range(14)]
    unknown = [{"project": "acme-prod", "service": f"service-{n}"} for n in range(7)]

    said = told(render("reply/status", context(parked=parked, unknown=unknown)))

    assert "14 events parked, because nobody can read them: pubsub: reason 0 " in said
    assert "…; pubsub: reason 2 " in said
    assert "…; and 11 more" in said
    assert "acme-prod/service-0, acme-prod/service-1, acme-prod/service-2, and 4 more" in said
    assert "characters cut" not in said


def test_what_is_exposed_is_told_beside_an_incident_of_unknown_cost() -> None:
    unknown = estimate(cards.CATALOG, "billing", IncidentKind.SERVING_FAILURE, None, None, cards.later(180))
    both = (cards.port_mismatch(), cards.bad_release(impact=unknown))

    said = told(render("reply/status", context(entry(cards.PLACE, None), incidents=both))).splitlines()[0]

    assert "ARR at risk now at least $0 · exposed $500K; not known: " in said


def test_news_of_a_service_tell_deploys_from_changes_of_traffic_and_nothing_twice() -> None:
    base = deployed("auth-service", "00283-qab")
    news = (
        replace(base, id="1", kind=EventKind.TRAFFIC, revision=None),
        replace(base, id="2", revision=None, detail="not ready"),
        replace(base, id="3", revision=None),
        replace(base, id="4", kind=EventKind.REVISION_READY, author=None),
        replace(base, id="5", kind=EventKind.REVISION_READY, author=None),
        base,
    )
    look = Look(cards.later(180), state(cards.PLACE, "00283-qab", "00283-qab"))

    said = told(render("reply/status_one", context(entry(cards.PLACE, look, *news)))).splitlines()

    assert [line.partition("UTC ")[2] for line in said if line.startswith("2025-11-17")] == [
        "traffic changed by dana",
        "change failed by dana: not ready",
        "change by dana",
        "revision ready …-00283-qab",
        "deploy …-00283-qab by dana",
    ]


def test_two_hundred_deployments_still_fit_into_one_answer() -> None:
    many = [entry(place(f"service-{n}"), None) for n in range(200)]

    assert "and 180 more" in told(render("reply/status", context(*many)))


def test_help_lists_every_command(compare: Compare) -> None:
    commands = [
        {"usage": "/reliability status [service]", "summary": "Deployments, traffic, open incidents and ARR at risk"},
        {"usage": "/reliability help", "summary": "What you can type here"},
    ]

    compare("reply/help", "all", render("reply/help", {"commands": commands, "dry_run": True}))


def test_an_error_shows_people_and_times_as_such(compare: Compare) -> None:
    text = "Only <!subteam^S0APPROVERS> may decide. <@U0AVERY0001> rejected it at <!date^1763388188^{time_secs}|14:03:08 UTC>."

    compare("reply/error", "decided", render("reply/error", {"text": text}))


def test_a_quiet_line_has_no_missing_word() -> None:
    late = {
        "service": "s",
        "environment": "e",
        "revision": "s-1",
        "percent": 5,
        "total": 1,
        "failed": 0,
        "window_s": 90,
        "author": None,
        "commit": None,
        "commit_url": None,
    }

    assert "0 of 1 request failed in 1 min 30 s" in told(render("deploy/quiet", late | {"at": cards.START}))


def test_an_unknown_name_in_a_context_is_an_error_and_not_a_blank() -> None:
    with pytest.raises(UndefinedError, match="revision"):
        render("incident/note", {"moment": "joined", "at": cards.START})
