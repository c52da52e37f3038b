"""Who calls: tokens, what kind they are, whom they stand for, and their scopes.

Tokens are random per run and of Slack's shape. Not imitated: installation by OAuth, token rotation, revocation,
configuration and workflow tokens, Enterprise-wide tokens.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.local_slack.refusals import Refused


class TokenKind(StrEnum):
    BOT = "bot"  # xoxb-
    USER = "user"  # xoxp-
    APP = "app"  # xapp-


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a token; `user` is the bot user for bot tokens, empty for app-level tokens."""

    token: str
    kind: TokenKind
    user: str
    scopes: frozenset[str]

    @property
    def is_bot(self) -> bool:
        return self.kind is TokenKind.BOT


# The least that the bot's features need; what its app manifest asks for.
BOT_SCOPES = frozenset({"channels:history", "chat:write", "commands", "files:write", "usergroups:read"})

# A person at the keyboard may do what Slack's own client lets them do.
USER_SCOPES = frozenset({
    "channels:history", "channels:read", "channels:write", "chat:write", "files:read", "files:write", "groups:history",
    "groups:read", "groups:write", "im:history", "im:read", "im:write", "mpim:history", "mpim:read", "mpim:write",
    "reactions:read", "reactions:write", "team:read", "usergroups:read", "usergroups:write", "users:read",
    "users:read.email", "users.profile:read", "users:write",
})  # fmt: skip

# Everything that some method here knows, for judging clients that were written for a generously installed app.
ALL_BOT_SCOPES = (BOT_SCOPES | USER_SCOPES | frozenset({
    "app_mentions:read", "channels:join", "channels:manage", "chat:write.customize", "chat:write.public",
})) - {"channels:write"}  # fmt: skip


class Tokens:
    def __init__(self) -> None:
        self._callers: dict[str, Caller] = {}

    def issue(self, kind: TokenKind, user: str, scopes: Iterable[str]) -> str:
        token = new_token(kind)
        self._callers[token] = Caller(token, kind, user, frozenset(scopes))
        return token

    def caller(self, token: str) -> Caller:
        if not token:
            raise Refused("not_authed")
        if token not in self._callers:
            raise Refused("invalid_auth")
        return self._callers[token]


def new_token(kind: TokenKind) -> str:
    match kind:
        case TokenKind.BOT:
            return f"xoxb-{digits(12)}-{digits(13)}-{secrets.token_urlsafe(18)[:24]}"
        case TokenKind.USER:
            return f"xoxp-{digits(12)}-{digits(12)}-{digits(13)}-{secrets.token_hex(16)}"
        case TokenKind.APP:
            return f"xapp-1-A0RELIABLE1-{digits(13)}-{secrets.token_hex(32)}"


def digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))
