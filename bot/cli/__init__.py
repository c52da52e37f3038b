"""The `reliability` command: one subcommand each in a module of this folder, imported only when it is used.

run            the bot itself
sandbox        local Slack, local Google Cloud, the bot and a web console
catalog check  is reliability.yaml right?
manifest       the Slack app to create
send deploy    tell a bot about a deploy, from a pipeline
db upgrade     bring the database to this release
settings       every setting, its default and its meaning
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

# name → ("module:function or Typer", one line of help)
COMMANDS = {
    "run": ("bot.cli.run:run", "Run the bot with the settings of the environment."),
    "sandbox": ("bot.cli.sandbox:sandbox", "Try it: a local Slack, a local Google Cloud, the bot and a web console."),
    "catalog": ("bot.cli.catalog:app", "Check reliability.yaml."),
    "manifest": ("bot.cli.manifest:manifest", "Print the manifest of the Slack app to create."),
    "send": ("bot.cli.send:app", "Tell a bot about a deploy, from a pipeline."),
    "db": ("bot.cli.db:app", "Bring the database to this release."),
    "settings": ("bot.cli.settings:settings", "Show every setting, its default and its meaning."),
}


class Later(TyperCommand):
    """Stands for a command until it is used: `--help` and the small commands need not import Google and Slack."""

    def __init__(self, name: str, target: str, help_line: str) -> None:
        super().__init__(name, help=help_line)
        self._target = target

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """The real command's context: from here on the placeholder is out of the game."""
        return self._load().make_context(*args, **kwargs)

    def _load(self) -> Any:
        module, _, attribute = self._target.partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
        alone.command(self.name)(found)
        return typer.main.get_command(alone)


_options = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich"
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reliability {version('reliability-bot')}")
        raise typer.Exit


@_options.callback()
def _reliability(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Which Cloud Run deploy did it, what does it cost, who decides, and is it really fixed: in Slack."""
    del show_version


app = typer.main.get_group(_options)
for _name, (_target, _help) in COMMANDS.items():
    app.add_command(Later(_name, _target, _help))
