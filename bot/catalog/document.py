"""YAML with line numbers, and with nothing in it that a catalog does not need.

Aliases are refused: they are the stuff of YAML bombs, and a copied line is easier to review. So are keys written
twice (the last would win in silence), keys that are not text, and more than one document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from bot.catalog.problem import Path, Problem

LARGEST = 1024 * 1024
_DEEPEST = 40
_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass(frozen=True)
class Document:
    """What a file says.

    Attributes:
        lines: path of every key and item → its line, from 1.
        problems: found on the way; `value` holds the rest all the same.
    """

    file: str
    value: Mapping[str, Any]
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: Path, text: str, mend: str = "") -> Problem:
        """A problem at this path, on its line or that of the nearest thing around it."""
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 0)
        return Problem(self.file, line, path, text, mend)


class Unreadable(Exception):
    """There is nothing to check; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read(path: FilePath) -> Document:
    """The file as a mapping.

    Raises:
        Unreadable: missing, too large, not UTF-8, not YAML, or no mapping.
    """
    text = _text(path)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except _Refused as refusal:
        raise _unreadable(path, *refusal.args) from None
    except yaml.MarkedYAMLError as error:
        raise _unreadable(path, *_in_words(error)) from error
    except yaml.YAMLError as error:  # a character that YAML does not allow, such as NUL
        raise _unreadable(path, "holds a character that YAML does not allow", "write it in printable text") from error
    if node is None:
        raise _unreadable(path, "is empty", "start from the example: reliability.yaml in the bot's repository")
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1
        raise _unreadable(path, "is not a mapping", "begin with `services:` and indent what belongs to it", line)
    document = Document(str(path), {})
    return Document(document.file, _value(loader, node, (), document), document.lines, document.problems)


class _Refused(Exception):
    """Proper YAML that a catalog does not need: (text, mend, line)."""


class _Loader(yaml.SafeLoader):
    """The safe loader, without aliases and with a bottom."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _Refused("aliases are not allowed", "write the value out where it is needed", _line(event))
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Refused("is nested too deeply", "", _line(event))
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _text(path: FilePath) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        mend = "name it: `reliability catalog check FILE`, or set RELIABILITY_CATALOG"
        raise _unreadable(path, "there is no such file", mend) from error
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}") from error
    if len(raw) > LARGEST:
        raise _unreadable(path, f"is larger than {LARGEST // 1024} KiB", "a catalog is a few hundred lines")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, "is not UTF-8", "save it as UTF-8", line) from error


def _value(loader: _Loader, node: yaml.Node, path: Path, document: Document) -> Any:
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN_TAGS:
        document.problems.append(document.problem(path, f"tags such as {node.tag[:60]} are not allowed", "remove it"))
    match node:
        case yaml.MappingNode():
            return _mapping(loader, node, path, document)
        case yaml.SequenceNode():
            for index, item in enumerate(node.value):
                document.lines[*path, index] = item.start_mark.line + 1
            return [_value(loader, item, (*path, index), document) for index, item in enumerate(node.value)]
        case _:
            try:
                return loader.construct_object(node)
            except (yaml.YAMLError, ValueError, OverflowError, LookupError, AttributeError) as error:
                # The last two: PyYAML believes a written tag (`!!bool perhaps`) without looking at the value.
                kind = node.tag.rpartition(":")[2]
                text = f"cannot be understood: {getattr(error, 'problem', None) or f'is it a {kind}?'}"
                document.problems.append(document.problem(path, text, "put it in quotes if it is text"))
                return None


def _mapping(loader: _Loader, node: yaml.MappingNode, path: Path, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        if key is None or key_node.tag != "tag:yaml.org,2002:str":
            mend = f'put it in quotes: "{key}"' if key else "write one word before the colon"
            document.problems.append(Problem(document.file, line, path, f"the key {key or '?'} is not text", mend))
            continue
        here = (*path, key)
        if key in found:
            text = f"is written twice, first on line {document.lines[here]}"
            document.problems.append(Problem(document.file, line, here, text, "keep one of them"))
            continue
        document.lines[here] = line
        found[key] = _value(loader, value_node, here, document)
    return found


def _in_words(error: yaml.MarkedYAMLError) -> tuple[str, str, int]:
    problem = error.problem or error.context or "is not YAML"
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    if "'\\t'" in problem:
        return "a tab cannot indent YAML", "use spaces", line
    if "single document" in (error.context or ""):
        return "holds more than one document", "remove the line `---` in the middle", line
    return f"is not YAML: {problem}", "", line


def _unreadable(path: FilePath, text: str, mend: str = "", line: int = 0) -> Unreadable:
    return Unreadable(Problem(str(path), line, (), text, mend))
