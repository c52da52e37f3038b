"""The one name for a JSON object off the wire: its shape is Slack's, not ours, so its values stay untyped."""

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
