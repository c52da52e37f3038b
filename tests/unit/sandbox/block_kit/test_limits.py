"""Every limit written in limits.py is in force, and what keeps all of them is what the published types allow."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from bot.sandbox.block_kit.keywords import problems_of
from bot.sandbox.block_kit.limits import BLOCK_SURFACES, ELEMENT_SURFACES, FIELDS
from bot.sandbox.block_kit.schema import definitions, members, published, strict

STRINGS = ("https://example.test/", "2025-09-15", "14:03")


def example(schema: dict[str, Any]) -> Any:
    """A value with every optional field filled in."""
    schema = members(schema)[0]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            return {name: example(inner) for name, inner in schema["properties"].items()}
        case "array":
            return [example(schema["items"])] * max(1, schema.get("minItems", 0))
        case "string":
            return next((text for text in STRINGS if re.search(schema.get("pattern", ""), text)), "x")
        case "boolean":
            return True
        case kind:
            assert kind in ("integer", "number")
            return schema.get("minimum", 1)


def steps(path: str) -> list[str]:
    return [step for step in path.replace("[]", ".[]").split(".") if step]


def found(value: Any, path: list[str]) -> Any:
    return found(value[0 if path[0] == "[]" else path[0]], path[1:]) if path else value


def replaced(value: Any, path: list[str], put: Any) -> tuple[Any, str]:
    """A copy with `put` at the path (`[]` = first item), and the JSON pointer of that place."""
    if not path:
        return put, ""
    key: Any = 0 if path[0] == "[]" else path[0]
    inner, pointer = replaced(value[key], path[1:], put)
    if isinstance(value, list):
        return [inner, *value[1:]], f"/{key}{pointer}"
    return value | {key: inner}, f"/{key}{pointer}"


def limited(keyword: str) -> list[tuple[str, str, int]]:
    return [
        (name, path, keywords[keyword])
        for name, fields in FIELDS.items()
        for path, keywords in fields.items()
        if keyword in keywords
    ]


def told(name: str, value: object) -> list[str]:
    return [str(problem) for problem in problems_of(name, value)]


@pytest.mark.parametrize("name", sorted(definitions()))
def test_an_example_of_each_definition_is_taken_by_both_schemas(name):
    value = example(strict(name))

    assert told(name, value) == []
    assert Draft7Validator(published() | {"$ref": f"#/definitions/{name}"}).is_valid(value)


@settings(max_examples=150, database=None, deadline=None)
@given(place=st.sampled_from(limited("maxLength")), more=st.integers(1, 50))
def test_over_long_text_is_refused_wherever_it_stands(place, more):
    name, path, most = place
    value, pointer = replaced(example(strict(name)), steps(path), "https://" + "x" * (most + more - 8))

    assert f"[ERROR] must be less than {most + 1} characters [json-pointer:{pointer}]" in told(name, value)


@pytest.mark.parametrize(("name", "path", "most"), limited("maxLength"))
def test_text_of_exactly_the_longest_length_is_taken(name, path, most):
    value, _ = replaced(example(strict(name)), steps(path), "https://".ljust(most, "x")[:most])

    assert told(name, value) == []


@pytest.mark.parametrize(("name", "path", "least"), [each for each in limited("minLength") if each[2]])
def test_empty_text_is_refused_wherever_text_is_needed(name, path, least):
    value, pointer = replaced(example(strict(name)), steps(path), "")

    assert told(name, value) == [f"[ERROR] must be more than {least - 1} characters [json-pointer:{pointer}]"]


@pytest.mark.parametrize(("name", "path", "most"), limited("maxItems"))
def test_one_item_too_many_is_refused(name, path, most):
    value = example(strict(name))
    value, pointer = replaced(value, steps(path), [found(value, steps(path))[0]] * (most + 1))

    assert told(name, value) == [f"[ERROR] no more than {most} items allowed [json-pointer:{pointer}]"]


@pytest.mark.parametrize(("name", "path", "most"), limited("maximum"))
def test_a_number_out_of_range_is_refused(name, path, most):
    value, pointer = replaced(example(strict(name)), steps(path), most + 1)

    assert told(name, value) == [f"[ERROR] must be at most {most} [json-pointer:{pointer}]"]


def test_surfaces_are_known_for_every_block_and_for_no_other():
    assert set(BLOCK_SURFACES) == set(strict("KnownBlock")["byType"])


def test_elements_with_surfaces_of_their_own_exist():
    elements = set(strict("ActionsBlockElement")["byType"]) | set(strict("InputBlockElement")["byType"])

    assert set(ELEMENT_SURFACES) <= elements
