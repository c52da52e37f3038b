"""Where entries live: ordered, bounded, completed."""

import random
from datetime import UTC, datetime, timedelta

from google.cloud.logging_v2 import types

from bot.sandbox.local_google.log_store import LogStore

NOON = datetime(2025, 11, 24, 12, tzinfo=UTC)


def store(limit: int = 100) -> LogStore:
    return LogStore(lambda: NOON, random.Random(1), limit)


def entry(text: str, at: datetime | None = None, project: str = "acme"):
    made = types.LogEntry.pb()(log_name=f"projects/{project}/logs/app", text_payload=text)
    if at is not None:
        made.timestamp.FromDatetime(at)
    return made


def test_the_server_sets_what_the_writer_left_out():
    logs = store()

    logs.append(entry("hello"))

    (kept,) = logs.entries("acme")
    assert kept.insert_id
    assert kept.timestamp.ToDatetime(UTC) == kept.receive_timestamp.ToDatetime(UTC) == NOON


def test_entries_are_in_order_of_their_time_stamps_whenever_they_arrive():
    logs = store()

    for minutes in (5, 1, 3):
        logs.append(entry(str(minutes), NOON + timedelta(minutes=minutes)))

    assert [one.text_payload for one in logs.entries("acme")] == ["1", "3", "5"]


def test_equal_time_stamps_keep_the_order_of_arrival():
    logs = store()

    for text in "abc":
        logs.append(entry(text, NOON))

    assert [one.text_payload for one in logs.entries("acme")] == ["a", "b", "c"]


def test_a_window_includes_both_its_ends():
    logs = store()
    for second in range(5):
        logs.append(entry(str(second), NOON + timedelta(seconds=second)))
    start = int(NOON.timestamp()) * 10**9

    window = logs.window("acme", start + 10**9, start + 3 * 10**9)

    assert [kept.entry.text_payload for kept in window] == ["1", "2", "3"]


def test_memory_is_bounded_and_the_oldest_leave_first():
    logs = store(limit=10)

    for number in range(2_000):
        logs.append(entry(str(number), NOON + timedelta(seconds=number)))

    kept = [int(one.text_payload) for one in logs.entries("acme")]
    assert len(kept) <= 1_010
    assert kept == list(range(kept[0], 2_000))


def test_projects_do_not_see_each_other():
    logs = store()

    logs.append(entry("mine", project="acme"))
    logs.append(entry("theirs", project="other"))

    assert [one.text_payload for one in logs.entries("acme")] == ["mine"]


def test_a_watcher_hears_each_entry_until_it_stops():
    logs, heard = store(), []
    stop = logs.watch(lambda one: heard.append(one.text_payload))

    logs.append(entry("first"))
    stop()
    logs.append(entry("second"))

    assert heard == ["first"]
