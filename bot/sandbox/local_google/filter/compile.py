"""Turn a parsed query into a function of a log entry.

Text compares without regard to case, except regular expressions. A comparison with a missing field is false, `!=` too;
put NOT in front to ask for absence. Not imitated: RE2's own syntax (Python's `re` is used) and the word index of
`SEARCH`; a bare term is looked for as a substring of any field.
"""

import operator as operators
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias, assert_never

from google.cloud.logging_v2 import types
from google.protobuf.descriptor import FieldDescriptor

from bot.sandbox.local_google.filter.fields import check_path, leaves, values
from bot.sandbox.local_google.filter.parser import parse
from bot.sandbox.local_google.filter.syntax import And, Comparison, LogId, Node, Not, Or, Text
from bot.sandbox.local_google.refusals import invalid

Test: TypeAlias = Callable[[Any], bool]

_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}
_SEVERITIES: Final = types.LogEntry.pb().DESCRIPTOR.fields_by_name["severity"].enum_type.values_by_name
_SECONDS: Final = re.compile(r"(-?\d+(?:\.\d+)?)\s*(ms|us|ns|s|m|h)?\Z")
_UNIT: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, None: 10**9}
_FRACTION: Final = re.compile(r"\.(\d+)")


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled query.

    Attributes:
        matches: whether an entry (raw protobuf) satisfies it.
        earliest, latest: inclusive bounds in nanoseconds that every match keeps, None = unbounded: lets a store skip.
    """

    matches: Test
    earliest: int | None = None
    latest: int | None = None


def compile_filter(query: str) -> Filter:
    """Parse, check against the LogEntry type, and compile.

    Raises:
        Refusal: INVALID_ARGUMENT, in the words of the real service where they are known.
    """
    tree = parse(query)
    earliest, latest = _bounds(tree)
    return Filter(_compile(tree), earliest, latest)


def nanoseconds(moment: str) -> int:
    """RFC 3339 (date alone allowed, no zone = UTC) to nanoseconds since the epoch.

    Raises:
        Refusal: INVALID_ARGUMENT, not a time stamp.
    """
    fraction = _FRACTION.search(moment)
    digits = (fraction.group(1) if fraction else "")[:9].ljust(9, "0")
    try:
        whole = datetime.fromisoformat(_FRACTION.sub("", moment, count=1))
    except ValueError:
        raise invalid(f"Invalid timestamp value: '{moment}'. Use the RFC 3339 format.") from None
    aware = whole if whole.tzinfo else whole.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * 10**9 + int(digits)


def _compile(node: Node) -> Test:
    match node:
        case And(parts):
            tests = tuple(_compile(part) for part in parts)
            return lambda entry: all(test(entry) for test in tests)
        case Or(parts):
            tests = tuple(_compile(part) for part in parts)
            return lambda entry: any(test(entry) for test in tests)
        case Not(part):
            test = _compile(part)
            return lambda entry: not test(entry)
        case Text(value):
            wanted = value.casefold()
            return lambda entry: any(wanted in leaf.casefold() for leaf in leaves(entry))
        case LogId(value):
            ending = "/logs/" + value.replace("/", "%2F")
            return lambda entry: bool(entry.log_name.endswith(ending))
        case Comparison():
            return _comparison(node)
        case _:
            assert_never(node)


def _comparison(node: Comparison) -> Test:
    leaf = check_path(node.path)
    path = node.path
    if node.operator == ":" and node.value == "*" and not node.quoted:
        return lambda entry: any(_present(value) for value in values(entry, path))
    if node.operator in {"=~", "!~"}:
        return _pattern(node)
    test = _typed(node, leaf) or _free(node)
    if node.operator == "!=":  # of several values none may be equal; of none the comparison is false
        return lambda entry: bool(found := list(values(entry, path))) and all(test(value) for value in found)
    return lambda entry: any(test(value) for value in values(entry, path))


def _present(value: Any) -> bool:
    return bool(value) if isinstance(value, (str, bytes, int, float, bool)) else True


def _pattern(node: Comparison) -> Test:
    try:
        pattern = re.compile(node.value)
    except re.error as error:
        raise invalid(f"Invalid regular expression: '{node.value}': {error}.") from None
    path, wanted = node.path, node.operator == "=~"

    def test(entry: Any) -> bool:
        found = [text for value in values(entry, path) for text in _texts(value)]
        if wanted:
            return any(pattern.search(text) for text in found)
        return bool(found) and not any(pattern.search(text) for text in found)

    return test


def _typed(node: Comparison, leaf: FieldDescriptor | None) -> Test | None:
    """A test for severity, time stamps, durations, numbers and flags of the LogEntry type; None for other fields."""
    if leaf is None:
        return None
    compare = _ORDER["=" if node.operator == ":" else node.operator]
    message = leaf.message_type.full_name if leaf.message_type is not None else ""
    if message in {"google.protobuf.Timestamp", "google.protobuf.Duration"}:
        moment = nanoseconds(node.value) if message.endswith("Timestamp") else _duration(node.value)
        return lambda value: compare(value.ToNanoseconds(), moment)
    if leaf.cpp_type in {FieldDescriptor.CPPTYPE_STRING, FieldDescriptor.CPPTYPE_MESSAGE}:
        return None
    wanted: float | None
    if leaf.enum_type is not None:
        wanted = _severity(node.value)
    elif leaf.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        wanted = node.value.casefold() == "true"
    else:
        wanted = _number(node.value)
    if wanted is None:
        raise invalid(f"Invalid value for numeric field '{'.'.join(node.path)}': '{node.value}'.")
    return lambda value: compare(value, wanted)


def _free(node: Comparison) -> Test:
    """A test for text and for payload values, whose type only the entry knows."""
    wanted, number = node.value.casefold(), _number(node.value)
    if node.operator == ":":
        return lambda value: any(wanted in text.casefold() for text in _texts(value))
    compare = _ORDER[node.operator]

    def test(value: Any) -> bool:
        if isinstance(value, bool):
            return compare("true" if value else "false", wanted)
        if isinstance(value, (int, float)):
            return number is not None and compare(value, number)
        return any(compare(text.casefold(), wanted) for text in _texts(value)) if isinstance(value, str) else False

    return test


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, (int, float)):
        return [str(int(value)) if float(value).is_integer() else str(value)]
    return list(leaves(value)) if hasattr(value, "DESCRIPTOR") else [str(value)]


def _severity(name: str) -> int:
    if (known := _SEVERITIES.get(name.upper())) is not None:
        return int(known.number)
    if name.isdigit():
        return int(name)
    raise invalid(f"Invalid enum value for field 'severity': '{name}'.")


def _duration(text: str) -> int:
    match = _SECONDS.match(text)
    if not match:
        raise invalid(f"Invalid duration value: '{text}'.")
    return round(float(match.group(1)) * _UNIT[match.group(2)])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _bounds(node: Node) -> tuple[int | None, int | None]:
    """The window that the conjunction at the top imposes on `timestamp`."""
    earliest: int | None = None
    latest: int | None = None
    for part in node.parts if isinstance(node, And) else (node,):
        if isinstance(part, And):
            low, high = _bounds(part)
        elif (
            isinstance(part, Comparison)
            and part.path == ("timestamp",)
            and part.operator in {"=", ">", ">=", "<", "<="}
        ):
            moment = nanoseconds(part.value)
            low = moment if part.operator in {"=", ">", ">="} else None
            high = moment if part.operator in {"=", "<", "<="} else None
        else:
            continue
        earliest = low if earliest is None else max(earliest, low if low is not None else earliest)
        latest = high if latest is None else min(latest, high if high is not None else latest)
    return earliest, latest
