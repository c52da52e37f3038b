"""What is known at the end of a replay: each incident in figures, and what could not be judged, with the reason. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.correlate import diagnose
from bot.model.attribution import Attribution, Cause
from bot.model.catalog import Catalog, Place
from bot.model.incident import Incident
from bot.model.judgement import Certainty
from bot.redact import redact
from bot.replay.drive import Replayed
from bot.replay.recording import Home, Recording, Service
from bot.replay.said import Kind

_MOST_DIAGNOSED = 2_000
"""Entries of one service that are diagnosed without a verdict."""


@dataclass(frozen=True)
class Summed:
    """One incident.

    Attributes:
        posted_at: when its card would have been posted; `after` the first error.
        cause, responsible: in words with how sure, "" where nothing was decided.
    """

    number: int
    severity: str
    service: str
    environment: str
    kind: str
    state: str
    first_error: datetime
    posted_at: datetime
    after: timedelta
    cause: str
    responsible: str
    ended: str


@dataclass(frozen=True)
class Report:
    """The end of a replay.

    Attributes:
        counts: messages by kind: "card", "edit", "note", "line".
        remarks: what a reader has to know about these figures, each a sentence.
    """

    incidents: tuple[Summed, ...]
    counts: dict[str, int]
    remarks: tuple[str, ...]


def report(recording: Recording, replayed: Replayed, catalog: Catalog) -> Report:
    """Incidents in the order of their cards."""
    posted = {said.id: said.at for said in reversed(replayed.said) if said.kind is Kind.CARD and not said.edited}
    counts = Counter("edit" if said.edited else str(said.kind) for said in replayed.said)
    return Report(
        incidents=tuple(_summed(incident, posted[incident.id]) for incident in replayed.incidents),
        counts={kind: counts[kind] for kind in ("card", "edit", "note", "line")},
        remarks=(*_doubts(recording, replayed), *_left_out(recording, catalog)),
    )


def _summed(incident: Incident, posted_at: datetime) -> Summed:
    diagnosis = incident.diagnosis
    return Summed(
        number=incident.number,
        severity=str(incident.severity),
        service=incident.service,
        environment=incident.environment,
        kind=str(incident.kind),
        state=str(incident.state),
        first_error=incident.since,
        posted_at=posted_at,
        after=posted_at - incident.since,
        cause=redact(f"{diagnosis.title} ({diagnosis.certainty})") if diagnosis else "",
        responsible=redact(_responsible(incident.attribution)),
        ended=redact(incident.resolution) if incident.resolved_at else "",
    )


def _responsible(said: Attribution | None) -> str:
    if said is None or said.cause is Cause.NONE:
        return ""
    sure = (
        Certainty.SURE if said.confidence >= 0.9 else Certainty.LIKELY if said.confidence >= 0.6 else Certainty.POSSIBLE
    )
    if said.cause is Cause.REVISION:
        return f"{said.revision} ({sure})"
    return f"{said.culprit or said.cause}, not a deploy ({sure})"


def _doubts(recording: Recording, replayed: Replayed) -> list[str]:
    """Where the recording itself keeps the bot from judging as it would have."""
    told = {incident.place for incident in replayed.incidents}
    doubts = []
    for place in replayed.places:
        d = place.deployment
        service = recording.services[Home(d.project, d.region, d.cloud_run)]
        if service.requests and all(request.status >= 400 for request in service.requests.values()):
            doubts.append(
                f"{_named(place)}: every recorded request failed. If the log was read with a filter on severity, "
                "the shares of failing requests are too high."
            )
        if not service.requests and place.key not in told:
            doubts.append(
                f"{_named(place)}: no request is recorded, so nobody can say whether it served. {_alone(service)}"
            )
    return doubts


def _alone(service: Service) -> str:
    """What the log says by itself, where no verdict is possible."""
    kept = sorted((kept for kept in service.kept.values() if kept.evidence), key=lambda kept: kept.order)
    causes = diagnose(kept.entry for kept in kept[:_MOST_DIAGNOSED])
    if not causes:
        return "Its log speaks of no error."
    return redact(f"Its log alone says: {causes[0].title} ({causes[0].certainty}).")


def _named(place: Place) -> str:
    return f"{place.deployment.cloud_run} ({place.environment})"


def _left_out(recording: Recording, catalog: Catalog) -> list[str]:
    found = []
    for home in recording.homes:
        if catalog.find(home.project, home.region or None, home.service) is None:
            entries = recording.services[home].entries
            where = ", ".join(part for part in (home.project, home.region) if part)
            found.append(f"not in the catalog: {home.service} ({where or 'no project named'}), {_entries(entries)}")
    if recording.other:
        kinds = ", ".join(f"{kind} {number:,}" for kind, number in sorted(recording.other.items()))
        found.append(f"not about a Cloud Run service: {_entries(sum(recording.other.values()))} ({kinds})")
    if recording.unnamed:
        found.append(f"naming no service: {_entries(recording.unnamed)}")
    if recording.repeated:
        found.append(f"there more than once, counted once: {_entries(recording.repeated)}")
    if recording.broken_count:
        places = "; ".join(f"{where}: {why}" for where, why in recording.broken)
        more = recording.broken_count - len(recording.broken)
        found.append(
            f"could not be read: {recording.broken_count:,} ({places}{f'; and {more:,} more' if more else ''})"
        )
    return found


def _entries(number: int) -> str:
    return f"{number:,} {'entry' if number == 1 else 'entries'}"
