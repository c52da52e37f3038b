"""Judge a payload as Slack would, before it is sent: every problem in words, with a JSON pointer to where it is.

Two sources: the schema made of Slack's published types and limits (keywords.py, schema.py), and the rules no schema can
say (rules.py). The words follow what Slack puts into `response_metadata.messages`. Any JSON is judged; none raises.

Not imitated: whether an image can be downloaded, whether ids of users, channels or files exist, the renderer of mrkdwn,
and the scopes that video and work objects need.
"""

import json
from collections.abc import Mapping
from typing import Final

from bot.sandbox.block_kit import rules
from bot.sandbox.block_kit.keywords import Problem, problems_of
from bot.sandbox.block_kit.limits import ATTACHMENTS, MESSAGE_TEXT_CHARS, VIEW_BYTES, Surface

__all__ = ["Surface", "check_blocks", "check_message", "check_view", "error_code"]

# Problems of these kinds begin with the `error` that Slack answers them with; the rest are told by their place.
_CODES: Final = ("msg_blocks_too_long", "msg_too_long", "no_text", "too_many_attachments", "view_too_large")


def check_blocks(blocks: list[object], *, surface: Surface = "message") -> list[str]:
    """The problems of a list of blocks, pointers beginning with `/blocks`; empty when Slack would take it."""
    return _words(_block_problems(blocks, surface))


def check_message(payload: Mapping[str, object]) -> list[str]:
    """The problems of what chat.postMessage, chat.update or a response_url is given: text, blocks, attachments.

    The other arguments are not looked at. `null` counts as absent, as it does for Slack's own clients.
    """
    text, blocks, attachments = (payload.get(key) for key in ("text", "blocks", "attachments"))
    found: list[Problem] = []
    if not (text or blocks or attachments):
        found.append(Problem("no_text: must provide `text`, `blocks` or `attachments`", ("text",)))
    if text is not None and not isinstance(text, str):
        found.append(Problem("must provide a string", ("text",)))
    elif text is not None and len(text) > MESSAGE_TEXT_CHARS:
        found.append(Problem(f"msg_too_long: must be less than {MESSAGE_TEXT_CHARS + 1} characters", ("text",)))
    if blocks is not None:
        found += _block_problems(blocks, "message")
    if attachments is not None:
        found += _attachment_problems(attachments)
    return _words(found)


def check_view(view: Mapping[str, object]) -> list[str]:
    """The problems of a modal (views.open, push, update) or an App Home (views.publish); pointers begin with `/view`."""
    kind, blocks = view.get("type"), view.get("blocks")
    if kind not in ("modal", "home"):
        named = f"unsupported type: {kind}" if isinstance(kind, str) else "missing required field: type"
        return _words([Problem(named, ("view", "type"))])
    surface: Surface = "modal" if kind == "modal" else "home"
    found = list(problems_of("Modal" if surface == "modal" else "Home", view, ("view",)))
    if isinstance(blocks, list):
        found += rules.among(blocks, surface, ("view", "blocks"))
        if surface == "modal" and "submit" not in view:
            found += [
                Problem("must define `submit` to use an `input` block in modals", ("view", "blocks", index, "input"))
                for index, block in enumerate(blocks)
                if isinstance(block, dict) and block.get("type") == "input"
            ]
    if not found and len(json.dumps(view)) > VIEW_BYTES:  # only what fits the schema is shallow enough to serialise
        found.append(Problem(f"view_too_large: must be less than {VIEW_BYTES + 1} bytes", ("view",)))
    return _words(found)


def error_code(problems: list[str]) -> str:
    """The `error` that Slack would answer with; the problems themselves go into `response_metadata.messages`.

    Args:
        problems: what a check returned, at least one.
    """
    first = problems[0]
    for code in _CODES:
        if first.startswith(f"[ERROR] {code}: "):
            return code
    if "[json-pointer:/view" in first:
        return "invalid_arguments"
    if "[json-pointer:/attachments" in first:
        return "invalid_attachments"
    if first.endswith("must provide an array [json-pointer:/blocks]"):
        return "invalid_blocks_format"
    return "invalid_blocks" if "[json-pointer:/blocks" in first else "invalid_arguments"


def _block_problems(blocks: object, surface: Surface) -> list[Problem]:
    if not isinstance(blocks, list):
        return [Problem("must provide an array", ("blocks",))]
    found = [
        problem for index, block in enumerate(blocks) for problem in problems_of("KnownBlock", block, ("blocks", index))
    ]
    return found + list(rules.among(blocks, surface, ("blocks",)))


def _attachment_problems(attachments: object) -> list[Problem]:
    if not isinstance(attachments, list):
        return [Problem("must provide an array", ("attachments",))]
    found: list[Problem] = []
    if len(attachments) > ATTACHMENTS:
        found.append(Problem(f"too_many_attachments: no more than {ATTACHMENTS} items allowed", ("attachments",)))
    for index, attachment in enumerate(attachments):
        found += problems_of("Attachment", attachment, ("attachments", index))
        inner = attachment.get("blocks") if isinstance(attachment, dict) else None
        if isinstance(inner, list):
            found += rules.among(inner, "message", ("attachments", index, "blocks"))
    return found


def _words(problems: list[Problem]) -> list[str]:
    """Each problem once: a surface may refuse what the schema refused already."""
    return list(dict.fromkeys(str(problem) for problem in problems))
