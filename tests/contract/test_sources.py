"""What every source of events must do, asked of each one with its recorded deliveries.

tests/cases/events/<source>/<case>.json is one delivery: a new file is a new test. `hostile_…` ones are authentic but
not what anybody should send. What was sent is one of: `entry` (Pub/Sub wraps it), `body` (JSON), `text`, `base64`,
`repeat` [start, piece, times]. `expect` is either `events`, each a subset of the event's fields, or `parked`, a part
of the reason.
"""

from __future__ import annotations

import base64
import importlib
import json
import pkgutil
import re
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.deliveries import NOW, Pipeline, PubSub, delivery, envelope, trust

import bot.ingest
from bot.errors import Rejected
from bot.ingest import SOURCES
from bot.ingest.source import Delivery, Source, is_delivery_id
from bot.model.event import DeployEvent
from bot.settings import all_settings

CASES = Path(__file__).parents[1] / "cases" / "events"
FILES = sorted(CASES.glob("*/*.json"))
BY_NAME = {source.name: source for source in SOURCES}
SENDERS: dict[str, PubSub | Pipeline] = {"pubsub": PubSub(), "webhook": Pipeline(), "config": Pipeline()}

each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
each_case = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")


def sent(case: dict[str, Any]) -> bytes:
    """The body of a recorded case."""
    match case:
        case {"entry": entry, "unwrapped": True}:
            return json.dumps(entry).encode()
        case {"entry": entry}:
            return envelope(json.dumps(entry).encode(), case.get("message_id", "9000000001"))
        case {"body": body}:
            return json.dumps(body, ensure_ascii=False).encode()
        case {"text": text}:
            return str(text).encode()
        case {"base64": data}:
            return base64.b64decode(data)
        case {"repeat": [start, piece, times]}:
            return str(start).encode() + str(piece).encode() * int(times)
    raise AssertionError(f"a case without a body: {sorted(case)}")


def recorded(path: Path) -> tuple[Source, Delivery, dict[str, Any]]:
    """(source, the delivery properly signed, what is expected)."""
    case = json.loads(path.read_text(encoding="utf-8"))
    body = sent(case)
    headers = SENDERS[path.parent.name].headers(body) | case.get("headers", {})
    return BY_NAME[path.parent.name], delivery(headers, body), case["expect"]


def a_real_case(source: Source) -> tuple[Delivery, str]:
    """(a delivery that tells of a deploy, its id)."""
    name = {"pubsub": "replace_service"}.get(source.name, "all_fields")
    _, received, _ = recorded(CASES / source.name / f"{name}.json")
    return received, source.verify(received, trust(PubSub()))


def verified(source: Source, received: Delivery) -> str | Rejected:
    try:
        return source.verify(received, trust(PubSub()))
    except Rejected as refusal:
        return refusal


def parsed(source: Source, received: Delivery, delivery_id: str) -> list[DeployEvent] | Rejected:
    try:
        return source.parse(received, delivery_id)
    except Rejected as refusal:
        return refusal


def test_every_module_with_a_source_is_in_the_list() -> None:
    modules = [
        importlib.import_module(f"bot.ingest.{found.name}") for found in pkgutil.iter_modules(bot.ingest.__path__)
    ]

    assert {m.SOURCE.name for m in modules if hasattr(m, "SOURCE")} == {source.name for source in SOURCES}


@each_source
def test_a_source_has_a_recorded_real_and_a_recorded_hostile_case(source: Source) -> None:
    names = [path.stem for path in FILES if path.parent.name == source.name]

    assert [name for name in names if name.startswith("hostile_")]
    assert [name for name in names if not name.startswith("hostile_")]


def test_no_recorded_case_is_of_an_unknown_source() -> None:
    assert {path.parent.name for path in FILES} == set(BY_NAME)


@each_case
def test_a_recorded_delivery_says_what_was_expected(path: Path) -> None:
    source, received, expect = recorded(path)

    delivery_id = source.verify(received, trust(PubSub()))
    found = parsed(source, received, delivery_id)

    if isinstance(found, Rejected):
        assert found.park
        assert expect.get("parked", "no refusal") in str(found)
        return
    events = [asdict(event) for event in found]
    assert delivery_id == expect.get("delivery_id", delivery_id)
    assert re.fullmatch(expect.get("delivery_id_pattern", ".+"), delivery_id)
    assert len(events) == len(expect["events"])
    for event, wanted in zip(events, expect["events"], strict=True):
        seen = event | {
            "at": event["at"].isoformat(),
            "detail_length": len(event["detail"]),
            "files": [*event["files"]],
        }
        assert {key: seen[key] for key in wanted} == wanted


@each_case
def test_what_comes_out_is_fit_to_be_stored_and_shown(path: Path) -> None:
    source, received, _ = recorded(path)

    delivery_id = source.verify(received, trust(PubSub()))
    found = parsed(source, received, delivery_id)

    assert is_delivery_id(delivery_id)
    if isinstance(found, Rejected):
        assert str(found).isprintable()
        assert len(str(found)) < 500
        return
    for event in found:
        assert (event.id, event.source) == (f"{source.name}:{delivery_id}", source.name)
        assert event.received_at == NOW
        assert event.at.utcoffset() == timedelta(0)
        texts = [value for value in asdict(event).values() if isinstance(value, str)]
        assert not [text for text in texts if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text) or len(text) > 4_000]


@each_source
def test_the_same_delivery_is_read_the_same_every_time(source: Source) -> None:
    received, delivery_id = a_real_case(source)

    again = source.verify(received, trust(PubSub()))

    assert again == delivery_id
    assert source.parse(received, again) == source.parse(received, delivery_id)


@each_source
def test_a_delivery_without_any_header_is_refused(source: Source) -> None:
    received, _ = a_real_case(source)

    with pytest.raises(Rejected) as refusal:
        source.verify(delivery({}, received.body), trust(PubSub()))

    assert (refusal.value.status, refusal.value.park) == (401, False)


@each_source
def test_a_delivery_is_refused_long_after_it_was_signed(source: Source) -> None:
    received, _ = a_real_case(source)

    with pytest.raises(Rejected) as refusal:
        source.verify(delivery(received.headers, received.body, NOW + timedelta(days=1)), trust(PubSub()))

    assert (refusal.value.status, refusal.value.park) == (401, False)


@each_source
def test_a_source_that_is_not_set_up_names_real_settings(source: Source) -> None:
    assert set(source.enabled_by) <= {setting.name for setting in all_settings()}


@each_source
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_body_is_read_or_parked_and_nothing_else(source: Source, data: st.DataObject) -> None:
    received, delivery_id = a_real_case(source)
    body = received.body
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    damaged = body[:start] + data.draw(st.binary(max_size=20)) + body[end:]

    found = parsed(source, delivery(received.headers, damaged), delivery_id)

    assert isinstance(found, list) or (found.park and str(found))


@each_source
@settings(max_examples=60, deadline=None)
@given(value=st.text(max_size=200))
def test_a_damaged_proof_is_refused_and_nothing_else(source: Source, value: str) -> None:
    received, _ = a_real_case(source)
    proof = {"pubsub": {"Authorization": f"Bearer {value}"}}.get(source.name, {"webhook-signature": value})

    refusal = verified(source, delivery({**received.headers, **proof}, received.body))

    assert isinstance(refusal, Rejected)
    assert (refusal.status, refusal.park) == (401, False)
