"""Composition root: settings in, a running bot out.

One straight-line function builds everything from left to right, one AsyncExitStack closes it in reverse, one TaskGroup
owns the loops. Nothing else in the bot builds its own dependencies.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import CodeType

import aiohttp
from aiohttp import web
from dbos import DBOS, DBOSConfig
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import text

from bot import catalog
from bot.act.cloud_run import CloudRun
from bot.act.dry_run import DryRun
from bot.act.health import check_health
from bot.act.runner import Runner
from bot.act.runners.cloud_run_job import CloudRunJobs
from bot.act.runners.github_actions import GitHubActions
from bot.act.runners.github_api import GitHubApi
from bot.act.runners.local import LocalProcess, default_state
from bot.deps import Deps
from bot.errors import InvalidConfiguration
from bot.gcp.clients import Clients, open_clients
from bot.gcp.logging import count_requests, read_entries, read_errors
from bot.gcp.monitoring import read_traffic
from bot.ingest.http import routes as ingest_routes
from bot.ingest.keys import SigningKeys
from bot.ingest.test_run import routes as test_run_routes
from bot.notify.config import SlackConfig
from bot.notify.console import ConsoleNotifier
from bot.notify.directory import Directory
from bot.notify.slack import SlackNotifier, slack_client
from bot.notify.slack_errors import FAILURES, code_of
from bot.settings import Settings
from bot.store.database import Database
from bot.store.inbox import DatabaseInbox
from bot.store.run_inbox import DatabaseRunInbox
from bot.store.upgrade import upgrade
from bot.workflows.deliver import Deliverer
from bot.workflows.engine import Engine
from bot.workflows.look import Looker
from bot.workflows.sweep import pick_up, start_events, sweep_for_ever, sweep_once
from commands.command import Desk
from commands.slack import slack_app, slack_routes, socket_mode

log = logging.getLogger(__name__)

WORKFLOW_VERSION = "1"
"""Pinned: workflows of an older release are resumed by a newer one. Changes go behind `DBOS.patch_async`."""


REFUSED_TOKEN = frozenset(
    {
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        *("not_allowed_token_type", "missing_scope"),
    }
)
"""Slack's codes for: this token will never do."""


@dataclass
class Bot:
    """A built bot. `ready` turns True once everything that waits is being looked after."""

    settings: Settings
    deps: Deps
    engine: Engine
    looker: Looker
    deliverer: Deliverer
    web: web.Application
    ready: bool = False

    async def run(self) -> None:
        """Serve until cancelled."""
        runner = web.AppRunner(self.web, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            await _listen(runner, self.settings.host, self.settings.port)
            picked_up = await pick_up(self.deps, self.engine)
            log.info("bot.started", extra={"port": runner.addresses[0][1], "picked_up": picked_up})
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.deliverer.run())
                once = partial(sweep_once, self.deps, self.engine, self.looker)
                tasks.create_task(sweep_for_ever(once, self.deps.watch.sweep_every))
                self.ready = True
        finally:
            self.ready = False
            await runner.cleanup()


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[Bot]:
    """Everything the bot is made of, opened; closed in reverse at the end.

    Raises:
        InvalidConfiguration: the catalog, the credentials or the settings do not do; nothing was started.
    """
    settings.require_slack()
    known = catalog.load(settings.catalog)
    async with AsyncExitStack() as stack:
        db = Database(settings.database.async_url)
        stack.push_async_callback(db.close)
        await upgrade(db)
        clients = await open_clients(settings.google)
        stack.push_async_callback(clients.close)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        slack = slack_client(settings.slack)
        await _check_tokens(slack, settings.slack)
        woken = asyncio.Event()
        deps = Deps(
            db=db,
            catalog=known,
            count_requests=partial(count_requests, clients),
            read_entries=partial(read_entries, clients, platform_texts=True),
            read_errors=partial(read_errors, clients),
            read_traffic=partial(read_traffic, clients),
            target=DryRun(clients) if settings.dry_run else CloudRun(clients),
            notifiers=(SlackNotifier(slack, settings.slack), ConsoleNotifier()),
            members=Directory(slack).members,
            check_health=partial(check_health, http, deadline=settings.google.timeout),
            now=_now,
            wake_outbox=woken.set,
            watch=settings.watch,
            dry_run=settings.dry_run,
            runners=_runners(settings, http, clients),
        )
        looker = Looker(deps)
        DBOS(config=_dbos_config(settings))
        engine = Engine(deps, looker)
        DBOS.launch()
        stack.push_async_callback(_stop_workflows)
        server = web.Application(client_max_size=2 * 1024 * 1024)
        bot = Bot(settings, deps, engine, looker, Deliverer(deps, woken), server)
        server.add_routes([web.get("/health", _health), web.get("/ready", partial(_ready, bot))])
        inbox = DatabaseInbox(db, known, _now)
        server.add_routes(
            ingest_routes(
                settings,
                inbox,
                partial(start_events, engine),
                _now,
                SigningKeys(http, settings.pubsub.certs_url),
            )
        )
        runs = DatabaseRunInbox(db, inbox, _now)
        server.add_routes(test_run_routes(settings.webhook, runs, known.suites, engine.start_run, _now))
        await _listen_to_slack(stack, settings, slack, Desk(deps, engine.start_rollback, engine.start_rerun), server)
        yield bot


def _runners(settings: Settings, http: aiohttp.ClientSession, clients: Clients) -> dict[str, Runner]:
    """Kind of the catalog → what runs it; GitHub only with a token."""
    runs = settings.rerun.directory or default_state()
    runners: dict[str, Runner] = {
        "local": LocalProcess(settings.catalog.absolute().parent, runs.absolute()),
        "cloud_run_job": CloudRunJobs(clients, _now),
    }
    config = settings.github
    if config.token is not None:
        runners["github_actions"] = GitHubActions(GitHubApi(http, config.token, config.api_url, config.timeout), _now)
    return runners


async def _check_tokens(client: AsyncWebClient, config: SlackConfig) -> None:
    """A token that Slack refuses is said now: afterwards the bot could tell nobody. A Slack that is away is no reason.

    Raises:
        InvalidConfiguration: names the variable, never its value.
    """
    await _check_token(client.auth_test, "SLACK_BOT_TOKEN", "OAuth & Permissions, Bot User OAuth Token (xoxb-…)")
    if config.app_token:
        ask = partial(client.apps_connections_open, app_token=config.app_token.get_secret_value())
        mend = "Basic Information, App-Level Tokens (xapp-…, with connections:write)"
        await _check_token(ask, "SLACK_APP_TOKEN", mend)


async def _check_token(ask: Callable[[], Awaitable[object]], variable: str, where: str) -> None:
    try:
        await ask()
    except FAILURES as error:
        code = code_of(error)
        if code in REFUSED_TOKEN:
            raise InvalidConfiguration(
                f"{variable}: Slack does not take this token ({code}); copy the current one from the app's page → {where}"
            ) from error
        log.warning("slack.token_not_checked", extra={"variable": variable, "why": code or type(error).__name__})


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        mend = "choose another port with PORT (0 picks a free one), or another address with RELIABILITY_HOST"
        raise InvalidConfiguration(f"Cannot listen on {host}:{port}: {_reason(error)}; {mend}") from error


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)


async def _listen_to_slack(
    stack: AsyncExitStack, settings: Settings, client: AsyncWebClient, desk: Desk, server: web.Application
) -> None:
    """Socket Mode when there is an app token, signed HTTP otherwise."""
    config = settings.slack
    secret = None if config.app_token else config.signing_secret
    app = slack_app(client, signing_secret=secret.get_secret_value() if secret else None, desk=desk)
    if config.app_token:
        await stack.enter_async_context(socket_mode(app, config.app_token.get_secret_value()))
    else:
        server.add_routes(slack_routes(app))


def _dbos_config(settings: Settings) -> DBOSConfig:
    return {
        "name": "reliability",
        "system_database_url": settings.database.dbos_url,
        "application_version": WORKFLOW_VERSION,
        "executor_id": "reliability",
        "log_level": "ERROR",
        "notification_listener_polling_interval_sec": 0.1,
        "scheduler_polling_interval_sec": 3600.0,
    }


async def _stop_workflows() -> None:
    """End running workflows where they are: they stay PENDING and the next start resumes them.

    They are cancelled before anything they use is closed: a closed client would look to them like an answer.
    """
    running = [task for task in asyncio.all_tasks() if _is_workflow(task)]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await asyncio.to_thread(DBOS.destroy)


def _is_workflow(task: asyncio.Task[object]) -> bool:
    code: CodeType | None = getattr(task.get_coro(), "cr_code", None)
    return code is not None and code.co_name == "_execute_workflow_async"


async def _health(request: web.Request) -> web.Response:
    del request
    return web.json_response({"status": "alive"})


async def _ready(bot: Bot, request: web.Request) -> web.Response:
    """200 when the database answers and the loops run, else 503 with why."""
    del request
    try:
        async with bot.deps.db.read() as session:
            await session.execute(text("SELECT 1"))
    except Exception as error:
        log.warning("ready.database", exc_info=error)
        return web.json_response({"status": "not ready", "why": "the database does not answer"}, status=503)
    if not bot.ready:
        return web.json_response({"status": "not ready", "why": "starting or stopping"}, status=503)
    return web.json_response({"status": "ready", "dry_run": bot.deps.dry_run})


def _now() -> datetime:
    return datetime.now(UTC)
