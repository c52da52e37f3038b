"""How a delivery looks on HTTP."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from slack_sdk.signature import SignatureVerifier

from bot.sandbox.local_slack.http_delivery import encoded, signature
from bot.sandbox.local_slack.parcels import Parcel, ParcelKind

PAYLOAD = {"text": "status äuth & more", "user_id": "U1"}


def test_slacks_own_verifier_takes_the_signature() -> None:
    verifier = SignatureVerifier("not-a-secret")
    body = json.dumps(PAYLOAD)

    signed = signature("not-a-secret", "1772452800", body.encode())

    assert verifier.generate_signature(timestamp="1772452800", body=body) == signed
    assert signature("another", "1772452800", body.encode()) != signed


def test_events_are_json() -> None:
    body, content_type = encoded(Parcel(ParcelKind.EVENT, PAYLOAD))

    assert (json.loads(body), content_type) == (PAYLOAD, "application/json")


def test_commands_are_a_form() -> None:
    body, content_type = encoded(Parcel(ParcelKind.COMMAND, PAYLOAD))

    assert parse_qs(body.decode()) == {"text": ["status äuth & more"], "user_id": ["U1"]}
    assert content_type == "application/x-www-form-urlencoded"


def test_interactions_are_a_form_of_one_json_field() -> None:
    body, content_type = encoded(Parcel(ParcelKind.INTERACTIVE, PAYLOAD))

    assert json.loads(parse_qs(body.decode())["payload"][0]) == PAYLOAD
    assert content_type == "application/x-www-form-urlencoded"
