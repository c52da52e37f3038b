"""What a message may contain."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.local_slack.arguments import Arguments
from bot.sandbox.local_slack.content import Content, read_content
from bot.sandbox.local_slack.refusals import Refused

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "It broke"}}
METADATA = {"event_type": "card", "event_payload": {"id": 1}}


def read(**values: Any) -> Content:
    return read_content(Arguments(values))


def refused(**values: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        read(**values)
    return caught.value


def test_what_is_not_mentioned_differs_from_what_is_empty() -> None:
    assert (read(text="a").blocks, read(text="a", blocks="[]").blocks) == (None, ())
    assert (read(text="a").metadata, read(text="a", metadata="{}").metadata) == (None, {})


@pytest.mark.parametrize("values", [{}, {"text": ""}, {"text": " \n"}, {"blocks": "[]"}])
def test_a_message_of_nothing_says_nothing(values: dict[str, str]) -> None:
    assert read(**values).says_nothing


def test_blocks_are_kept_with_the_ids_that_slack_gives_them() -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}}
    content = read(blocks=[SECTION, {"type": "actions", "block_id": "mine", "elements": [button]}])

    section, actions = content.blocks or ()
    assert section["block_id"]
    assert section["text"]["verbatim"] is False
    assert actions["block_id"] == "mine"
    assert actions["elements"][0]["action_id"]
    assert actions["elements"][0]["text"]["emoji"] is True


def test_a_block_that_slack_does_not_know_is_refused_with_where_it_is() -> None:
    no = refused(blocks=[SECTION, {"type": "sectoin"}])

    assert no.error == "invalid_blocks"
    assert "[json-pointer:/blocks/1" in no.messages[0]


def test_blocks_that_are_no_json_are_refused() -> None:
    assert refused(blocks="[{").error == "invalid_blocks_format"
    assert refused(blocks='{"type": "section"}').error == "invalid_blocks_format"


def test_attachments_are_numbered_and_have_a_fallback() -> None:
    (attachment,) = read(attachments=[{"color": "#e01e5a", "blocks": [SECTION]}]).attachments or ()

    assert (attachment["id"], attachment["fallback"]) == (1, "[no preview available]")
    assert attachment["blocks"][0]["block_id"]


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ("{", "invalid_metadata_format"),
        ("[]", "invalid_metadata_format"),
        ({"event_type": "card"}, "invalid_metadata_schema"),
        ({"event_type": 1, "event_payload": {}}, "invalid_metadata_schema"),
        ({"event_type": "card", "event_payload": {"text": "x" * 16_000}}, "metadata_too_large"),
        ({**METADATA, "entities": []}, "invalid_arguments"),
    ],
)
def test_metadata_of_another_form_is_refused(metadata: Any, error: str) -> None:
    assert refused(text="a", metadata=metadata).error == error


def test_metadata_comes_as_itself_or_as_a_string() -> None:
    assert read(text="a", metadata=METADATA).metadata == METADATA
    assert read(text="a", metadata='{"event_type": "card", "event_payload": {"id": 1}}').metadata == METADATA


def test_a_text_may_be_40_000_characters_long() -> None:
    read(text="x" * 40_000)

    assert refused(text="x" * 40_001).error == "msg_too_long"
