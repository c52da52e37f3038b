"""Slack's cursors: opaque to the caller, `next_cursor` is empty on the last page.

Lists are paged by position; messages by ts, so that those that come or go meanwhile shift nothing.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final, TypeVar

from bot.sandbox.local_slack.arguments import Arguments
from bot.sandbox.local_slack.ids import TS
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import Message
from bot.sandbox.local_slack.refusals import Refused

Item = TypeVar("Item")
POSITION: Final = re.compile(r"\d{1,9}")


def page(
    items: Sequence[Item], arguments: Arguments, *, default: int = 100, most: int = 1000
) -> tuple[Sequence[Item], str]:
    """The items of the page that was asked for, and the cursor of the next one ("" on the last)."""
    limit = arguments.number("limit", default, least=0, most=most) or default
    cursor = arguments.text("cursor")
    start = int(_decoded(cursor, "next", POSITION)) if cursor else 0
    end = start + limit
    return items[start:end], _encoded("next", end) if end < len(items) else ""


def page_by_ts(
    messages: Sequence[Message], arguments: Arguments, *, newest_first: bool, default: int, most: int
) -> tuple[Sequence[Message], str]:
    """As `page`, of messages in the order of their ts; the cursor names the last one shown."""
    limit = arguments.number("limit", default, least=0, most=most) or default
    cursor = arguments.text("cursor")
    if cursor:
        last = float(_decoded(cursor, "next_ts", TS))
        messages = [each for each in messages if (float(each.ts) < last if newest_first else float(each.ts) > last)]
    shown = messages[:limit]
    return shown, _encoded("next_ts", shown[-1].ts) if len(shown) < len(messages) else ""


def metadata(next_cursor: str) -> Json:
    return {"response_metadata": {"next_cursor": next_cursor}}


def _encoded(kind: str, place: object) -> str:
    return base64.b64encode(f"{kind}:{place}".encode()).decode()


def _decoded(cursor: str, kind: str, form: re.Pattern[str]) -> str:
    try:
        found_kind, _, place = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise Refused("invalid_cursor") from None
    if found_kind != kind or not form.fullmatch(place):
        raise Refused("invalid_cursor")
    return place
