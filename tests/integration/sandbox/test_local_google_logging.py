"""Cloud Logging v2, asked by Google's own async client over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.logging_v2 import types
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcAsyncIOTransport

from bot.sandbox.local_google import LocalGoogle

PROJECT = "projects/acme-staging"
LOG = f"{PROJECT}/logs/app"
START = datetime(2025, 11, 24, 12, tzinfo=UTC)
RESOURCE = {"type": "cloud_run_revision", "labels": {"service_name": "auth-service"}}


@pytest.fixture
async def google() -> AsyncIterator[LocalGoogle]:
    local = LocalGoogle(project="acme-staging", region="us-central1", seed=1)
    await local.start()
    yield local
    await local.stop()


@pytest.fixture
async def client(google: LocalGoogle) -> AsyncIterator[LoggingServiceV2AsyncClient]:
    unlimited = [("grpc.max_receive_message_length", -1)]  # as in the channels that the client makes itself
    channel = grpc.aio.insecure_channel(google.grpc_address, options=unlimited)
    yield LoggingServiceV2AsyncClient(transport=LoggingServiceV2GrpcAsyncIOTransport(channel=channel))
    await channel.close()


async def write(client: LoggingServiceV2AsyncClient, *texts: str) -> None:
    """One entry a second from START on."""
    entries = [
        types.LogEntry(text_payload=text, timestamp=START + timedelta(seconds=second))
        for second, text in enumerate(texts)
    ]
    await client.write_log_entries(log_name=LOG, resource=RESOURCE, labels={"by": "test"}, entries=entries)


async def find(client: LoggingServiceV2AsyncClient, query: str = "", **options: object) -> list[str]:
    request = types.ListLogEntriesRequest(resource_names=[PROJECT], filter=query, **options)
    return [entry.text_payload async for entry in await client.list_log_entries(request)]


async def test_what_is_written_is_found_with_what_the_server_adds(client: LoggingServiceV2AsyncClient):
    await write(client, "hello")

    (entry,) = [one async for one in await client.list_log_entries(resource_names=[PROJECT])]

    assert (entry.log_name, entry.text_payload, entry.labels["by"]) == (LOG, "hello", "test")
    assert entry.resource.labels["service_name"] == "auth-service"
    assert entry.insert_id
    assert entry.receive_timestamp > entry.timestamp


async def test_ten_megabytes_fit_into_one_write_and_one_page(client: LoggingServiceV2AsyncClient):
    await write(client, *["x" * 200_000] * 40)

    assert len(await find(client, page_size=1_000)) == 40


async def test_entries_come_oldest_first_unless_asked_otherwise(client: LoggingServiceV2AsyncClient):
    await write(client, "a", "b", "c")

    assert await find(client) == ["a", "b", "c"]
    assert await find(client, order_by="timestamp desc") == ["c", "b", "a"]
    with pytest.raises(exceptions.InvalidArgument):
        await find(client, order_by="severity")


@pytest.mark.parametrize("order", ["timestamp asc", "timestamp desc"])
async def test_pages_join_without_gap_or_overlap(client: LoggingServiceV2AsyncClient, order: str):
    await write(client, *"abcdefg")

    found = await find(client, "NOT textPayload=d", page_size=2, order_by=order)

    assert sorted(found) == list("abcefg")
    assert found == sorted(found, reverse=order.endswith("desc"))


async def test_a_page_has_fifty_entries_unless_asked_for_more(client: LoggingServiceV2AsyncClient):
    await write(client, *map(str, range(60)))

    pager = await client.list_log_entries(resource_names=[PROJECT])
    (first, *_) = [page async for page in pager.pages]

    assert len(first.entries) == 50
    assert first.next_page_token


async def test_an_empty_page_with_a_token_is_not_the_end(google: LocalGoogle, client: LoggingServiceV2AsyncClient):
    google.logging.scan_limit = 2
    await write(client, *"abcdef")

    pager = await client.list_log_entries(types.ListLogEntriesRequest(resource_names=[PROJECT], filter="textPayload=f"))
    sizes = [len(page.entries) async for page in pager.pages]

    assert sizes == [0, 0, 1]


async def test_entries_written_meanwhile_do_not_disturb_the_next_page(client: LoggingServiceV2AsyncClient):
    await write(client, *"abcd")
    request = types.ListLogEntriesRequest(resource_names=[PROJECT], page_size=2)
    first = await anext(aiter((await client.list_log_entries(request)).pages))

    early = types.LogEntry(text_payload="early", timestamp=START - timedelta(hours=1))
    await client.write_log_entries(log_name=LOG, resource=RESOURCE, entries=[early])
    request.page_token = first.next_page_token
    second = await anext(aiter((await client.list_log_entries(request)).pages))

    assert [entry.text_payload for entry in second.entries] == ["c", "d"]


async def test_a_token_belongs_to_its_own_query(client: LoggingServiceV2AsyncClient):
    await write(client, *"abcd")
    request = types.ListLogEntriesRequest(resource_names=[PROJECT], page_size=2)
    first = await anext(aiter((await client.list_log_entries(request)).pages))

    for token in (first.next_page_token, "nonsense"):
        with pytest.raises(exceptions.InvalidArgument, match="page_token"):
            await find(client, "another", page_token=token)


@pytest.mark.parametrize(
    ("query", "words"),
    [("severity>=LOUD", "enum"), ("(", "syntax error"), ('sample(insertId, "0.1")', "not supported")],
)
async def test_a_bad_filter_is_an_invalid_argument(client: LoggingServiceV2AsyncClient, query: str, words: str):
    with pytest.raises(exceptions.InvalidArgument, match=words):
        await find(client, query)


async def test_only_projects_are_served(client: LoggingServiceV2AsyncClient):
    with pytest.raises(exceptions.InvalidArgument, match="organizations/1"):
        await client.list_log_entries(resource_names=["organizations/1"])


async def test_an_entry_without_a_log_or_a_resource_is_refused(client: LoggingServiceV2AsyncClient):
    entry = types.LogEntry(text_payload="homeless")

    with pytest.raises(exceptions.InvalidArgument, match="Log name"):
        await client.write_log_entries(resource=RESOURCE, entries=[entry])
    with pytest.raises(exceptions.InvalidArgument, match="monitored resource"):
        await client.write_log_entries(log_name=LOG, entries=[entry])


async def test_a_dry_run_keeps_nothing(client: LoggingServiceV2AsyncClient):
    request = types.WriteLogEntriesRequest(
        log_name=LOG, resource=RESOURCE, entries=[types.LogEntry(text_payload="x")], dry_run=True
    )

    await client.write_log_entries(request)

    assert await find(client) == []


async def test_logs_are_listed_and_never_deleted(client: LoggingServiceV2AsyncClient):
    await write(client, "x")

    assert [name async for name in await client.list_logs(parent=PROJECT)] == [LOG]
    with pytest.raises(exceptions.PermissionDenied):
        await client.delete_log(log_name=LOG)


async def test_new_entries_are_tailed(client: LoggingServiceV2AsyncClient):
    hang_up = asyncio.Event()

    async def requests() -> AsyncIterator[types.TailLogEntriesRequest]:
        yield types.TailLogEntriesRequest(
            resource_names=[PROJECT], filter="textPayload:new", buffer_window=timedelta(milliseconds=20)
        )
        await hang_up.wait()

    await write(client, "new but too early")
    stream = await client.tail_log_entries(requests())

    async def keep_writing() -> None:
        while not hang_up.is_set():
            await write(client, "new", "old")
            await asyncio.sleep(0.01)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_writing())
        response = await anext(aiter(stream))
        hang_up.set()

    assert {entry.text_payload for entry in response.entries} == {"new"}


async def test_used_up_quota_can_be_played(google: LocalGoogle, client: LoggingServiceV2AsyncClient):
    google.fail("ListLogEntries", grpc.StatusCode.RESOURCE_EXHAUSTED, times=1)

    with pytest.raises(exceptions.ResourceExhausted, match="Quota exceeded"):
        await find(client)

    assert await find(client) == []
