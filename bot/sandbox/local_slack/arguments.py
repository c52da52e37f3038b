"""The arguments of one Web API call, read by type.

They arrive as strings (query, form) or as JSON values; both read the same. What a method does not declare is
refused by name, so that nothing a caller relies on is dropped in silence. Slack itself ignores such arguments.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.refusals import Refused, invalid_arguments

TRUE = frozenset({"true", "1", "t", "yes"})
FALSE = frozenset({"false", "0", "f", "no", ""})


class Arguments:
    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def as_json(self) -> Json:
        return dict(self._values)

    def refuse_unknown(self, known: Collection[str]) -> None:
        unknown = [name for name in self._values if name not in known]
        if unknown:
            raise invalid_arguments(*(f"unsupported argument: {name}" for name in unknown))

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name, default)
        if isinstance(value, bool | dict | list):
            raise invalid_arguments(f"must be a string [json-pointer:/{name}]")
        return str(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = str(self._values.get(name, default)).lower()
        if value not in TRUE | FALSE:
            raise invalid_arguments(f"must be a boolean [json-pointer:/{name}]")
        return value in TRUE

    def number(self, name: str, default: int, *, least: int = 0, most: int = 1000, error: str = "invalid_limit") -> int:
        value = self._values.get(name, default)
        try:
            number = int(str(value) or default)
        except ValueError:
            raise Refused(error) from None
        if not least <= number <= most:
            raise Refused(error)
        return number

    def names(self, name: str) -> list[str]:
        """A list given as JSON, or as words with commas between."""
        value = self._values.get(name, "")
        if isinstance(value, str) and value.startswith("["):
            value = self.parsed(name)
        parts = value if isinstance(value, list) else str(value).split(",")
        return [str(part).strip() for part in parts if str(part).strip()]

    def parsed(self, name: str, *, error: str = "invalid_arguments") -> Any:
        """A JSON value, given as itself or as a string of JSON; None if absent or an empty string."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise Refused(error) from None

    def dicts(self, name: str, *, error: str) -> list[Json] | None:
        """A JSON list of objects; None if absent."""
        value = self.parsed(name, error=error)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Refused(error)
        return value
