"""Delivery to the app's request URL: signed with `v0` HMAC-SHA256, to be answered with 2xx within 3 seconds.

Not imitated: mutual TLS, redirects (a 3xx counts as a failure), ssl_check requests.
"""

import hashlib
import hmac
import json
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.local_slack.ids import Clock
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.parcels import NotDelivered, Parcel, ParcelKind

FORM = "application/x-www-form-urlencoded"
USER_AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """X-Slack-Signature of a body sent at this time."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class HttpDelivery:
    def __init__(self, signing_secret: str, *, clock: Clock, deadline: timedelta) -> None:
        self.signing_secret = signing_secret
        self.clock = clock
        self.deadline = deadline
        self._session: aiohttp.ClientSession | None = None

    async def send(self, url: str, parcel: Parcel) -> Json | None:
        """Deliver one parcel; the answer's payload if it has one and may have one."""
        body, content_type = encoded(parcel)
        answer = await self._post(url, body, content_type, parcel)
        return _payload(answer) if parcel.wants_answer else None

    async def verify_url(self, url: str, challenge: str, token: str) -> bool:
        """url_verification: whether the app answers with the challenge."""
        parcel = Parcel(ParcelKind.EVENT, {"type": "url_verification", "challenge": challenge, "token": token})
        body, content_type = encoded(parcel)
        answer = (await self._post(url, body, content_type, parcel)).decode(errors="replace").strip()
        if answer.startswith("{"):
            return bool(json.loads(answer).get("challenge") == challenge)
        return answer in {challenge, f"challenge={challenge}"}

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def _post(self, url: str, body: bytes, content_type: str, parcel: Parcel) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers={"User-Agent": USER_AGENT})
        headers = self._headers(body, content_type, parcel)
        timeout = aiohttp.ClientTimeout(total=self.deadline.total_seconds())
        try:
            async with self._session.post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                answer = await response.read()
        except TimeoutError:
            raise NotDelivered("operation_timeout", "http_timeout") from None
        except aiohttp.ClientError:
            raise NotDelivered("dispatch_failed", "connection_failed") from None
        if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            again = response.headers.get("X-Slack-No-Retry") != "1"
            raise NotDelivered("dispatch_failed", "http_error", again=again)
        return answer

    def _headers(self, body: bytes, content_type: str, parcel: Parcel) -> dict[str, str]:
        timestamp = str(int(self.clock().timestamp()))
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self.signing_secret, timestamp, body),
        }
        if parcel.retry:
            headers["X-Slack-Retry-Num"] = str(parcel.retry.number)
            headers["X-Slack-Retry-Reason"] = parcel.retry.reason
        return headers


def encoded(parcel: Parcel) -> tuple[bytes, str]:
    """Body and content type: JSON for events, a form for commands, a form of one JSON field for interactivity."""
    match parcel.kind:
        case ParcelKind.EVENT:
            return json.dumps(parcel.payload).encode(), "application/json"
        case ParcelKind.COMMAND:
            return urlencode(parcel.payload).encode(), FORM
        case ParcelKind.INTERACTIVE:
            return urlencode({"payload": json.dumps(parcel.payload)}).encode(), FORM


def _payload(answer: bytes) -> Json | None:
    text = answer.decode(errors="replace").strip()
    if not text:
        return None
    if text.startswith("{"):
        try:
            return dict(json.loads(text))
        except ValueError:
            return {"text": text}
    return {"text": text}
