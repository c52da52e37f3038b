"""The audit log, and how Pub/Sub carries it to the bot."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import jwt
import pytest
from aiohttp import web
from google.cloud import run_v2
from google.cloud.run_v2.services.services.transports import ServicesGrpcAsyncIOTransport

from bot.sandbox.local_google import Image, LocalGoogle, Pace, Past

AUDIENCE = "https://bot.example/events/pubsub"
ACCOUNT = "push@acme-staging.iam.gserviceaccount.com"
DANA = "dana@acme.example"
NAME = "projects/acme-staging/locations/us-central1/services/auth-service"
GOOD = "auth-service-00281-kzq"
SOON = timedelta(milliseconds=20)


@dataclass
class Inbox:
    """A subscriber: keeps what comes, answers as told."""

    statuses: list[int] = field(default_factory=list)
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        async with self._news:
            self.received.append((request.headers["Authorization"], await request.json()))
            self._news.notify_all()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 204)

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(base64.b64decode(body["message"]["data"])) for _, body in self.received]

    async def until(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: enough(self.entries()))
        return self.entries()


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    made = Inbox()
    app = web.Application()
    app.router.add_post("/events/pubsub", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/events/pubsub"
    yield made
    await runner.cleanup()


@pytest.fixture
async def google(inbox: Inbox) -> AsyncIterator[LocalGoogle]:
    local = LocalGoogle(
        project="acme-staging",
        region="us-central1",
        push_url=inbox.url,
        push_audience=AUDIENCE,
        push_service_account=ACCOUNT,
        pace=Pace(provision=SOON, startup_limit=SOON, traffic_shift=SOON, push_backoff=SOON),
        seed=1,
    )
    local.images["deaf"] = Image(port=8081)
    local.images["good"] = Image(startup_seconds=0.0)
    await local.start()
    week_ago = datetime.now(UTC) - timedelta(days=6)
    await local.remember("auth-service", Past(281, "kzq", week_ago, DANA, "app:281", {"commit-sha": "5b1e7d0"}))
    yield local
    await local.stop()


def methods(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["protoPayload"]["methodName"] for entry in entries]


def service_is_told(entries: list[dict[str, Any]]) -> bool:
    return any("for Service" in entry["protoPayload"].get("status", {}).get("message", "") for entry in entries)


def about(entries: list[dict[str, Any]], words: str) -> dict[str, Any]:
    return next(one for one in entries if words in one["protoPayload"].get("status", {}).get("message", ""))


async def test_a_push_carries_a_token_that_the_published_keys_verify(google: LocalGoogle, inbox: Inbox):
    await google.deploy("auth-service", image="good", by=DANA)
    await inbox.until(bool)

    authorization, body = inbox.received[0]
    token = authorization.removeprefix("Bearer ")
    key = jwt.PyJWKSet.from_dict(google.certs())[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer="https://accounts.google.com")

    assert (claims["email"], claims["email_verified"]) == (ACCOUNT, True)
    assert body["subscription"] == "projects/acme-staging/subscriptions/deploy-events"
    assert body["message"]["messageId"] == body["message"]["message_id"]
    assert body["message"]["attributes"]["logging.googleapis.com/timestamp"] == inbox.entries()[0]["timestamp"]


async def test_a_deploy_is_told_with_the_state_before_it(google: LocalGoogle, inbox: Inbox):
    revision = await google.deploy("auth-service", image="good", by=DANA, labels={"commit-sha": "a1b2c3d"})
    entries = await inbox.until(service_is_told)

    accepted = next(one for one in entries if one["protoPayload"]["methodName"].endswith("v1.Services.ReplaceService"))
    payload = accepted["protoPayload"]
    assert accepted["logName"].endswith("cloudaudit.googleapis.com%2Factivity")
    assert accepted["severity"] == "NOTICE"
    assert accepted["resource"]["labels"]["service_name"] == "auth-service"
    assert accepted["resource"]["labels"]["revision_name"] == ""
    assert payload["@type"] == "type.googleapis.com/google.cloud.audit.AuditLog"
    assert payload["authenticationInfo"]["principalEmail"] == DANA
    assert payload["resourceName"] == "namespaces/acme-staging/services/auth-service"
    assert payload["request"]["service"]["metadata"]["labels"]["commit-sha"] == "a1b2c3d"
    assert payload["response"]["status"]["latestCreatedRevisionName"] == GOOD
    assert revision not in json.dumps(payload["response"])


async def test_a_ready_revision_is_told_twice_and_its_service_once(google: LocalGoogle, inbox: Inbox):
    revision = await google.deploy("auth-service", image="good", by=DANA)
    entries = await inbox.until(service_is_told)

    events = [one for one in entries if one["logName"].endswith("system_event")]
    events.sort(key=lambda one: one["timestamp"])
    first, second, service = events
    assert first["resource"]["labels"]["service_name"] == ""
    assert second["resource"]["labels"]["service_name"] == "auth-service"
    assert first["resource"]["labels"]["revision_name"] == revision
    assert first["protoPayload"]["resourceName"] == f"namespaces/acme-staging/revisions/{revision}"
    assert "Deploying revision succeeded in" in second["protoPayload"]["status"]["message"]
    assert first["protoPayload"]["response"]["kind"] == "Revision"
    assert service["protoPayload"]["resourceName"] == "namespaces/acme-staging/services/auth-service"
    assert service["protoPayload"]["response"]["status"]["latestReadyRevisionName"] == revision
    assert {one["severity"] for one in events} == {"INFO"}
    assert all("code" not in one["protoPayload"]["status"] for one in events)


async def test_a_failed_revision_is_told_with_code_and_conditions(google: LocalGoogle, inbox: Inbox):
    revision = await google.deploy("auth-service", image="deaf", by=DANA)
    entries = await inbox.until(service_is_told)

    event = about(entries, "changed to False for Revision")
    conditions = {one["type"]: one for one in event["protoPayload"]["response"]["status"]["conditions"]}
    assert event["severity"] == "ERROR"
    assert event["protoPayload"]["status"]["code"] == 9
    assert "PORT=8080" in event["protoPayload"]["status"]["message"]
    assert (conditions["Ready"]["status"], conditions["Ready"]["reason"]) == ("False", "HealthCheckContainerError")
    twin = about(entries, "changed to False for Service auth-service")
    assert f"Revision '{revision}' is not ready" in twin["protoPayload"]["status"]["message"]


async def test_a_change_by_the_v2_api_is_told_at_its_beginning_and_its_end(google: LocalGoogle, inbox: Inbox):
    async with grpc.aio.insecure_channel(google.grpc_address) as channel:
        client = run_v2.ServicesAsyncClient(transport=ServicesGrpcAsyncIOTransport(channel=channel))
        service = await client.get_service(name=NAME)
        service.traffic = [run_v2.TrafficTarget(type_=2, revision=GOOD, percent=100)]
        request = run_v2.UpdateServiceRequest(service=service, update_mask={"paths": ["traffic"]})
        await (await client.update_service(request)).result()

    entries = await inbox.until(lambda seen: methods(seen).count("google.cloud.run.v2.Services.UpdateService") == 2)

    both = [
        one for one in entries if one["protoPayload"]["methodName"].endswith("UpdateService") and "operation" in one
    ]
    both.sort(key=lambda one: one["timestamp"])
    assert [(one["operation"].get("first"), one["operation"].get("last")) for one in both] == [
        (True, None),
        (None, True),
    ]
    assert both[0]["operation"]["id"] == both[1]["operation"]["id"]
    assert both[0]["protoPayload"]["resourceName"] == NAME
    assert both[0]["protoPayload"]["request"]["updateMask"] == "traffic"


async def test_a_refused_change_is_told_without_a_response(google: LocalGoogle, inbox: Inbox):
    async with grpc.aio.insecure_channel(google.grpc_address) as channel:
        client = run_v2.ServicesAsyncClient(transport=ServicesGrpcAsyncIOTransport(channel=channel))
        service = await client.get_service(name=NAME)
        service.etag = '"stale"'
        service.traffic = [run_v2.TrafficTarget(type_=2, revision=GOOD, percent=100)]
        with pytest.raises(Exception, match="Conflict for resource"):
            await client.update_service(service=service)

    (entry,) = await inbox.until(bool)

    assert entry["severity"] == "ERROR"
    assert entry["protoPayload"]["status"]["code"] == 10
    assert "response" not in entry["protoPayload"]


async def test_what_is_not_acknowledged_comes_again_the_same(google: LocalGoogle, inbox: Inbox):
    inbox.statuses = [500, 403, 302]
    await google.set_traffic("auth-service", {GOOD: 100}, by=DANA, wait=True)

    async with asyncio.timeout(5):
        while len(inbox.received) < 5:
            await asyncio.sleep(0.01)

    ids = [body["message"]["messageId"] for _, body in inbox.received]
    assert len(ids) == 5
    assert len(set(ids)) == 2


async def test_a_subscriber_that_was_down_gets_it_when_it_is_back(inbox: Inbox):
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    local = LocalGoogle(
        project="acme-staging",
        region="us-central1",
        push_url=f"http://127.0.0.1:{port}/events/pubsub",
        pace=Pace(provision=SOON, push_backoff=SOON),
    )
    app = web.Application()
    app.router.add_post("/events/pubsub", inbox.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await local.start()
    try:
        await local.deploy("auth-service", image="good", by=DANA, wait=True)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        entries = await inbox.until(lambda seen: len(seen) == 4)
    finally:
        await local.stop()
        await runner.cleanup()

    assert "google.cloud.run.v1.Services.CreateService" in methods(entries)
    assert service_is_told(entries)


async def test_duplicates_can_be_asked_for(inbox: Inbox):
    local = LocalGoogle(
        project="acme-staging",
        region="us-central1",
        push_url=inbox.url,
        push_duplicates=True,
        pace=Pace(provision=SOON),
    )
    await local.start()
    try:
        await local.deploy("auth-service", image="good", by=DANA)
        await inbox.until(lambda seen: len(seen) >= 2)
    finally:
        await local.stop()

    first, second = (body["message"]["messageId"] for _, body in inbox.received[:2])
    assert first == second
