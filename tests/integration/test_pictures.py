"""Pictures reach Slack once, after their card and never before any: through refusals, lost answers and crashes."""

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
from support.values import BAD, GOOD, incident, place, plan

from bot.deps import Deps
from bot.model.evidence import Window
from bot.model.incident import PlanState
from bot.model.series import ErrorSeries, MarkKind, RevisionErrors
from bot.notify.config import SlackConfig
from bot.notify.drawing import Wish
from bot.notify.notifier import Notifier, Outgoing, Receipt
from bot.notify.slack import SlackNotifier, slack_client
from bot.sandbox.local_slack import BOT_SCOPES, LocalSlack, SlackOptions
from bot.store import incidents, marks, messages
from bot.store.database import Database
from bot.store.tables import MessageRow, RevisionRow
from bot.workflows.deliver import Deliverer
from bot.workflows.pictures import chart_window, want_answer, want_chart
from bot.workflows.show_pictures import LEASE, WORTH_SHOWING, PictureSender

CHANNEL, CLOSED = "C0AUTHOPS01", "C0RANDOM001"


@dataclass
class Post:
    """An outbox and the Slack it delivers to; `skipped` is how far the bot's clock is ahead."""

    deps: Deps
    slack: LocalSlack
    drawn: list[Wish]
    skipped: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skipped

    @property
    def series(self) -> ErrorSeries:
        start = self.now().replace(second=0, microsecond=0) - timedelta(minutes=29)
        window = Window(start, start + timedelta(minutes=30))
        return ErrorSeries(window, timedelta(minutes=1), (RevisionErrors(BAD, (0,) * 20 + (9,) * 10),))

    async def open(self, *, card: bool = True) -> None:
        async with self.deps.db.begin() as session:
            stored = await incidents.add(session, incident(plan=plan()))
            if card:
                await messages.want_card(session, stored, CHANNEL, self.now())
            await want_chart(session, place(), stored, "blamed", self.series, self.now())

    async def ask(self, channel: str = CHANNEL) -> None:
        async with self.deps.db.begin() as session:
            await want_answer(session, place(), "errors:1", self.series, channel, self.now())

    async def deliver(self) -> None:
        await Deliverer(replace(self.deps, now=self.now), asyncio.Event()).deliver_due()

    async def show(self) -> None:
        async def draw(wish: Wish) -> bytes:
            self.drawn.append(wish)
            return b"\x89PNG not really"

        await PictureSender(replace(self.deps, now=self.now), draw).show_due()

    def shown(self, channel: str = CHANNEL) -> list[dict[str, Any]]:
        workspace = self.slack.workspace
        return [workspace.message_json(message) for message in workspace.channel(channel).messages.values()]

    def pictures(self, channel: str = CHANNEL) -> list[dict[str, Any]]:
        return [message for message in self.shown(channel) if message.get("files")]

    async def row(self, row_id: str = "inc-1:chart:blamed") -> MessageRow:
        async with self.deps.db.read() as session:
            row = await session.get(MessageRow, row_id)
        assert row is not None
        return row


@dataclass
class Dies:
    """A notifier whose bot is ended after Slack said yes and before anybody could write it down."""

    notifier: Notifier

    async def notify(self, outgoing: Outgoing) -> Receipt:
        await self.notifier.notify(outgoing)
        raise asyncio.CancelledError


@pytest.fixture
def scopes() -> frozenset[str]:
    return BOT_SCOPES


@pytest.fixture
async def post(db: Database, scopes: frozenset[str]) -> AsyncIterator[Post]:
    slack = LocalSlack(options=SlackOptions(rate_scale=0, bot_scopes=scopes))
    app = web.Application()
    app.add_routes(slack.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    config = SlackConfig(
        bot_token=SecretStr(slack.bot_token), api_url=f"http://127.0.0.1:{site.port}/api/", timeout=timedelta(seconds=2)
    )
    async with local_google() as google, desk(db, google) as deps:
        yield Post(replace(deps, notifiers=(SlackNotifier(slack_client(config), config),)), slack, [])
    await slack.close()
    await runner.cleanup()


async def test_the_chart_waits_for_its_card_and_joins_its_thread(post: Post) -> None:
    await post.open()
    await post.show()
    assert post.shown() == []

    await post.deliver()
    await post.show()

    card, picture = post.shown()
    assert picture["thread_ts"] == card["ts"]
    assert picture["text"].startswith("📊 Until now: 90 errors, ")
    assert "…-00283-qab 90" in picture["files"][0]["alt_txt"]


async def test_the_senders_of_messages_leave_pictures_alone(post: Post) -> None:
    await post.open()

    await post.deliver()
    await post.deliver()

    assert len(post.shown()) == 1
    assert not (await post.row()).done


async def test_the_same_moment_is_shown_once(post: Post) -> None:
    await post.open()
    await post.deliver()
    async with post.deps.db.begin() as session:
        found = await incidents.read(session, "inc-1")
        assert found is not None
        await want_chart(session, place(), found, "blamed", post.series, post.now())

    await post.show()
    await post.show()

    assert len(post.pictures()) == 1


async def test_a_chart_whose_receipt_was_lost_is_found_and_not_shown_again(post: Post) -> None:
    await post.open()
    await post.deliver()
    post.slack.lose_answer("files.completeUploadExternal")
    await post.show()

    post.skipped = timedelta(seconds=30)
    await post.show()

    assert len(post.pictures()) == 1
    assert (await post.row()).done


async def test_a_sender_that_died_after_the_completion_leaves_one_picture(post: Post) -> None:
    await post.open()
    await post.deliver()
    slack = post.deps.notifiers[0]
    post.deps = replace(post.deps, notifiers=(Dies(slack),))
    with pytest.raises(asyncio.CancelledError):
        await post.show()

    post.deps = replace(post.deps, notifiers=(slack,))
    await post.show()  # the dead one still holds the row
    post.skipped = LEASE + timedelta(seconds=1)
    await post.show()

    assert len(post.drawn) == 2
    assert len(post.pictures()) == 1
    assert (await post.row()).done


async def test_two_senders_show_one_picture(post: Post) -> None:
    await post.open()
    await post.deliver()

    await asyncio.gather(post.show(), post.show(), post.show())

    assert len(post.pictures()) == 1


async def test_a_429_is_waited_for(post: Post) -> None:
    await post.open()
    await post.deliver()
    post.slack.fail_next("files.getUploadURLExternal", "ratelimited", retry_after=120)
    await post.show()
    post.skipped = timedelta(seconds=100)
    await post.show()
    assert post.pictures() == []

    post.skipped = timedelta(seconds=121)
    await post.show()

    assert len(post.pictures()) == 1


@pytest.mark.parametrize("scopes", [BOT_SCOPES - {"files:write"}])
async def test_without_the_scope_the_card_comes_and_its_thread_says_once_what_is_missing(post: Post) -> None:
    await post.open()
    await post.deliver()
    await post.show()
    post.skipped = timedelta(minutes=6)
    await post.show()
    await post.deliver()

    card, note = post.shown()
    assert note["thread_ts"] == card["ts"]
    assert "add the scope files:write to the Slack app" in note["text"]


async def test_a_chart_that_nobody_could_show_for_an_hour_is_given_up(post: Post) -> None:
    await post.open()
    await post.deliver()
    post.skipped = WORTH_SHOWING
    post.slack.fail_next("files.getUploadURLExternal", "internal_error")

    await post.show()

    row = await post.row()
    assert row.done
    assert "internal_error" in (row.last_error or "")


async def test_a_thread_that_is_gone_takes_its_picture_along(post: Post) -> None:
    await post.open()
    await post.deliver()
    (card,) = post.shown()
    del post.slack.workspace.channel(CHANNEL).messages[card["ts"]]

    await post.show()

    assert post.shown() == []
    assert (await post.row()).done


async def test_who_asked_gets_the_chart_in_the_channel(post: Post) -> None:
    await post.ask()

    await post.show()

    (picture,) = post.pictures()
    assert picture["text"].startswith("📊 90 errors, ")
    assert "thread_ts" not in picture


async def test_a_channel_that_the_bot_is_not_in_gets_no_chart_and_nobody_else_does(post: Post) -> None:
    await post.ask(CLOSED)

    await post.show()
    await post.deliver()

    assert (post.shown(), post.shown(CLOSED)) == ([], [])
    assert (await post.row("errors:1")).done


async def test_one_chart_that_cannot_be_drawn_does_not_hold_up_the_next(post: Post) -> None:
    await post.open()
    await post.deliver()
    await post.ask()
    async with post.deps.db.begin() as session:
        row = await session.get(MessageRow, "inc-1:chart:blamed")
        assert row is not None
        row.context = "{}"

    await post.show()

    (picture,) = post.pictures()
    assert "thread_ts" not in picture


# --- marks -----------------------------------------------------------------------------------------------------------


async def test_deploys_and_rollbacks_are_marked_and_dry_runs_are_not(post: Post) -> None:
    now = post.now()
    moved = plan(state=PlanState.VERIFIED, created_at=now, shifted_at=now)
    pretended = replace(moved, id="plan-1-2", dry_run=True)
    async with post.deps.db.begin() as session:
        await incidents.add(session, incident(plan=moved))
        await incidents.add_plan(session, pretended)
        for name, at in ((BAD, now - timedelta(minutes=10)), (GOOD, now - timedelta(days=6))):
            session.add(RevisionRow(place="auth/staging", name=name, created_at=at, first_seen=now, last_seen=now))

    async with post.deps.db.read() as session:
        found = await marks.of_place(session, "auth/staging", Window(now - timedelta(hours=1), now + timedelta(1)))

    assert [(mark.kind, mark.revision) for mark in found] == [(MarkKind.DEPLOY, BAD), (MarkKind.ROLLBACK, GOOD)]


async def test_the_chart_of_an_incident_shows_what_was_usual_before_it(post: Post) -> None:
    now = post.now()
    opened = incident(since=now - timedelta(minutes=3))

    assert chart_window(opened, now) == Window(opened.since - timedelta(minutes=15), now)
    assert chart_window(replace(opened, resolved_at=now), now + timedelta(hours=3)).end == now + timedelta(minutes=5)
