"""A message without its layout: as mrkdwn for where blocks are refused, as plain text for a terminal."""

from __future__ import annotations

import html
import re

from bot.notify.limits import TEXT_CHARS, cut
from bot.notify.message import Block, Message
from bot.notify.safe import clean

_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_GROUP = re.compile(r"<!subteam\^([^|>]*)>")
_SPECIAL = re.compile(r"<([@#!])([^|>]*)(?:\|([^>]*))?>")
_LINK = re.compile(r"<(https?://[^|>]*)(?:\|([^>]*))?>")
_STARS = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")


def flat(message: Message, limit: int = TEXT_CHARS) -> str:
    """All texts of the blocks, one below the other, as mrkdwn; buttons are only named."""
    parts = [part for block in message.blocks for part in _parts(block)]
    return cut("\n".join(parts) if parts else message.text, limit)


def readable(message: Message) -> str:
    """For a terminal: no mrkdwn, no entities, no escape sequences, times in UTC, links written out."""
    text = flat(message, 40_000)
    text = _DATE.sub(r"\1", text)
    text = _GROUP.sub(r"@\1", text)
    text = _LINK.sub(lambda match: f"{match[2]} {match[1]}" if match[2] else match[1], text)
    text = _SPECIAL.sub(lambda match: match[3] or f"{match[1].replace('!', '@')}{match[2]}", text)
    text = _STARS.sub(r"\1", text.replace("```", "`"))
    return clean(html.unescape(text))


def _parts(block: Block) -> list[str]:
    kind = block["type"]
    if kind == "header":
        return [f"*{block['text']['text']}*"]
    if kind == "actions":
        return [" ".join(f"[{element['text']['text']}]" for element in block["elements"])]
    parts = [block["text"]["text"]] if "text" in block else []
    return parts + [inner["text"] for inner in (*block.get("fields", ()), *block.get("elements", ()))]
