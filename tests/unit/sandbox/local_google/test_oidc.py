"""The tokens on pushes."""

from datetime import UTC, datetime

import jwt
import pytest

from bot.sandbox.local_google.oidc import Signer

AUDIENCE = "http://127.0.0.1:1/events/pubsub"


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(email="push@acme.iam.example", audience=AUDIENCE, clock=lambda: datetime.now(UTC))


def checked(signer: Signer, token: str):
    key = jwt.PyJWKSet.from_dict(signer.certs())[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer="https://accounts.google.com")


def test_a_token_is_checked_by_the_published_keys(signer: Signer):
    claims = checked(signer, signer.token())

    assert (claims["email"], claims["email_verified"]) == ("push@acme.iam.example", True)
    assert claims["exp"] - claims["iat"] == 3_600


@pytest.mark.parametrize(
    ("claim", "error"),
    [
        ({"aud": "https://elsewhere.example"}, jwt.InvalidAudienceError),
        ({"iss": "https://evil.example"}, jwt.InvalidIssuerError),
        ({"exp": 1}, jwt.ExpiredSignatureError),
    ],
)
def test_claims_can_be_bent_for_tests_of_refusal(signer: Signer, claim: dict[str, object], error: type[Exception]):
    with pytest.raises(error):
        checked(signer, signer.token(**claim))


def test_another_process_has_another_key(signer: Signer):
    stranger = Signer(email="push@acme.iam.example", audience=AUDIENCE, clock=lambda: datetime.now(UTC))

    with pytest.raises(KeyError):
        checked(signer, stranger.token())
