"""A message and how Slack's API shows it. No I/O, no rules.

Not imitated: Slack escapes bare `&`, `<` and `>` and turns plain text into rich_text blocks; here the text
is kept as it was sent and there are no blocks that nobody sent. Links are never unfurled (the flags are kept).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.local_slack.ids import short_id
from bot.sandbox.local_slack.json_types import Json


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be posted; the workspace gives it a ts.

    Attributes:
        user: the author; None only for subtype bot_message, whose author is `bot_id` under `username`.
        via_app: posted through the API, so bot_id, app_id and bot_profile are shown.
    """

    channel: str
    text: str
    user: str | None
    via_app: bool = False
    subtype: str | None = None
    username: str | None = None
    icons: Json | None = None
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    mrkdwn: bool = True
    unfurl_links: bool = True
    unfurl_media: bool = True
    files: tuple[str, ...] = ()
    inviter: str | None = None
    only_for: str | None = None  # ephemeral: the one who sees it


@dataclass(frozen=True, slots=True)
class Message:
    ts: str
    draft: Draft
    client_msg_id: str | None = None
    edited_by: str | None = None
    edited_ts: str | None = None
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (name, users in order)
    is_tombstone: bool = False  # deleted, but its replies are still there

    @property
    def is_reply(self) -> bool:
        return self.draft.thread_ts is not None and self.draft.thread_ts != self.ts

    @property
    def is_about_membership(self) -> bool:
        """Slack's own words, such as "riley has joined the channel", which nobody edits or replies to."""
        return (self.draft.subtype or "").startswith(("channel_", "group_"))

    @property
    def in_channel(self) -> bool:
        """Shown in the channel's flow, not only in a thread."""
        return not self.is_reply or self.draft.broadcast

    def reactions_json(self) -> list[Json]:
        return [{"name": name, "users": list(users), "count": len(users)} for name, users in self.reactions]


def with_ids(blocks: Sequence[Any]) -> tuple[Json, ...]:
    """The blocks as Slack stores them: each block has a block_id, each interactive element an action_id.

    Text objects also get the defaults that Slack makes visible: `emoji` and `verbatim`.
    """
    return tuple(_named(block) for block in blocks)


def _named(block: Json) -> Json:
    named: Json = {"type": block.get("type"), "block_id": block.get("block_id") or short_id()}
    for key, value in block.items():
        named.setdefault(key, value)
    named = {key: _complete(value) for key, value in named.items()}
    for element in elements_of(named):
        if element.get("type") in INTERACTIVE and not element.get("action_id"):
            element["action_id"] = short_id()
    return named


def elements_of(block: Json) -> list[Json]:
    """The elements of a block in which interactive ones may be: actions, accessory, input's element."""
    found = [block.get("accessory"), block.get("element"), *(block.get("elements") or ())]
    return [element for element in found if isinstance(element, dict)]


def _complete(value: Any) -> Any:
    if isinstance(value, list):
        return [_complete(item) for item in value]
    if not isinstance(value, dict):
        return value
    complete = {key: _complete(item) for key, item in value.items()}
    match complete.get("type"):
        case "plain_text" if "text" in complete:
            complete.setdefault("emoji", True)
        case "mrkdwn" if "text" in complete:
            complete.setdefault("verbatim", False)
        case _:
            pass
    return complete


INTERACTIVE = frozenset({
    "button", "workflow_button", "overflow", "checkboxes", "radio_buttons", "datepicker", "timepicker",
    "datetimepicker", "plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input",
    "file_input", "static_select", "external_select", "users_select", "conversations_select", "channels_select",
    "multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select",
    "multi_channels_select",
})  # fmt: skip
