"""`reliability run`: the bot itself, until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import signal

from bot import logs
from bot.settings import Settings


def run() -> None:
    """Start the bot with the settings of the environment and serve until it is told to stop."""
    settings = Settings.from_environment()
    logs.set_up(settings.log_format)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    from bot.app import build

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with build(settings) as bot:
        serving = asyncio.create_task(bot.run())
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if serving in done:
            stopping.cancel()
            serving.result()  # it never ends by itself: this raises what ended it
            return
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
