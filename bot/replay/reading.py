"""Files → `Recording`. What a file holds is reduced as it is read: a successful request becomes a few numbers.

Two things are understood, in the same files or in different ones, in any order: log entries as `gcloud logging read
--format=json` writes them, and events in the shape of the webhooks' bodies (`bot.ingest.webhook`,
`bot.ingest.config_change`), whose `at` is needed here, for a file has no moment of receipt. Anything else is counted and
told by file and line, never fatal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from bot.correlate.entry_json import from_json, timestamp
from bot.errors import Rejected, UserError
from bot.ingest import config_change, webhook
from bot.ingest.cloud_audit import read_entry
from bot.ingest.source import Delivery, id_of_body
from bot.model.event import DeployEvent
from bot.model.evidence import LogEntry, LogKind
from bot.replay.audit import told
from bot.replay.recording import BootFailure, Home, Kept, Recording, Request, Service
from bot.replay.routine import explains
from bot.replay.scan import Broken, objects

TEXT_LIMIT = 20_000
_POSSIBLE = (datetime(2010, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
"""Older than the platform, or a broken clock's."""

_SHOWN = 5
"""Of what could not be read."""

_KINDS = {kind.value: kind for kind in LogKind}
_GENERATED = re.compile(r"-\d{5}-[a-z0-9]{3}$")
_IN_NAME = re.compile(r"/(?:revisions|services)/([a-z][a-z0-9-]*)")
_NOT_STARTED = re.compile(
    r"failed to start and listen on the port|failed the configured startup probe|The instance was not started"
)
_ROLLOUT = "DEPLOYMENT_ROLLOUT"


def read(paths: Iterable[Path], advance: Callable[[int], None] = lambda _bytes: None) -> Recording:
    """Everything in these files.

    Args:
        advance: called with the number of bytes read since the last call.

    Raises:
        UserError: a file cannot be opened, or nothing in all of them can be used; the text says what to do.
    """
    reader = _Reader()
    for path in paths:
        if path.is_dir():
            raise UserError(f"{path} is a directory: name the files in it, {path}/*.json for example")
        try:
            reader.file(path, advance)
        except OSError as error:
            why = error.strerror or str(error)
            raise UserError(f"cannot read {path}: {why[:1].lower()}{why[1:]}") from error
    recording = reader.close()
    if not recording.services:
        raise UserError(_nothing(recording))
    return recording


def _nothing(recording: Recording) -> str:
    files = ", ".join(recording.files) or "no file"
    if recording.broken:
        where, why = recording.broken[0]
        return f"nothing in {files} can be read as a log entry or an event; the first problem is at {where}: {why}"
    if recording.other:
        kinds = ", ".join(sorted(recording.other))
        return f"no entry in {files} is about a Cloud Run service (they are about {kinds}); read with resource.type=cloud_run_revision"
    if recording.unnamed:
        return f"no entry in {files} names a Cloud Run service (resource.labels.service_name)"
    return f"there is no log entry and no event in {files}"


class _Reader:
    def __init__(self) -> None:
        self.found = Recording()
        self._number = 0
        self._newest_first: set[int] = set()
        self._file_of: list[int] = []

    def file(self, path: Path, advance: Callable[[int], None]) -> None:
        self.found.files.append(path.name)
        first, last, steps = self._number, "", 0
        for item in objects(path, advance):
            if isinstance(item, Broken):
                self._broken(path, item.line, item.why)
                continue
            line, value = item
            self._number += 1
            stamp = value.get("timestamp")
            if isinstance(stamp, str):
                steps += (stamp > last) - (stamp < last) if last else 0
                last = stamp
            try:
                self._take(value)
            except Rejected as rejected:
                self._broken(path, line, str(rejected))
        if steps < 0:  # gcloud writes the newest entry first
            self._turn_round(first)

    def close(self) -> Recording:
        _complete_homes(self.found)
        return self.found

    def _broken(self, path: Path, line: int, why: str) -> None:
        self.found.broken_count += 1
        if len(self.found.broken) < _SHOWN:
            self.found.broken.append((f"{path.name}:{line}", why))

    def _turn_round(self, first: int) -> None:
        """Entries of one instant without an insert id stand in the order of the file: here, the other way round."""
        for service in self.found.services.values():
            for key, kept in service.kept.items():
                number = kept.order[-1]
                if number > first and not kept.order[1]:
                    service.kept[key] = kept._replace(order=(*kept.order[:4], -number))

    def _take(self, value: dict[str, Any]) -> None:
        if "logName" not in value and "resource" not in value and "service" in value:
            self._take_event(value)
            return
        at, received = timestamp(value.get("timestamp")), timestamp(value.get("receiveTimestamp"))
        at = at or received
        if at is None:
            known = "logName" in value or "resource" in value
            what = "no timestamp that can be read" if known else "neither a log entry nor an event"
            raise Rejected(what, status=400)
        received = received or at
        if not _POSSIBLE[0] <= min(at, received) <= max(at, received) < _POSSIBLE[1]:
            raise Rejected("its timestamp is out of all range", status=400)
        self._take_entry(value, at, received.timestamp())

    def _take_event(self, value: dict[str, Any]) -> None:
        at = timestamp(value.get("at"))
        if at is None:
            raise Rejected("an event needs `at`, the moment when it happened", status=400)
        if not _POSSIBLE[0] <= at < _POSSIBLE[1]:
            raise Rejected("its `at` is out of all range", status=400)
        body = msgspec.json.encode(value, order="sorted")
        parse = config_change.parse if "name" in value else webhook.parse
        for event in parse(Delivery({}, body, at), id_of_body(body)):
            self._keep_event(event)
        self.found.events += 1

    def _keep_event(self, event: DeployEvent) -> None:
        if not event.service:
            self.found.secrets.setdefault(event.id, event)
            return
        service = self.found.service(Home(event.project, event.region or "", event.service))
        service.events.setdefault(event.id, event)
        if event.revision:
            at, arrived = event.at.timestamp(), event.received_at.timestamp()
            service.mention(event.revision, at, arrived, rollout=True)

    def _take_entry(self, value: dict[str, Any], at: datetime, arrived: float) -> None:
        self.found.entries += 1
        resource = _map(value.get("resource"))
        labels, kind = _map(resource.get("labels")), _kind(_text(value.get("logName")))
        type_ = _text(resource.get("type")) or ("cloud_run_revision" if labels.get("service_name") else "")
        audited = kind in {LogKind.ACTIVITY, LogKind.SYSTEM_EVENT}
        event = self._event_of(value, at, arrived) if audited else None
        if event is not None:
            self._keep_event(event)
        if type_ != "cloud_run_revision":
            if event is None:
                named = type_ or "nothing that is named"
                self.found.other[named] = self.found.other.get(named, 0) + 1
            return
        audit = _map(value.get("protoPayload"))
        service, revision = _names(labels, _text(audit.get("resourceName")), event)
        if not service:
            self.found.unnamed += 1
            return
        project = _text(labels.get("project_id")) or _project_of(_text(value.get("logName")))
        home = self.found.service(Home(project, _text(labels.get("location")), service))
        insert_id = _text(value.get("insertId"))
        key = f"{insert_id}|{at.timestamp()}|{kind}" if insert_id else f"#{self._number}"
        home.entries += 1
        if kind is LogKind.REQUESTS:
            self._take_request(home, value, key, at, arrived, revision)
        elif audited:
            self._take_audit(home, value, key, at, arrived)
        self._take_log(home, value, kind, key, at, arrived, revision, insert_id)

    def _event_of(self, value: dict[str, Any], at: datetime, arrived: float) -> DeployEvent | None:
        number = _text(value.get("insertId")) or f"{self._number}"
        received = datetime.fromtimestamp(arrived, at.tzinfo)
        return read_entry(msgspec.json.encode(value), f"audit:{number}:{at.isoformat()}", "replay", received)

    def _take_request(
        self, home: Service, value: dict[str, Any], key: str, at: datetime, arrived: float, revision: str
    ) -> None:
        status = _status(value)
        if status is None or not revision:
            return
        known = home.requests.get(key)
        if known is not None:
            self.found.repeated += 1
        if known is None or arrived < known.arrived:
            proves = "is not ready" not in _text(value.get("textPayload"))
            home.requests[key] = Request(arrived, at.timestamp(), revision, status, proves)

    def _take_audit(self, home: Service, value: dict[str, Any], key: str, at: datetime, arrived: float) -> None:
        said = told(value, at, arrived)
        known = home.told.get(key)
        if said is not None and (known is None or arrived < known.arrived):
            home.told[key] = said

    def _take_log(
        self,
        home: Service,
        value: dict[str, Any],
        kind: LogKind,
        key: str,
        at: datetime,
        arrived: float,
        revision: str,
        insert_id: str,
    ) -> None:
        evidence, error = explains(value, kind, _status(value) if kind is LogKind.REQUESTS else None)
        text = _text(value.get("textPayload"))
        if revision and kind is not LogKind.ACTIVITY:
            home.mention(revision, at.timestamp(), arrived, rollout=kind is LogKind.SYSTEM and _ROLLOUT in text)
        if not (evidence or error):
            return
        entry = _entry(value, kind, home.home.service, revision)
        if kind is LogKind.SYSTEM and revision and _NOT_STARTED.search(entry.text):
            home.boot_failures[key] = BootFailure(arrived, at.timestamp(), revision, entry.text)
        known = home.kept.get(key)
        if known is not None:
            self.found.repeated += kind is not LogKind.REQUESTS
            if arrived >= (known.entry.received_at or known.entry.at).timestamp():
                return
        order = (at.timestamp(), insert_id, str(kind), entry.text if insert_id else "", self._number)
        home.kept[key] = Kept(entry, evidence, error, order)


def _entry(value: dict[str, Any], kind: LogKind, service: str, revision: str) -> LogEntry:
    read_ = from_json(value)
    payload = value.get("jsonPayload")
    text = read_.text
    if not text and isinstance(payload, dict) and payload:  # an ERROR must not vanish for want of words
        text = json.dumps(payload, ensure_ascii=False, sort_keys=True)
    return replace(read_, log=kind, service=service, revision=revision or read_.revision, text=_cut(text))


def _cut(text: str) -> str:
    """Head and tail: a traceback names its cause last."""
    if len(text) <= TEXT_LIMIT:
        return text
    half = TEXT_LIMIT // 2 - 30
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"


def _names(labels: Mapping[str, Any], resource_name: str, event: DeployEvent | None) -> tuple[str, str]:
    """(service, revision) of an entry; the first entry of a new revision comes without its service."""
    revision = _text(labels.get("revision_name"))
    if not revision and "/revisions/" in resource_name:
        found = _IN_NAME.search(resource_name[resource_name.index("/revisions/") :])
        revision = found[1] if found else ""
    service = _text(labels.get("service_name")) or (event.service if event is not None else "")
    if not service:
        service = _text(labels.get("configuration_name"))
    if not service and _GENERATED.search(revision):
        service = _GENERATED.sub("", revision)
    return service, revision


def _complete_homes(recording: Recording) -> None:
    """Where an entry or event names no region or project, it is that of the one service of this name."""
    for home in [home for home in recording.services if not home.region or not home.project]:
        same = [
            other
            for other in recording.services
            if other != home and other.service == home.service and home.project in {"", other.project} and other.region
        ]
        if len(same) == 1:
            _join(recording.services[same[0]], recording.services.pop(home))


def _join(into: Service, other: Service) -> None:
    into.requests |= other.requests
    into.kept |= other.kept
    into.told |= other.told
    into.boot_failures |= other.boot_failures
    into.events |= other.events
    into.entries += other.entries
    for name, mention in other.mentions.items():
        into.mention(name, mention.at, mention.arrived, rollout=mention.rollout)


@lru_cache(maxsize=256)
def _kind(log_name: str) -> LogKind:
    return _KINDS.get(unquote(log_name.partition("/logs/")[2]), LogKind.OTHER)


@lru_cache(maxsize=256)
def _project_of(log_name: str) -> str:
    owner = log_name.partition("/logs/")[0].split("/")
    return owner[1] if len(owner) == 2 and owner[0] == "projects" else ""


def _status(value: Mapping[str, Any]) -> int | None:
    status = _map(value.get("httpRequest")).get("status")
    if isinstance(status, str) and status.isdecimal() and len(status) < 4:
        return int(status)
    return status if isinstance(status, int) and not isinstance(status, bool) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
