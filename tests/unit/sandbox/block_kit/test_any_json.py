"""Whatever JSON arrives, the answer is a list of problems, never an exception."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from bot.sandbox.block_kit.check import check_blocks, check_message, check_view
from bot.sandbox.block_kit.schema import definitions, published, strict

WORDS = sorted({"type", "blocks", *strict("KnownBlock")["byType"], *strict("ActionsBlockElement")["byType"]})
NAMES = sorted({name for schema in definitions().values() for name in schema.get("properties", {})})
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner),
    max_leaves=12,
)
QUICK = settings(max_examples=60, database=None, deadline=None)

PAYLOAD: dict[str, Any] = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "x"},
    "submit": {"type": "plain_text", "text": "x"},
    "text": "x",
    "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "fields": [{"type": "plain_text", "text": "x"}]},
        {
            "type": "actions",
            "elements": [
                {"type": "button", "text": {"type": "plain_text", "text": "x"}, "action_id": "a"},
                {
                    "type": "static_select",
                    "initial_option": {"text": {"type": "plain_text", "text": "x"}, "value": "a"},
                    "options": [{"text": {"type": "plain_text", "text": "x"}, "value": "a"}],
                },
            ],
        },
        {"type": "input", "label": {"type": "plain_text", "text": "x"}, "element": {"type": "plain_text_input"}},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]},
        {"type": "carousel", "elements": [{"type": "card", "title": {"type": "mrkdwn", "text": "x"}}]},
    ],
    "attachments": [{"blocks": [{"type": "divider"}]}],
}


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [path, *[found for key, inner in pairs for found in places(inner, (*path, key))]]


def spoilt(path: tuple[str | int, ...], put: object) -> dict[str, Any]:
    copy = json.loads(json.dumps(PAYLOAD))
    target = copy
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = put
    return copy


def all_problems(payload: dict[str, Any]) -> list[str]:
    return check_message(payload) + check_view(payload)


@QUICK
@given(blocks=st.lists(ANY_JSON, max_size=5), surface=st.sampled_from(["message", "modal", "home"]))
def test_any_list_is_judged(blocks, surface):
    assert all(problem.startswith("[ERROR] ") for problem in check_blocks(blocks, surface=surface))


@QUICK
@given(payload=st.dictionaries(st.sampled_from([*NAMES, "text", "attachments"]), ANY_JSON, max_size=5))
def test_any_object_is_judged_as_a_message_and_as_a_view(payload):
    assert all(problem.endswith("]") for problem in all_problems(payload))


@QUICK
@given(path=st.sampled_from(places(PAYLOAD)[1:]), put=ANY_JSON)
def test_a_good_payload_spoilt_in_one_place_is_judged(path, put):
    assert all(problem.startswith("[ERROR] ") for problem in all_problems(spoilt(path, put)))


@QUICK
@given(path=st.sampled_from(places(PAYLOAD["blocks"])[1:]), put=ANY_JSON)
def test_what_the_published_types_refuse_is_refused(path, put):
    blocks = spoilt(("blocks", *path), put)["blocks"]
    types = Draft7Validator(published() | {"$ref": "#/definitions/BlockKit"})

    assert types.is_valid({"blocks": blocks}) or check_blocks(blocks)


def test_nesting_deeper_than_any_stack_is_judged():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    assert check_blocks([{"type": "section", "text": deep}, {"type": "divider", "x": deep}, deep]) == [
        "[ERROR] must provide an object [json-pointer:/blocks/0/text]",
        "[ERROR] invalid additional property: x [json-pointer:/blocks/1]",
        "[ERROR] must provide an object [json-pointer:/blocks/2]",
    ]
