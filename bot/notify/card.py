"""Incident → what its card shows: everything chosen, worded, cut and redacted here; the template only lays it out.

Pure: the same incident gives the same card. Elapsed time appears only where both ends are stored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.decide.phrases import percent
from bot.model import links
from bot.model.catalog import Arr, Place
from bot.model.commit_tests import CommitTests
from bot.model.incident import Decision, FailedRevision, Incident, IncidentState, PlanState, SameRise
from bot.model.judgement import Impact, IncidentKind
from bot.notify.blame import Blamed, TakenBack, blamed, news, taken_back
from bot.notify.buttons import Button, buttons
from bot.notify.cause import Cause, Others, cause, gap_words, others
from bot.notify.commit_tests import WordsShown, words_shown
from bot.notify.failing import Blocked, Failing, blocked, failing
from bot.notify.impact import ImpactShown, headline, impact_shown
from bot.notify.rollback import RollbackShown, rollback_shown
from bot.notify.safe import line, utc
from bot.notify.words import duration, person, shares, short

_ICONS = {
    IncidentState.OPENED: "🔴",
    IncidentState.ACKNOWLEDGED: "🟠",
    IncidentState.MITIGATED: "🟡",
    IncidentState.RESOLVED: "✅",
}
_STILL_FITS = frozenset({PlanState.PROPOSED, PlanState.REJECTED, PlanState.FAILED, PlanState.EXPIRED})
"""Plans that a person could still carry out by hand; the others are under way, done, or made for other traffic."""

_UNDECIDED, _SAME_RISE_SHOWN = 160, 5

_SHA = re.compile(r"[0-9a-fA-F]{7,64}")

_NOBODY_KNOWS = datetime(1970, 1, 1, tzinfo=UTC)
"""As the moment of a deploy: it was before anything that could have told it."""


@dataclass(frozen=True)
class Deployed:
    """Who and what made the newest failing revision; "" and None where nobody knows."""

    revision: str
    at: datetime
    by: str
    commit: str
    commit_url: str | None
    build: str
    managed_by: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """How the incident ended, or how far it is: `after` counts from the first failure."""

    at: datetime
    after: str
    in_time: bool
    why: str


@dataclass(frozen=True)
class Commands:
    """gcloud lines and links; "" where there is nothing to do or to see."""

    shift: str
    release: str
    logs_url: str
    revisions_url: str


@dataclass(frozen=True)
class Card:
    """All that templates/incident/card shows. `text` is what a lock screen shows."""

    id: str
    number: int
    text: str
    icon: str
    severity: str
    state: str
    where: str
    headline: str
    delayed: str
    gaps: tuple[str, ...]
    since: datetime
    restore_by: datetime
    acknowledged: Decision | None
    ended: Ended | None
    failing: Failing | None
    blocked: Blocked | None
    serving: tuple[tuple[str, int], ...]
    impact: ImpactShown
    cause: Cause
    blamed: Blamed | None
    undecided: str
    same_rise: tuple[str, ...]
    taken_back: tuple[TakenBack, ...]
    news: str
    others: Others
    rollback: RollbackShown | None
    no_plan: str
    buttons: tuple[Button, ...]
    deployed: Deployed | None
    tests: WordsShown | None
    pinned_to: str
    commands: Commands

    @property
    def is_over(self) -> bool:
        return self.state == IncidentState.RESOLVED

    @property
    def is_open(self) -> bool:
        """Users or releases still suffer, as far as we know."""
        return self.state in {IncidentState.OPENED, IncidentState.ACKNOWLEDGED}


def card(
    incident: Incident,
    place: Place,
    *,
    arr: Arr | None = None,
    actions: Sequence[str] = (),
    delayed_by: timedelta | None = None,
    moved: Place | None = None,
    pinned: Place | None = None,
) -> Card:
    """What the card of this incident shows.

    Args:
        moved: the deployment whose traffic the plan moves, where that is not the failing one. pinned: likewise, whose
            traffic an earlier rollback has pinned.
        arr: the whole revenue, to compare what is at risk with; None: unknown.
        actions: ids of the buttons that are allowed now.
        delayed_by: how late the card is, None when it was posted in time.
    """
    service = place.deployment.cloud_run
    is_serving = incident.kind is IncidentKind.SERVING_FAILURE
    moved, pinned = moved or place, pinned or place
    plan = rollback_shown(incident.plan, moved.deployment.cloud_run, failing=service) if incident.plan else None
    suspect = blamed(incident.attribution, service) if incident.attribution else None
    where = f"{service} ({incident.environment})"
    told = _headline(incident)
    return Card(
        id=incident.id,
        number=incident.number,
        text=_text(incident, where, told, plan, suspect),
        icon=_icon(incident),
        severity=str(incident.severity),
        state=str(incident.state),
        where=where,
        headline=told,
        delayed=duration(delayed_by) if delayed_by else "",
        gaps=gap_words(incident.gaps),
        since=incident.since,
        restore_by=incident.restore_by,
        acknowledged=incident.acknowledged,
        ended=_ended(incident),
        failing=failing(incident, service) if is_serving else None,
        blocked=None if is_serving else blocked(incident, service),
        serving=shares(incident.serving, service),
        impact=impact_shown(_impact(incident), arr),
        cause=cause(incident),
        blamed=suspect,
        undecided=line(incident.undecided, _UNDECIDED),
        same_rise=_same_rise(incident.same_rise),
        taken_back=taken_back(incident, service),
        news=news(incident.novelty),
        others=others(incident),
        rollback=plan,
        no_plan=line(incident.no_plan, 300),
        buttons=buttons(incident, moved.deployment.cloud_run, actions),
        deployed=_deployed(incident, place),
        tests=_tests(incident.tests, place, moved),
        pinned_to=short(incident.pinned_to, pinned.deployment.cloud_run) if incident.pinned_to else "",
        commands=_commands(incident, place, moved, pinned),
    )


def _same_rise(others: Sequence[SameRise]) -> tuple[str, ...]:
    """`#11 (backend)` for the first few, and how many more."""
    shown = [f"#{other.number} ({line(other.service, 60)})" for other in others[:_SAME_RISE_SHOWN]]
    return (*shown, f"{len(others) - len(shown)} more") if len(others) > len(shown) else tuple(shown)


def _impact(incident: Incident) -> Impact | None:
    """What is at risk now; once it is over, the most that ever was."""
    over = incident.state is IncidentState.RESOLVED
    return incident.worst_impact or incident.impact if over else incident.impact


def _icon(incident: Incident) -> str:
    unverified = incident.plan is not None and incident.plan.state is PlanState.UNVERIFIED
    return "🟠" if incident.state is IncidentState.MITIGATED and unverified else _ICONS[incident.state]


def _headline(incident: Incident) -> str:
    ended = _ended(incident)
    if incident.state is IncidentState.RESOLVED:
        return f"Resolved after {ended.after}" if ended else "Resolved"
    if incident.state is IncidentState.MITIGATED:
        unverified = incident.plan is not None and incident.plan.state is PlanState.UNVERIFIED
        return "traffic moved, not verified" if unverified else "traffic moved, being verified"
    if incident.kind is IncidentKind.DEPLOY_BLOCKED:
        return "deploys blocked" if incident.serving.serving else "nobody is served"
    requests = incident.requests
    counted = f"{percent(requests.ratio)} of requests fail" if requests and requests.total else "requests fail"
    return headline(incident.impact) or counted


def _text(incident: Incident, where: str, told: str, plan: RollbackShown | None, suspect: Blamed | None) -> str:
    """For lock screens: what, where, since when, what to do."""
    parts = [f"{_icon(incident)} {incident.severity} · {where} · {told}"]
    if incident.state in {IncidentState.OPENED, IncidentState.ACKNOWLEDGED}:
        parts[0] += f" since {utc(incident.since)}"
        if plan is not None and plan.state == PlanState.PROPOSED:
            parts.append(f"Rollback to {plan.target} waits for approval{' (dry run)' if plan.dry_run else ''}")
        elif incident.kind is IncidentKind.DEPLOY_BLOCKED and incident.serving.serving:
            parts.append("Users are still served")
        elif suspect is not None and not suspect.is_deploy:
            parts.append(f"Not a deploy: {suspect.culprit}")
    return ". ".join(parts)


def _ended(incident: Incident) -> Ended | None:
    """Counted to the moment when users were well again: the shifted traffic, else the proof that it is over."""
    if incident.state not in {IncidentState.MITIGATED, IncidentState.RESOLVED}:
        return None
    at = incident.mitigated_at or incident.resolved_at
    if at is None:
        return None
    return Ended(
        at=at,
        after=duration(at - incident.since),
        in_time=at <= incident.restore_by,
        why=line(incident.resolution, 200),
    )


def _deployed(incident: Incident, place: Place) -> Deployed | None:
    if not incident.revisions or incident.revisions[0].deployed_at <= _NOBODY_KNOWS:
        return None
    service, (newest, *older) = place.deployment.cloud_run, incident.revisions
    return Deployed(
        revision=short(newest.name, service),
        at=newest.deployed_at,
        by=line(person(newest.author), 60),
        commit=_commit(newest),
        commit_url=links.commit_url(place.service, newest.commit),
        build=line(newest.build or "", 60),
        managed_by=line(newest.managed_by or "", 40),
        others=tuple(short(revision.name, service) for revision in older[:4]),
    )


def _tests(tests: CommitTests | None, place: Place, moved: Place) -> WordsShown | None:
    """What the suites said of the commit to blame; named with its service where that is not the failing one."""
    if tests is None:
        return None
    made = next((each for each in (place, moved) if each.service_key == tests.service), None)
    url = links.commit_url(made.service, tests.commit) if made else None
    of = "" if made is place else made.deployment.cloud_run if made else tests.service
    return words_shown(tests, url, of)


def _commit(revision: FailedRevision) -> str:
    """Seven digits of a SHA; anything else that stands in its place, cut."""
    commit = revision.commit or ""
    return commit[:7].lower() if _SHA.fullmatch(commit) else line(commit, 40)


def _commands(incident: Incident, place: Place, moved: Place, pinned: Place) -> Commands:
    plan = incident.plan
    is_open = incident.state in {IncidentState.OPENED, IncidentState.ACKNOWLEDGED}
    newest = incident.revisions[0].name if incident.revisions else ""
    return Commands(
        # a place that left the catalog has no line: that of another service would do harm
        shift=links.gcloud_line(moved, plan.after)
        if plan and is_open and plan.state in _STILL_FITS and plan.place == moved.key
        else "",
        release=links.release_line(pinned)
        if incident.pinned_to and (incident.pinned_place or incident.place) == pinned.key
        else "",
        logs_url=links.logs_explorer_url(place, newest, _logs_from(incident)),
        revisions_url=links.revisions_url(place),
    )


def _logs_from(incident: Incident) -> datetime:
    """Since when the newest failing revision exists: what proves the cause is logged before the first request fails."""
    if not incident.revisions or incident.revisions[0].deployed_at <= _NOBODY_KNOWS:
        return incident.since
    deployed_at = incident.revisions[0].deployed_at
    return deployed_at if incident.kind is IncidentKind.DEPLOY_BLOCKED else min(incident.since, deployed_at)
