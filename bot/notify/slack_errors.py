"""What each of Slack's refusals means for the sender, and what a person can do about it.

Texts are made from Slack's error code, never from the request: no token can be in them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from enum import Enum, auto
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.errors import Permanent, ReliabilityError, Retryable
from bot.notify.notifier import MessageGone

FAILURES = (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, ValueError, AttributeError)
"""What a call of slack_sdk can raise; the last two where an answer is not what Slack's API answers (a proxy's page)."""


class Meaning(Enum):
    """What to do about a refusal."""

    LATER = auto()  # nothing is wrong with the request
    LAYOUT = auto()  # the blocks are refused: the text alone may be taken
    CHANNEL = auto()  # this channel is closed to us: another one may be open
    GONE = auto()  # the message or thread meant is not there (any more)
    NEVER = auto()  # a person has to change something


_CODES: dict[str, Meaning] = {
    **dict.fromkeys(
        ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"),
        Meaning.LATER,
    ),
    **dict.fromkeys(
        ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "block_mismatch"),
        Meaning.LAYOUT,
    ),
    **dict.fromkeys(
        (
            *(
                "channel_not_found",
                "not_in_channel",
                "is_archived",
                "is_inactive",
                "no_permission",
                "restricted_action",
            ),
            *("restricted_action_read_only_channel", "restricted_action_thread_only_channel"),
            *("restricted_action_non_threadable_channel", "posting_to_general_channel_denied"),
        ),
        Meaning.CHANNEL,
    ),
    **dict.fromkeys(
        (
            "message_not_found",
            "thread_not_found",
            "invalid_thread_ts",
            "cant_update_message",
            "edit_window_closed",
            "cannot_reply_to_message",
        ),
        Meaning.GONE,
    ),
}

_TOKEN = "Slack does not take the bot token: put the current one into SLACK_BOT_TOKEN and restart"  # noqa: S105
_MENDS = {
    "not_in_channel": "invite the bot there: `/invite @reliability`",
    "channel_not_found": "correct the channel's id in the catalog, or, if it is private, `/invite @reliability` there",
    "is_archived": "unarchive it, or name another channel in the catalog",
    "restricted_action": "let the app post there, or name another channel in the catalog",
    **dict.fromkeys(("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"), _TOKEN),
}


async def within(call: Awaitable[Any], timeout_s: float) -> Mapping[str, Any]:
    """The answer's data, in time. Raises what slack_sdk raises, or TimeoutError."""
    async with asyncio.timeout(timeout_s):
        answer = await call
    data: Mapping[str, Any] = answer.data
    return data


def code_of(error: Exception) -> str:
    """Slack's error code; "" when there was no answer of Slack's API."""
    data = getattr(getattr(error, "response", None), "data", None)
    return str(data.get("error") or "") if isinstance(data, dict) else ""


def meaning(error: Exception) -> Meaning:
    """What to do about `error`, one of FAILURES."""
    code = code_of(error)
    if code:
        return _CODES.get(code, Meaning.NEVER)
    if isinstance(error, SlackClientError) and not isinstance(error, SlackApiError):
        return Meaning.NEVER  # slack_sdk itself does not accept the request
    return Meaning.LATER if _status(error) in {0, 200, 408, 429} or _status(error) >= 500 else Meaning.NEVER


def translated(error: Exception, method: str, channel: str = "") -> ReliabilityError:
    """`error` as one of ours, with what to do about it."""
    code, where = code_of(error), f" in <#{channel}>" if channel else ""
    match meaning(error):
        case Meaning.LATER:
            if code in {"ratelimited", "rate_limited"} or _status(error) == 429:
                return Retryable(f"Slack wants a pause before {method}", retry_after=_retry_after(error))
            why = code or (f"HTTP {_status(error)}" if _status(error) else type(error).__name__)
            return Retryable(f"Slack did not answer {method} ({why})")
        case Meaning.GONE:
            return MessageGone(f"Slack has no such message{where} any more ({code})")
        case Meaning.LAYOUT | Meaning.CHANNEL | Meaning.NEVER:
            mend = _MENDS.get(code, "") or _scope(error)
            told = code or (f"HTTP {_status(error)}" if _status(error) else type(error).__name__)
            return Permanent(f"Slack refused {method}{where}: {told}{f'; {mend}' if mend else ''}")


def _scope(error: Exception) -> str:
    """Which OAuth scope is missing, when that is what Slack says."""
    data = getattr(getattr(error, "response", None), "data", None)
    needed = data.get("needed") if isinstance(data, dict) else None
    return f"add the scope {needed} to the Slack app and install it again" if needed else ""


def _status(error: Exception) -> int:
    """The HTTP status, 0 when there was no answer. Not every answer has slack_sdk's own type."""
    response: Any = getattr(error, "response", None)
    return int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)


def _retry_after(error: Exception) -> float:
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    told = {str(key).lower(): value for key, value in headers.items()}.get("retry-after", "1")
    try:
        return max(float(told), 0.0)
    except ValueError:
        return 1.0
