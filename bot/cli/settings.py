"""`reliability settings`: every setting with its name, value and meaning; `--markdown` writes docs/settings.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.settings import Setting, Settings

_HEAD = """\
# Settings

All of them come from the environment, and each is checked when the bot starts: a wrong value, or a misspelt
`RELIABILITY_…`, starts nothing. Durations are ISO 8601 (`PT5S`), short (`5s`, `2m`) or plain seconds. Written by
`reliability settings --markdown > docs/settings.md`; `reliability settings` shows what is set now, without secrets.
"""
_TITLES = {
    "": "The bot",
    "slack": "Slack",
    "google": "Google Cloud",
    "pubsub": "Deploys from Cloud Run's audit log",
    "webhook": "Deploys from a pipeline",
    "database": "Database",
    "watch": "How often it looks, how long it waits",
    "rerun": "Reruns of test suites",
    "github": "Reruns by GitHub Actions",
}


def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the reference, without values.")] = False,
) -> None:
    """Show every setting: its name, what it is now, and what it means."""
    from bot.errors import InvalidConfiguration
    from bot.settings import Settings

    if markdown:
        print(reference(), end="")
        return
    try:
        current = Settings.from_environment()
    except InvalidConfiguration:
        _print_table(None)  # what is right helps to mend what is wrong
        raise
    _print_table(current)


def reference() -> str:
    """The content of docs/settings.md."""
    parts = [_HEAD]
    for title, section in _sections():
        rows = [f"| `{s.name}` | {_default(s)} | {_cell(s.field.description or '')} |" for s in section]
        parts.append("\n".join((f"## {title}", "", "| name | default | meaning |", "| --- | --- | --- |", *rows, "")))
    return "\n".join(parts)


def _sections() -> list[tuple[str, list[Setting]]]:
    from bot.settings import all_settings

    sections: dict[str, list[Setting]] = {title: [] for title in _TITLES.values()}
    for setting in all_settings():
        sections[_TITLES[setting.path[0] if len(setting.path) > 1 else ""]].append(setting)
    return list(sections.items())


def _default(setting: Setting) -> str:
    from bot.settings import shown

    default = shown(setting.default)
    if default:
        return f"`{_cell(default)}`"
    return f"– (such as `{_cell(setting.example)}`)" if setting.example else "–"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _print_table(current: Settings | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    for title, section in _sections():
        table = Table("name", "default" if current is None else "now", "meaning", title=title, title_justify="left")
        table.box = None
        table.columns[0].no_wrap = True
        table.columns[1].overflow = "fold"
        for setting in section:
            changed = current is not None and setting.value_in(current) != setting.default
            value = Text(_now(setting, current), style="bold" if changed else "dim")
            table.add_row(Text(setting.name), value, Text(setting.field.description or ""))
        console.print(table)


def _now(setting: Setting, current: Settings | None) -> str:
    """The value in words; of a secret only whether there is one."""
    from bot.settings import shown

    if current is None:
        return shown(setting.default) or "–"
    value = setting.value_in(current)
    if setting.is_secret and value != setting.default:
        return "(set)"
    return shown(value) or "–"
