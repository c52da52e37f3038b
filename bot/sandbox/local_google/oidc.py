"""The identity tokens that Pub/Sub puts on its pushes, signed with the sandbox's own key, and the keys to check them."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER: Final = "https://accounts.google.com"
_LIFE: Final = timedelta(hours=1)


class Signer:
    """An RSA key of this process; nothing else trusts it."""

    def __init__(self, *, email: str, audience: str, clock: Callable[[], datetime]) -> None:
        """Make a fresh key."""
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self._email = email
        self._audience = audience
        self._clock = clock
        self._key_id = f"sandbox-{self._key.public_key().public_numbers().n & 0xFFFFFFFF:08x}"

    def token(self, **claims: Any) -> str:
        """A token as Pub/Sub makes it; `claims` replace its claims (for tests of refusal)."""
        now = self._clock()
        body: dict[str, Any] = {
            "iss": ISSUER,
            "aud": self._audience,
            "azp": "100000000000000000001",
            "sub": "100000000000000000001",
            "email": self._email,
            "email_verified": True,
            "iat": int(now.timestamp()),
            "exp": int((now + _LIFE).timestamp()),
        }
        return jwt.encode(body | claims, self._key, algorithm="RS256", headers={"kid": self._key_id})

    def certs(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set."""
        numbers = self._key.public_key().public_numbers()
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "alg": "RS256",
                    "use": "sig",
                    "kid": self._key_id,
                    "n": _number(numbers.n),
                    "e": _number(numbers.e),
                }
            ]
        }


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
