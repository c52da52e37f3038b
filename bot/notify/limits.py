"""What Slack takes. A message that is too long is cut gracefully: least important blocks first, never in silence.

The bot's templates name their blocks by meaning (`block_id`), and `FIRST_TO_GO` says which may go. Headline, what fails,
impact, cause, plan and buttons never go; at worst their texts are cut, visibly.

Source: docs.slack.dev/reference/block-kit; the total is not documented: slackapi/bolt-js#2509 and #2867 measured 9,600
characters accepted and 11,300 refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from bot.notify.message import Block, Message

TEXT_CHARS = 3_900  # of the text beside the blocks; Slack cuts at 4,000 in some clients
TOTAL_CHARS = 9_500
BLOCKS = 50
SECTION_CHARS = 3_000
HEADER_CHARS = 150
FIELD_CHARS = 2_000
BUTTON_CHARS = 75
CONTEXT_ELEMENTS = 10
FIELDS = 10
ACTIONS = 25

FIRST_TO_GO: Mapping[str, str] = {
    "links": "links",
    "gcloud": "the gcloud line",
    "groups": "other error groups",
    "counted": "how the impact is counted",
    "deployed": "who deployed it",
}
"""block_id → what the reader is told is missing, in this order."""

NEVER_GO = frozenset({"headline", "dry-run", "what", "gaps", "decide", "pin", "actions", "proof", "error"})

_CUT = " …"
_NOTICE = "left-out"
_OPEN_TAG = re.compile(r"<[^<>]*$")
_OPEN_ENTITY = re.compile(r"&[a-z]{0,4}$")
_SHORTEST = 300


def fit(message: Message) -> Message:
    """The same message within Slack's limits; unchanged (equal) when it is already."""
    blocks = [_cut_fields(block) for block in message.blocks]
    text = cut(message.text, TEXT_CHARS) or "(no text)"
    left_out: list[str] = []
    most = BLOCKS
    while len(blocks) > most or _size(text, blocks) > TOTAL_CHARS:
        if not left_out:
            most -= 1  # room for the notice
        dropped = _drop(blocks, left_out)
        if not dropped:
            break
    if left_out:
        blocks.append(_notice(left_out))
    _shrink(text, blocks)
    return Message(text, tuple(blocks))


def cut(text: str, limit: int) -> str:
    """At most `limit` characters of mrkdwn, without half a link, half an entity or an open code block."""
    if len(text) <= limit:
        return text
    room = limit - len(_CUT) - 3  # 3 for closing a code block
    kept = _OPEN_ENTITY.sub("", _OPEN_TAG.sub("", text[:room]))
    if kept.count("```") % 2:
        return f"{kept.rstrip('`')}{_CUT}```"
    open_code = kept.replace("```", "").count("`") % 2
    return f"{kept}{_CUT}{'`' if open_code else ''}"


def _cut_fields(block: Block) -> Block:
    cut_down = deepcopy(block)
    _cut_text(cut_down, "text", HEADER_CHARS if block["type"] == "header" else SECTION_CHARS)
    for field in cut_down.get("fields", ())[:FIELDS]:
        field["text"] = cut(field["text"], FIELD_CHARS)
    limit = {"context": CONTEXT_ELEMENTS, "actions": ACTIONS}.get(block["type"])
    if limit is not None:
        cut_down["elements"] = cut_down["elements"][:limit]
        for element in cut_down["elements"]:
            if block["type"] == "actions":
                _cut_button(element)
            else:
                element["text"] = cut(element["text"], SECTION_CHARS)
    if "fields" in cut_down:
        cut_down["fields"] = cut_down["fields"][:FIELDS]
    return cut_down


def _cut_button(button: dict[str, Any]) -> None:
    _cut_text(button, "text", BUTTON_CHARS)
    confirm = button.get("confirm")
    if confirm:
        for key, limit in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
            _cut_text(confirm, key, limit)


def _cut_text(holder: dict[str, Any], key: str, limit: int) -> None:
    if key in holder:
        holder[key]["text"] = cut(holder[key]["text"], limit)


def _drop(blocks: list[Block], left_out: list[str]) -> bool:
    """Drop one block; False when only those are left that never go."""
    ids = [block.get("block_id", "") for block in blocks]
    for name, words in FIRST_TO_GO.items():
        if name in ids:
            del blocks[ids.index(name)]
            left_out.append(words)
            return True
    for index in range(len(blocks) - 1, -1, -1):
        if ids[index] not in NEVER_GO:
            del blocks[index]
            left_out.append("")
            return True
    return False


def _notice(left_out: list[str]) -> Block:
    named = [words for words in left_out if words]
    more = len(left_out) - len(named)
    if more:
        named.append(f"{more} more {'part' if more == 1 else 'parts'}")
    text = f"Left out, there was no room: {', '.join(named)}"
    return {
        "type": "context",
        "block_id": _NOTICE,
        "elements": [{"type": "mrkdwn", "verbatim": True, "text": text}],
    }


def _shrink(text: str, blocks: list[Block]) -> None:
    """Cut the longest text, again and again, until the total fits; buttons are left alone."""
    while (excess := _size(text, blocks) - TOTAL_CHARS) > 0:
        longest = max((node for block in blocks for node in _texts(block)), key=lambda node: len(node["text"]))
        length = len(longest["text"])
        if length <= _SHORTEST:
            return
        longest["text"] = cut(longest["text"], max(_SHORTEST, length - max(excess, length // 4)))


def _size(text: str, blocks: list[Block]) -> int:
    return len(text) + sum(len(node["text"]) for block in blocks for node in _texts(block))


def _texts(node: Any) -> Iterator[dict[str, Any]]:
    """Every text object inside, at any depth."""
    if isinstance(node, dict):
        if isinstance(node.get("text"), str):
            yield node
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
