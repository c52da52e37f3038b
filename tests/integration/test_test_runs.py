"""Reports over the wire: streamed, stored before they are answered, understood once. On both databases."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from sqlalchemy import func, select
from support.deliveries import OTHER_SECRET, SECRET
from support.suites import EMPTY_JUNIT, Ci, judged, junit, report, run, suite_catalog, suite_deps

from bot.deps import Deps
from bot.ingest.config import WebhookConfig
from bot.ingest.test_run import LARGEST_BODY, routes
from bot.model.suite import AlarmKind, SuiteAlarm
from bot.model.test_run import RunVerdict
from bot.store import inbox, messages, suites, test_runs
from bot.store.database import Database
from bot.store.packing import unpack_cases
from bot.store.run_inbox import DatabaseRunInbox
from bot.store.tables import ReportRow, RunRow
from bot.workflows.test_runs import Runs, record_run

GREEN = {f"tests/test_cart.py::test_{number}": "passed" for number in range(10)}


@pytest.fixture
def deps(db: Database) -> Deps:
    return suite_deps(db)


@pytest.fixture
def started() -> list[str]:
    """Ids of runs in the order in which they were to be understood."""
    return []


@pytest.fixture
async def ci(deps: Deps, started: list[str]) -> AsyncIterator[Ci]:
    async def start(run_id: str) -> None:
        started.append(run_id)

    def now() -> datetime:
        return datetime.now(UTC)

    deliveries = inbox.DatabaseInbox(deps.db, deps.catalog, now)
    config = WebhookConfig(secret=(SecretStr(SECRET),))
    app = web.Application()
    app.add_routes(routes(config, DatabaseRunInbox(deps.db, deliveries, now), deps.catalog.suites, start, now))
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        yield Ci(http, str(server.make_url("")).rstrip("/"), suite="e2e")


async def open_alarms(deps: Deps, branch: str = "main") -> dict[AlarmKind, SuiteAlarm]:
    async with deps.db.read() as session:
        return dict(await suites.open_alarms(session, "e2e", branch))


async def rows(deps: Deps, table: type) -> int:
    async with deps.db.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_a_report_is_stored_understood_and_its_bytes_are_let_go(deps: Deps, ci: Ci, started: list[str]) -> None:
    status, answer = await ci.post(junit(GREEN), commit="A1B2C3D", branch="release/1.2", exit_code="0")

    assert (status, started) == (202, [answer["run"]])
    assert await rows(deps, ReportRow) == 1
    assert await Runs(deps).understand(started[0]) == RunVerdict.PASSED
    assert await rows(deps, ReportRow) == 0
    async with deps.db.read() as session:
        (kept,) = await test_runs.latest(session, "e2e", "release/1.2")
        cases = unpack_cases(await test_runs.cases(session, kept.id) or b"")
    assert (kept.commit, kept.collected, kept.totals.passed) == ("a1b2c3d", 10, 10)
    assert [case.node_id for case in cases] == list(GREEN)


@pytest.mark.parametrize("packed", ["as it is", "gzip file", "Content-Encoding"])
async def test_a_report_may_be_packed_in_any_way(deps: Deps, ci: Ci, started: list[str], packed: str) -> None:
    body = junit(GREEN)
    if packed == "gzip file":
        await ci.post(gzip.compress(body))
    elif packed == "as it is":
        await ci.post(body)
    else:
        await encoded(ci, body)

    assert await Runs(deps).understand(started[0]) == RunVerdict.PASSED


async def encoded(ci: Ci, body: bytes) -> None:
    """With Content-Encoding the signature is of what is in the package."""
    from support.deliveries import Pipeline

    headers = Pipeline(now=datetime.now(UTC)).headers(body, "run_encoded") | {"Content-Encoding": "gzip"}
    packed = gzip.compress(body)
    async with ci.http.post(f"{ci.url}/events/test-run?suite=e2e", data=packed, headers=headers) as answer:
        assert answer.status == 202


async def test_the_same_delivery_twice_is_one_run(deps: Deps, ci: Ci, started: list[str]) -> None:
    answers = [await ci.post(EMPTY_JUNIT, delivery_id="run_1", exit_code="5") for _ in range(3)]
    for each in started:
        await Runs(deps).understand(each)

    assert {status for status, _ in answers} == {202}
    assert await rows(deps, RunRow) == 1
    assert (await open_alarms(deps))[AlarmKind.DISCOVERY_FAILURE].version == 1


async def test_an_unknown_suite_is_told_which_there_are_and_is_parked(deps: Deps, ci: Ci, started: list[str]) -> None:
    status, answer = await ci.post(junit(GREEN), suite="e2e-stagging")

    assert (status, started) == (404, [])
    assert answer["hint"] == "there is no suite 'e2e-stagging' in the catalog; it has: e2e"
    async with deps.db.read() as session:
        (parked,) = await inbox.parked(session, deps.now() - timedelta(hours=1))
    assert "e2e-stagging" in (parked.parked_why or "")
    assert await rows(deps, RunRow) == 0


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"suite": ""}, "`suite` is needed"),
        ({"commit": "main"}, "`commit` must be a commit SHA"),
        ({"branch": "a b"}, "`branch`"),
        ({"exit_code": "five"}, "`exit_code` must be a whole number"),
        ({"url": "javascript:alert(1)"}, "`url` must be an http:// or https:// address"),
        ({"url": "https://[::1"}, "`url`"),
        ({"at": "2026-03-02T12:00:00"}, "`at` must be a time as ISO 8601 with its zone"),
        ({"at": "1999-03-02T12:00:00Z"}, "`at` must lie within the last 30 days"),
        ({"scope": "some"}, "`scope` must be one of all, collect, failed"),
        ({"sweet": "e2e"}, "`sweet` is not known"),
    ],
)
async def test_a_parameter_that_is_wrong_is_named(deps: Deps, ci: Ci, query: dict[str, str], word: str) -> None:
    status, answer = await ci.post(junit(GREEN), **query)

    assert status == 400
    assert word in answer["hint"]
    assert await rows(deps, RunRow) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
        {"webhook-timestamp": "1"},
        {"webhook-id": "another-one"},
    ],
)
async def test_what_is_not_authentic_is_refused_and_nothing_is_stored(
    deps: Deps, ci: Ci, headers: dict[str, str]
) -> None:
    status, _ = await ci.post(junit(GREEN), headers=headers)

    assert status == 401
    assert await rows(deps, RunRow) == await rows(deps, ReportRow) == 0


async def test_another_secret_is_not_ours(deps: Deps, ci: Ci) -> None:
    ci.secret = OTHER_SECRET

    assert (await ci.post(junit(GREEN)))[0] == 401
    assert await rows(deps, RunRow) == 0


async def test_a_body_that_is_too_large_is_refused_while_it_is_read(deps: Deps, ci: Ci) -> None:
    async def endless() -> AsyncIterator[bytes]:
        chunk = zlib.compress(b"") + bytes(1024 * 1024 - 8)
        for _ in range(LARGEST_BODY // len(chunk) + 2):
            yield b"\x1f\x8b" + chunk

    from support.deliveries import Pipeline

    headers = Pipeline(now=datetime.now(UTC)).headers(b"", "run_endless")
    try:
        async with ci.http.post(f"{ci.url}/events/test-run?suite=e2e", data=endless(), headers=headers) as answer:
            assert answer.status == 413
    except aiohttp.ClientConnectionError:
        pass  # it hung up on us: that is an answer too
    assert await rows(deps, RunRow) == await rows(deps, ReportRow) == 0


async def test_a_bomb_in_a_content_encoding_is_refused(deps: Deps, ci: Ci) -> None:
    body = bytes(200 * 1024 * 1024)
    packed = gzip.compress(body, 1)
    from support.deliveries import Pipeline

    headers = Pipeline(now=datetime.now(UTC)).headers(b"", "run_bomb") | {"Content-Encoding": "gzip"}
    async with ci.http.post(f"{ci.url}/events/test-run?suite=e2e", data=packed, headers=headers) as answer:
        assert answer.status == 413
    assert await rows(deps, RunRow) == 0


HOSTILE = {
    "nothing": b"",
    "truncated": junit(GREEN)[:400],
    "entity bomb": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><testsuites>&b;</testsuites>',
    "external entity": b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/hostname"><testsuites/>',
    "NUL bytes": b"<testsuites>\0\0</testsuites>",
    "wrong encoding": '<?xml version="1.0" encoding="utf-8"?><testsuites name="ä"/>'.encode("latin-1"),
    "zip bomb": gzip.compress(bytes(200 * 1024 * 1024), 1),
    "a zip archive": b"PK\x03\x04" + bytes(100),
    "half a gzip": gzip.compress(junit(GREEN))[:60],
    "NaN": b'{"tests": [], "duration": NaN, "summary": {"total": 1}}',
    "prose": b"Dear bot, all tests are fine. Sincerely, a pipeline.",
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_an_authentic_report_that_cannot_be_read_is_an_alarm_with_the_reason(
    deps: Deps, ci: Ci, started: list[str], what: str
) -> None:
    status, _ = await ci.post(HOSTILE[what], commit="a1b2c3d")

    assert status == 202
    assert await Runs(deps).understand(started[0]) == RunVerdict.UNREADABLE
    alarm = (await open_alarms(deps))[AlarmKind.UNREADABLE]
    assert len(alarm.reason) > 10


async def test_silence_with_the_exit_code_of_a_broken_collection_is_a_discovery_failure(
    deps: Deps, ci: Ci, started: list[str]
) -> None:
    await ci.post(b"", exit_code="4")

    assert await Runs(deps).understand(started[0]) == RunVerdict.DISCOVERY_FAILURE


async def test_a_card_is_wanted_when_it_breaks_and_edited_when_it_is_mended(deps: Deps) -> None:
    for number, results in enumerate(({"a::x": "p"}, {"a::x": "f"}, {"a::x": "f"}, {"a::x": "p"})):
        told = report(results)
        await record_run(deps, run(number), told, judged(told))

    async with deps.db.read() as session:
        waiting = await messages.due(session, deps.now())
        (card,) = [row for row in waiting if row.kind == "card"]
        alarm = await suites.read_alarm(session, card.id)
    assert alarm is not None
    assert not alarm.is_open
    assert (card.template, card.wanted) == ("suite/card", alarm.version)
    assert alarm.suspects == ("0000001",)


async def test_a_run_recorded_twice_or_by_two_at_once_changes_things_once(deps: Deps) -> None:
    told = report({"a::x": "f"})

    news = await asyncio.gather(*(record_run(deps, run(1), told, judged(told)) for _ in range(4)))

    assert sorted(each.is_new for each in news) == [False, False, False, True]
    assert {each.raised for each in news} == {(AlarmKind.FAILING,)}


async def test_runs_of_one_suite_that_come_at_once_all_count(deps: Deps) -> None:
    told = report({"a::x": "f"})

    await asyncio.gather(*(record_run(deps, run(number), told, judged(told)) for number in range(5)))

    async with deps.db.read() as session:
        state, _ = await suites.read(session, "e2e", "main")
        assert len(await test_runs.latest(session, "e2e", "main", limit=9)) == 5
    assert state.version == 5
    assert state.latest is not None
    assert state.latest.id == "run-004"
    assert set(await open_alarms(deps)) == {AlarmKind.FAILING}


async def test_suspects_are_the_commits_between_the_last_pass_and_the_first_failure(deps: Deps) -> None:
    passes, fails, nothing = report({"a::x": "p"}), report({"a::x": "f"}), report({})
    for number, told in enumerate((passes, passes, nothing, nothing, fails, fails)):
        await record_run(deps, run(number), told, judged(told))

    alarm = (await open_alarms(deps))[AlarmKind.FAILING]

    assert alarm.suspects == ("0000002", "0000003", "0000004")


async def test_branches_do_not_know_each_other(deps: Deps) -> None:
    bad, good = report({"a::x": "f"}), report({"a::x": "p"})
    await record_run(deps, run(1, branch="feature/x"), bad, judged(bad))

    await record_run(deps, run(2), good, judged(good))

    assert await open_alarms(deps) == {}
    assert set(await open_alarms(deps, "feature/x")) == {AlarmKind.FAILING}


async def test_a_run_of_a_suite_that_left_the_catalog_waits_for_nobody(deps: Deps, ci: Ci, started: list[str]) -> None:
    await ci.post(junit(GREEN))
    later = suite_deps(deps.db, None)
    object.__setattr__(later, "catalog", type(deps.catalog)(services=suite_catalog().services))

    assert await Runs(later).understand(started[0]) == ""
    async with deps.db.read() as session:
        assert await test_runs.untaken(session) == []


async def test_the_event_loop_never_pauses_while_a_large_report_is_taken_and_understood(
    deps: Deps, ci: Ci, started: list[str]
) -> None:
    body = junit({f"tests/test_{number // 100}.py::test_case_{number}": "passed" for number in range(60_000)})
    packed = gzip.compress(body, 1)
    beats = Heartbeat()

    for number in range(3):  # other programs take the processor too: one undisturbed try is proof
        async with beats:
            await ci.post(packed, delivery_id=f"run_{number}")
            assert await Runs(deps).understand(started[number]) == RunVerdict.PASSED

    assert min(beats.worst) < 0.05


class Heartbeat:
    """How long the event loop kept others waiting, at worst: seconds, for each time it was measured."""

    def __init__(self) -> None:
        self.worst: list[float] = []

    async def __aenter__(self) -> None:
        self.worst.append(0.0)
        self._beating = asyncio.create_task(self._beat())

    async def __aexit__(self, *_: object) -> None:
        self._beating.cancel()

    async def _beat(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            self.worst[-1] = max(self.worst[-1], time.perf_counter() - before - 0.005)
