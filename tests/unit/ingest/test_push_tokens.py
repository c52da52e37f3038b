"""Whose pushes are believed: each claim of the token, and each known trick with tokens."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from support.deliveries import ACCOUNT, AUDIENCE, NOW, Config, PubSub, delivery, private_key, trust

from bot.errors import Rejected
from bot.ingest import pubsub
from bot.ingest.source import Trust

GOOGLE = PubSub()
LATER = int((NOW + timedelta(hours=2)).timestamp())
EARLIER = int((NOW - timedelta(hours=2)).timestamp())
BODY = b'{"message": {"messageId": "7", "data": "e30="}}'


def verify(token: str, given: Trust | None = None, scheme: str = "Bearer") -> str:
    return pubsub.verify(delivery({"Authorization": f"{scheme} {token}"}, BODY), given or trust(GOOGLE))


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def unsigned() -> str:
    return f"{encoded({'alg': 'none', 'kid': GOOGLE.kid})}.{encoded(GOOGLE.claims())}."


def signed_with_the_public_key() -> str:
    """HS256 with the published key as its secret: the confusion of algorithms."""
    pem = GOOGLE.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signing = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': GOOGLE.kid})}.{encoded(GOOGLE.claims())}"
    signature = hmac.digest(pem, signing.encode(), "sha256")
    return f"{signing}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def bringing_its_own_key() -> str:
    stranger = PubSub(key=private_key("stranger"))
    headers = {"kid": GOOGLE.kid, "jwk": stranger.jwks["keys"][0], "jku": "https://stranger.example/jwks"}
    return jwt.encode(GOOGLE.claims(), stranger.key, algorithm="RS256", headers=headers)


def test_a_token_of_the_push_subscription_is_believed_and_the_message_gives_the_id() -> None:
    assert verify(GOOGLE.token()) == "7"


@pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
def test_google_signs_under_either_of_its_two_names(issuer: str) -> None:
    assert verify(GOOGLE.token(iss=issuer)) == "7"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"aud": "https://other.example/events/pubsub"}, "RELIABILITY_PUBSUB__AUDIENCE"),
        ({"aud": f"{AUDIENCE}/"}, "RELIABILITY_PUBSUB__AUDIENCE"),
        ({"aud": None}, "signature or form"),
        ({"iss": "https://accounts.google.com.stranger.example"}, "issuer is not Google"),
        ({"iss": None}, "signature or form"),
        ({"email": "somebody@acme.example"}, "RELIABILITY_PUBSUB__SERVICE_ACCOUNT"),
        ({"email": ACCOUNT.upper()}, "RELIABILITY_PUBSUB__SERVICE_ACCOUNT"),
        ({"email": None}, "RELIABILITY_PUBSUB__SERVICE_ACCOUNT"),
        ({"email_verified": False}, "not verified"),
        ({"email_verified": "true"}, "not verified"),
        ({"email_verified": None}, "not verified"),
        ({"exp": EARLIER}, "has expired"),
        ({"exp": None}, "signature or form"),
        ({"exp": True}, "times are not numbers"),
        ({"exp": [LATER]}, "times are not numbers"),
        ({"iat": LATER, "exp": LATER + 3600}, "not valid yet"),
        ({"nbf": LATER, "exp": LATER + 3600}, "not valid yet"),
        ({"iat": "yesterday"}, "times are not numbers"),
    ],
)
def test_a_wrong_claim_is_refused_with_what_to_compare(changed: dict[str, object], why: str) -> None:
    with pytest.raises(Rejected, match=why) as refusal:
        verify(GOOGLE.token(**changed))

    assert (refusal.value.status, refusal.value.park) == (401, False)


def test_a_clock_that_is_half_a_minute_off_refuses_nothing() -> None:
    seconds = int(NOW.timestamp())

    assert verify(GOOGLE.token(iat=seconds + 20, exp=seconds + 3600)) == "7"
    assert verify(GOOGLE.token(iat=seconds - 3600, exp=seconds - 20)) == "7"


@pytest.mark.parametrize(
    "token",
    [
        unsigned(),
        signed_with_the_public_key(),
        bringing_its_own_key(),
        PubSub(key=private_key("stranger")).token(),
        PubSub(kid="key-2").token(),
        GOOGLE.token()[:-4] + "AAAA",
        "not.a.token",
        "\N{SNOWMAN}",
        "a" * 9_000,
        f"{encoded({'alg': 'RS256', 'kid': ['key-1']})}.e30.AAAA",
        f"{encoded('key-1')}.e30.AAAA",
        f"{base64.urlsafe_b64encode(b'[' * 5_000).decode()}.e30.AAAA",
    ],
    ids=[
        "alg none",
        "HS256 with the public key",
        "its own key in the header",
        "another's key under the same id",
        "a key that nobody publishes",
        "signature changed",
        "three words",
        "no ASCII",
        "endless",
        "kid is a list",
        "header is text",
        "header nested",
    ],
)
def test_a_forged_token_is_refused(token: str) -> None:
    with pytest.raises(Rejected) as refusal:
        verify(token)

    assert (refusal.value.status, refusal.value.park) == (401, False)


@pytest.mark.parametrize("scheme", ["", "Basic", "Token"])
def test_another_scheme_is_refused_and_says_how_to_turn_tokens_on(scheme: str) -> None:
    with pytest.raises(Rejected, match="push-auth-service-account"):
        verify(GOOGLE.token(), scheme=scheme)


def test_a_token_is_checked_once_and_remembered_until_it_expires() -> None:
    token = GOOGLE.token()
    given = trust(GOOGLE)
    verify(token, given)
    without_keys = Trust(Config(), {}, given.verified)

    assert verify(token, without_keys) == "7"
    late = delivery({"Authorization": f"Bearer {token}"}, BODY, NOW + timedelta(hours=1, minutes=5))
    with pytest.raises(Rejected):
        pubsub.verify(late, given)


def test_no_refusal_repeats_the_token() -> None:
    token = GOOGLE.token(email="somebody@acme.example")

    with pytest.raises(Rejected) as refusal:
        verify(token)

    assert token[:20] not in str(refusal.value)
    assert "somebody" not in str(refusal.value)
