"""Public keys of a token issuer: fetched, cached, kept when the issuer is down. And the tokens they proved.

SigningKeys.get(kid) keys by id; asks the issuer only when it has to
VerifiedTokens       the same token comes with many pushes: its signature is checked once
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bot.errors import Retryable

PublicKeys = Mapping[str, RSAPublicKey]

log = logging.getLogger(__name__)

_ASK_AGAIN_AFTER = timedelta(seconds=30)  # an unknown key id in a forged token must not make us hammer the issuer
_FIRST_AGAIN_AFTER = timedelta(seconds=1)  # without any key no push can be taken
_LONGEST_FRESH = timedelta(days=1)
_SHORTEST_FRESH = timedelta(minutes=1)
_STALE_FOR = timedelta(days=1)  # Google rotates about weekly: a day without its key server loses no push
_TIMEOUT = aiohttp.ClientTimeout(total=5)
_LARGEST = 256 * 1024
_SMALLEST_KEY_BITS = 2048
_MAX_AGE = re.compile(r"\bmax-age=(\d{1,9})\b", re.IGNORECASE)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SigningKeys:
    """The keys at one address.

    Args:
        session: closed by whoever opened it.
        url: serves a JWKS ({"keys": [{"kty": "RSA", "kid": …, "n": …, "e": …}]}).
        now: aware UTC.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, now: Callable[[], datetime] = _utc_now) -> None:
        self._url = url
        self._session = session
        self._now = now
        self._keys: PublicKeys = {}
        self._fresh_until: datetime | None = None
        self._asked_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def get(self, kid: str) -> PublicKeys:
        """Keys by id, with `kid` among them if the issuer has it.

        Raises:
            Retryable: there are no keys and the issuer gives none now.
        """
        if self._must_ask(kid):
            async with self._lock:
                if self._must_ask(kid):  # somebody may have asked while we waited
                    await self._ask()
        if not self._keys or self._is_too_old():
            raise Retryable(f"no public keys from {self._url} yet", retry_after=_FIRST_AGAIN_AFTER.total_seconds())
        return self._keys

    def _must_ask(self, kid: str) -> bool:
        now = self._now()
        pause = _ASK_AGAIN_AFTER if self._keys else _FIRST_AGAIN_AFTER
        if self._asked_at is not None and now - self._asked_at < pause:
            return False
        return self._fresh_until is None or now >= self._fresh_until or kid not in self._keys

    def _is_too_old(self) -> bool:
        return self._fresh_until is None or self._now() >= self._fresh_until + _STALE_FOR

    async def _ask(self) -> None:
        """Replace the keys; a failure keeps the old ones and is logged."""
        self._asked_at = self._now()
        try:
            async with self._session.get(self._url, timeout=_TIMEOUT, allow_redirects=False) as response:
                response.raise_for_status()
                keys = read_jwks(await _read(response))
                fresh_for = _fresh_for(response.headers.get("Cache-Control", ""))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("keys.not_fetched", extra={"url": self._url, "why": str(error) or type(error).__name__})
            return
        self._keys = keys
        self._fresh_until = self._now() + fresh_for


class VerifiedTokens:
    """Tokens whose signature and claims held, until they expire; the oldest are forgotten first."""

    def __init__(self, most: int = 1_000) -> None:
        self._expiry: OrderedDict[bytes, float] = OrderedDict()
        self._most = most

    def add(self, token: str, expires: float) -> None:
        """Args: expires: seconds since the epoch, the token's `exp`."""
        self._expiry[_digest(token)] = expires
        while len(self._expiry) > self._most:
            self._expiry.popitem(last=False)

    def holds(self, token: str, now: datetime) -> bool:
        return self._expiry.get(_digest(token), 0.0) > now.timestamp()

    def __len__(self) -> int:
        return len(self._expiry)


def read_jwks(body: bytes) -> dict[str, RSAPublicKey]:
    """RSA signing keys of at least 2,048 bits by id; others are skipped.

    Raises:
        ValueError: this is no key set, or none of its keys can be used.
    """
    try:
        entries = json.loads(body)["keys"]
        keys = {entry["kid"]: _rsa(entry) for entry in entries if _signs_rs256(entry)}
    except (KeyError, TypeError, ValueError, RecursionError, jwt.PyJWTError) as error:
        raise ValueError("not a JSON Web Key Set") from error
    usable = {kid: key for kid, key in keys.items() if key.key_size >= _SMALLEST_KEY_BITS}
    if not usable:
        raise ValueError("the key set holds no RSA key that signs RS256")
    return usable


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_LARGEST):
        body += chunk
        if len(body) > _LARGEST:
            raise ValueError(f"the key set is larger than {_LARGEST} bytes")
    return bytes(body)


def _signs_rs256(entry: Mapping[str, object]) -> bool:
    return (
        entry["kty"] == "RSA"
        and isinstance(entry.get("kid"), str)
        and entry.get("alg", "RS256") == "RS256"
        and entry.get("use", "sig") == "sig"
    )


def _rsa(entry: Mapping[str, object]) -> RSAPublicKey:
    key = jwt.PyJWK(dict(entry), algorithm="RS256").key
    if not isinstance(key, RSAPublicKey):  # a private key in a public key set
        raise TypeError("not a public key")
    return key


def _fresh_for(cache_control: str) -> timedelta:
    match = _MAX_AGE.search(cache_control)
    age = timedelta(seconds=int(match[1])) if match else _SHORTEST_FRESH
    return min(max(age, _SHORTEST_FRESH), _LONGEST_FRESH)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
