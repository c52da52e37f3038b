"""The tree of a Logging query: what the parser builds and the compiler reads."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", ":", "=~", "!~"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator value`; `value` is the text without quotes, `*` unquoted after `:` asks for presence."""

    path: tuple[str, ...]
    operator: Operator
    value: str
    quoted: bool = True


@dataclass(frozen=True, slots=True)
class Text:
    """A bare word or phrase: found anywhere in the entry."""

    value: str


@dataclass(frozen=True, slots=True)
class LogId:
    """`log_id("…")`: the part of logName after `/logs/`, decoded."""

    value: str


@dataclass(frozen=True, slots=True)
class Not:
    """Negation; a leading `-` means the same."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All parts; no parts at all is the empty filter, which matches every entry."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the parts; binds tighter than AND in this language."""

    parts: tuple["Node", ...]


Node: TypeAlias = Comparison | Text | LogId | Not | And | Or
