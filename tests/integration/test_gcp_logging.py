"""The real Cloud Logging client reads the local Google's log over the wire."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.cloud.audit.audit_log_pb2 import AuditLog
from google.cloud.logging_v2.types import LogEntry as WireEntry

from bot.errors import Permanent, Retryable
from bot.gcp.budget import RESERVE, URGENT, Rate, ReadBudget
from bot.gcp.clients import Clients, open_clients
from bot.gcp.config import GoogleConfig
from bot.gcp.logging import count_requests, read_entries, read_errors
from bot.model.bookmark import Bookmark
from bot.model.catalog import Deployment, Detection, Place, Service
from bot.model.evidence import LogKind, Window
from bot.sandbox.local_google import LocalGoogle

PROJECT, REGION, NAME = "acme-staging", "us-central1", "auth-service"
START = datetime(2025, 9, 15, 14, 3, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(minutes=3))
GOOD, BAD = f"{NAME}-00281-kzq", f"{NAME}-00283-qab"
DEPLOYMENT = Deployment(PROJECT, REGION, NAME)
PLACE = Place("auth", "staging", Service(1, "C0", {"staging": DEPLOYMENT}), DEPLOYMENT, Detection())


@pytest.fixture
async def google() -> AsyncIterator[LocalGoogle]:
    local = LocalGoogle(project=PROJECT, region=REGION)
    await local.start()
    yield local
    await local.stop()


@pytest.fixture
async def clients(google: LocalGoogle) -> AsyncIterator[Clients]:
    opened = await open_clients(GoogleConfig(endpoint=google.grpc_address, timeout=timedelta(seconds=2)))
    yield opened
    await opened.close()


def write(google: LocalGoogle, log: str, after_s: float, revision: str = BAD, **fields: Any) -> Any:
    entry = WireEntry.pb()(log_name=f"projects/{PROJECT}/logs/{log.replace('/', '%2F')}", **fields)
    entry.timestamp.FromDatetime(START + timedelta(seconds=after_s))
    entry.resource.type = "cloud_run_revision"
    labels = {"project_id": PROJECT, "location": REGION, "service_name": NAME, "revision_name": revision}
    entry.resource.labels.update(labels)
    google.logs.append(entry)
    return entry


def request(google: LocalGoogle, after_s: float, status: int, revision: str = BAD, text: str = "") -> None:
    http = {"status": status, "request_url": "https://auth.example/login?token=hidden"}
    write(google, LogKind.REQUESTS, after_s, revision, http_request=http, **({"text_payload": text} if text else {}))


async def test_requests_are_counted_per_revision(google: LocalGoogle, clients: Clients):
    for second in range(10):
        request(google, second, 500 if second >= 4 else 200)
    request(google, 1, 200, GOOD)

    counts = await count_requests(clients, PLACE, [BAD, GOOD], WINDOW)

    assert (counts[BAD].total, counts[BAD].failed, counts[BAD].complete) == (10, 6, True)
    assert counts[BAD].first_failure == START + timedelta(seconds=4)
    assert (counts[GOOD].total, counts[GOOD].failed, counts[GOOD].first_failure) == (1, 0, None)


async def test_no_requests_count_as_nothing_read_completely(clients: Clients):
    counts = await count_requests(clients, PLACE, [BAD], WINDOW)

    assert (counts[BAD].total, counts[BAD].complete) == (0, True)


async def test_the_window_takes_its_start_and_leaves_its_end(google: LocalGoogle, clients: Clients):
    request(google, -0.000001, 500)
    request(google, 0, 500)
    request(google, 180, 500)

    counts = await count_requests(clients, PLACE, [BAD], WINDOW)

    assert counts[BAD].total == 1


async def test_a_log_longer_than_the_pages_allowed_gives_a_lower_bound_of_the_newest(
    google: LocalGoogle, clients: Clients
):
    google.logging.scan_limit = 10
    for second in range(60):
        request(google, second, 500 if second >= 30 else 200)

    counts = await count_requests(clients, PLACE, [BAD], WINDOW, max_pages=3)

    assert (counts[BAD].total, counts[BAD].failed, counts[BAD].complete) == (30, 30, False)


async def test_an_empty_page_with_a_token_is_not_the_end(google: LocalGoogle, clients: Clients):
    google.logging.scan_limit = 5
    for second in range(12):
        write(google, LogKind.STDERR, second, GOOD, text_payload="fine")
    write(google, LogKind.STDERR, 20, text_payload="Traceback (most recent call last):")

    entries, complete = await read_entries(clients, PLACE, BAD, WINDOW)

    assert [entry.text for entry in entries] == ["Traceback (most recent call last):"]
    assert complete


async def test_further_pages_are_left_when_the_quota_has_nothing_to_spare(google: LocalGoogle, clients: Clients):
    google.logging.scan_limit = 1
    for second in range(5):
        request(google, second, 500)
    poor = replace(clients, budget=ReadBudget(Rate(per_minute=9, burst=8)))

    counts = await count_requests(poor, PLACE, [BAD], WINDOW)

    assert counts[BAD].total == 3
    assert not counts[BAD].complete


async def test_exactly_this_revisions_entries_are_read_oldest_first_without_its_requests(
    google: LocalGoogle, clients: Clients
):
    write(google, LogKind.SYSTEM, 2, text_payload="Container called exit(3).", severity=400)
    write(google, LogKind.STDERR, 1, text_payload="ModuleNotFoundError: No module named 'app.services.monitoring'")
    write(google, LogKind.STDERR, 1, GOOD, text_payload="somebody else's")
    request(google, 3, 503, text="The request failed because the instance is gone.")
    request(google, 4, 200)

    entries, complete = await read_entries(clients, PLACE, BAD, WINDOW)

    assert [(entry.log, entry.severity, entry.text) for entry in entries] == [
        (LogKind.STDERR, 0, "ModuleNotFoundError: No module named 'app.services.monitoring'"),
        (LogKind.SYSTEM, 400, "Container called exit(3)."),
    ]
    assert complete


async def test_the_platforms_own_words_about_failed_requests_are_read_when_asked_for(
    google: LocalGoogle, clients: Clients
):
    request(google, 3, 503, text="The request failed because the instance is gone.")
    request(google, 4, 503)
    request(google, 5, 200)

    entries, _ = await read_entries(clients, PLACE, BAD, WINDOW, platform_texts=True)

    assert [(entry.status, entry.path, entry.text) for entry in entries] == [
        (503, "/login", "The request failed because the instance is gone.")
    ]


async def test_the_first_ready_event_of_a_revision_is_read_although_it_names_no_service(
    google: LocalGoogle, clients: Clients
):
    audit = AuditLog(resource_name=f"namespaces/{PROJECT}/revisions/{BAD}")
    audit.status.code, audit.status.message = 9, "Ready condition status changed to False"
    entry = write(google, LogKind.SYSTEM_EVENT, 1)
    entry.resource.labels["service_name"] = ""
    entry.proto_payload.Pack(audit)

    entries, _ = await read_entries(clients, PLACE, BAD, WINDOW)

    assert [(e.log, e.text) for e in entries] == [(LogKind.SYSTEM_EVENT, "Ready condition status changed to False")]


async def test_an_entry_that_arrives_twice_is_read_once(google: LocalGoogle, clients: Clients):
    write(google, LogKind.STDERR, 1, insert_id="same", text_payload="twice")
    write(google, LogKind.STDERR, 1, insert_id="same", text_payload="twice")
    write(google, LogKind.STDERR, 2, insert_id="same", text_payload="another instant")

    entries, _ = await read_entries(clients, PLACE, BAD, WINDOW)

    assert [entry.text for entry in entries] == ["twice", "another instant"]


ROUTINE = [
    {"text_payload": 'INFO:     169.254.1.1:41532 - "GET /health HTTP/1.1" 200 OK'},
    {"text_payload": '169.254.1.1 - - [15/Sep/2025:14:03:11 +0000] "POST /login HTTP/1.1" 401 12 "-" "curl/8.5"'},
    {"text_payload": "2025-09-15 14:03:11,250 INFO app.orders: order 17 stored"},
    {"text_payload": "[2025-09-15 14:03:11 +0000] [7] [INFO] Booting worker with pid: 7"},
    {"text_payload": "time=2025-09-15T14:03:11Z level=info msg=stored"},
    {"json_payload": {"message": "order 17 stored"}, "severity": 200},
    {"json_payload": {"msg": "order 17 stored", "level": 30}},
    {"json_payload": {"message": "order 17 stored", "levelname": "INFO"}},
    {"json_payload": {"message": "order 17 stored", "log.level": "debug"}},
]
EVIDENCE = [
    {"text_payload": "Traceback (most recent call last):"},
    {"text_payload": '  File "/app/main.py", line 7, in <module>'},
    {"text_payload": "Debug Failure. False expression."},
    {"text_payload": '169.254.1.1 - - [15/Sep/2025:14:03:11 +0000] "POST /login HTTP/1.1" 500 21 "-" "curl/8.5"'},
    {"text_payload": "Error: connect ECONNREFUSED 10.1.2.3:5432", "severity": 500},
    {"json_payload": {"msg": "login failed", "level": 50}},
    {"json_payload": {"message": "login failed", "levelname": "ERROR"}},
    {"json_payload": {"message": "slow query"}, "severity": 400},
    {"json_payload": {"error": "no message, no level"}},
]
PORTS = [
    {"text_payload": "[2025-09-15 14:03:11 +0000] [1] [INFO] Listening at: http://0.0.0.0:8081 (1)"},
    {"text_payload": "INFO:     Uvicorn running on http://127.0.0.1:8081 (Press CTRL+C to quit)"},
    {"json_payload": {"msg": "server started on port 3000", "level": 30}},
    {"json_payload": {"message": "Now listening on: http://[::]:5000"}, "severity": 200},
]


@pytest.mark.parametrize("stream", [LogKind.STDERR, LogKind.STDOUT])
async def test_routine_talk_does_not_fill_the_pages(google: LocalGoogle, clients: Clients, stream: LogKind):
    for second, line in enumerate([*ROUTINE, *EVIDENCE, *PORTS]):
        write(google, stream, second, **line)

    entries, complete = await read_entries(clients, PLACE, BAD, WINDOW)
    errors, _ = await read_errors(clients, PLACE, WINDOW)

    first = len(ROUTINE)
    seconds = [(entry.at - START).seconds for entry in entries]
    assert seconds == list(range(first, first + len(EVIDENCE) + len(PORTS)))
    assert [(entry.at - START).seconds for entry in errors] == seconds[: len(EVIDENCE)]
    assert complete


async def test_a_busy_revision_with_few_errors_is_read_completely(google: LocalGoogle, clients: Clients):
    for number in range(3_000):
        write(google, LogKind.STDOUT, number / 20, json_payload={"message": f"order {number}"}, severity=200)
    write(google, LogKind.STDERR, 170, text_payload="MemoryError")

    entries, complete = await read_entries(clients, PLACE, BAD, WINDOW, max_pages=1)

    assert ([entry.text for entry in entries], complete) == (["MemoryError"], True)


async def test_a_read_that_was_cut_goes_on_where_it_stopped(google: LocalGoogle, clients: Clients):
    google.logging.scan_limit = 4
    for number in range(9):
        write(google, LogKind.STDERR, number // 2, text_payload=f"failed {number}")

    first, complete = await read_entries(clients, PLACE, BAD, WINDOW, max_pages=1)
    mark = Bookmark.after(first)
    assert mark is not None
    more, _ = await read_entries(clients, PLACE, BAD, mark.rest(WINDOW))

    assert not complete
    assert [entry.text for entry in [*first, *mark.unread(more)]] == [f"failed {number}" for number in range(9)]


async def test_what_went_wrong_is_read_in_all_services_of_the_project_and_region(google: LocalGoogle, clients: Clients):
    request(google, 1, 503)
    request(google, 1, 404)
    other = write(
        google, LogKind.STDERR, 2, "backend-00007-abc", text_payload="KeyError: 'user'", trace="projects/p/traces/1"
    )
    other.resource.labels["service_name"] = "backend"
    write(google, LogKind.SYSTEM, 3, text_payload="Container called exit(3).", severity=400)
    write(google, LogKind.SYSTEM, 4, text_payload="Starting new instance.", severity=200)
    elsewhere = write(google, LogKind.STDERR, 5, text_payload="somewhere else")
    elsewhere.resource.labels["location"] = "europe-west1"

    entries, complete = await read_errors(clients, PLACE, WINDOW)

    assert [(entry.log, entry.service, entry.revision, entry.status, entry.text) for entry in entries] == [
        (LogKind.REQUESTS, NAME, BAD, 503, ""),
        (LogKind.STDERR, "backend", "backend-00007-abc", None, "KeyError: 'user'"),
        (LogKind.SYSTEM, NAME, BAD, None, "Container called exit(3)."),
    ]
    assert entries[1].trace == "projects/p/traces/1"
    assert all(entry.insert_id for entry in entries)
    assert complete


async def test_an_entry_tells_when_it_arrived_beside_when_it_happened(google: LocalGoogle, clients: Clients):
    written = write(google, LogKind.STDERR, 2, text_payload="KeyError: 'user'")

    (entry,), _ = await read_errors(clients, PLACE, WINDOW)

    assert entry.received_at == written.receive_timestamp.ToDatetime(tzinfo=UTC)
    assert entry.received_at != entry.at


async def test_a_failed_deploy_is_among_what_went_wrong_and_a_good_one_is_not(google: LocalGoogle, clients: Clients):
    for second, (code, message) in enumerate([(9, "The user-provided container failed to start"), (0, "")]):
        audit = AuditLog(resource_name=f"namespaces/{PROJECT}/revisions/{BAD}")
        audit.status.code, audit.status.message = code, message
        entry = write(google, LogKind.SYSTEM_EVENT, second)
        entry.proto_payload.Pack(audit)

    entries, _ = await read_errors(clients, PLACE, WINDOW)

    assert [entry.text for entry in entries] == ["The user-provided container failed to start"]


async def test_of_too_much_trouble_the_beginning_and_the_present_are_read(google: LocalGoogle, clients: Clients):
    google.logging.scan_limit = 10
    for second in range(100):
        request(google, second, 500)

    entries, complete = await read_errors(clients, PLACE, WINDOW, max_pages=3)

    seconds = [(entry.at - START).seconds for entry in entries]
    assert seconds == [*range(10), *range(80, 100)]
    assert not complete


async def test_lines_of_one_instant_stay_in_the_order_in_which_they_were_written(google: LocalGoogle, clients: Clients):
    google.logging.scan_limit = 4
    request(google, 0, 500)
    for line in ("Traceback (most recent call last):", '  File "/app/main.py", line 7, in login', "KeyError: 'user'"):
        write(google, LogKind.STDERR, 1, text_payload=line)
    for line in ("Traceback (most recent call last):", '  File "/app/main.py", line 9, in logout', "ValueError: 3"):
        write(google, LogKind.STDERR, 2, text_payload=line)

    entries, complete = await read_errors(clients, PLACE, WINDOW)

    assert [entry.text.split()[0] for entry in entries[1:]] == [
        "Traceback",
        "File",
        "KeyError:",
        "Traceback",
        "File",
        "ValueError:",
    ]
    assert complete


async def test_trouble_of_two_pages_is_read_completely_and_once(google: LocalGoogle, clients: Clients):
    google.logging.scan_limit = 10
    for second in range(18):
        request(google, second, 500)

    entries, complete = await read_errors(clients, PLACE, WINDOW, max_pages=2)

    assert ([(entry.at - START).seconds for entry in entries], complete) == ([*range(18)], True)


async def test_the_beginning_is_found_behind_pages_without_a_match(google: LocalGoogle, clients: Clients):
    google.logging.scan_limit = 10
    for second in range(25):
        request(google, second, 500 if second >= 15 else 200)

    entries, complete = await read_errors(clients, PLACE, WINDOW)

    assert ([(entry.at - START).seconds for entry in entries], complete) == ([*range(15, 25)], True)


async def test_with_a_poor_quota_the_beginning_is_told_as_incomplete(google: LocalGoogle, clients: Clients):
    google.logging.scan_limit = 10
    for second in range(100):
        request(google, second, 500)
    poor = replace(clients, budget=ReadBudget(Rate(per_minute=9, burst=URGENT)))

    entries, complete = await read_errors(poor, PLACE, WINDOW)

    assert (len(entries), complete) == (10, False)


async def test_reading_what_went_wrong_goes_before_routine_counting(google: LocalGoogle, clients: Clients):
    request(google, 1, 500)
    budget = ReadBudget(Rate(per_minute=15, burst=14), patience=timedelta(0))
    for _ in range(14 - URGENT):
        await budget.spend(PROJECT)
    poor = replace(clients, budget=budget)

    with pytest.raises(Retryable):
        await count_requests(poor, PLACE, [BAD], WINDOW)
    entries, _ = await read_errors(poor, PLACE, WINDOW)

    assert len(entries) == 1


async def test_a_quota_used_up_after_the_beginning_keeps_it(google: LocalGoogle, clients: Clients):
    google.logging.scan_limit = 10
    for second in range(30):
        request(google, second, 500)

    class OthersSpendTheRest(ReadBudget):
        def spend_spare(self, project: str, *, leaving: int = RESERVE) -> bool:
            google.fail("ListLogEntries", grpc.StatusCode.RESOURCE_EXHAUSTED)
            return super().spend_spare(project, leaving=leaving)

    entries, complete = await read_errors(replace(clients, budget=OthersSpendTheRest()), PLACE, WINDOW)

    assert (len(entries), complete) == (10, False)


async def test_nothing_wrong_is_nothing_read_completely(clients: Clients):
    assert await read_errors(clients, PLACE, WINDOW) == ([], True)


async def test_a_hostile_name_stays_a_name(google: LocalGoogle, clients: Clients):
    write(google, LogKind.STDERR, 1, text_payload="not yours")

    entries, _ = await read_entries(clients, PLACE, f'x" OR resource.labels.revision_name="{BAD}', WINDOW)

    assert entries == []


async def test_reading_many_entries_leaves_the_event_loop_to_others(google: LocalGoogle, clients: Clients):
    for number in range(1000):
        write(google, LogKind.STDERR, number / 10, json_payload={"message": f"order {number} failed", "logger": "app"})
    longest, last = 0.0, time.thread_time()

    async def watch() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0)
            longest, last = max(longest, time.thread_time() - last), time.thread_time()

    watcher = asyncio.create_task(watch())
    entries, _ = await read_entries(clients, PLACE, BAD, WINDOW)
    watcher.cancel()

    assert len(entries) == 1000
    assert longest < 0.2  # the local Google works on the same loop; alone it is a few milliseconds


async def test_a_used_up_quota_is_retryable_and_makes_everyone_hold_back(google: LocalGoogle, clients: Clients):
    google.fail("ListLogEntries", grpc.StatusCode.RESOURCE_EXHAUSTED, times=1)

    with pytest.raises(Retryable, match=r"Cloud Logging's read quota is used up"):
        await count_requests(clients, PLACE, [BAD], WINDOW)

    assert not clients.budget.spend_spare(PROJECT)


async def test_a_quota_used_up_on_a_later_page_keeps_what_was_read(google: LocalGoogle, clients: Clients):
    google.logging.scan_limit = 3
    for second in range(9):
        request(google, second, 500)

    class OthersSpendTheRest(ReadBudget):
        def spend_spare(self, project: str, *, leaving: int = RESERVE) -> bool:
            if leaving == RESERVE:  # a further page
                google.fail("ListLogEntries", grpc.StatusCode.RESOURCE_EXHAUSTED)
            return super().spend_spare(project, leaving=leaving)

    counts = await count_requests(replace(clients, budget=OthersSpendTheRest()), PLACE, [BAD], WINDOW)

    assert (counts[BAD].total, counts[BAD].complete) == (3, False)


async def test_google_down_is_retryable_and_names_cloud_logging(google: LocalGoogle):
    google.fail("ListLogEntries")
    clients = await open_clients(GoogleConfig(endpoint=google.grpc_address, timeout=timedelta(milliseconds=300)))

    with pytest.raises(Retryable, match=r"Cloud Logging did not answer within 0.3 s"):
        await read_entries(clients, PLACE, BAD, WINDOW)
    await clients.close()


async def test_missing_permission_names_the_role_for_reading_logs(google: LocalGoogle, clients: Clients):
    google.fail("ListLogEntries", grpc.StatusCode.PERMISSION_DENIED)

    with pytest.raises(Permanent, match=r"--role=roles/logging.viewer"):
        await read_entries(clients, PLACE, BAD, WINDOW)
