"""JSON Schema's keywords in Slack's words: "must be less than 3001 characters", "unsupported type: foo".

Slack judges with slackhq/hack-json-schema, whose wording is public; the engine here is `jsonschema`, with its keywords
replaced because its own messages quote the whole offending value. Only the keywords that schema.py produces exist here.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from bot.sandbox.block_kit.schema import Schema, strict

Path = tuple[str | int, ...]
Errors = Iterator[ValidationError]

_ARTICLE = {"array": "an array", "integer": "an integer", "object": "an object"}


class Problem(NamedTuple):
    """What is wrong, in Slack's words, and where."""

    text: str
    path: Path

    def __str__(self) -> str:
        pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in self.path)
        return f"[ERROR] {self.text} [json-pointer:{pointer}]"


def problems_of(name: str, value: Any, path: Path = ()) -> Iterator[Problem]:
    """What keeps a JSON value from being the definition `name` of the schema, in document order of the schema."""
    error: ValidationError
    for error in _validator(name).iter_errors(value):
        yield Problem(error.message, (*path, *error.absolute_path))


@cache
def _validator(name: str) -> Any:
    return SlackValidator(strict(name))


def _type(validator: Any, wanted: str, value: Any, _schema: Schema) -> Errors:
    if not validator.is_type(value, wanted):
        yield ValidationError(f"must provide {_ARTICLE.get(wanted, 'a ' + wanted)}")


def _const(_validator: Any, wanted: object, value: object, _schema: Schema) -> Errors:
    if value != wanted and isinstance(value, str):  # the types use `const` for `type` only; another type is told by it
        yield ValidationError(f"unsupported type: {value}")


def _enum(_validator: Any, allowed: list[object], value: object, _schema: Schema) -> Errors:
    if value not in allowed:  # True equals 1 here; `type`, which stands beside every `enum`, tells them apart
        yield ValidationError("must be a valid enum value")


def _required(validator: Any, names: list[str], value: Any, _schema: Schema) -> Errors:
    if validator.is_type(value, "object"):
        yield from (ValidationError(f"missing required field: {name}") for name in names if name not in value)


def _additional(validator: Any, allowed: object, value: Any, schema: Schema) -> Errors:
    known = schema.get("properties", {})
    if allowed is False and isinstance(known, dict) and validator.is_type(value, "object"):
        yield from (ValidationError(f"invalid additional property: {name}") for name in value if name not in known)


def _min_length(validator: Any, least: int, value: Any, _schema: Schema) -> Errors:
    if validator.is_type(value, "string") and len(value) < least:
        yield ValidationError(f"must be more than {least - 1} characters")


def _max_length(validator: Any, most: int, value: Any, _schema: Schema) -> Errors:
    if validator.is_type(value, "string") and len(value) > most:
        yield ValidationError(f"must be less than {most + 1} characters")


def _min_items(validator: Any, least: int, value: Any, _schema: Schema) -> Errors:
    if validator.is_type(value, "array") and len(value) < least:
        yield ValidationError(f"must provide at least {least} items")


def _max_items(validator: Any, most: int, value: Any, _schema: Schema) -> Errors:
    if validator.is_type(value, "array") and len(value) > most:
        yield ValidationError(f"no more than {most} items allowed")


def _minimum(validator: Any, least: int, value: Any, _schema: Schema) -> Errors:
    if validator.is_type(value, "number") and value < least:
        yield ValidationError(f"must be at least {least}")


def _maximum(validator: Any, most: int, value: Any, _schema: Schema) -> Errors:
    if validator.is_type(value, "number") and value > most:
        yield ValidationError(f"must be at most {most}")


def _pattern(validator: Any, wanted: str, value: Any, schema: Schema) -> Errors:
    if validator.is_type(value, "string") and not re.search(wanted, value):
        url = schema.get("format") == "url"
        yield ValidationError("must be a valid url" if url else f"input must match regex pattern: {wanted}")


def _by_type(validator: Any, kinds: dict[str, list[Schema]], value: Any, _schema: Schema) -> Errors:
    if not validator.is_type(value, "object"):
        yield ValidationError("must provide an object")
    elif "type" not in value:
        yield ValidationError("missing required field: type")
    elif not isinstance(value["type"], str):
        yield ValidationError("must provide a string", path=("type",))
    elif value["type"] not in kinds:
        yield ValidationError(f"unsupported type: {value['type']}", path=("type",))
    else:
        yield from _nearest(validator, kinds[value["type"]], value)


def _any_of(validator: Any, branches: list[Schema], value: object, _schema: Schema) -> Errors:
    yield from _nearest(validator, branches, value)


def _nearest(validator: Any, branches: list[Schema], value: object) -> list[ValidationError]:
    """Nothing when one branch fits, else the errors of the branch with the fewest."""
    found: list[ValidationError] | None = None
    for branch in branches:
        errors = list(validator.descend(value, branch))
        if not errors:
            return []
        if found is None or len(errors) < len(found):
            found = errors
    return found or []


SlackValidator: Any = extend(  # type: ignore[no-untyped-call]
    Draft7Validator,
    {
        "additionalProperties": _additional,
        "anyOf": _any_of,
        "byType": _by_type,
        "const": _const,
        "enum": _enum,
        "maxItems": _max_items,
        "maxLength": _max_length,
        "maximum": _maximum,
        "minItems": _min_items,
        "minLength": _min_length,
        "minimum": _minimum,
        "pattern": _pattern,
        "required": _required,
        "type": _type,
    },
)
