"""Which changes an app hears of, and how they look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from support.local_slack import ALERTS, RANDOM, RILEY, Hands

from bot.sandbox import identities
from bot.sandbox.local_slack.events import Events
from bot.sandbox.local_slack.messages import Draft, Message
from bot.sandbox.local_slack.seed import seeded_workspace
from bot.sandbox.local_slack.workspace import Workspace

BOT = identities.APP.bot_user
MENTION = f"<@{BOT}> status?"


@dataclass
class App:
    workspace: Workspace
    events: list[dict[str, Any]] = field(default_factory=list)

    def post(self, text: str, channel: str = ALERTS, **more: Any) -> Message:
        return self.workspace.post(Draft(channel, text, more.pop("user", RILEY), **more))


@pytest.fixture
def app(request: pytest.FixtureRequest) -> App:
    workspace = seeded_workspace(Hands())
    heard = App(workspace)
    subscriptions = frozenset(getattr(request, "param", ("message.channels", "app_mention")))
    workspace.changes.listen(Events(workspace, heard.events.append, subscriptions=subscriptions).hear)
    return heard


def test_a_message_is_an_event_of_its_kind_of_channel(app: App) -> None:
    message = app.post("It broke")

    (event,) = app.events
    assert (event["type"], event["channel_type"], event["channel"]) == ("message", "channel", ALERTS)
    assert (event["user"], event["text"], event["ts"], event["event_ts"]) == (RILEY, "It broke", message.ts, message.ts)


def test_the_bot_hears_nothing_of_channels_that_it_is_not_in(app: App) -> None:
    app.post(MENTION, channel=RANDOM)

    assert app.events == []


@pytest.mark.parametrize("app", [("app_mention",)], indirect=True)
def test_only_what_was_subscribed_to_is_heard(app: App) -> None:
    app.post("It broke")
    app.post(MENTION)

    assert [event["type"] for event in app.events] == ["app_mention"]


def test_the_bots_own_words_do_not_call_it(app: App) -> None:
    app.post(MENTION, user=BOT, via_app=True)

    assert [event["type"] for event in app.events] == ["message"]


@pytest.mark.parametrize("app", [("message.im", "app_mention")], indirect=True)
def test_in_a_direct_conversation_a_mention_is_a_message_like_any_other(app: App) -> None:
    direct = app.workspace.direct_with((RILEY, BOT))

    app.post(MENTION, channel=direct.id)

    assert [(event["type"], event["channel_type"]) for event in app.events] == [("message", "im")]


def test_an_edit_shows_what_was_there_before(app: App) -> None:
    message = app.post("It broke")

    app.workspace.edit(message, lambda draft: replace(draft, text="It is over"), by=RILEY)

    event = app.events[-1]
    assert (event["subtype"], event["hidden"]) == ("message_changed", True)
    assert (event["message"]["text"], event["previous_message"]["text"]) == ("It is over", "It broke")
    assert "previous_message" not in event["message"]


def test_a_deletion_names_the_message(app: App) -> None:
    message = app.post("It broke")

    app.workspace.delete(message)

    event = app.events[-1]
    assert (event["subtype"], event["deleted_ts"]) == ("message_deleted", message.ts)


@pytest.mark.parametrize("app", [("reaction_added", "reaction_removed")], indirect=True)
def test_a_reaction_names_the_message_and_its_author(app: App) -> None:
    message = app.post("It broke")
    app.workspace.react(message, "eyes", RILEY)
    app.workspace.unreact(app.workspace.message(ALERTS, message.ts), "eyes", RILEY)

    added, removed = app.events
    assert added["item"] == {"type": "message", "channel": ALERTS, "ts": message.ts}
    assert (added["reaction"], added["item_user"]) == ("eyes", RILEY)
    assert removed["type"] == "reaction_removed"


@pytest.mark.parametrize("app", [("member_joined_channel",)], indirect=True)
def test_the_bot_hears_that_it_was_invited(app: App) -> None:
    app.workspace.join(app.workspace.channel(RANDOM), BOT, inviter=RILEY)

    (event,) = app.events
    assert (event["user"], event["inviter"], event["channel"]) == (BOT, RILEY, RANDOM)
