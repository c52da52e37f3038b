"""`reliability sandbox`: a local Slack, a local Google Cloud, the bot and a web console, in one command."""

import asyncio
import json
import shlex
import sys
import webbrowser
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.sandbox.ports import DEFAULT_PORT

if TYPE_CHECKING:
    from bot.sandbox.facts import Facts
    from bot.sandbox.world import Ready, WorldOptions

HUMAN_ERROR: Final = 2  # the exit code when whoever typed the command can mend it
BOT_FAILED: Final = 1


def sandbox(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON when all is ready: for scripts.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Of console and local Slack; 0 picks a free one.",
            show_default=f"{DEFAULT_PORT}, or a free one if that is taken",
        ),
    ] = None,
    bot: Annotated[bool, typer.Option("--bot/--no-bot", help="Run the bot too, or leave that to you.")] = True,
    scenario: Annotated[str | None, typer.Option(metavar="NAME", help="Play it as soon as the bot is ready.")] = None,
    speed: Annotated[
        float, typer.Option(min=0.01, max=1000, help="Divides the pauses of scenarios; the bot's clock stays real.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Which way a story goes that can go several.")] = 0,
    socket_mode: Annotated[bool, typer.Option("--socket-mode/--http", help="How Slack reaches the bot.")] = False,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="The bot's database; SQLite, forgotten at the end, if not given.")
    ] = None,
    open_console: Annotated[bool, typer.Option("--open", help="Open the console in a browser.")] = False,
) -> None:
    """Try the bot without a Slack or Google account: all of it runs on this computer."""
    from bot.sandbox.world import WorldOptions  # here, so that the other subcommands start without gRPC

    options = WorldOptions(
        port=port,
        with_bot=bot,
        socket_mode=socket_mode,
        scenario=scenario,
        speed=speed,
        seed=seed,
        database_url=database,
        bot_log=sys.stderr if as_json else None,
    )
    if as_json:
        run(options, print_json)
        return
    with Console(stderr=True).status("Starting the local Slack, the local Google Cloud and the bot…") as status:

        def show(facts: "Facts", bot_log: str) -> None:
            status.stop()
            if port is None and facts.console != usual_console():
                print(f"Port {DEFAULT_PORT} is taken: the console is on a free one. --port N chooses.")
            print_panel(facts, bot_log)
            if open_console:
                webbrowser.open(facts.console)

        run(options, show)


def run(options: "WorldOptions", ready: "Ready") -> None:
    """Run the world until somebody stops it; failures that a person can mend become words and an exit code."""
    from bot.sandbox.bot_process import BotFailedToStart
    from bot.sandbox.world import CannotStart, run_world

    try:
        asyncio.run(run_world(options, ready))
    except CannotStart as failure:
        refuse(str(failure), HUMAN_ERROR)
    except BotFailedToStart as failure:
        refuse(f"The bot did not start: it {failure}", BOT_FAILED)


def refuse(text: str, code: int) -> None:
    Console(stderr=True).print(Text.assemble(("Error: ", "bold red"), text), soft_wrap=True)
    raise typer.Exit(code)


def usual_console() -> str:
    from bot.sandbox.facts import Addresses

    return f"{Addresses(port=DEFAULT_PORT, bot_port=0).base}/"


def print_json(facts: "Facts", _bot_log: str) -> None:
    print(json.dumps(facts.as_json()), flush=True)


def print_panel(facts: "Facts", bot_log: str) -> None:
    """What a person needs: where to look, what to try."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    rows.add_row("Console", Text(facts.console, style=f"bold cyan link {facts.console}"))
    rows.add_row("", "")
    rows.add_row("Try", "Play [bold]bad-release[/]: a deploy takes sign-in down, and a P0 card appears")
    rows.add_row("", "Become [bold]Avery[/], the approver, and press [bold]Approve rollback[/]")
    rows.add_row("", "Type [bold]/reliability status[/]")
    rows.add_row("", "")
    if facts.environment:
        rows.add_row("Your bot", f"is awaited on port {facts.environment['PORT']}, with the environment below")
    else:
        rows.add_row("Bot", f"{facts.bot}  its log: {bot_log}")
    rows.add_row("Google", f"{facts.google_grpc} (gRPC, no TLS), project {facts.project}, {facts.region}")
    panel = Panel(rows, title="Reliability sandbox", subtitle="Ctrl-C stops all of it", expand=False, padding=(1, 2))
    Console().print(panel)
    for name, value in facts.environment.items():
        print(f"export {name}={shlex.quote(value)}")
