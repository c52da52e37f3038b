"""Protobuf messages as the JSON that Google's services export: camelCase, 64-bit numbers as text."""

from typing import Any

from google.protobuf import json_format


def to_json(message: Any) -> dict[str, Any]:
    """The JSON object of a raw protobuf message."""
    body: dict[str, Any] = json_format.MessageToDict(message)  # type: ignore[no-untyped-call]
    return body
