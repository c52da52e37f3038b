"""The `reliability` command: one module per subcommand, put together here.

Modules import what is heavy (pydantic, SQLAlchemy, gRPC) inside their functions, so that `--help` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli import catalog, db, judge, manifest, replay, sandbox, send, settings

__all__ = ["app"]

app = typer.Typer(
    name="reliability",
    help="A chat-ops reliability bot for Google Cloud Run.",
    epilog="No account at hand? `reliability sandbox` brings its own Slack and Google Cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"reliability {version('reliability-bot')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def _run() -> None:
    """Run the bot with the settings of the environment, until SIGINT or SIGTERM."""
    from bot.cli.run import run

    run()


app.command("run")(_run)
app.command("sandbox")(sandbox.sandbox)
app.command("judge")(judge.judge)
app.command("replay")(replay.replay)
app.add_typer(catalog.app, name="catalog")
app.command("settings")(settings.settings)
app.command("manifest")(manifest.manifest)
app.add_typer(send.app, name="send")
app.add_typer(db.app, name="db")
