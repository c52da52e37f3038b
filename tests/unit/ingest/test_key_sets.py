"""Which of an issuer's keys are used, and how many verified tokens are remembered."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from support.deliveries import NOW, PubSub

from bot.ingest.keys import VerifiedTokens, read_jwks

GOOD = PubSub().jwks["keys"][0]


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


def weak() -> dict[str, Any]:
    """A 1,024-bit key: the library that makes keys refuses to, so its modulus is written by hand."""
    modulus = base64.urlsafe_b64encode(((1 << 1023) + 1155).to_bytes(128)).rstrip(b"=").decode()
    return GOOD | {"kid": "weak", "n": modulus}


def test_a_signing_key_is_found_by_its_id() -> None:
    keys = read_jwks(key_set(GOOD))

    assert list(keys) == ["key-1"]
    assert isinstance(keys["key-1"], rsa.RSAPublicKey)


@pytest.mark.parametrize(
    "other",
    [
        {"kty": "EC", "crv": "P-256", "kid": "ec", "x": "AA", "y": "AA"},
        {"kty": "oct", "kid": "symmetric", "k": "c2VjcmV0"},
        GOOD | {"kid": "encrypts", "use": "enc"},
        GOOD | {"kid": "other algorithm", "alg": "RS512"},
        {key: value for key, value in GOOD.items() if key != "kid"},
        weak(),
    ],
    ids=lambda key: key.get("kid", "no id"),
)
def test_a_key_of_another_kind_is_skipped(other: dict[str, Any]) -> None:
    assert list(read_jwks(key_set(other, GOOD))) == ["key-1"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"keys": 7}',
        b'{"keys": ["a"]}',
        b'{"keys": []}',
        key_set(GOOD | {"n": "!"}),
        key_set(json.loads(RSAAlgorithm.to_jwk(PubSub().key)) | {"kid": "private"}),
        b'{"keys": ' + b"[" * 100_000,
    ],
)
def test_what_is_no_key_set_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"key set|Key Set"):
        read_jwks(body)


def test_only_so_many_tokens_are_remembered_and_the_oldest_goes_first() -> None:
    tokens = VerifiedTokens(most=2)
    for name in ("first", "second", "third"):
        tokens.add(name, NOW.timestamp() + 60)

    assert len(tokens) == 2
    assert not tokens.holds("first", NOW)
    assert tokens.holds("third", NOW)
    assert not tokens.holds("third", NOW + timedelta(seconds=60))
