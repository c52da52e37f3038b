"""What a person typed, as Slack would store it: escaped, with @names and #channels turned into references."""

import re
from collections.abc import Mapping

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_NAME = re.compile(r"(?<![\w@#])([@#])([a-z0-9][a-z0-9._-]*)")
_BROADCASTS = {"channel": "<!channel>", "here": "<!here>", "everyone": "<!everyone>"}


def encode(text: str, *, people: Mapping[str, str], groups: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """The stored form of a typed message.

    Args:
        people, groups, channels: id by name; an unknown name stays as it was typed.
    """

    def reference(match: re.Match[str]) -> str:
        sigil, name = match.groups()
        trimmed = name.rstrip("._-")
        tail = name[len(trimmed) :]
        known = _person(trimmed, people, groups) if sigil == "@" else _channel(trimmed, channels)
        return f"{known}{tail}" if known else match.group()

    return _NAME.sub(reference, text.translate(_ESCAPES))


def _person(name: str, people: Mapping[str, str], groups: Mapping[str, str]) -> str | None:
    if name in people:
        return f"<@{people[name]}>"
    if name in groups:
        return f"<!subteam^{groups[name]}>"
    return _BROADCASTS.get(name)


def _channel(name: str, channels: Mapping[str, str]) -> str | None:
    return f"<#{channels[name]}|{name}>" if name in channels else None
