"""Trouble on demand."""

from datetime import UTC, datetime, timedelta

import grpc
import pytest

from bot.sandbox.local_google.faults import Fault, Faults
from bot.sandbox.local_google.refusals import Refusal

NOON = datetime(2025, 11, 24, 12, tzinfo=UTC)
UPDATE = "/google.cloud.run.v2.Services/UpdateService"
LIST = "/google.logging.v2.LoggingServiceV2/ListLogEntries"


def call(faults: Faults, method: str, done: list[str]) -> grpc.StatusCode | None:
    try:
        with faults.around(method):
            done.append(method)
    except Refusal as refusal:
        return refusal.code
    return None


def test_only_the_named_calls_fail_and_only_so_often():
    faults, done = Faults(lambda: NOON), []
    faults.add(Fault("logging", grpc.StatusCode.UNAVAILABLE, times=1))

    codes = [call(faults, method, done) for method in (UPDATE, LIST, LIST)]

    assert codes == [None, grpc.StatusCode.UNAVAILABLE, None]
    assert done == [UPDATE, LIST]


def test_a_lost_answer_comes_after_the_effect():
    faults, done = Faults(lambda: NOON), []
    faults.add(Fault("UpdateService", grpc.StatusCode.DEADLINE_EXCEEDED, times=1, after_effect=True))

    assert call(faults, UPDATE, done) is grpc.StatusCode.DEADLINE_EXCEEDED
    assert done == [UPDATE]


def test_an_outage_ends_at_its_moment_or_when_it_is_healed():
    now = NOON
    faults, done = Faults(lambda: now), []
    faults.add(Fault("run", grpc.StatusCode.UNAVAILABLE, until=NOON + timedelta(seconds=5)))

    assert call(faults, UPDATE, done) is grpc.StatusCode.UNAVAILABLE
    now = NOON + timedelta(seconds=5)
    assert call(faults, UPDATE, done) is None

    faults.add(Fault("run", grpc.StatusCode.RESOURCE_EXHAUSTED))
    assert call(faults, UPDATE, done) is grpc.StatusCode.RESOURCE_EXHAUSTED
    faults.heal()
    assert call(faults, UPDATE, done) is None


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_fault_speaks_like_the_real_service(code: grpc.StatusCode):
    faults = Faults(lambda: NOON)
    faults.add(Fault("run", code))

    with pytest.raises(Refusal, match=r"unavailable|Quota exceeded"), faults.around(UPDATE):
        pass
