"""The whole sandbox, composed: one port for Slack, console and keys; the local cloud; traffic; the bot beside it.

Read `run_world` from top to bottom: it builds, starts, announces, waits, and takes down in reverse. The bot is
ended first, while everything it talks to is still there.
"""

import asyncio
import contextlib
import itertools
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TextIO

from aiohttp import web

from bot.sandbox import identities
from bot.sandbox.bot_process import BOT_COMMAND, BotProcess, absent
from bot.sandbox.console import Console
from bot.sandbox.console.guard import add_headers, guard
from bot.sandbox.console.player import Player, UnknownScenario
from bot.sandbox.facts import Addresses, Facts, bot_environment, gather, new_webhook_secret
from bot.sandbox.local_google import LocalGoogle
from bot.sandbox.local_slack import ALL_BOT_SCOPES, LocalSlack, SlackOptions
from bot.sandbox.pipeline import Pipeline
from bot.sandbox.ports import PortTaken, open_console_port, reserved_port
from bot.sandbox.scenarios import SCENARIOS, Stage, Traffic, remember_minutes, set_up

PROJECT: Final = "acme-staging"
REGION: Final = "us-central1"
PUSH_SERVICE_ACCOUNT: Final = f"push@{PROJECT}.iam.gserviceaccount.com"
CATALOG: Final = Path(__file__).parents[2] / "reliability.yaml"
CLOUD_SECONDS: Final = 1.0  # between two looks at the services' live figures
LARGEST_BODY: Final = 16 << 20
LAST_ANSWERS_SECONDS: Final = 1.0  # what requests under way get when the server stops

Ready = Callable[[Facts, str], None]  # what there is, and where the bot's log is


class CannotStart(Exception):
    """Something that whoever started the sandbox can mend; the text says how."""


@dataclass(frozen=True)
class WorldOptions:
    """What to start.

    Attributes:
        port: of console and Slack; 0 picks a free one, None the usual one or else a free one.
        with_bot: False leaves the bot to somebody else, who joins with `Facts.environment`; whoever that is, its token
            has every scope and it is in every public channel.
        socket_mode: the bot connects to Slack instead of being called by it.
        scenario: played as soon as the bot is ready.
        speed: divides the scripts' pauses; never the bot's clock.
        seed: of the first play; each later one has the next, so that a story told again can go another way.
        database_url: the bot's database; None is SQLite in a directory that is gone afterwards.
        bot_log: where the bot's lines go; None is the file `bot.log` in that directory.
        bot_command: what runs as the bot; tests run something smaller.
    """

    port: int | None
    with_bot: bool = True
    socket_mode: bool = False
    scenario: str | None = None
    speed: float = 1.0
    seed: int = 0
    database_url: str | None = None
    bot_log: TextIO | None = None
    bot_command: Sequence[str] = BOT_COMMAND
    catalog: Path = CATALOG


async def run_world(options: WorldOptions, ready: Ready) -> None:
    """Run the sandbox until SIGINT or SIGTERM.

    Args:
        ready: called once, when everything (the bot included) can be used.

    Raises:
        CannotStart, BotFailedToStart: nothing is left running.
    """
    async with contextlib.AsyncExitStack() as closing:
        stop = closing.enter_context(stopped_by_signals())
        directory = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="reliability-sandbox-")))
        listening = closing.enter_context(console_port(options.port))
        at = Addresses(port=listening.getsockname()[1], bot_port=closing.enter_context(reserved_port()))

        slack = LocalSlack(
            request_url=None if options.socket_mode else at.slack_requests,
            base_url=at.base,
            options=SlackOptions() if options.with_bot else SlackOptions(bot_scopes=ALL_BOT_SCOPES),
        )
        if not options.with_bot:
            slack.workspace.join(slack.workspace.channel(identities.RANDOM.id), identities.APP.bot_user)
        closing.push_async_callback(slack.close)
        google = LocalGoogle(
            project=PROJECT,
            region=REGION,
            push_url=at.push,
            push_audience=at.push,
            push_service_account=PUSH_SERVICE_ACCOUNT,
        )
        await google.start()
        closing.push_async_callback(google.stop)
        await set_up(google)
        remember_minutes(google)
        traffic = Traffic(google)
        project, webhook_secret = directory / "project", new_webhook_secret()
        pipeline = Pipeline(project, at.bot, webhook_secret)
        seeds = itertools.count(options.seed)
        player = Player(SCENARIOS, lambda tell: Stage(google, traffic, tell, options.speed, pipeline, next(seeds)))
        check(player, options)
        pipeline.lay_out()
        catalog = Path(shutil.copy(options.catalog, project / "reliability.yaml"))

        console = Console(slack, player, google.snapshot)
        player.changed = console.scenarios_changed
        closing.callback(google.listen(lambda _: console.cloud_changed()))
        await closing.enter_async_context(served(listening, slack, google, console))

        facts = gather(slack, google, at, webhook_secret)
        environment = bot_environment(
            facts,
            at,
            socket_mode=options.socket_mode,
            database_url=options.database_url or f"sqlite:///{directory / 'reliability.sqlite3'}",
            catalog=catalog,
            runs=directory / "runs",
            push_service_account=PUSH_SERVICE_ACCOUNT,
        )
        bot_log = directory / "bot.log"
        output = options.bot_log or closing.enter_context(bot_log.open("a", encoding="utf-8"))
        bot = BotProcess(
            environment=environment,
            address=at.bot,
            tell=lambda status: console.bot_changed(status.as_json()),
            output=output,
            command=options.bot_command,
        )

        async with background(player.run(), traffic.run(), keep_cloud_current(console)):
            if not options.with_bot:
                console.bot_changed(absent(at.bot).as_json())
                ready(replace(facts, environment=environment), "")
                begin(player, options)
                await stop.wait()
                return
            console.bot = bot
            async with background(bot.run()):
                await first_of(bot.wait_until_ready(), stop.wait())
                if not stop.is_set():
                    ready(facts, str(bot_log) if options.bot_log is None else "")
                    begin(player, options)
                await stop.wait()


def check(player: Player[Any], options: WorldOptions) -> None:
    """What would only be noticed when everything runs is noticed before."""
    if not options.catalog.is_file():
        raise CannotStart(f"The example catalog is not at {options.catalog}; run from a checkout of the repository")
    if options.scenario is not None:
        try:
            player.find(options.scenario)
        except UnknownScenario as unknown:
            raise CannotStart(str(unknown)) from None


def begin(player: Player[Any], options: WorldOptions) -> None:
    if options.scenario is not None:
        player.play(options.scenario)


async def keep_cloud_current(console: Console) -> None:
    """Figures per second change by themselves; everything else is told at once."""
    while True:
        console.cloud_changed()
        await asyncio.sleep(CLOUD_SECONDS)


def console_port(port: int | None) -> contextlib.closing[socket.socket]:
    try:
        return contextlib.closing(open_console_port(port))
    except PortTaken as taken:
        raise CannotStart(str(taken)) from taken


@contextlib.asynccontextmanager
async def served(
    listening: socket.socket, slack: LocalSlack, google: LocalGoogle, console: Console
) -> AsyncIterator[None]:
    """The one HTTP server: console, Slack's API and links, and the keys of the pushes' tokens."""

    async def certs(_: web.Request) -> web.Response:
        return web.json_response(google.certs())

    app = web.Application(middlewares=[guard], client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(add_headers)
    app.add_routes([*console.routes(), *slack.routes(), web.get("/google/certs", certs)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=LAST_ANSWERS_SECONDS)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield
    finally:
        console.close()
        await runner.cleanup()


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for sent in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sent, stop.set)
    try:
        yield stop
    finally:
        for sent in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(sent)


@contextlib.asynccontextmanager
async def background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do this meanwhile; what fails there fails here, as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
            yield
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as failures:
        if len(failures.exceptions) > 1:
            raise
        raise failures.exceptions[0] from None


async def first_of(*work: Coroutine[Any, Any, Any]) -> None:
    """Return when one of these is done, and give up the others."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
