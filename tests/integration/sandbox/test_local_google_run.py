"""Cloud Run Admin v2, asked by Google's own async clients over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcAsyncIOTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcAsyncIOTransport
from google.longrunning import operations_pb2
from google.protobuf import duration_pb2

from bot.sandbox.local_google import Crash, Image, Line, LocalGoogle, Pace, Past

PARENT = "projects/acme-staging/locations/us-central1"
NAME = f"{PARENT}/services/auth-service"
OLD, GOOD = "auth-service-00280-nxt", "auth-service-00281-kzq"
DANA = "dana@acme.example"
PINNED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
FAILED = run_v2.Condition.State.CONDITION_FAILED
SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED
SOON = timedelta(milliseconds=30)
NOW = datetime(2025, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
async def google() -> AsyncIterator[LocalGoogle]:
    pace = Pace(provision=SOON, startup_limit=SOON, traffic_shift=SOON)
    local = LocalGoogle(project="acme-staging", region="us-central1", pace=pace, seed=1)
    local.images["deaf"] = Image(boot=(), port=8081)
    local.images["good"] = Image(boot=(), startup_seconds=0.0)
    await local.start()
    await local.remember(
        "auth-service",
        Past(280, "nxt", NOW - timedelta(days=13), DANA, "app:280"),
        Past(
            281, "kzq", NOW - timedelta(days=6), DANA, "app:281", {"commit-sha": "5b1e7d0"}, {"ENVIRONMENT": "staging"}
        ),
    )
    yield local
    await local.stop()


@pytest.fixture
async def run(google: LocalGoogle) -> AsyncIterator[SimpleNamespace]:
    channel = grpc.aio.insecure_channel(google.grpc_address)
    yield SimpleNamespace(
        services=run_v2.ServicesAsyncClient(transport=ServicesGrpcAsyncIOTransport(channel=channel)),
        revisions=run_v2.RevisionsAsyncClient(transport=RevisionsGrpcAsyncIOTransport(channel=channel)),
    )
    await channel.close()


async def read(run: SimpleNamespace) -> run_v2.Service:
    return await run.services.get_service(name=NAME)


def served(service: run_v2.Service) -> dict[str, int]:
    return {status.revision: status.percent for status in service.traffic_statuses if status.percent}


def pin(**percents: int) -> list[run_v2.TrafficTarget]:
    names = {"old": OLD, "good": GOOD}
    return [
        run_v2.TrafficTarget(type_=PINNED, revision=names.get(name, name), percent=percent)
        for name, percent in percents.items()
    ]


async def update(run: SimpleNamespace, service: run_v2.Service, *paths: str, **options: bool):
    request = {"service": service, "update_mask": {"paths": paths}, **options}
    return await run.services.update_service(run_v2.UpdateServiceRequest(request), timeout=5)


async def test_a_service_of_the_past_is_settled(run: SimpleNamespace):
    service = await read(run)

    assert (service.terminal_condition.type_, service.terminal_condition.state) == ("Ready", SUCCEEDED)
    assert {(one.type_, one.state) for one in service.conditions} == {
        ("RoutesReady", SUCCEEDED),
        ("ConfigurationsReady", SUCCEEDED),
    }
    assert service.latest_ready_revision == service.latest_created_revision == f"{NAME}/revisions/{GOOD}"
    assert served(service) == {GOOD: 100}
    assert service.traffic_statuses[0].type_ == LATEST
    assert (service.creator, service.last_modifier, service.labels["commit-sha"]) == (DANA, DANA, "5b1e7d0")
    assert service.observed_generation == service.generation
    assert not service.reconciling


async def test_a_good_template_makes_a_revision_that_latest_follows(google: LocalGoogle, run: SimpleNamespace):
    created = await google.deploy("auth-service", image="good", by=DANA, labels={"commit-sha": "abc1234"})
    during = await read(run)
    await google.deploy("auth-service", image="good", by=DANA, wait=True)
    after = await read(run)

    assert created.startswith("auth-service-00282-")
    assert during.reconciling
    assert during.observed_generation < during.generation
    assert during.latest_created_revision.endswith(created)
    assert during.latest_ready_revision.endswith(GOOD)
    assert served(during) == {GOOD: 100}
    assert not after.reconciling
    assert after.latest_ready_revision == after.latest_created_revision
    assert served(after) == {after.latest_ready_revision.rsplit("/")[-1]: 100}


async def test_a_revision_that_never_listens_leaves_traffic_where_it_was(google: LocalGoogle, run: SimpleNamespace):
    failed = await google.deploy("auth-service", image="deaf", by=DANA, wait=True)

    service = await read(run)
    revision = await run.revisions.get_revision(name=service.latest_created_revision)
    conditions = {one.type_: one for one in revision.conditions}

    assert served(service) == {GOOD: 100}
    assert service.latest_created_revision.endswith(failed)
    assert service.latest_ready_revision.endswith(GOOD)
    assert not service.reconciling
    assert service.observed_generation < service.generation
    assert service.terminal_condition.state == FAILED
    assert service.terminal_condition.message.startswith(
        f"Revision '{failed}' is not ready and cannot serve traffic. The user-provided container failed to start and "
        "listen on the port defined provided by the PORT=8080 environment variable within the allocated timeout."
    )
    assert conditions["Ready"].state == conditions["ContainerHealthy"].state == FAILED
    reason = run_v2.Condition.RevisionReason.HEALTH_CHECK_CONTAINER_ERROR
    assert conditions["Ready"].revision_reason == service.terminal_condition.revision_reason == reason


async def test_a_failed_deploy_does_not_even_release_a_pin(google: LocalGoogle, run: SimpleNamespace):
    await google.set_traffic("auth-service", {OLD: 100}, by=DANA, wait=True)

    await google.deploy("auth-service", image="deaf", by=DANA, traffic="latest", wait=True)

    assert served(await read(run)) == {OLD: 100}


async def test_an_image_that_is_not_there_is_its_own_reason(google: LocalGoogle, run: SimpleNamespace):
    await google.deploy("auth-service", image="repo/missing:1", by=DANA, wait=True)

    service = await read(run)

    assert service.terminal_condition.reason == run_v2.Condition.CommonReason.CONTAINER_MISSING
    assert "Image 'repo/missing:1' not found." in service.terminal_condition.message


async def test_a_first_revision_that_fails_leaves_nothing_serving(google: LocalGoogle, run: SimpleNamespace):
    await google.deploy("agent-service", image="deaf", by=DANA, wait=True)

    service = await run.services.get_service(name=f"{PARENT}/services/agent-service")

    assert service.terminal_condition.state == FAILED
    assert not service.latest_ready_revision
    assert not service.traffic_statuses
    assert service.observed_generation == 0


async def test_traffic_moves_by_mask_and_makes_no_revision(run: SimpleNamespace):
    service = await read(run)
    service.traffic = pin(old=100)

    operation = await update(run, service, "traffic")
    during = await read(run)
    result = await operation.result()

    assert during.reconciling
    assert served(during) == {GOOD: 100}
    assert served(result) == {OLD: 100}
    assert result.traffic_statuses[0].type_ == PINNED
    assert result.latest_created_revision.endswith(GOOD)
    assert result.generation == service.generation + 1
    assert not result.reconciling


async def test_pinned_traffic_stays_when_a_new_revision_becomes_ready(google: LocalGoogle, run: SimpleNamespace):
    await google.set_traffic("auth-service", {OLD: 100}, by=DANA, wait=True)

    await google.deploy("auth-service", image="good", by=DANA, traffic="keep", wait=True)
    pinned = await read(run)
    await google.set_traffic("auth-service", {"LATEST": 100}, by=DANA, wait=True)
    released = await read(run)

    assert served(pinned) == {OLD: 100}
    assert pinned.latest_ready_revision.rsplit("/")[-1] not in {OLD, GOOD}
    assert served(released) == {released.latest_ready_revision.rsplit("/")[-1]: 100}


async def test_a_split_counts_for_each_revision(run: SimpleNamespace):
    service = await read(run)
    service.traffic = pin(old=10, good=90)

    result = await (await update(run, service, "traffic")).result()

    assert served(result) == {OLD: 10, GOOD: 90}


async def test_a_stale_etag_is_aborted_and_nothing_changes(run: SimpleNamespace):
    stale, other = await read(run), await read(run)
    other.traffic = pin(old=100)
    await (await update(run, other, "traffic")).result()
    stale.traffic = pin(good=100)

    with pytest.raises(exceptions.Aborted, match=r"version .* was specified but current version is"):
        await update(run, stale, "traffic")

    assert served(await read(run)) == {OLD: 100}


async def test_a_split_that_is_not_a_hundred_is_an_invalid_argument(run: SimpleNamespace):
    service = await read(run)
    service.traffic = pin(old=50, good=40)

    with pytest.raises(exceptions.InvalidArgument, match="sum to 90 percent"):
        await update(run, service, "traffic")


async def test_a_missing_target_fails_the_operation_and_the_condition_says_so(run: SimpleNamespace):
    service = await read(run)
    service.traffic = pin(**{"auth-service-00999-xxx": 100})

    operation = await update(run, service, "traffic")
    with pytest.raises(exceptions.GoogleAPICallError, match="auth-service-00999-xxx"):
        await operation.result()
    after = await read(run)

    assert served(after) == {GOOD: 100}
    assert after.terminal_condition.state == FAILED
    assert "auth-service-00999-xxx" in after.terminal_condition.message
    assert after.traffic[0].revision == "auth-service-00999-xxx"


async def test_a_target_that_is_not_ready_fails_the_operation(google: LocalGoogle, run: SimpleNamespace):
    failed = await google.deploy("auth-service", image="deaf", by=DANA, wait=True)
    service = await read(run)
    service.traffic = pin(**{failed: 100})

    operation = await update(run, service, "traffic")
    with pytest.raises(exceptions.GoogleAPICallError, match="is not ready and cannot serve traffic"):
        await operation.result()

    assert served(await read(run)) == {GOOD: 100}


async def test_traffic_can_be_moved_while_a_deploy_has_failed(google: LocalGoogle, run: SimpleNamespace):
    await google.deploy("auth-service", image="deaf", by=DANA, wait=True)
    service = await read(run)
    service.traffic = pin(old=100)

    result = await (await update(run, service, "traffic")).result()

    assert served(result) == {OLD: 100}
    assert result.terminal_condition.state == FAILED


async def test_an_unchanged_update_does_nothing(run: SimpleNamespace):
    service = await read(run)

    operation = await update(run, service, "traffic")
    result = await operation.result()

    assert operation.operation.done
    assert (result.generation, result.etag) == (service.generation, service.etag)


async def test_validate_only_changes_nothing(run: SimpleNamespace):
    service = await read(run)
    service.traffic = pin(old=100)

    await (await update(run, service, "traffic", validate_only=True)).result()

    assert (await read(run)).etag == service.etag


async def test_a_service_read_and_sent_back_with_its_named_template_conflicts(
    google: LocalGoogle, run: SimpleNamespace
):
    await google.deploy("auth-service", image="good", by=DANA, suffix="own", wait=True)
    service = await read(run)
    service.template.containers[0].image = "other"

    with pytest.raises(exceptions.AlreadyExists, match="with different configuration already exists"):
        await run.services.update_service(service=service)


async def test_a_template_sent_by_api_makes_a_revision(run: SimpleNamespace):
    service = await read(run)
    service.template.containers[0].image = "good"

    result = await (await update(run, service, "template")).result()
    revision = await run.revisions.get_revision(name=result.latest_ready_revision)

    assert result.latest_ready_revision.rsplit("/")[-1].startswith("auth-service-00282-")
    assert revision.containers[0].image == "good"
    assert revision.containers[0].env[0].name == "ENVIRONMENT"
    assert revision.containers[0].ports[0].container_port == 8080


async def test_a_template_sent_by_api_that_never_listens_fails_its_operation(run: SimpleNamespace):
    service = await read(run)
    service.template.containers[0].image = "deaf"

    operation = await update(run, service, "template")

    with pytest.raises(exceptions.GoogleAPICallError, match="failed to start and listen on the port"):
        await operation.result()
    assert served(await read(run)) == {GOOD: 100}


async def test_reserved_variables_are_refused(run: SimpleNamespace):
    service = await read(run)
    service.template.containers[0].env = [run_v2.EnvVar(name="PORT", value="8081")]

    with pytest.raises(exceptions.InvalidArgument, match="reserved env names were provided: PORT"):
        await update(run, service, "template")


async def test_no_traffic_leaves_the_split_and_pins_it(google: LocalGoogle, run: SimpleNamespace):
    await google.deploy("auth-service", image="good", by=DANA, traffic="none", wait=True)

    service = await read(run)

    assert served(service) == {GOOD: 100}
    assert service.traffic[0].type_ == PINNED


async def test_a_tag_has_an_address_and_no_traffic(google: LocalGoogle, run: SimpleNamespace):
    tagged = await google.deploy("auth-service", image="good", by=DANA, traffic="tag:candidate", wait=True)

    service = await read(run)
    first = service.traffic_statuses[0]

    assert served(service) == {GOOD: 100}
    assert (first.revision, first.percent, first.tag) == (tagged, 0, "candidate")
    assert first.uri.startswith("http://127.0.0.1:")
    assert first.uri != service.uri


async def test_services_are_listed_page_by_page(google: LocalGoogle, run: SimpleNamespace):
    await google.deploy("agent-service", image="good", by=DANA, wait=True)

    pager = await run.services.list_services(run_v2.ListServicesRequest(parent=PARENT, page_size=1))
    names = [service.name.rsplit("/")[-1] async for service in pager]

    assert names == ["agent-service", "auth-service"]
    with pytest.raises(exceptions.InvalidArgument):
        await run.services.list_services(parent="projects/acme-staging/locations/-")


async def test_revisions_are_listed_newest_first_of_one_or_of_all_services(google: LocalGoogle, run: SimpleNamespace):
    newest = await google.deploy("agent-service", image="good", by=DANA, wait=True)

    one = [revision.name async for revision in await run.revisions.list_revisions(parent=NAME)]
    request = run_v2.ListRevisionsRequest(parent=f"{PARENT}/services/-", page_size=2)
    everything = [revision.name.rsplit("/")[-1] async for revision in await run.revisions.list_revisions(request)]

    assert [name.rsplit("/")[-1] for name in one] == [GOOD, OLD]
    assert everything == [newest, GOOD, OLD]


async def test_a_revision_is_deleted_only_when_nothing_needs_it(run: SimpleNamespace):
    with pytest.raises(exceptions.FailedPrecondition):
        await run.revisions.delete_revision(name=f"{NAME}/revisions/{GOOD}")

    await (await run.revisions.delete_revision(name=f"{NAME}/revisions/{OLD}")).result()

    with pytest.raises(exceptions.NotFound):
        await run.revisions.get_revision(name=f"{NAME}/revisions/{OLD}")


async def test_a_service_is_created_and_deleted_by_api(run: SimpleNamespace):
    template = run_v2.RevisionTemplate(containers=[run_v2.Container(image="good")])

    operation = await run.services.create_service(
        parent=PARENT, service=run_v2.Service(template=template), service_id="new-service"
    )
    created = await operation.result()
    await (await run.services.delete_service(name=created.name)).result()

    assert created.uri.startswith("http://127.0.0.1:")
    assert created.latest_ready_revision.rsplit("/")[-1].startswith("new-service-00001-")
    with pytest.raises(exceptions.NotFound):
        await run.services.get_service(name=created.name)
    with pytest.raises(exceptions.InvalidArgument):
        await run.services.create_service(parent=PARENT, service=run_v2.Service(), service_id="Bad_Name")


async def test_allow_missing_creates(run: SimpleNamespace):
    template = run_v2.RevisionTemplate(containers=[run_v2.Container(image="good")])
    wish = run_v2.Service(name=f"{PARENT}/services/new-service", template=template)

    with pytest.raises(exceptions.NotFound):
        await run.services.update_service(service=wish)
    request = run_v2.UpdateServiceRequest(service=wish, allow_missing=True)
    result = await (await run.services.update_service(request)).result()

    assert result.terminal_condition.state == SUCCEEDED


async def test_an_operation_can_be_waited_for(google: LocalGoogle, run: SimpleNamespace):
    service = await read(run)
    service.traffic = pin(old=100)
    started = await update(run, service, "traffic")

    request = operations_pb2.WaitOperationRequest(name=started.operation.name, timeout=duration_pb2.Duration(seconds=2))
    raw = await run.services.wait_operation(request)  # this client hands out the bytes undecoded
    ended = operations_pb2.Operation.FromString(raw)
    listed = await run.services.list_operations(operations_pb2.ListOperationsRequest(name=f"{PARENT}/operations"))

    assert ended.done
    assert started.operation.name in {operation.name for operation in listed.operations}


async def test_a_rollback_does_not_wait_for_a_revision_that_is_still_starting(
    google: LocalGoogle, run: SimpleNamespace
):
    google.images["slow"] = Image(boot=(), startup_seconds=0.5)
    await google.deploy("auth-service", image="slow", by=DANA, traffic="keep")
    await google.set_traffic("auth-service", {OLD: 100}, by=DANA)

    async def until_moved() -> run_v2.Service:
        while served(service := await read(run)) != {OLD: 100}:
            pass
        return service

    service = await until_moved()

    assert service.reconciling


async def test_a_lost_answer_means_the_update_took_place(google: LocalGoogle, run: SimpleNamespace):
    service = await read(run)
    service.traffic = pin(old=100)
    google.fail("UpdateService", grpc.StatusCode.DEADLINE_EXCEEDED, times=1, after_effect=True)

    with pytest.raises(exceptions.DeadlineExceeded):
        await update(run, service, "traffic")

    assert (await read(run)).traffic[0].revision == OLD


async def test_an_outage_is_over_when_it_is_healed(google: LocalGoogle, run: SimpleNamespace):
    google.fail("GetService", grpc.StatusCode.PERMISSION_DENIED)
    with pytest.raises(exceptions.PermissionDenied):
        await read(run)

    google.heal()

    assert (await read(run)).name == NAME


async def test_a_crashing_container_is_left_alone_once_it_gets_no_traffic(google: LocalGoogle, run: SimpleNamespace):
    google.images["dying"] = Image(boot=(), startup_seconds=0.0, crash=Crash((Line("last words"),), every=0.01))
    dying = await google.deploy("auth-service", image="dying", by=DANA, wait=True)

    def deaths() -> int:
        return sum(entry.text_payload == "Container called exit(3)." for entry in google.logs.entries("acme-staging"))

    service = await read(run)
    service.traffic = pin(good=100)
    await (await update(run, service, "traffic")).result()
    before = deaths()
    await google.deploy("auth-service", image="good", by=DANA, traffic="keep", wait=True)

    assert before > 2
    assert deaths() == before
    assert dying in google.revisions("auth-service")
