"""`reliability replay --speed`: what a replay said, in the sandbox's Slack, at the pace at which it was said.

Only the local Slack and its console: no bot, no cloud, no traffic. Messages go through the real Slack notifier; buttons
do nothing, because nobody listens to them. In the console the replay is a scenario, which can be played again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.cli.words import say

if TYPE_CHECKING:
    from bot.notify.notifier import Outgoing
    from bot.notify.slack import SlackNotifier
    from bot.replay.drive import Replayed
    from bot.replay.said import Said

Tell = Callable[[str], None]

LONGEST_PAUSE_S = 10.0
"""Nobody watches a quiet night."""


def show(replayed: Replayed, pace: float) -> None:
    """Open the console, post, and stay until Ctrl+C.

    Args:
        pace: how many times as fast as it happened; infinity: without pauses.
    """
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_show(replayed, pace))


async def _show(replayed: Replayed, pace: float) -> None:
    from pydantic import SecretStr

    from bot.notify.config import SlackConfig
    from bot.notify.slack import SlackNotifier, slack_client
    from bot.notify.words import count
    from bot.sandbox import identities
    from bot.sandbox.console import Console
    from bot.sandbox.console.player import Player
    from bot.sandbox.local_google import LocalGoogle
    from bot.sandbox.local_slack import ALL_BOT_SCOPES, LocalSlack, SlackOptions
    from bot.sandbox.world import background, console_port, served, stopped_by_signals

    async with contextlib.AsyncExitStack() as closing:
        stop = closing.enter_context(stopped_by_signals())
        listening = closing.enter_context(console_port(None))
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        slack = LocalSlack(request_url=None, base_url=base, options=SlackOptions(bot_scopes=ALL_BOT_SCOPES))
        closing.push_async_callback(slack.close)
        place = replayed.places[0].deployment if replayed.places else None
        google = LocalGoogle(
            project=place.project if place else "replay",
            region=place.region if place else "replay",
            push_url=base,
            push_audience=base,
            push_service_account="replay@acme.example",
        )
        config = SlackConfig(bot_token=SecretStr(slack.bot_token), api_url=f"{base}/api/")
        notifier = SlackNotifier(slack_client(config), config)
        recorded = _Recorded(notifier, replayed.said, identities.AUTH_ALERTS.id, pace)
        player: Player[Tell] = Player((recorded,), lambda tell: tell)
        console = Console(slack, player, google.snapshot)
        player.changed = console.scenarios_changed
        await closing.enter_async_context(served(listening, slack, google, console))
        say(f"Watch it on {base}/ · {count(len(replayed.said), 'message')} · Ctrl+C ends it")
        async with background(player.run()):
            player.play(recorded.name)
            await stop.wait()


@dataclass(frozen=True)
class _Recorded:
    """The replay as the sandbox plays a scenario."""

    notifier: SlackNotifier
    said: Sequence[Said]
    channel: str
    pace: float
    name: str = "replay"
    title: str = "Replay"
    story: str = "What the bot would have posted about the recorded logs, at the pace at which it would have."

    async def play(self, tell: Tell) -> None:
        await _post(self.notifier, self.said, self.channel, self.pace, tell)


async def _post(notifier: SlackNotifier, said: Sequence[Said], channel: str, pace: float, tell: Tell) -> None:
    """Everything in order; threads and edits find the message that they belong to."""
    stamps: dict[str, str] = {}
    before: Said | None = None
    for each in said:
        if before is not None:
            await asyncio.sleep(min((each.at - before.at).total_seconds() / pace, LONGEST_PAUSE_S))
        before = each
        if not each.edited:
            tell(f"{each.at:%Y-%m-%d %H:%M:%S} UTC · {each.kind}")
        outgoing = replace(
            each.outgoing,
            channel=channel,
            thread_ts=stamps.get(each.thread),
            edit_ts=stamps.get(each.id) if each.edited else None,
        )
        stamps[each.id] = await _posted(notifier, outgoing)
    tell("That was all.")


async def _posted(notifier: SlackNotifier, outgoing: Outgoing) -> str:
    """The message's time stamp, as soon as Slack takes it."""
    from bot.errors import Retryable

    while True:
        try:
            return (await notifier.notify(outgoing)).ts
        except Retryable as busy:
            await asyncio.sleep(busy.retry_after or 1.0)
