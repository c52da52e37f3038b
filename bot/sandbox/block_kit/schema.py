"""One JSON Schema out of two: the types Slack publishes (block_kit.schema.json) with its limits (limits.py) laid over.

The result is made for quick judgement with one clear message: references are replaced by what they refer to (the types
have no cycle), and a union whose members each name their `type` becomes the keyword `byType`, so that a wrong button is
told what is wrong with a button, not that it is none of twenty elements.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from bot.sandbox.block_kit.limits import FIELDS, SHARED, Keywords

Schema = dict[str, object]

_REFERENCE = "#/definitions/"


@cache
def published() -> dict[str, Any]:
    """The generated file as it is: plain JSON Schema, draft 7, without Slack's limits."""
    loaded: dict[str, Any] = json.loads(
        files(__package__).joinpath("block_kit.schema.json").read_text(encoding="utf-8")
    )
    return loaded


def definitions() -> Mapping[str, Schema]:
    found: dict[str, Schema] = published()["definitions"]
    return found


@cache
def strict(name: str) -> Schema:
    """One definition, references resolved, with the limits of everything inside it and then its own.

    Args:
        name: a definition of the generated file, such as `KnownBlock`, `Modal` or `Button`.

    Raises:
        KeyError: no such definition.
        LookupError: limits.py names a property that the types do not have (they changed: regenerate, compare).
    """
    schema = _resolved(definitions()[name])
    for path, keywords in FIELDS.get(name, {}).items():
        schema = _laid(schema, _steps(path), keywords)
    return schema


def members(schema: Schema) -> list[Schema]:
    """The alternatives of a union; of anything else, itself."""
    by_type = schema.get("byType")
    if isinstance(by_type, dict):
        return [branch for branches in by_type.values() for branch in branches]
    alternatives = schema.get("anyOf")
    return list(alternatives) if isinstance(alternatives, list) else [schema]


def _resolved(value: Schema) -> Schema:
    reference = value.get("$ref")
    if isinstance(reference, str):
        return strict(reference.removeprefix(_REFERENCE))
    resolved: Schema = {}
    for key, inner in value.items():
        if key == "properties" and isinstance(inner, dict):
            resolved[key] = {name: _resolved(schema) for name, schema in inner.items()}
        elif key == "anyOf" and isinstance(inner, list):
            resolved |= _union([_resolved(member) for member in inner])
        else:
            resolved[key] = _resolved(inner) if isinstance(inner, dict) else inner
    for path, keywords in SHARED.items():
        steps = _steps(path)
        if _has(resolved, steps[0]):
            resolved = _laid(resolved, steps, keywords)
    return resolved


def _union(alternatives: list[Schema]) -> Schema:
    flat = [member for alternative in alternatives for member in members(alternative)]
    by_type: dict[str, list[Schema]] = {}
    for member in flat:
        kind = _kind(member)
        if kind is None:
            return {"anyOf": flat}
        by_type.setdefault(kind, []).append(member)
    return {"byType": by_type}


def _kind(schema: Schema) -> str | None:
    properties = schema.get("properties")
    named = properties.get("type") if isinstance(properties, dict) else None
    kind = named.get("const") if isinstance(named, dict) else None
    return kind if isinstance(kind, str) else None


def _steps(path: str) -> list[str]:
    return [step for step in path.replace("[]", ".[]").split(".") if step]


def _has(schema: Schema, name: str) -> bool:
    properties = schema.get("properties")
    return isinstance(properties, dict) and name in properties


def _laid(schema: Schema, steps: list[str], keywords: Keywords) -> Schema:
    """A copy of the schema, changed along one path only; shared parts are never written to.

    In a union, the members that have the first step are changed; one must.
    """
    if not steps:
        return schema | dict(keywords)
    step, rest = steps[0], steps[1:]
    inner = schema.get("items" if step == "[]" else "properties")
    if step == "[]" and isinstance(inner, dict):
        return schema | {"items": _laid(inner, rest, keywords)}
    if isinstance(inner, dict) and step in inner:
        return schema | {"properties": inner | {step: _laid(inner[step], rest, keywords)}}
    if not any(_has(member, step) for member in members(schema)):
        raise LookupError(f"limits.py says {step!r}, the types do not: {sorted(schema)}")

    def laid(branches: list[Schema]) -> list[Schema]:
        return [_laid(branch, steps, keywords) if _has(branch, step) else branch for branch in branches]

    by_type = schema.get("byType")
    if isinstance(by_type, dict):
        return schema | {"byType": {kind: laid(branches) for kind, branches in by_type.items()}}
    return schema | {"anyOf": laid(members(schema))}
