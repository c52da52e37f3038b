"""`reliability run`: the bot itself, until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from bot import logs
from bot.cli.db import first_line, without_secrets
from bot.errors import InvalidConfiguration, ReliabilityError
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.app import Bot


def run() -> None:
    """Start the bot with the settings of the environment and serve until it is told to stop."""
    settings = Settings.from_environment()
    logs.set_up(settings.log_format)
    try:
        asyncio.run(_serve(settings))
    except ExceptionGroup as group:
        # A refusal that left through a TaskGroup; anything else is a bug and keeps its traceback.
        for error in leaves(group):
            if isinstance(error, ReliabilityError):
                raise error from group
        raise


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        bot = await _build(stack, settings)
        serving = asyncio.create_task(bot.run())
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if serving in done:
            stopping.cancel()
            serving.result()  # it never ends by itself: this raises what ended it
            return
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def _build(stack: AsyncExitStack, settings: Settings) -> Bot:
    """The built bot, closed with `stack`.

    Raises:
        InvalidConfiguration: also for a database that does not answer or cannot be opened.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from bot.app import build

    try:
        return await stack.enter_async_context(build(settings))
    except SQLAlchemyError as error:
        where = without_secrets(settings.database.async_url)
        raise InvalidConfiguration(
            f"The database {where} cannot be used: {first_line(error)}; see that it runs, or correct DATABASE_URL"
        ) from error


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Every exception in the group, however deep."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error
