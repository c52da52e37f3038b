"""What `/reliability status` shows: each deployment in two lines, those with open incidents first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.decide.incident import credited
from bot.model import links
from bot.model.catalog import Place
from bot.model.cloud_run import ServiceState
from bot.model.event import DeployEvent, EventKind
from bot.model.evidence import Gap
from bot.model.incident import Incident
from bot.model.judgement import Health, Verdict
from bot.notify.card import card
from bot.notify.cause import gap_words
from bot.notify.impact import ImpactShown, impact_shown
from bot.notify.safe import line, opening
from bot.notify.suite_status import SuiteLine, suite_lines
from bot.notify.words import count, person, phrase, shares, short

_ROWS = 20
_EVENTS = 5
_DAYS = 7
"""Over which success rates are counted."""

_NAMED = 3
"""Of parked events and unknown services."""

_NEWS = {
    EventKind.DEPLOY: "change",
    EventKind.TRAFFIC: "traffic changed",
    EventKind.REFUSED: "change refused",
    EventKind.CONFIG: "setting changed",
}


class Look(Protocol):
    """What the last look at a place saw (`bot.store.places.LastLook`)."""

    @property
    def at(self) -> datetime: ...
    @property
    def state(self) -> ServiceState | None: ...
    @property
    def verdicts(self) -> Sequence[Verdict]: ...
    @property
    def gaps(self) -> Sequence[Gap]: ...


@dataclass(frozen=True)
class IncidentLine:
    """An open incident in one line."""

    icon: str
    severity: str
    number: int
    headline: str
    since: datetime
    waits: str


@dataclass(frozen=True)
class LastDeploy:
    """Who and what made the newest revision; "" and None where nobody knows."""

    revision: str
    at: datetime
    by: str
    commit: str
    commit_url: str | None


@dataclass(frozen=True)
class Happened:
    """One event about a deployment."""

    at: datetime
    what: str


@dataclass(frozen=True)
class Row:
    """One deployment.

    Attributes:
        serving: (short name, percent); None: never read so far.
        remarks: what is unusual: pinned traffic, a newest revision that is not ready, what could not be read.
        verdicts, events, revisions_url: only for a single service.
    """

    where: str
    incidents: tuple[IncidentLine, ...]
    serving: tuple[tuple[str, int], ...] | None
    deploy: LastDeploy | None
    remarks: tuple[str, ...]
    looked_at: datetime | None
    verdicts: tuple[str, ...] = ()
    events: tuple[Happened, ...] = ()
    revisions_url: str = ""


@dataclass(frozen=True)
class Status:
    """The whole answer. `summary` is its first line and its text without blocks."""

    summary: str
    rows: tuple[Row, ...]
    more: int
    impact: ImpactShown | None
    troubles: tuple[str, ...]
    dry_run: bool
    suites: tuple[SuiteLine, ...] = ()
    more_suites: int = 0


def status(context: Mapping[str, Any], *, detailed: bool) -> Status:
    """From what `commands/status.py` read."""
    open_now: Sequence[Incident] = context["incidents"]
    by_place: dict[str, list[Incident]] = {}
    for incident in sorted(open_now, key=lambda incident: (incident.severity, incident.since)):
        by_place.setdefault(incident.place, []).append(incident)
    entries = sorted(context["places"], key=lambda entry: _urgency(by_place.get(entry["place"].key, [])))
    suites, more_suites = suite_lines(context.get("suites", ()), _DAYS)
    alarms = sum(len(suite.alarms) for suite in suites)
    rows = tuple(_row(**entry, incidents=by_place.get(entry["place"].key, []), detailed=detailed) for entry in entries)
    return Status(
        summary=_summary(len(rows), len(open_now), alarms),
        rows=rows[:_ROWS],
        more=max(0, len(rows) - _ROWS),
        impact=impact_shown(context["impact"], context.get("arr")) if open_now else None,
        troubles=_troubles(context),
        dry_run=context["dry_run"],
        suites=suites,
        more_suites=more_suites,
    )


def _summary(deployments: int, incidents: int, alarms: int) -> str:
    said = [count(deployments, "deployment"), count(incidents, "open incident") if incidents else "no open incident"]
    return ", ".join([*said, f"{count(alarms, 'alarm')} of test suites"] if alarms else said)


def _urgency(incidents: Sequence[Incident]) -> tuple[bool, str]:
    return (not incidents, min((str(incident.severity) for incident in incidents), default=""))


def _row(
    place: Place, look: Look | None, events: Sequence[DeployEvent], incidents: Sequence[Incident], *, detailed: bool
) -> Row:
    service = place.deployment.cloud_run
    state = look.state if look else None
    return Row(
        where=f"{service} ({place.environment})",
        incidents=tuple(_incident(incident, place) for incident in incidents),
        serving=shares(state.fact, service) if state else None,
        deploy=_last_deploy(place, state, events) if state else None,
        remarks=_remarks(look, service),
        looked_at=look.at if look else None,
        verdicts=tuple(_judged(verdict, look.gaps) for verdict in look.verdicts) if detailed and look else (),
        events=tuple(_happened(event, service) for event in _news(events)[:_EVENTS]) if detailed else (),
        revisions_url=links.revisions_url(place) if detailed else "",
    )


def _incident(incident: Incident, place: Place) -> IncidentLine:
    shown = card(incident, place)
    waits = shown.rollback is not None and shown.rollback.state == "proposed"
    return IncidentLine(
        icon=shown.icon,
        severity=shown.severity,
        number=incident.number,
        headline=shown.headline,
        since=incident.since,
        waits="a rollback waits for approval" if waits else "",
    )


def _last_deploy(place: Place, state: ServiceState, events: Sequence[DeployEvent]) -> LastDeploy | None:
    newest = state.revision(state.latest_created) or next(iter(state.revisions), None)
    if newest is None:
        return None
    made = credited(newest, state, events)
    return LastDeploy(
        revision=short(made.name, place.deployment.cloud_run),
        at=made.deployed_at,
        by=line(person(made.author), 60),
        commit=line(made.commit or "", 40)[:7],
        commit_url=links.commit_url(place.service, made.commit),
    )


def _remarks(look: Look | None, service: str) -> tuple[str, ...]:
    if look is None:
        return ("not looked at yet",)
    remarks = list(gap_words(look.gaps))
    state = look.state
    if state is None:
        return tuple(remarks) or ("Cloud Run could not be read",)
    if state.reconciling:
        remarks.append("Cloud Run is still working on it")
    elif state.latest_created and state.latest_created != state.latest_ready:
        remarks.append(f"the newest revision, {short(state.latest_created, service)}, is not ready")
    if state.fact.serving and not state.wish.follows_latest:
        remarks.append("traffic is pinned: a new deploy gets 0 %")
    return tuple(remarks)


def _judged(verdict: Verdict, gaps: Sequence[Gap]) -> str:
    """A verdict's sentence; why it could not be measured stands among the remarks already."""
    why = verdict.why
    if verdict.health is Health.ERROR:
        for gap in gaps:
            why = why.replace(f"{gap.source}: {gap.why}", "see above")
    return line(why, 240)


def _news(events: Sequence[DeployEvent]) -> list[DeployEvent]:
    """Events without repetition: Cloud Run says of the same revision more than once that it is ready, or failed."""
    told: dict[tuple[EventKind, str] | str, DeployEvent] = {}
    for event in events:
        says_again = event.revision and event.kind in {EventKind.REVISION_READY, EventKind.REVISION_FAILED}
        told.setdefault((event.kind, event.revision or "") if says_again else event.id, event)
    return list(told.values())


def _happened(event: DeployEvent, service: str) -> Happened:
    by = person(event.author)
    what = _NEWS.get(event.kind, phrase(str(event.kind)))
    if event.kind is EventKind.DEPLOY and event.detail:
        what = "change failed"
    elif event.kind is EventKind.DEPLOY and event.revision:
        what = "deploy"
    parts = (
        what,
        short(event.revision, service) if event.revision else "",
        f"by {by}" if by else "",
    )
    said = " ".join(part for part in parts if part)
    return Happened(event.at, line(f"{said}: {event.detail}" if event.detail else said, 200))


def _troubles(context: Mapping[str, Any]) -> tuple[str, ...]:
    """What keeps the bot itself from doing its work, at most a few of each."""
    parked, unknown, unsaid = context["parked"], context["unknown"], context["undelivered"]
    troubles = []
    if parked:
        whys = [opening(f"{entry['source']}: {entry['why']}", 80) for entry in parked]
        examples = _first(whys, "; ")
        troubles.append(
            f"{count(len(parked), 'event')} parked, because nobody can read {_them(len(parked))}: {examples}"
        )
    if unknown:
        names = [opening(f"{entry['project']}/{entry['service']}", 100) for entry in unknown]
        troubles.append(f"not in the catalog: {_first(names, ', ')}")
    if unsaid:
        reasons = dict.fromkeys(str(entry["why"]) for entry in unsaid)
        troubles.append(f"{count(len(unsaid), 'message')} not delivered yet: {line('; '.join(reasons), 240)}")
    return tuple(troubles)


def _first(texts: Sequence[str], between: str) -> str:
    """The first few, each once, and how many more there are."""
    shown = list(dict.fromkeys(texts[:_NAMED]))
    more = [f"and {len(texts) - _NAMED} more"] if len(texts) > _NAMED else []
    return between.join([*shown, *more])


def _them(number: int) -> str:
    return "it" if number == 1 else "them"
