"""Slack's limits hold whatever there is to say, and nothing goes in silence."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.snapshots import problems

from bot.notify.limits import BLOCKS, SECTION_CHARS, TOTAL_CHARS, cut, fit
from bot.notify.message import Block, Message


def section(name: str, text: str) -> Block:
    return {"type": "section", "block_id": name, "text": {"type": "mrkdwn", "text": text}}


def context(name: str, text: str) -> Block:
    return {"type": "context", "block_id": name, "elements": [{"type": "mrkdwn", "text": text}]}


def header(text: str) -> Block:
    return {"type": "header", "block_id": "headline", "text": {"type": "plain_text", "text": text}}


BUTTON: dict[str, Any] = {
    "type": "button",
    "action_id": "approve_rollback",
    "value": "plan-1",
    "text": {"type": "plain_text", "text": "Approve " * 20},
}
ACTIONS: Block = {"type": "actions", "block_id": "actions", "elements": [BUTTON]}


def ids(message: Message) -> list[str]:
    return [block["block_id"] for block in message.blocks]


def test_what_fits_is_not_touched() -> None:
    message = Message("short", (header("P0"), section("what", "fails")))

    assert fit(message) == message


def test_a_text_that_is_too_long_is_cut_visibly() -> None:
    fitted = fit(Message("x", (section("what", "y" * 5_000),)))

    assert len(fitted.blocks[0]["text"]["text"]) <= SECTION_CHARS
    assert fitted.blocks[0]["text"]["text"].endswith("…")


def test_links_go_before_the_gcloud_line_and_other_groups_and_the_reader_is_told() -> None:
    crowded = (
        section("what", "w" * 3_000),
        section("decide", "d" * 3_000),
        ACTIONS,
        context("groups", "g" * 2_000),
        context("gcloud", "c" * 2_000),
        context("links", "l" * 2_000),
    )

    fitted = fit(Message("x", crowded))

    assert ids(fitted) == ["what", "decide", "actions", "groups", "left-out"]
    assert fitted.blocks[-1]["elements"][0]["text"] == "Left out, there was no room: links, the gcloud line"


def test_what_fails_the_plan_the_proof_and_the_buttons_never_go() -> None:
    names = ("what", "gaps", "decide", "proof", "pin")

    fitted = fit(Message("t" * 5_000, (header("h" * 500), *(section(name, "s" * 3_000) for name in names), ACTIONS)))

    assert ids(fitted) == ["headline", *names, "actions"]
    assert problems(fitted) == []


def test_more_blocks_than_slack_takes_are_counted() -> None:
    fitted = fit(Message("x", tuple(section(f"row-{n}", "r") for n in range(80))))

    assert len(fitted.blocks) == BLOCKS
    assert fitted.blocks[-1]["elements"][0]["text"].endswith("31 more parts")


def test_a_cut_never_leaves_half_a_link_half_an_entity_or_an_open_code_block() -> None:
    assert cut("see <https://x.example/long|the log>", 30) == "see  …"
    assert cut("a &amp; b", 9) == "a &amp; b"
    assert cut("0123 &amp; and more of it", 13) == "0123  …"
    assert cut("```" + "x" * 50 + "```", 30).endswith("…```")
    assert cut("`" + "x" * 50 + "`", 30).endswith("…`")


@given(
    st.text(max_size=6_000),
    st.lists(st.tuples(st.sampled_from(["what", "links", "row", "proof"]), st.integers(1, 6_000)), max_size=60),
)
def test_whatever_there_is_to_say_slack_takes_it(text: str, sizes: list[tuple[str, int]]) -> None:
    blocks = tuple(section(f"{name}-{n}", "x" * size) for n, (name, size) in enumerate(sizes))

    fitted = fit(Message(text, (*blocks, ACTIONS)))

    assert problems(fitted) == []
    assert "actions" in ids(fitted)
    total = len(fitted.text) + sum(len(block.get("text", {}).get("text", "")) for block in fitted.blocks)
    assert total <= TOTAL_CHARS
