"""A replay in words for a terminal of 80 columns, and as JSON lines for programs. The same replay, the same bytes."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.model.incident import Incident, IncidentState
from bot.model.judgement import IncidentKind
from bot.notify.plain import readable
from bot.notify.words import count, duration
from bot.replay.drive import Replayed
from bot.replay.recording import Recording
from bot.replay.report import Report, Summed
from bot.replay.said import Kind, Said

WIDTH = 78
_CARD, _NOTE = "  ", "  │ "

_URL = re.compile(r"\s*https?://\S+")
_LINK_NAMES = re.compile(r"^(?:(?:Logs|Revisions|Commit)(?: · |$))+")
_LEADING_TIME = re.compile(r"^\d\d:\d\d:\d\d UTC ")
_FIGURES = re.compile(r"[<>]?\d[\d,.:%]*(?![\w-])")
_TALLY = re.compile(r"^\d+ of \d+ deploys? failed")
_MATERIAL = ("Cause", "Responsible", "Rollback", "Users:", "Taken back", "Reading", "Not readable")
"""How lines of a card begin whose change is told; others change with every count."""


def told(recording: Recording, replayed: Replayed, report: Report, *, inferred: bool) -> Iterator[str]:
    """Lines for people."""
    yield from _head(recording, replayed, inferred=inferred)
    if not replayed.said:
        yield ""
        yield "The bot would have posted nothing."
    yield from _messages(replayed)
    yield from _summary(report)


def _head(recording: Recording, replayed: Replayed, *, inferred: bool) -> Iterator[str]:
    files = ", ".join(sorted(recording.files))
    seen = count(recording.entries, "log entry", "log entries")
    happened = f" and {count(recording.events, 'event')}" if recording.events else ""
    yield from _wrapped(f"Replay of {files}: {seen}{happened}")
    same_day = replayed.began.date() == replayed.ended.date()
    until = f"{replayed.ended:%H:%M:%S}" if same_day else f"{replayed.ended:%Y-%m-%d %H:%M:%S}"
    yield f"{replayed.began:%Y-%m-%d %H:%M:%S} – {until} UTC"
    names = ", ".join(f"{place.deployment.cloud_run} ({place.environment})" for place in replayed.places)
    yield from _wrapped(f"Services: {names or 'none of the catalog'}")
    if inferred:
        yield from _wrapped(
            "No catalog: impact is unknown and severity follows the kind of incident alone. Write one with your "
            "services, journeys and revenue (reliability.yaml is an example) and name it with --catalog."
        )


def _messages(replayed: Replayed) -> Iterator[str]:
    states = {incident.id: incident for incident in replayed.incidents}
    cards: dict[str, _Card] = {}
    day = ""
    for said in replayed.said:
        shown = _shown(said, cards, states.get(said.id))
        if not shown:
            continue
        yield from _refreshed(cards, day)
        if day != f"{said.at:%Y-%m-%d}":
            day = f"{said.at:%Y-%m-%d}"
            yield ""
            yield f"── {day} {'─' * (WIDTH - 14)}"
        yield from shown
    yield from _refreshed(cards, day)


def _shown(said: Said, cards: dict[str, _Card], incident: Incident | None) -> list[str]:
    """What a message adds to what is printed; [] for new figures, which the card remembers."""
    lines = _lines(said)
    if said.kind is Kind.NOTE:
        return _note(said, lines)
    if said.kind is Kind.LINE:
        return [*_title(said, "a message"), *_block(lines, _CARD)]
    if said.edited:
        return _edited(cards[said.id], said, lines, incident)
    cards[said.id] = _Card(lines, _where(lines))
    return [*_title(said, "a card"), *_block(lines, _CARD)]


def _refreshed(cards: dict[str, _Card], day: str) -> list[str]:
    """A line for each card whose figures changed since the last message that said something new."""
    waiting = sorted((card for card in cards.values() if card.refreshed), key=lambda card: card.refreshed[-1].at)
    return [line for card in waiting for line in card.rest(day)]


@dataclass
class _Card:
    """What was last shown of a card, and how often its figures alone changed since."""

    lines: list[str]
    name: str
    refreshed: list[Said] = field(default_factory=list)

    def rest(self, day: str) -> list[str]:
        """One line for all edits that changed nothing but figures."""
        last, times = self.refreshed[-1], len(self.refreshed)
        self.refreshed = []
        what = "the card was edited" if times == 1 else f"the card was edited {times:,} times until then"
        date = "" if day == f"{last.at:%Y-%m-%d}" else f"{last.at:%Y-%m-%d} "
        return ["", *_wrapped(f"{date}{last.at:%H:%M:%S}  {what}, figures only · {self.name}", "          ")]


def _edited(card: _Card, said: Said, lines: list[str], incident: Incident | None) -> list[str]:
    over = incident is not None and incident.state is IncidentState.RESOLVED and said.version == incident.version
    changed = [] if over else _changes(card.lines, lines)
    card.lines = lines
    if over:
        return [*_title(said, "the card at the end"), *_block(lines, _CARD)]
    if not changed:
        card.refreshed.append(said)
        return []
    return [*_title(said, f"edited · {card.name}"), *_block(changed, _CARD)]


def _changes(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Lines that say something new, not only other figures; the first line always counts."""
    known = {_FIGURES.sub("#", line) for line in before} | {line for line in before if _TALLY.search(line)}
    return [
        line
        for number, line in enumerate(after)
        if (number == 0 or line.startswith(_MATERIAL) or _TALLY.search(line))
        and (line if _TALLY.search(line) else _FIGURES.sub("#", line)) not in known
    ]


def _note(said: Said, lines: list[str]) -> list[str]:
    first = _LEADING_TIME.sub("", lines[0]) if lines else ""
    return _block([f"{said.at:%H:%M:%S} in the thread: {first}", *lines[1:]], _NOTE)


def _title(said: Said, what: str) -> list[str]:
    return ["", *_wrapped(f"{said.at:%H:%M:%S}  {said.channel}  {what}", "          ")]


def _where(lines: Sequence[str]) -> str:
    """`auth-service (staging)` of a card's headline `🔴 P0 · auth-service (staging) · 97 % of requests fail`."""
    parts = lines[0].split(" · ") if lines else []
    return parts[1] if len(parts) > 2 else "".join(parts)


def _lines(said: Said) -> list[str]:
    """As readable text without links, which are longer than a terminal is wide; `--json` has them."""
    lines = (_LINK_NAMES.sub("", _URL.sub("", line).strip()) for line in readable(said.message).splitlines())
    return [line for line in lines if line]


def _block(lines: Sequence[str], indent: str) -> list[str]:
    return [piece for line in lines for piece in _wrapped(line, indent + "  ", first=indent)]


def _wrapped(text: str, indent: str = "  ", *, first: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [first.rstrip()]


def _summary(report: Report) -> Iterator[str]:
    yield ""
    yield f"── Summary {'─' * (WIDTH - 11)}"
    opened = count(len(report.incidents), "incident") if report.incidents else "No incident"
    kinds = [
        count(report.counts["card"], "card"),
        count(report.counts["edit"], "edit"),
        count(report.counts["note"], "note"),
        count(report.counts["line"], "quiet line"),
    ]
    said = [words for words, number in zip(kinds, report.counts.values(), strict=True) if number]
    yield f"{opened}; {', '.join(said) or 'no message'}"
    for incident in report.incidents:
        yield ""
        yield from _told_incident(incident)
    if report.remarks:
        yield ""
    for remark in report.remarks:
        yield from _wrapped(f"{remark[:1].upper()}{remark[1:]}", first="• ")


def _told_incident(incident: Summed) -> Iterator[str]:
    blocked = incident.kind == IncidentKind.DEPLOY_BLOCKED
    what = "deploys blocked" if blocked else "serving failure"
    day = "" if incident.posted_at.date() == incident.first_error.date() else f"{incident.posted_at:%Y-%m-%d} "
    yield from _wrapped(
        f"#{incident.number} {incident.severity} · {incident.service} ({incident.environment}) · {what} · {incident.state}"
    )
    rows = (
        ("cause", incident.cause or "not known"),
        ("responsible", incident.responsible or ("" if blocked else "not decided")),
        ("first error", f"{incident.first_error:%Y-%m-%d %H:%M:%S} UTC"),
        ("posted", f"{day}{incident.posted_at:%H:%M:%S} UTC, {duration(incident.after)} after the first error"),
        ("ended", incident.ended),
    )
    for name, value in rows:
        if value:
            yield from _wrapped(value, " " * 15, first=f"   {name:<12}")


def json_lines(recording: Recording, replayed: Replayed, report: Report, *, inferred: bool) -> Iterator[str]:
    """One object per message, then one with the summary. `thread` is the id of the card, null outside a thread."""
    for said in replayed.said:
        yield _json(
            {
                "at": _moment(said.at),
                "channel": said.channel,
                "kind": str(said.kind),
                "id": said.id,
                "edited": said.edited,
                "version": said.version,
                "thread": said.thread or None,
                "text": said.message.text,
                "blocks": list(said.message.blocks),
            }
        )
    summary = {
        "files": sorted(recording.files),
        "entries": recording.entries,
        "events": recording.events,
        "began": _moment(replayed.began),
        "ended": _moment(replayed.ended),
        "catalog_inferred": inferred,
        "places": [place.key for place in replayed.places],
        "messages": report.counts,
        "incidents": [_incident_json(incident) for incident in report.incidents],
        "repeated": recording.repeated,
        "broken": recording.broken_count,
        "remarks": list(report.remarks),
    }
    yield _json({"summary": summary})


def _incident_json(incident: Summed) -> dict[str, Any]:
    return {
        "number": incident.number,
        "severity": incident.severity,
        "service": incident.service,
        "environment": incident.environment,
        "kind": incident.kind,
        "state": incident.state,
        "first_error": _moment(incident.first_error),
        "posted_at": _moment(incident.posted_at),
        "seconds_after_first_error": incident.after.total_seconds(),
        "cause": incident.cause or None,
        "responsible": incident.responsible or None,
        "ended": incident.ended or None,
    }


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
