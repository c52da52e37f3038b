"""The real Cloud Monitoring client counts, over the wire, what the local services answered."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import grpc
import pytest
from google.cloud.logging_v2.types import LogEntry as WireEntry

from bot.errors import Permanent, Retryable
from bot.gcp.clients import Clients, open_clients
from bot.gcp.config import GoogleConfig
from bot.gcp.monitoring import METRIC, read_traffic
from bot.model.catalog import Deployment, Detection, Place, Service
from bot.model.evidence import LogKind, RequestPoint, Window
from bot.sandbox.local_google import Failure, Image, LocalGoogle, Pace

PROJECT, REGION = "acme-staging", "us-central1"
START = datetime(2025, 9, 15, 14, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DELAY = timedelta(seconds=90)
DEPLOYMENT = Deployment(PROJECT, REGION, "auth-service")
PLACE = Place("auth", "staging", Service(1, "C0", {"staging": DEPLOYMENT}), DEPLOYMENT, Detection())
FILTER = f'metric.type="{METRIC}" resource.type="cloud_run_revision"'
GOOD, BAD = "auth-service-00281-kzq", "auth-service-00283-qab"


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def google(time: Time) -> AsyncIterator[LocalGoogle]:
    pace = Pace(timedelta(0), timedelta(seconds=1), timedelta(0), metrics=DELAY)
    local = LocalGoogle(project=PROJECT, region=REGION, pace=pace, seed=7, clock=time)
    await local.start()
    yield local
    await local.stop()


@pytest.fixture
async def clients(google: LocalGoogle) -> AsyncIterator[Clients]:
    opened = await open_clients(GoogleConfig(endpoint=google.grpc_address, timeout=timedelta(seconds=2)))
    yield opened
    await opened.close()


def answer(google: LocalGoogle, at: datetime, status: int, revision: str = GOOD, region: str = REGION) -> None:
    """A line of the request log, as the front end leaves it."""
    entry: Any = WireEntry.pb()(log_name=f"projects/{PROJECT}/logs/{LogKind.REQUESTS.replace('/', '%2F')}")
    entry.timestamp.FromDatetime(at)
    entry.resource.type = "cloud_run_revision"
    service = revision.rsplit("-", 2)[0]
    labels = {"project_id": PROJECT, "location": region, "service_name": service, "revision_name": revision}
    entry.resource.labels.update(labels)
    entry.http_request.status = status
    google.logs.append(entry)


def window(minutes: float) -> Window:
    return Window(START, START + minutes * MINUTE)


async def test_what_is_read_is_what_the_local_services_answered_by_class_and_minute(
    google: LocalGoogle, clients: Clients, time: Time
):
    quick = (0.0, 0.001)
    google.images["healthy"] = Image(latency=quick)
    google.images["shaky"] = Image(latency=quick, fail_ratio=0.4, failure=Failure(status=503, latency=quick))
    for service, image in (("auth-service", "shaky"), ("backend", "healthy")):
        await google.deploy(service, image=image, by="dana@acme.example", wait=True)
    revisions = {service: google.revisions(service)[0] for service in google.services()}
    answered: Counter[tuple[str, str, str, datetime]] = Counter()
    chance = random.Random(3)

    async with aiohttp.ClientSession() as http:
        for _ in range(60):
            time.now += timedelta(seconds=chance.uniform(0.5, 6))
            service = chance.choice(google.services())
            async with http.get(google.uri(service)) as reply:
                minute = time.now.replace(second=0, microsecond=0)
                answered[service, revisions[service], f"{reply.status // 100}xx", minute] += 1
    time.now += MINUTE + DELAY
    points = await read_traffic(clients, PLACE, Window(START, time.now))

    assert {(p.service, p.revision, p.response_class, p.window.start): p.count for p in points} == answered
    assert {key[2] for key in answered} == {"2xx", "5xx"}
    assert {point.window.end - point.window.start for point in points} == {MINUTE}


async def test_points_come_oldest_first_although_google_gives_the_newest_first(
    google: LocalGoogle, clients: Clients, time: Time
):
    for minute in (2, 0, 1):
        answer(google, START + minute * MINUTE, 200)
        answer(google, START + minute * MINUTE, 500, BAD)
    time.now += 10 * MINUTE

    points = await read_traffic(clients, PLACE, window(5))

    assert points[:2] == (
        RequestPoint("auth-service", GOOD, "2xx", Window(START, START + MINUTE), 1),
        RequestPoint("auth-service", BAD, "5xx", Window(START, START + MINUTE), 1),
    )
    assert [point.window.start for point in points] == sorted(point.window.start for point in points)


async def test_statuses_of_one_class_are_one_point(google: LocalGoogle, clients: Clients, time: Time):
    for status in (500, 502, 503, 404, 200):
        answer(google, START, status)
    time.now += 10 * MINUTE

    points = await read_traffic(clients, PLACE, window(1))

    assert {point.response_class: point.count for point in points} == {"5xx": 3, "4xx": 1, "2xx": 1}


async def test_a_minute_is_known_only_a_while_after_its_end(google: LocalGoogle, clients: Clients, time: Time):
    answer(google, START, 200)
    time.now = START + MINUTE + DELAY - timedelta(seconds=1)
    early = await read_traffic(clients, PLACE, window(5))

    time.now += timedelta(seconds=1)
    later = await read_traffic(clients, PLACE, window(5))

    assert (early, sum(point.count for point in later)) == ((), 1)


async def test_the_minute_a_window_begins_in_is_counted_whole_and_the_one_it_ends_in_not_at_all(
    google: LocalGoogle, clients: Clients, time: Time
):
    for seconds in (-1, 1, 59, 60, 119, 121):
        answer(google, START + timedelta(seconds=seconds), 200)
    time.now += 10 * MINUTE

    points = await read_traffic(clients, PLACE, Window(START + MINUTE / 2, START + 2.5 * MINUTE))

    assert [point.count for point in points] == [2, 2]


async def test_a_window_without_a_whole_minute_is_not_asked_for(google: LocalGoogle, clients: Clients):
    google.fail("ListTimeSeries", grpc.StatusCode.PERMISSION_DENIED)

    assert await read_traffic(clients, PLACE, Window(START, START + MINUTE / 2)) == ()


async def test_other_regions_are_not_counted(google: LocalGoogle, clients: Clients, time: Time):
    answer(google, START, 500, region="europe-west1")
    time.now += 10 * MINUTE

    assert await read_traffic(clients, PLACE, window(5)) == ()


async def test_pages_are_read_to_the_end_even_where_one_ends_within_a_series(
    google: LocalGoogle, clients: Clients, time: Time
):
    for minute in range(7):
        answer(google, START + minute * MINUTE, 200)
        answer(google, START + minute * MINUTE, 500, BAD)
    time.now += 20 * MINUTE

    in_one = await read_traffic(clients, PLACE, window(10))
    in_many = await read_traffic(clients, PLACE, window(10), page_size=3)

    assert in_many == in_one
    assert len(in_one) == 14


async def test_a_minute_that_becomes_known_between_two_pages_shifts_nothing(
    google: LocalGoogle, clients: Clients, time: Time
):
    for minute in range(4):
        answer(google, START + minute * MINUTE, 200)
    time.now = START + 3 * MINUTE + DELAY
    ends = []

    pager = await clients.monitoring.list_time_series(
        {
            "name": f"projects/{PROJECT}",
            "filter": FILTER,
            "interval": {"start_time": START, "end_time": START + 9 * MINUTE},
            "page_size": 1,
        }
    )
    async for series in pager:
        time.now += MINUTE
        ends += [point.interval.end_time for point in series.points]

    assert ends == [START + 3 * MINUTE, START + 2 * MINUTE, START + MINUTE]


async def test_more_than_may_be_read_is_refused_because_a_part_would_be_a_wrong_denominator(
    google: LocalGoogle, clients: Clients, time: Time
):
    for minute in range(5):
        answer(google, START + minute * MINUTE, 200)
    time.now += 20 * MINUTE

    with pytest.raises(Permanent, match=r"more than 4 points for this window: ask for a shorter one"):
        await read_traffic(clients, PLACE, window(10), page_size=2, max_pages=2)


async def test_a_moment_without_answer_is_bridged(google: LocalGoogle, clients: Clients, time: Time):
    answer(google, START, 200)
    time.now += 10 * MINUTE
    google.fail("ListTimeSeries", times=1)

    assert len(await read_traffic(clients, PLACE, window(5))) == 1


async def test_google_down_is_retryable_names_cloud_monitoring_and_heals(google: LocalGoogle):
    google.fail("monitoring")
    clients = await open_clients(GoogleConfig(endpoint=google.grpc_address, timeout=timedelta(milliseconds=300)))

    with pytest.raises(Retryable, match=r"Cloud Monitoring did not answer within 0.3 s"):
        await read_traffic(clients, PLACE, window(5))
    google.heal()
    assert await read_traffic(clients, PLACE, window(5)) == ()
    await clients.close()


async def test_a_used_up_quota_is_retryable_and_leaves_the_logs_quota_alone(google: LocalGoogle, clients: Clients):
    google.fail("ListTimeSeries", grpc.StatusCode.RESOURCE_EXHAUSTED)

    with pytest.raises(Retryable, match=r"Cloud Monitoring's quota is used up"):
        await read_traffic(clients, PLACE, window(5))

    assert clients.budget.spend_spare(PROJECT)


async def test_missing_permission_names_the_role_for_reading_metrics(google: LocalGoogle, clients: Clients):
    google.fail("ListTimeSeries", grpc.StatusCode.PERMISSION_DENIED)

    with pytest.raises(Permanent, match=r"Cloud Monitoring .*--role=roles/monitoring.viewer"):
        await read_traffic(clients, PLACE, window(5))


async def listed(clients: Clients, filter_: str = FILTER, *, name: str = f"projects/{PROJECT}", **fields: Any) -> Any:
    """What the real client gets for a request of one's own, ten minutes long."""
    interval = {"start_time": START, "end_time": START + 10 * MINUTE}
    request = {"name": name, "filter": filter_, "interval": interval, **fields}
    pager = await clients.monitoring.list_time_series(request, timeout=2)
    return [series async for series in pager]


async def test_unaligned_series_are_told_apart_by_status_and_newest_first(
    google: LocalGoogle, clients: Clients, time: Time
):
    answer(google, START, 200)
    answer(google, START + MINUTE, 200)
    answer(google, START, 204)
    time.now += 20 * MINUTE

    first, second = await listed(clients)

    assert [dict(series.metric.labels)["response_code"] for series in (first, second)] == ["200", "204"]
    assert [point.interval.end_time for point in first.points] == [START + 2 * MINUTE, START + MINUTE]
    assert first.resource.labels["service_name"] == "auth-service"


@pytest.mark.parametrize(
    ("aligner", "values"),
    [("ALIGN_DELTA", [3, 5]), ("ALIGN_SUM", [3, 5]), ("ALIGN_RATE", [3 / 300, 5 / 300])],
)
async def test_longer_periods_are_laid_from_the_end_of_the_interval(
    google: LocalGoogle, clients: Clients, time: Time, aligner: str, values: list[float]
):
    for minute in range(8):
        answer(google, START + minute * MINUTE, 200 + minute % 2)
    time.now += 20 * MINUTE
    aggregation = {
        "alignment_period": {"seconds": 300},
        "per_series_aligner": aligner,
        "cross_series_reducer": "REDUCE_SUM",
    }

    (series,) = await listed(clients, aggregation=aggregation)

    found = [point.value.double_value or point.value.int64_value for point in series.points]
    assert found == pytest.approx(values)
    assert dict(series.metric.labels) == {}


async def test_headers_come_without_points(google: LocalGoogle, clients: Clients, time: Time):
    answer(google, START, 200)
    time.now += 20 * MINUTE

    (series,) = await listed(clients, view="HEADERS")

    assert (series.metric.labels["response_code_class"], list(series.points)) == ("2xx", [])


SUM = {"alignment_period": {"seconds": 60}, "per_series_aligner": "ALIGN_DELTA", "cross_series_reducer": "REDUCE_SUM"}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"filter_": 'resource.type="cloud_run_revision"'}, "metric.type"),
        ({"filter_": f'{FILTER} metric.labels.colour="red"'}, "valid combination"),
        ({"name": "auth-service"}, "Name must begin with"),
        ({"order_by": "timestamp"}, "orderBy"),
        ({"aggregation": SUM | {"alignment_period": {"seconds": 30}}}, "at least 60 seconds"),
        ({"aggregation": SUM | {"per_series_aligner": "ALIGN_NONE"}}, "needs a per-series aligner"),
        ({"aggregation": SUM | {"per_series_aligner": "ALIGN_MEAN"}}, "not supported"),
        ({"aggregation": SUM | {"group_by_fields": ["metric.label.colour"]}}, "groupByFields"),
        ({"aggregation": SUM, "secondary_aggregation": SUM}, "secondaryAggregation"),
        ({"page_token": "made-up"}, "pageToken"),
        ({"interval": {"start_time": START}}, "interval.endTime"),
        ({"interval": {"start_time": START, "end_time": START - MINUTE}}, "interval.startTime"),
    ],
)
async def test_what_is_wrong_or_not_imitated_is_refused(clients: Clients, fields: dict[str, Any], why: str):
    with pytest.raises(Exception, match=why) as refused:
        await listed(clients, **fields)

    assert getattr(refused.value, "grpc_status_code", None) is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_metric_that_does_not_exist_is_not_found(clients: Clients):
    with pytest.raises(Exception, match="Cannot find metric") as refused:
        await listed(clients, 'metric.type="run.googleapis.com/request_counts"')

    assert getattr(refused.value, "grpc_status_code", None) is grpc.StatusCode.NOT_FOUND
