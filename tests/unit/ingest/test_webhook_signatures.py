"""Standard Webhooks, as the specification says it, and what comes instead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr, ValidationError
from standardwebhooks import Webhook
from support.deliveries import NOW, OTHER_SECRET, SECRET, Config, Pipeline, delivery, trust

from bot.errors import Rejected
from bot.ingest import webhook
from bot.ingest.config import WebhookConfig

BODY = b'{"project": "acme-staging", "service": "auth-service"}'
SENDER = Pipeline()


def verify(headers: dict[str, str], body: bytes = BODY, config: Config | None = None) -> str:
    return webhook.verify(delivery(headers, body), trust(config=config))


def secrets(*texts: str) -> Config:
    return Config(webhook=WebhookConfig(secret=tuple(SecretStr(text) for text in texts)))


def test_what_the_reference_library_signs_is_believed() -> None:
    signature = Webhook(SECRET).sign("msg_7", NOW, BODY.decode())
    headers = {"webhook-id": "msg_7", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": signature}

    assert verify(headers) == "msg_7"


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_without_one_of_the_three_headers_it_is_unsigned(missing: str) -> None:
    headers = SENDER.headers(BODY)
    del headers[missing]

    with pytest.raises(Rejected, match="not signed") as refusal:
        verify(headers)

    assert (refusal.value.status, refusal.value.park) == (401, False)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook-signature": Pipeline(secret=OTHER_SECRET).signature(BODY)},
        {"webhook-signature": SENDER.signature(BODY).replace("v1,", "v2,")},
        {"webhook-signature": SENDER.signature(BODY).removeprefix("v1,")},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,\N{SNOWMAN}"},
        {"webhook-signature": " ".join(["v1,AAAA"] * 16 + [SENDER.signature(BODY)])},
        {"webhook-id": "two words"},
        {"webhook-id": "m" * 129},
    ],
)
def test_a_forged_header_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(Rejected) as refusal:
        verify(SENDER.headers(BODY) | changed)

    assert (refusal.value.status, refusal.value.park) == (401, False)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(Rejected, match="the signature is not ours"):
        verify(SENDER.headers(BODY), BODY + b" ")


@pytest.mark.parametrize(("minutes", "taken"), [(-5.1, False), (-4.9, True), (4.9, True), (5.1, False)])
def test_a_signature_is_good_for_five_minutes_either_way(minutes: float, *, taken: bool) -> None:
    headers = Pipeline(now=NOW + timedelta(minutes=minutes)).headers(BODY)

    if taken:
        assert verify(headers) == "msg_1"
        return
    with pytest.raises(Rejected, match="five minutes"):
        verify(headers)


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1e9", "1772452800.5", "١٧٧٢", "9" * 40, " 1772452800"])
def test_a_timestamp_that_is_no_whole_number_is_refused(timestamp: str) -> None:
    with pytest.raises(Rejected):
        verify(SENDER.headers(BODY) | {"webhook-timestamp": timestamp})


def test_while_secrets_are_rotated_both_are_believed_and_either_may_come_first() -> None:
    rotating = secrets(OTHER_SECRET, SECRET)

    assert verify(SENDER.headers(BODY), config=rotating) == "msg_1"
    assert verify(Pipeline(secret=OTHER_SECRET).headers(BODY), config=rotating) == "msg_1"


def test_one_good_signature_among_several_is_enough() -> None:
    both = f"{Pipeline(secret=OTHER_SECRET).signature(BODY)} {SENDER.signature(BODY)}"

    assert verify(SENDER.headers(BODY) | {"webhook-signature": both}) == "msg_1"


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("hunter2-hunter2-hunter2", "begins with whsec_"),
        ("whsec_hunter2!!", "not base64"),
        ("whsec_aHVudGVyMg==", "holds 7 bytes"),
        ("whsec_" + "A" * 100, "holds 75 bytes"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_without_being_shown(secret: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why) as refusal:
        WebhookConfig.model_validate({"secret": secret})

    assert "hunter2" not in "; ".join(error["msg"] for error in refusal.value.errors())
