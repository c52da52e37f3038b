"""response_url: five answers within 30 minutes to the place where somebody clicked or typed a command."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from bot.sandbox.local_slack.ids import Clock
from bot.sandbox.local_slack.refusals import Refused

LIFETIME = timedelta(minutes=30)
MOST_USES = 5


@dataclass(slots=True)
class ResponseUrl:
    """Where an answer goes; `message_ts` is the message that was clicked, absent for commands."""

    token: str
    channel: str
    user: str
    issued_at: datetime
    message_ts: str | None = None
    is_ephemeral: bool = False
    thread_ts: str | None = None
    uses: int = 0


class ResponseUrls:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._urls: dict[str, ResponseUrl] = {}

    def issue(
        self,
        *,
        channel: str,
        user: str,
        message_ts: str | None = None,
        is_ephemeral: bool = False,
        thread_ts: str | None = None,
    ) -> ResponseUrl:
        token = secrets.token_urlsafe(24)
        url = ResponseUrl(token, channel, user, self.clock(), message_ts, is_ephemeral, thread_ts)
        self._urls[token] = url
        return url

    def spend(self, token: str) -> ResponseUrl:
        url = self._urls.get(token)
        if url is None:
            raise Refused("no_service", status=HTTPStatus.NOT_FOUND)
        if self.clock() - url.issued_at > LIFETIME:
            raise Refused("expired_url", status=HTTPStatus.NOT_FOUND)
        if url.uses >= MOST_USES:
            raise Refused("used_url", status=HTTPStatus.NOT_FOUND)
        url.uses += 1
        return url
