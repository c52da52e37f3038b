"""A recorded entry is kept exactly where the bot's own queries would have found it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from google.cloud.logging_v2.types import LogEntry as WireEntry
from google.protobuf.json_format import ParseDict
from support.dumps import MALFORMED, PROJECT, REGION, START, TRACEBACK, Dump, Entry

from bot.correlate import from_json
from bot.model.catalog import Deployment, Detection, Place, Service
from bot.model.evidence import Window
from bot.model.log_query import entries_of, errors_of
from bot.replay.routine import explains
from bot.sandbox.local_google.filter import compile_filter

REVISION = "auth-service-00283-qab"
DEPLOYMENT = Deployment(PROJECT, REGION, "auth-service")
PLACE = Place("auth", "staging", Service(1, "C0AUTHOPS01", {"staging": DEPLOYMENT}), DEPLOYMENT, Detection())
WINDOW = Window(START - timedelta(hours=1), START + timedelta(hours=1))


def _entries() -> Iterator[Entry]:
    dump = Dump()
    for text in (
        *TRACEBACK,
        '10.0.0.1 - - [15/Sep/2025] "GET /health HTTP/1.1" 200 12',
        '10.0.0.1 - - [15/Sep/2025] "GET /health HTTP/1.1" 503 12',
        "INFO:     Uvicorn running on http://0.0.0.0:8081 (Press CTRL+C to quit)",
        "[2025-09-15 14:00:00 +0000] [1] [INFO] Booting worker with pid: 7",
        "[2025-09-15 14:00:00 +0000] [1] [ERROR] Worker failed to boot.",
        "level=debug msg=cache",
        "Killed",
    ):
        dump.stderr(1, REVISION, text)
    dump.stderr(1, REVISION, "a warning", severity="WARNING")
    dump.stderr(1, REVISION, "Server listening on port 8081", severity="INFO")
    dump.stderr(1, REVISION, "nothing of note", severity="INFO")
    dump.system(1, REVISION, "Container called exit(3).", "WARNING")
    dump.system(1, REVISION, "Starting new instance. Reason: AUTOSCALING")
    dump.request(1, REVISION)
    dump.request(1, REVISION, 404)
    dump.request(1, REVISION, 500)
    dump.request(1, REVISION, 503, MALFORMED)
    for payload in ({"level": "info", "msg": "done"}, {"level": 50, "msg": "broken"}, {"message": "bound to :8081"}):
        dump.log(1, "run.googleapis.com/stdout", REVISION, jsonPayload=payload)
    yield from dump.entries


@pytest.mark.parametrize("entry", list(_entries()), ids=lambda entry: entry.get("textPayload", entry["insertId"])[:40])
def test_a_recorded_entry_is_kept_where_the_query_would_have_found_it(entry: Entry) -> None:
    wire = ParseDict(entry, WireEntry.pb(WireEntry()))
    queries = (entries_of(PLACE, REVISION, WINDOW, platform_texts=True), errors_of(PLACE, WINDOW))

    asked = tuple(compile_filter(query).matches(wire) for query in queries)

    read = from_json(entry)
    assert explains(entry, read.log, read.status) == asked
