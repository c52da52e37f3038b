"""From a document to the catalog's types; what does not fit is said in words."""

from __future__ import annotations

import copy
import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from bot import durations
from bot.catalog.document import Document
from bot.catalog.problem import Path, Problem, dotted
from bot.model.catalog import Catalog

# The tuple is a wrapper that can carry a config, which all dataclasses inside inherit; a bare dataclass cannot.
_ADAPTER = TypeAdapter(tuple[Catalog], config=ConfigDict(extra="forbid"))
_UNKNOWN = "unexpected_keyword_argument"
_ATTEMPTS = 3

_STAND_INS: Mapping[Any, Any] = {
    int: 1,
    float: 1.0,
    str: "?",
    bool: False,
    date: date(2000, 1, 1),
    Mapping: {},
    tuple: [],
}

# How pydantic's error types begin → what to say.
_IN_WORDS = {
    "int": ("must be a whole number", ""),
    "float": ("must be a number", ""),
    "finite": ("must be a number", ""),
    "bool": ("must be true or false", ""),
    "string": ("must be text", "put it in quotes"),
    "date": ("must be a date", "write it as 2025-09-15"),
    "time_delta": ("must be a duration", "write it as 60s, 30m, 4h or PT4H"),
    "tuple": ("must be a list", "write it as [one, two]"),
    "dict": ("must be a mapping", "indent `name: value` lines below it"),
    "mapping": ("must be a mapping", "indent `name: value` lines below it"),
    "dataclass": ("must be a mapping", "indent `name: value` lines below it"),
}


def typed(document: Document) -> tuple[Catalog | None, list[Problem], list[Path]]:
    """(catalog, problems, paths that were left out of it or filled with a stand-in).

    With problems the catalog is what remains without the wrong parts, to look for further mistakes in: never to be
    used. None: not even that can be had.
    """
    value = copy.deepcopy(dict(document.value))
    problems, dropped = _read_durations(document, value)
    for path in dropped:
        _drop(value, path)
    for attempt in range(_ATTEMPTS):
        try:
            return _ADAPTER.validate_python((value,))[0], problems, dropped
        except ValidationError as error:
            details = error.errors()
        if attempt == 0:
            problems += [_explain(document, _path(detail), detail) for detail in details]
        for detail in details:
            path = _path(detail)
            stand_in = None if attempt or detail["type"] == _UNKNOWN else _stand_in(_type_at(path))
            if stand_in is None or not _put(value, path, stand_in):
                # What is still wrong makes what it belongs to unusable.
                path = path[:-1] if attempt or detail["type"] == "missing" else path
                _drop(value, path)
            dropped.append(path)
    return None, problems, dropped


def _read_durations(document: Document, value: dict[str, Any]) -> tuple[list[Problem], list[Path]]:
    """Turn what people write into timedeltas, in place."""
    problems: list[Problem] = []
    dropped: list[Path] = []
    for path in document.lines:
        if _type_at(path) is timedelta:
            parent = _at(value, path[:-1])
            try:
                parent[path[-1]] = durations.parse(str(parent[path[-1]]))
            except ValueError:
                problems.append(document.problem(path, *_IN_WORDS["time_delta"]))
                dropped.append(path)
    return problems, dropped


def _explain(document: Document, path: Path, detail: ErrorDetails) -> Problem:
    kind = detail["type"]
    if kind == _UNKNOWN:
        return _explain_unknown(document, path)
    if kind == "missing":
        around = dotted(path[:-1])
        mend = f"add `{path[-1]}: …`" + (f" below {around}" if around else "")
        return document.problem(path, "is missing", mend)
    if kind == "enum":
        expected = detail.get("ctx", {}).get("expected", "another word")
        return document.problem(path, f"must be {expected.replace(chr(39), '')}")
    beginning = max((word for word in _IN_WORDS if kind.startswith(word)), key=len, default=None)
    if beginning is None:
        return document.problem(path, detail["msg"])
    text, mend = _IN_WORDS[beginning]
    if detail["input"] is None:
        text = f"is empty; it {text}"
    elif beginning == "string" and not isinstance(detail["input"], int | float | date):
        mend = "write one value"
    return document.problem(path, text, mend)


def _explain_unknown(document: Document, path: Path) -> Problem:
    allowed = [field.name for field in dataclasses.fields(_type_at(path[:-1]) or Catalog)]
    nearest = difflib.get_close_matches(str(path[-1]), allowed, 1)
    mend = f"{nearest[0]}?" if nearest else f"one of {', '.join(allowed)}"
    return document.problem(path, "is not known here", mend)


def _path(detail: ErrorDetails) -> Path:
    """Without the wrapper's index."""
    return tuple(detail["loc"][1:])


def _type_at(path: Path) -> Any:
    """The type that the catalog has at this path; None where it has none."""
    here: Any = Catalog
    for key in path:
        here = _plain(here)
        if dataclasses.is_dataclass(here):
            here = typing.get_type_hints(here).get(str(key))
        elif typing.get_origin(here) is Mapping:
            here = typing.get_args(here)[1]
        elif typing.get_origin(here) is tuple:
            here = typing.get_args(here)[0]
        else:
            return None
    return _plain(here)


def _plain(type_: Any) -> Any:
    """X of `X | None`."""
    if isinstance(type_, types.UnionType) or typing.get_origin(type_) is typing.Union:
        return next(option for option in typing.get_args(type_) if option is not types.NoneType)
    return type_


def _at(value: Any, path: Path) -> Any:
    """What is at `path`, None where nothing is."""
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def _stand_in(type_: Any) -> Any:
    """Something of this type, so that what is around a wrong value can be looked at too; None: there is none."""
    if isinstance(type_, type) and issubclass(type_, Enum):
        return next(iter(type_)).value
    kind = typing.get_origin(type_) or type_
    return copy.copy(_STAND_INS.get(kind))


def _put(value: Any, path: Path, new: Any) -> bool:
    """Set what is at `path`; False where nothing can be."""
    parent = _at(value, path[:-1])
    key = path[-1] if path else ""
    if isinstance(parent, dict) or (isinstance(parent, list) and isinstance(key, int) and key < len(parent)):
        parent[key] = new  # type: ignore[index]
        return True
    return False


def _drop(value: Any, path: Path) -> None:
    """Leave out what is at `path`; of a list all or nothing, or the other items would change their places."""
    for end in range(len(path), 0, -1):
        parent = _at(value, path[: end - 1])
        if isinstance(parent, dict):
            parent.pop(path[end - 1], None)
            return
