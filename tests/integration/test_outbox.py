"""What is stored as "to be said" reaches Slack: once, in order, newest state, through every weather. On both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from support.desk import desk, local_google
from support.values import incident, plan

from bot.deps import Deps
from bot.model.incident import IncidentState
from bot.notify.config import SlackConfig
from bot.notify.console import ConsoleNotifier
from bot.notify.slack import SlackNotifier, slack_client
from bot.sandbox.local_slack import LocalSlack, SlackOptions
from bot.store import incidents, messages
from bot.store.database import Database
from bot.workflows.deliver import Deliverer

CHANNEL, CLOSED = "C0AUTHOPS01", "C0RANDOM001"


@dataclass
class Post:
    """An outbox and the Slack it delivers to; `clock` is what the bot thinks the time is."""

    deps: Deps
    slack: LocalSlack
    skipped: timedelta = timedelta()

    @property
    def deliverer(self) -> Deliverer:
        return Deliverer(replace(self.deps, now=self.now), asyncio.Event())

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skipped

    async def open(self, channel: str = CHANNEL) -> None:
        async with self.deps.db.begin() as session:
            stored = await incidents.add(session, incident(plan=plan()))
            await messages.want_card(session, stored, channel, self.now())
            await messages.add_note(
                session, stored, "opened", {"at": self.now(), "since": self.now(), "why": "5 of 5"}, channel, self.now()
            )

    async def change(self, **fields: Any) -> None:
        async with self.deps.db.begin() as session:
            found = await incidents.read(session, "inc-1")
            assert found is not None
            stored = await incidents.save(session, replace(found, **fields))
            await messages.want_card(session, stored, CHANNEL, self.now())

    async def deliver(self, times: int = 3) -> None:
        for _ in range(times):
            await self.deliverer.deliver_due()

    def shown(self, channel: str = CHANNEL) -> list[dict[str, Any]]:
        workspace = self.slack.workspace
        return [workspace.message_json(message) for message in workspace.channel(channel).messages.values()]


@pytest.fixture
async def post(db: Database) -> AsyncIterator[Post]:
    slack = LocalSlack(options=SlackOptions(rate_scale=0))
    app = web.Application()
    app.add_routes(slack.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    config = SlackConfig(
        bot_token=SecretStr(slack.bot_token),
        api_url=f"http://127.0.0.1:{site.port}/api/",
        timeout=timedelta(seconds=2),
        fallback_channel="C0RELIABLE1",
    )
    async with local_google() as google, desk(db, google) as deps:
        notifiers = (SlackNotifier(slack_client(config), config), ConsoleNotifier())
        yield Post(replace(deps, notifiers=notifiers), slack)
    await slack.close()
    await runner.cleanup()


async def test_the_card_comes_first_and_its_note_into_its_thread(post: Post) -> None:
    await post.open()

    await post.deliver()

    card, note = post.shown()
    assert note["thread_ts"] == card["ts"]


async def test_a_change_edits_the_same_message(post: Post) -> None:
    await post.open()
    await post.deliver()
    (before, _) = post.shown()

    await post.change(state=IncidentState.ACKNOWLEDGED)
    await post.deliver()

    (after, _) = post.shown()
    assert after["ts"] == before["ts"]
    assert after["blocks"] != before["blocks"]


async def test_a_429_keeps_the_card_until_slack_wants_it_and_then_shows_the_newest_state(post: Post) -> None:
    await post.open()
    post.slack.fail_next("chat.postMessage", "ratelimited", times=1, retry_after=120)
    await post.deliver()
    await post.change(no_plan="", acknowledged=None)
    await post.deliver()
    assert post.shown() == []

    post.skipped = timedelta(seconds=121)
    await post.deliver()

    card, *_ = post.shown()
    assert "delayed by" in str(card["blocks"]).lower()


async def test_a_slack_that_is_down_delays_the_card_and_does_not_lose_it(post: Post) -> None:
    await post.open()
    post.slack.fail_next("chat.postMessage", "internal_error", times=3)
    for second in range(1, 6):
        await post.deliver()
        post.skipped = timedelta(seconds=30 * second)
    await post.deliver()

    assert (
        len(
            [message for message in post.shown() if "thread_ts" not in message or message["thread_ts"] == message["ts"]]
        )
        == 1
    )


async def test_a_post_whose_answer_was_lost_is_found_by_its_metadata_and_not_repeated(post: Post) -> None:
    await post.open()
    post.slack.lose_answer("chat.postMessage", times=1)

    await post.deliver()
    post.skipped = timedelta(seconds=30)
    await post.deliver()

    assert len(post.shown()) == 2


async def test_a_channel_without_the_bot_gets_its_card_in_the_fallback_channel(post: Post) -> None:
    await post.open(CLOSED)

    await post.deliver()

    assert post.shown(CLOSED) == []
    card, *_ = post.shown("C0RELIABLE1")
    assert CLOSED in str(card)


async def test_a_card_that_somebody_deleted_is_posted_anew(post: Post) -> None:
    await post.open()
    await post.deliver()
    card = post.shown()[0]
    channel = post.slack.workspace.channel(CHANNEL)
    del channel.messages[card["ts"]]

    await post.change(why="still failing")
    await post.deliver()

    assert any(message["ts"] != card["ts"] and message.get("blocks") for message in post.shown())


async def test_two_senders_post_one_card(post: Post) -> None:
    await post.open()

    await asyncio.gather(*(post.deliverer.deliver_due() for _ in range(3)))

    assert len(post.shown()) == 1
