"""Which changes an app hears of, as Events API events, by its subscriptions.

Names are those of an app manifest: `message.channels`, `app_mention`, `reaction_added` and so on. An app hears
only of channels that its bot is in. Not imitated: user events, link_shared, tokens_revoked, event filtering by
scopes, and the limit of 30,000 events an hour.
"""

from collections.abc import Callable, Iterator
from typing import Final

from bot.sandbox.local_slack.changes import Change, ChangeKind
from bot.sandbox.local_slack.channels import ChannelType
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.workspace import Workspace

DEFAULT_SUBSCRIPTIONS: Final = frozenset({"app_home_opened", "app_mention"})
MESSAGE_EVENT: Final = {
    ChannelType.PUBLIC: ("message.channels", "channel"),
    ChannelType.PRIVATE: ("message.groups", "group"),
    ChannelType.DIRECT: ("message.im", "im"),
    ChannelType.GROUP_DIRECT: ("message.mpim", "mpim"),
}


class Events:
    """Turns changes into events and hands those that the app subscribed to to `send`."""

    def __init__(self, workspace: Workspace, send: Callable[[Json], None], *, subscriptions: frozenset[str]) -> None:
        self.workspace = workspace
        self.subscriptions = set(subscriptions)
        self._send = send

    def hear(self, change: Change) -> None:
        if not self._is_bot_there(change):
            return
        for subscription, event in self._events(change):
            if subscription in self.subscriptions:
                self._send(event)

    def _is_bot_there(self, change: Change) -> bool:
        channel = self.workspace.channels.get(change.channel or "")
        return channel is None or self.workspace.app.bot_user in channel.members

    def _events(self, change: Change) -> Iterator[tuple[str, Json]]:
        stamp = self.workspace.stamps.next
        match change.kind:
            case ChangeKind.MESSAGE_POSTED | ChangeKind.MESSAGE_EDITED | ChangeKind.MESSAGE_DELETED:
                yield from self._message_events(change, stamp())
            case ChangeKind.REACTION_ADDED | ChangeKind.REACTION_REMOVED:
                yield change.kind.value, _reaction_event(change, stamp())
            case ChangeKind.MEMBER_JOINED:
                event = self._about(change, "member_joined_channel", stamp()) | change.body
                yield "member_joined_channel", {key: value for key, value in event.items() if value is not None}
            case ChangeKind.MEMBER_LEFT:
                yield "member_left_channel", self._about(change, "member_left_channel", stamp())
            case ChangeKind.HOME_OPENED:
                event = {"type": "app_home_opened", "user": change.user, "channel": change.channel, **change.body}
                yield "app_home_opened", {**event, "event_ts": stamp()}
            case ChangeKind.FILE_SHARED:
                event = {"type": "file_shared", "file_id": change.body["id"], "file": {"id": change.body["id"]}}
                event |= {"user_id": change.user, "channel_id": change.channel, "event_ts": stamp()}
                yield "file_shared", event
            case _:
                return

    def _message_events(self, change: Change, event_ts: str) -> Iterator[tuple[str, Json]]:
        channel = self.workspace.channel(change.channel or "")
        subscription, channel_type = MESSAGE_EVENT[channel.type]
        common = {"channel": channel.id, "channel_type": channel_type}
        body = dict(change.body)
        previous = body.pop("previous_message", None)
        match change.kind:
            case ChangeKind.MESSAGE_POSTED:
                event = {**body, **common, "event_ts": body["ts"]}
            case ChangeKind.MESSAGE_EDITED:
                event = {"type": "message", "subtype": "message_changed", "message": body, "previous_message": previous}
                event |= {**common, "hidden": True, "ts": event_ts, "event_ts": event_ts}
            case _:
                event = {"type": "message", "subtype": "message_deleted", "deleted_ts": body["ts"], "hidden": True}
                event |= {**common, "previous_message": body, "ts": event_ts, "event_ts": event_ts}
        yield subscription, event
        if change.kind is ChangeKind.MESSAGE_POSTED and self._mentions_bot(body) and channel.is_named:
            mention = {key: value for key, value in body.items() if key != "subtype"}
            yield "app_mention", {**mention, "type": "app_mention", "channel": channel.id, "event_ts": body["ts"]}

    def _mentions_bot(self, message: Json) -> bool:
        """A person said @bot; the bot's own words do not call it."""
        app = self.workspace.app
        return f"<@{app.bot_user}>" in message["text"] and message.get("bot_id") != app.bot_id

    def _about(self, change: Change, kind: str, event_ts: str) -> Json:
        channel = self.workspace.channel(change.channel or "")
        channel_type = "G" if channel.type is ChannelType.PRIVATE else "C"
        common = {"user": change.user, "channel": channel.id, "channel_type": channel_type}
        return {"type": kind, **common, "team": self.workspace.team.id, "event_ts": event_ts}


def _reaction_event(change: Change, event_ts: str) -> Json:
    event: Json = {
        "type": change.kind.value,
        "user": change.user,
        "reaction": change.body["reaction"],
        "item": {"type": "message", "channel": change.channel, "ts": change.body["item_ts"]},
        "event_ts": event_ts,
    }
    author = change.body["message"].get("user")
    return event | {"item_user": author} if author else event
