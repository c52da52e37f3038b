"""Payloads as an app writes them, and what Slack says to each."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox.block_kit.check import check_blocks, check_message, check_view, error_code


def plain(text: str = "x", **more: object) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, **more}


def mrkdwn(text: str = "x", **more: object) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, **more}


def section(text: str = "x", **more: object) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(text), **more}


def header(text: str = "x") -> dict[str, Any]:
    return {"type": "header", "text": plain(text)}


def button(**more: object) -> dict[str, Any]:
    return {"type": "button", "text": plain("Approve"), "action_id": "approve", **more}


def actions(*elements: object, **more: object) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **more}


def option(value: str = "a", **more: object) -> dict[str, Any]:
    return {"text": plain(value), "value": value, **more}


def select(**more: object) -> dict[str, Any]:
    return {"type": "static_select", "options": [option("a"), option("b")], **more}


def confirm(**more: object) -> dict[str, Any]:
    return {
        "title": plain("Sure?"),
        "text": mrkdwn("*100 %* to 00281"),
        "confirm": plain("Yes"),
        "deny": plain("No"),
        **more,
    }


def text_input(**more: object) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "reason", "multiline": True, **more}
    return {"type": "input", "block_id": "reason", "label": plain("Reason"), "element": element}


def rich_text(*elements: object) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


def rich_section(*elements: object) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def modal(*blocks: object, **more: object) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "rollback",
        "title": plain("Roll back"),
        "submit": plain("Go"),
        "blocks": list(blocks),
        **more,
    }


def home(*blocks: object) -> dict[str, Any]:
    return {"type": "home", "blocks": list(blocks)}


def without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: inner for name, inner in value.items() if name != key}


def card() -> list[object]:
    """Twenty blocks, as large as an incident card gets."""
    fields = [mrkdwn(f"*Field {number}*\n{number}") for number in range(8)]
    buttons = [button(action_id=f"do:{number}", value=str(number), confirm=confirm()) for number in range(4)]
    menu = {"type": "overflow", "action_id": "more", "options": [option(str(number)) for number in range(5)]}
    return [
        header("🔴 P0 · auth-service"),
        *[section(f"line {number}") for number in range(10)],
        {"type": "section", "fields": fields},
        section("with a button", accessory=button(action_id="why", url="https://example.test/why", style="primary")),
        {"type": "divider"},
        {"type": "image", "image_url": "https://example.test/chart.png", "alt_text": "errors per minute"},
        {"type": "context", "elements": [mrkdwn("since 14:03"), plain("x", emoji=True)]},
        rich_text(rich_section({"type": "text", "text": "Traceback", "style": {"code": True}})),
        {"type": "markdown", "text": "# title"},
        actions(*buttons, menu, block_id="incident:1"),
        {
            "type": "context",
            "elements": [{"type": "image", "image_url": "https://example.test/i.png", "alt_text": "i"}],
        },
    ]


GOOD: dict[str, list[object]] = {
    "an incident card": card(),
    "no blocks": [],
    "a section of fields only": [{"type": "section", "fields": [plain()]}],
    "text that is not to be parsed": [section() | {"text": mrkdwn(verbatim=True)}],
    "an image of Slack's": [{"type": "image", "slack_file": {"id": "F0000000001"}, "alt_text": "chart"}],
    "the same action id in two blocks": [actions(button()), actions(button())],
    "a preselected option": [actions(select(initial_option=option("b")))],
    "groups of options": [
        actions(
            without(select(), "options") | {"option_groups": [{"label": plain("group"), "options": [option()]}]},
        ),
    ],
    "a link in an overflow menu": [actions({"type": "overflow", "options": [option(url="https://example.test")]})],
    "a table": [
        {
            "type": "table",
            "column_settings": [{"align": "right", "is_wrapped": True}],
            "rows": [
                [{"type": "raw_text", "text": "revision"}, rich_text(rich_section({"type": "text", "text": "a"}))]
            ],
        }
    ],
    "all kinds of rich text": [
        rich_text(
            rich_section(
                {"type": "link", "url": "https://example.test", "text": "log"},
                {"type": "user", "user_id": "U0RILEY0001"},
                {"type": "emoji", "name": "wave"},
                {"type": "date", "timestamp": 1720710212, "format": "{date_num}"},
            ),
            {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [rich_section()]},
            {"type": "rich_text_preformatted", "border": 0, "elements": [{"type": "text", "text": "x"}]},
            {"type": "rich_text_quote", "elements": [{"type": "broadcast", "range": "here"}]},
        )
    ],
    "a container": [
        {"type": "container", "title": plain("Evidence"), "is_collapsible": True, "child_blocks": [section()]}
    ],
}


@pytest.mark.parametrize("blocks", GOOD.values(), ids=GOOD.keys())
def test_what_slack_takes_has_no_problems(blocks):
    assert check_blocks(blocks) == []


BAD: dict[str, tuple[object, str]] = {
    # shape
    "an unknown block": ({"type": "foo"}, "unsupported type: foo [json-pointer:/blocks/0/type]"),
    "a block without a type": ({"text": mrkdwn()}, "missing required field: type [json-pointer:/blocks/0]"),
    "a block whose type is a number": ({"type": 1}, "must provide a string [json-pointer:/blocks/0/type]"),
    "a block that is a text": ("section", "must provide an object [json-pointer:/blocks/0]"),
    "a header without text": ({"type": "header"}, "missing required field: text [json-pointer:/blocks/0]"),
    "a misspelt field": (section(txt=1), "invalid additional property: txt [json-pointer:/blocks/0]"),
    "a text that is a string": (
        {"type": "section", "text": "hello"},
        "must provide an object [json-pointer:/blocks/0/text]",
    ),
    "mrkdwn in a header": (
        {"type": "header", "text": mrkdwn()},
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    "a text type of no text": (
        {"type": "section", "text": {"type": "markdown", "text": "x"}},
        "unsupported type: markdown [json-pointer:/blocks/0/text/type]",
    ),
    "emoji in mrkdwn": (
        {"type": "section", "text": mrkdwn(emoji=True)},
        "invalid additional property: emoji [json-pointer:/blocks/0/text]",
    ),
    "verbatim in plain text": (
        {"type": "header", "text": plain(verbatim=True)},
        "invalid additional property: verbatim [json-pointer:/blocks/0/text]",
    ),
    "a pointer is escaped": (
        {"type": "section", "fields": {"a/b~c": 1}},
        "must provide an array [json-pointer:/blocks/0/fields]",
    ),
    # text
    "an empty text": (section(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "a section too long": (section("x" * 3001), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    "a field too long": (
        {"type": "section", "fields": [mrkdwn("x" * 2001)]},
        "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
    ),
    "a header too long": (header("x" * 151), "must be less than 151 characters [json-pointer:/blocks/0/text/text]"),
    "a section with nothing in it": (
        {"type": "section"},
        "must define either `text` or `fields` [json-pointer:/blocks/0/type]",
    ),
    "an empty rich text": (
        rich_text(rich_section({"type": "text", "text": ""})),
        "must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]",
    ),
    "a list inside a list": (
        rich_text(
            {"type": "rich_text_list", "style": "bullet", "elements": [{"type": "rich_text_list", "elements": []}]}
        ),
        "unsupported type: rich_text_list [json-pointer:/blocks/0/elements/0/elements/0/type]",
    ),
    "a border that is true": (
        rich_text({"type": "rich_text_quote", "border": True, "elements": []}),
        "must provide a number [json-pointer:/blocks/0/elements/0/border]",
    ),
    # counts
    "too many fields": (
        {"type": "section", "fields": [plain()] * 11},
        "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    "too many elements": (
        actions(*[button(action_id=str(number)) for number in range(26)]),
        "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "no elements": (actions(), "must provide at least 1 items [json-pointer:/blocks/0/elements]"),
    "too much context": (
        {"type": "context", "elements": [plain()] * 11},
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "an overflow menu of six": (
        actions({"type": "overflow", "options": [option()] * 6}),
        "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "a menu of 101": (
        actions(select(options=[option()] * 101)),
        "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    # elements
    "an element of no kind": (
        actions({"type": "knob"}),
        "unsupported type: knob [json-pointer:/blocks/0/elements/0/type]",
    ),
    "an input element as a button": (
        actions({"type": "plain_text_input"}),
        "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
    ),
    "a button in a style of its own": (
        actions(button(style="default")),
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
    ),
    "a button's value too long": (
        actions(button(value="x" * 2001)),
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    "a button's label too long": (
        actions(button(text=plain("x" * 76))),
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    "a button that leads nowhere": (
        actions(button(url="example")),
        "must be a valid url [json-pointer:/blocks/0/elements/0/url]",
    ),
    "a confirmation too long": (
        actions(button(confirm=confirm(text=mrkdwn("x" * 301)))),
        "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]",
    ),
    "a confirmation with a long yes": (
        actions(button(confirm=confirm(confirm=plain("x" * 31)))),
        "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]",
    ),
    "an option without a value": (
        actions(select(options=[{"text": plain()}])),
        "missing required field: value [json-pointer:/blocks/0/elements/0/options/0]",
    ),
    "a link in a select menu": (
        actions(select(options=[option(url="https://example.test")])),
        "invalid additional property: url [json-pointer:/blocks/0/elements/0/options/0/url]",
    ),
    "a menu of nothing": (
        actions({"type": "static_select"}),
        "must define either `options` or `option_groups` [json-pointer:/blocks/0/elements/0/type]",
    ),
    "a preselected option that is not there": (
        actions(select(initial_option=option("c"))),
        "must match one of the options [json-pointer:/blocks/0/elements/0/initial_option]",
    ),
    "an image without a description": (
        {"type": "image", "image_url": "https://example.test/a.png"},
        "missing required field: alt_text [json-pointer:/blocks/0]",
    ),
    "an image from two places": (
        {"type": "image", "image_url": "https://example.test/a.png", "slack_file": {"id": "F1"}, "alt_text": "x"},
        "invalid additional property: slack_file [json-pointer:/blocks/0]",
    ),
    "a time of another clock": (
        actions({"type": "timepicker", "initial_time": "9 pm"}),
        r"input must match regex pattern: ^([01]\d|2[0-3]):[0-5]\d$ [json-pointer:/blocks/0/elements/0/initial_time]",
    ),
    # ids
    "an empty block id": (
        section(block_id=""),
        "must be more than 0 characters [json-pointer:/blocks/0/block_id]",
    ),
    "a block id too long": (
        section(block_id="x" * 256),
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    "one action id twice in a block": (
        actions(button(), button()),
        "`action_id` must be unique: approve [json-pointer:/blocks/0/elements/1/action_id]",
    ),
    # tables, cards
    "a table too wide": (
        {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 21]},
        "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]",
    ),
    "a table too full": (
        {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 10_001}]]},
        "cells must be less than 10001 characters together [json-pointer:/blocks/0/rows]",
    ),
    "a data table with a ragged row": (
        {
            "type": "data_table",
            "caption": "x",
            "rows": [[{"type": "raw_text", "text": "x"}], [{"type": "raw_text", "text": "x"}] * 2],
        },
        "all rows must have the same number of cells [json-pointer:/blocks/0/rows]",
    ),
    "a data table with rich text for a header": (
        {"type": "data_table", "caption": "x", "rows": [[rich_text(rich_section())]] * 2},
        "unsupported type: rich_text [json-pointer:/blocks/0/rows/0/0/type]",
    ),
    "a page of no whole number": (
        {"type": "data_table", "caption": "x", "page_size": 2.5, "rows": [[{"type": "raw_text", "text": "x"}]] * 2},
        "must provide an integer [json-pointer:/blocks/0/page_size]",
    ),
    "an empty card": (
        {"type": "card", "subtitle": mrkdwn()},
        "must define at least one of `hero_image`, `title`, `actions` or `body` [json-pointer:/blocks/0/type]",
    ),
    "a container without a title": (
        {"type": "container", "child_blocks": [section()]},
        "must define either `title` or `rich_text_title` [json-pointer:/blocks/0/type]",
    ),
    "a fault inside a container": (
        {"type": "container", "title": plain(), "child_blocks": [section("")]},
        "must be more than 0 characters [json-pointer:/blocks/0/child_blocks/0/text/text]",
    ),
    # where it may stand
    "an alert in a message": (
        {"type": "alert", "text": plain()},
        "unsupported type: alert [json-pointer:/blocks/0/type]",
    ),
    "a file input in a message": (
        {"type": "input", "label": plain(), "element": {"type": "file_input"}},
        "unsupported type: file_input [json-pointer:/blocks/0/element/type]",
    ),
}


@pytest.mark.parametrize(("block", "problem"), BAD.values(), ids=BAD.keys())
def test_what_slack_refuses_is_told_once_with_its_place(block, problem):
    assert check_blocks([block]) == [f"[ERROR] {problem}"]


def test_every_problem_is_told_not_only_the_first():
    problems = check_blocks([header(""), {"type": "divider"}, section("x" * 3001)])

    assert [problem.rsplit("[", 1)[1] for problem in problems] == [
        "json-pointer:/blocks/0/text/text]",
        "json-pointer:/blocks/2/text/text]",
    ]


def test_a_message_holds_50_blocks_and_a_view_100():
    dividers: list[object] = [{"type": "divider"}] * 101

    assert check_blocks(dividers[:50]) == []
    assert check_blocks(dividers[:51]) == ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"]
    assert check_blocks(dividers[:100], surface="home") == []
    assert check_view(modal(*dividers)) == ["[ERROR] no more than 100 items allowed [json-pointer:/view/blocks]"]


def test_block_ids_differ_even_across_containers():
    inner = {"type": "container", "title": plain(), "child_blocks": [section(block_id="a")]}

    assert check_blocks([section(block_id="a"), inner]) == [
        "[ERROR] `block_id` must be unique: a [json-pointer:/blocks/1/child_blocks/0/block_id]"
    ]


def test_the_text_of_all_blocks_of_a_message_is_limited_together():
    fits = [section("x" * 2900) for _ in range(4)]

    assert check_blocks([*fits, section("x" * 900)]) == []
    assert check_blocks([*fits, section("x" * 901)]) == [
        "[ERROR] msg_blocks_too_long: 13001 of 13000 characters, 100 for each block [json-pointer:/blocks]"
    ]
    assert check_view(home(*fits, *fits)) == []


def test_markdown_blocks_share_12000_characters():
    half = {"type": "markdown", "text": "x" * 6000}

    assert check_blocks([half, half]) == []
    assert check_blocks([half, half, {"type": "markdown", "text": "x"}]) == [
        "[ERROR] markdown blocks must be less than 12001 characters together [json-pointer:/blocks]"
    ]


def test_a_message_holds_one_table():
    table = GOOD["a table"][0]

    assert check_blocks([table, table]) == ["[ERROR] only_one_table_allowed [json-pointer:/blocks/1]"]


def test_a_message_needs_something_to_say():
    problems = check_message({"channel": "C0AUTHOPS01", "text": "", "blocks": None})

    assert problems == ["[ERROR] no_text: must provide `text`, `blocks` or `attachments` [json-pointer:/text]"]
    assert error_code(problems) == "no_text"


@pytest.mark.parametrize(
    ("payload", "problem", "code"),
    [
        ({"text": 5}, "must provide a string [json-pointer:/text]", "invalid_arguments"),
        (
            {"text": "x" * 40_001},
            "msg_too_long: must be less than 40001 characters [json-pointer:/text]",
            "msg_too_long",
        ),
        ({"blocks": "[{}]"}, "must provide an array [json-pointer:/blocks]", "invalid_blocks_format"),
        ({"blocks": [{"type": "foo"}]}, "unsupported type: foo [json-pointer:/blocks/0/type]", "invalid_blocks"),
        ({"attachments": {"text": "x"}}, "must provide an array [json-pointer:/attachments]", "invalid_attachments"),
        (
            {"attachments": [{"colour": "red"}]},
            "invalid additional property: colour [json-pointer:/attachments/0]",
            "invalid_attachments",
        ),
        (
            {"attachments": [{"color": "danger", "blocks": [header("")]}]},
            "must be more than 0 characters [json-pointer:/attachments/0/blocks/0/text/text]",
            "invalid_attachments",
        ),
        (
            {"attachments": [{"blocks": [{"type": "section"}]}]},
            "must define either `text` or `fields` [json-pointer:/attachments/0/blocks/0/type]",
            "invalid_attachments",
        ),
        (
            {"attachments": [{"text": "x"}] * 101},
            "too_many_attachments: no more than 100 items allowed [json-pointer:/attachments]",
            "too_many_attachments",
        ),
    ],
)
def test_a_message_is_judged_by_text_blocks_and_attachments(payload, problem, code):
    problems = check_message(payload)

    assert problems == [f"[ERROR] {problem}"]
    assert error_code(problems) == code


def test_a_message_with_all_three_is_taken():
    attachment = {"color": "#d00000", "blocks": [section()], "fallback": "x"}

    assert check_message({"channel": "C1", "text": "x", "blocks": card(), "attachments": [attachment]}) == []


def test_a_modal_with_inputs_is_taken():
    element = {"type": "file_input", "action_id": "report", "filetypes": ["xml"]}
    upload = {"type": "input", "label": plain("Report"), "element": element, "optional": True}

    assert check_view(modal(text_input(placeholder=plain("why")), upload, {"type": "alert", "text": plain()})) == []


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        ({}, "missing required field: type [json-pointer:/view/type]"),
        ({"type": "workflow_step"}, "unsupported type: workflow_step [json-pointer:/view/type]"),
        ({"type": ["modal"]}, "missing required field: type [json-pointer:/view/type]"),
        (without(modal(), "title"), "missing required field: title [json-pointer:/view]"),
        (without(modal(), "blocks"), "missing required field: blocks [json-pointer:/view]"),
        (modal(title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
        (modal(submit=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/submit/text]"),
        (modal(close=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/close/text]"),
        (modal(private_metadata="x" * 3001), "must be less than 3001 characters [json-pointer:/view/private_metadata]"),
        (modal(callback_id="x" * 256), "must be less than 256 characters [json-pointer:/view/callback_id]"),
        (modal(external_id="x" * 256), "must be less than 256 characters [json-pointer:/view/external_id]"),
        (home() | {"title": plain()}, "invalid additional property: title [json-pointer:/view]"),
        (home({"type": "alert", "text": plain()}), "unsupported type: alert [json-pointer:/view/blocks/0/type]"),
        (home({"type": "markdown", "text": "x"}), "unsupported type: markdown [json-pointer:/view/blocks/0/type]"),
        (
            without(modal(text_input()), "submit"),
            "must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/0/input]",
        ),
        (
            modal(text_input(focus_on_load=True), text_input(focus_on_load=True) | {"block_id": "b"}),
            "only one element may set `focus_on_load` [json-pointer:/view/blocks/1/element/focus_on_load]",
        ),
        (
            modal(text_input(max_length=3001)),
            "must be at most 3000 [json-pointer:/view/blocks/0/element/max_length]",
        ),
        (
            modal({"type": "input", "label": plain(), "dispatch_action": True, "element": {"type": "file_input"}}),
            "unsupported type: file_input [json-pointer:/view/blocks/0/element/type]",
        ),
        (
            modal(*[section("x" * 3000) for _ in range(85)]),
            "view_too_large: must be less than 250001 bytes [json-pointer:/view]",
        ),
    ],
)
def test_a_view_that_slack_refuses(view, problem):
    assert check_view(view) == [f"[ERROR] {problem}"]


def test_a_view_is_refused_as_invalid_arguments_or_too_large():
    assert error_code(check_view({})) == "invalid_arguments"
    assert error_code(check_view(home(*[section("x" * 3000)] * 85))) == "view_too_large"


def test_a_card_of_twenty_blocks_is_judged_in_less_than_20_ms():
    blocks = card()
    check_blocks(blocks)  # the first one reads and prepares the schema

    assert len(blocks) == 20
    assert fastest(lambda: check_blocks(blocks)) < 0.020


def fastest(action: Callable[[], object]) -> float:
    def once() -> float:
        start = time.perf_counter()
        action()
        return time.perf_counter() - start

    return min(once() for _ in range(5))
