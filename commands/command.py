"""The contract of what people type and press.

A slash subcommand is one `Command`, a button one `Action`; each lives in a file of its own and is listed in
`commands/__init__.py`. Routing, parsing, help and usage errors come from these values.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_type_hints

from bot.deps import Deps
from bot.errors import UserError


@dataclass(frozen=True)
class Desk:
    """What commands work with: the bot's dependencies and the workflows that they can start, by plan or rerun id."""

    deps: Deps
    start_rollback: Callable[[str], Awaitable[None]]
    start_rerun: Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Ask:
    """Who asks where. `user` and `channel` are Slack ids."""

    user: str
    channel: str


@dataclass(frozen=True)
class Reply:
    """What is answered: a template with its context, seen by everybody or only by who asked (the default)."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    to_everybody: bool = False


class NoArgs(NamedTuple):
    """A subcommand that takes no words."""


@dataclass(frozen=True)
class Command:
    """A slash subcommand.

    Attributes:
        args: a NamedTuple class of `str` fields; a field with a default may be left out; the last one takes the rest.
        run: (ask, args, desk) → Reply; raises UserError with what to type instead.
        at_once: said to who asked before a `run` that takes its time; "" where the answer itself comes at once.
    """

    name: str
    summary: str
    args: type[tuple[Any, ...]]
    run: Callable[[Ask, Any, Desk], Awaitable[Reply]]
    at_once: str = ""

    @property
    def usage(self) -> str:
        """`/reliability status [service]`"""
        defaults = getattr(self.args, "_field_defaults", {})
        words = [f"[{name}]" if name in defaults else f"<{name}>" for name in get_type_hints(self.args)]
        return " ".join(["/reliability", self.name, *words])

    def parse(self, words: list[str]) -> tuple[Any, ...]:
        """The words after the subcommand as `args`.

        Raises:
            UserError: too few or too many words; the text is the usage.
        """
        names = list(get_type_hints(self.args))
        required = len(names) - len(getattr(self.args, "_field_defaults", {}))
        if not required <= len(words) <= len(names):
            raise UserError(f"Usage: `{self.usage}`")
        return self.args(*words)


@dataclass(frozen=True)
class Action:
    """A button. `run`: (ask, value of the button, desk) → Reply, or None where the card itself is the answer."""

    id: str
    run: Callable[[Ask, str, Desk], Awaitable[Reply | None]]
