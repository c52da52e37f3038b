"""`reliability settings`: every setting, for people and (`--markdown`) for docs/settings.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.errors import InvalidConfiguration
from bot.settings import Setting, Settings, all_settings, shown

_INTRODUCTION = """\
# Settings

Everything is set by environment variables; an unknown `RELIABILITY_…` refuses to start. Durations are written `5s`,
`2m` or ISO 8601 (`PT5S`). Written by `reliability settings --markdown`: change the fields, not this table.

| name | default | meaning |
| --- | --- | --- |"""


def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the table of docs/settings.md.")] = False,
) -> None:
    """Show every setting: what it is now, its default and its meaning. Secrets are never shown."""
    if markdown:
        typer.echo(as_markdown())
        return
    try:
        now, complaint = Settings.from_environment(), None
    except InvalidConfiguration as error:
        now, complaint = None, error
    table = Table("name", "now", "default", "meaning")
    for setting in all_settings():
        value = _value(setting, now) if now else ""
        table.add_row(setting.name, value, _default(setting), _meaning(setting))
    Console(highlight=False).print(table)
    if complaint:
        raise complaint


def as_markdown() -> str:
    """The whole of docs/settings.md."""
    rows = (
        f"| `{setting.name}` | {_code(_default(setting))} | {_meaning(setting, _code)} |" for setting in all_settings()
    )
    return "\n".join((_INTRODUCTION, *rows))


def _value(setting: Setting, now: Settings) -> str:
    value = setting.value_in(now)
    if setting.is_secret and value != setting.default:
        return "(set)"
    return shown(value) if value != setting.default else ""


def _default(setting: Setting) -> str:
    return shown(setting.default)


def _meaning(setting: Setting, code: Callable[[str], str] = str) -> str:
    example = setting.example if setting.example != _default(setting) else ""
    return f"{setting.field.description}{f' Such as {code(example)}' if example else ''}"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
