"""The generated file is complete, says nothing about the machine that made it, and fits the limits laid over it."""

import re
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft7Validator

from bot.sandbox.block_kit import schema
from bot.sandbox.block_kit.limits import FIELDS
from bot.sandbox.block_kit.schema import definitions, published, strict


def raw() -> str:
    return files("bot.sandbox.block_kit").joinpath("block_kit.schema.json").read_text(encoding="ascii")


def objects(value: Any) -> list[dict[str, Any]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    found = [value] if isinstance(value, dict) and "properties" in value else []
    return found + [each for part in inner for each in objects(part)]


def test_the_generated_file_is_a_schema_of_draft_7():
    Draft7Validator.check_schema(published())


def test_every_object_of_the_types_refuses_unknown_fields():
    assert all(found["additionalProperties"] is False for found in objects(definitions()))


def test_the_generated_file_names_its_recipe_and_no_place_of_a_machine_or_registry():
    assert "generate.sh" in published()["$comment"]
    assert not re.search(r"/(tmp|home|work|root|usr)/|node_modules|registry", raw())


def test_the_recipe_pins_the_versions_that_the_file_names():
    recipe = files("bot.sandbox.block_kit").joinpath("generate.sh").read_text(encoding="utf-8")
    pinned = re.findall(r"^\w+='(.+@\d+\.\d+\.\d+)'$", recipe, re.MULTILINE)

    assert len(pinned) == 3
    assert all(version in published()["$comment"] for version in pinned[:2])


def test_each_limit_names_a_definition_and_a_property_that_the_types_have():
    assert all(strict(name) for name in FIELDS)


def test_a_limit_on_a_property_that_the_types_lost_is_an_error():
    with pytest.raises(LookupError, match="subject"):
        schema._laid(strict("Button"), ["subject"], {"maxLength": 1})


def test_a_limit_of_an_outer_definition_wins_and_leaves_the_inner_one_alone():
    assert strict("Button")["properties"]["text"]["properties"]["text"]["maxLength"] == 75
    assert strict("PlainTextElement")["properties"]["text"]["maxLength"] == 3000


def test_nothing_is_left_to_look_up_while_judging():
    assert "$ref" not in repr([strict(name) for name in definitions()])
