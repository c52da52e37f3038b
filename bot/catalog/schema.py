"""From a document to the catalog's types; what does not fit is said in words."""

from __future__ import annotations

import copy
import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable, Mapping
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
    problems, dropped = _read_kinds(document, value)
    more, unread = _read_durations(document, value)
    problems += more
    for path in unread:
        _drop(value, path)
    dropped += unread
    for attempt in range(_ATTEMPTS):
        try:
            return _ADAPTER.validate_python((value,))[0], problems, dropped
        except ValidationError as error:
            details = error.errors()
        found = [(where, detail) for detail in details if (where := _path(detail, value)) is not None]
        if attempt == 0:
            problems += [_explain(document, path, detail, value) for path, detail in found]
        for where, detail in found:
            path = where
            stand_in = None if attempt or detail["type"] == _UNKNOWN else _stand_in(_type_at(path, value))
            if stand_in is None or not _put(value, path, stand_in):
                # What is still wrong makes what it belongs to unusable.
                path = path[:-1] if attempt or detail["type"] == "missing" else path
                _drop(value, path)
            dropped.append(path)
    return None, problems, dropped


def _read_kinds(document: Document, value: dict[str, Any]) -> tuple[list[Problem], list[Path]]:
    """Leave out what does not say which of several kinds it is: nothing can be said about the rest of it."""
    problems: list[Problem] = []
    dropped: list[Path] = []
    for path in document.lines:
        kinds = _kinds(_type_at(path, value, whole=True))
        given = _at(value, path)
        if not kinds or given is None:
            continue
        if not isinstance(given, dict):
            problems.append(document.problem(path, *_IN_WORDS["mapping"]))
        elif "kind" not in given:
            mend = f"add `kind: …` below {dotted(path)}: {_either(kinds)}"
            problems.append(document.problem((*path, "kind"), "is missing", mend))
        elif given["kind"] not in list(kinds):
            nearest = difflib.get_close_matches(str(given["kind"]), kinds, 1)
            mend = f"{nearest[0]}?" if nearest else ""
            problems.append(document.problem((*path, "kind"), f"must be {_either(kinds)}", mend))
        else:
            continue
        _drop(value, path)
        dropped.append(path)
    return problems, dropped


def _either(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


def _kinds(type_: Any) -> dict[str, Any]:
    """Dataclass by kind, where a type is one of several dataclasses told apart by their `kind`; {} where it is not."""
    options = [option for option in typing.get_args(type_) if dataclasses.is_dataclass(option)]
    if len(options) < 2:
        return {}
    return {typing.get_args(typing.get_type_hints(option)["kind"])[0]: option for option in options}


def _read_durations(document: Document, value: dict[str, Any]) -> tuple[list[Problem], list[Path]]:
    """Turn what people write into timedeltas, in place."""
    problems: list[Problem] = []
    dropped: list[Path] = []
    for path in document.lines:
        if _type_at(path, value) is timedelta:
            parent = _at(value, path[:-1])
            try:
                parent[path[-1]] = durations.parse(str(parent[path[-1]]))
            except ValueError:
                problems.append(document.problem(path, *_IN_WORDS["time_delta"]))
                dropped.append(path)
    return problems, dropped


def _explain(document: Document, path: Path, detail: ErrorDetails, value: Mapping[str, Any]) -> Problem:
    kind = detail["type"]
    if kind == _UNKNOWN:
        return _explain_unknown(document, path, value)
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


def _explain_unknown(document: Document, path: Path, value: Mapping[str, Any]) -> Problem:
    allowed = [field.name for field in dataclasses.fields(_type_at(path[:-1], value) or Catalog)]
    nearest = difflib.get_close_matches(str(path[-1]), allowed, 1)
    mend = f"{nearest[0]}?" if nearest else f"one of {', '.join(allowed)}"
    return document.problem(path, "is not known here", mend)


def _path(detail: ErrorDetails, value: Mapping[str, Any]) -> Path | None:
    """Without the wrapper's index, and without the class that pydantic tried; None: about a kind that is not meant."""
    path: Path = ()
    for key in detail["loc"][1:]:
        kinds = _kinds(_type_at(path, value, whole=True))
        if key in {option.__name__ for option in kinds.values()}:
            if _type_at(path, value).__name__ != key:
                return None
        else:
            path = (*path, key)
    return path


def _type_at(path: Path, value: Any, *, whole: bool = False) -> Any:
    """The type that the catalog has at this path; None where it has none.

    Args:
        value: what was written: its `kind` chooses one of several dataclasses. whole: do not choose the last one.
    """
    here: Any = Catalog
    for end, key in enumerate(path):
        here = _plain(here, _at(value, path[:end]))
        if dataclasses.is_dataclass(here):
            here = typing.get_type_hints(here).get(str(key))
        elif typing.get_origin(here) is Mapping:
            here = typing.get_args(here)[1]
        elif typing.get_origin(here) is tuple:
            here = typing.get_args(here)[0]
        else:
            return None
    return here if whole else _plain(here, _at(value, path))


def _plain(type_: Any, value: Any) -> Any:
    """X of `X | None`; of several kinds the one that `value` says."""
    if not isinstance(type_, types.UnionType) and typing.get_origin(type_) is not typing.Union:
        return type_
    if kinds := _kinds(type_):
        kind = value.get("kind") if isinstance(value, dict) else None
        return kinds.get(kind) if isinstance(kind, str) else None
    return next(option for option in typing.get_args(type_) if option is not types.NoneType)


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
