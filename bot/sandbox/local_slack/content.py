"""What a message may contain: text, blocks, attachments and metadata, each within Slack's limits."""

import json
from dataclasses import dataclass
from typing import Any, Final

from bot.sandbox.block_kit.check import check_message, error_code
from bot.sandbox.local_slack.arguments import Arguments
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import with_ids
from bot.sandbox.local_slack.refusals import Refused, invalid_arguments

MOST_METADATA_BYTES: Final = 16_000
METADATA_KEYS: Final = frozenset({"event_type", "event_payload"})
NO_PREVIEW: Final = "[no preview available]"


@dataclass(frozen=True, slots=True)
class Content:
    """The parts of a message that were given; None means not mentioned, which differs from empty."""

    text: str | None
    blocks: tuple[Json, ...] | None
    attachments: tuple[Json, ...] | None
    metadata: Json | None

    @property
    def says_nothing(self) -> bool:
        return not (self.text and self.text.strip()) and not self.blocks and not self.attachments


def read_content(arguments: Arguments) -> Content:
    """The content of a message, checked; raises Refused with Slack's code."""
    text = arguments.text("text") if "text" in arguments else None
    blocks = _parsed(arguments, "blocks", error="invalid_blocks_format")
    attachments = _parsed(arguments, "attachments", error="invalid_attachments")
    payload = {"text": text, "blocks": blocks, "attachments": attachments}
    problems = check_message(payload) if any(payload.values()) else []
    if problems:
        raise Refused(error_code(problems), messages=problems)
    return Content(
        text=text,
        blocks=None if blocks is None else with_ids(blocks),
        attachments=None if attachments is None else _stored(attachments),
        metadata=_metadata(arguments),
    )


def _parsed(arguments: Arguments, name: str, *, error: str) -> list[Any] | None:
    if name not in arguments:
        return None
    value = arguments.parsed(name, error=error)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Refused(error)
    return value


def _stored(attachments: list[Json]) -> tuple[Json, ...]:
    """The attachments as Slack keeps them: numbered, with a fallback, their blocks named."""
    stored = []
    for number, attachment in enumerate(attachments, start=1):
        kept = {"id": number, "fallback": NO_PREVIEW, **attachment}
        if "blocks" in attachment:
            kept["blocks"] = list(with_ids(attachment["blocks"]))
        stored.append(kept)
    return tuple(stored)


def _metadata(arguments: Arguments) -> Json | None:
    """The message metadata; {} is the wish to remove it. Entities (work objects) are not imitated."""
    metadata = arguments.parsed("metadata", error="invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise Refused("invalid_metadata_format")
    if not metadata:
        return {}
    unknown = [key for key in metadata if key not in METADATA_KEYS]
    if unknown:
        raise invalid_arguments(*(f"unsupported argument: metadata/{key}" for key in unknown))
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_schema")
    if len(json.dumps(metadata)) > MOST_METADATA_BYTES:
        raise Refused("metadata_too_large")
    return metadata
