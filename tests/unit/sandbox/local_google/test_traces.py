"""The trace that requests hand on."""

import random

import pytest

from bot.sandbox.local_google.traces import Trace, trace_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"00-{TRACE}-{SPAN}-01"},
        {"X-Cloud-Trace-Context": f"{TRACE}/67667974448284343;o=1"},
        {"X-Cloud-Trace-Context": TRACE.upper()},
        {"traceparent": f"00-{TRACE}-{SPAN}-01", "X-Cloud-Trace-Context": f"{'ab' * 16}/1"},
    ],
)
def test_a_trace_that_is_handed_over_is_kept_with_a_span_of_its_own(headers: dict[str, str]):
    found = trace_of(headers, random.Random(1))

    assert found.trace == TRACE
    assert len(found.span) == 16
    assert found.span != SPAN


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"traceparent": "00-xyz-01"},
        {"traceparent": f"00-{'0' * 32}-{SPAN}-01"},
        {"X-Cloud-Trace-Context": f"{TRACE[:-1]}/1;o=1"},
        {"X-Cloud-Trace-Context": "<script>"},
    ],
)
def test_a_trace_that_cannot_be_read_is_replaced_by_a_new_one(headers: dict[str, str]):
    chance = random.Random(1)

    first, second = trace_of(headers, chance), trace_of(headers, chance)

    assert len(first.trace) == 32
    assert first.trace not in {TRACE, "0" * 32, second.trace}


def test_what_is_handed_on_is_read_as_the_same_trace():
    sent = Trace(TRACE, SPAN).headers()

    assert sent["traceparent"] == f"00-{TRACE}-{SPAN}-01"
    assert sent["X-Cloud-Trace-Context"] == f"{TRACE}/67667974448284343;o=1"
    assert {trace_of({name: value}, random.Random(1)).trace for name, value in sent.items()} == {TRACE}
