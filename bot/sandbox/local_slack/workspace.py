"""The state of one Slack workspace and what can happen to it. Plain data, no I/O; every change is told.

Who may do what is not decided here but in `methods/`; here are only the facts that hold whoever asks (a
message exists, a channel is archived, a reaction is there once).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from bot.sandbox.identities import App, Team
from bot.sandbox.local_slack.changes import Change, ChangeKind, Changes
from bot.sandbox.local_slack.channels import Channel, ChannelType
from bot.sandbox.local_slack.entities import SLACKBOT, SlackFile, User, UserGroup, bot_profile
from bot.sandbox.local_slack.ids import Clock, TimeStamps, new_id
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import Draft, Message
from bot.sandbox.local_slack.refusals import Refused

MOST_REACTIONS = 23  # different ones, on one message
ID_LETTER = {
    ChannelType.PUBLIC: "C",
    ChannelType.PRIVATE: "G",
    ChannelType.DIRECT: "D",
    ChannelType.GROUP_DIRECT: "G",
}


class Workspace:
    def __init__(self, team: Team, app: App, *, clock: Clock) -> None:
        self.team = team
        self.app = app
        self.clock = clock
        self.stamps = TimeStamps(clock)
        self.changes = Changes()
        self.users: dict[str, User] = {}
        self.groups: dict[str, UserGroup] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, SlackFile] = {}
        self.presence: dict[str, str] = {}

    # People and places

    def user(self, user_id: str) -> User:
        if user_id not in self.users:
            raise Refused("user_not_found")
        return self.users[user_id]

    def channel(self, channel_id: str) -> Channel:
        if channel_id not in self.channels:
            raise Refused("channel_not_found")
        return self.channels[channel_id]

    def channel_named(self, name: str) -> Channel | None:
        wanted = name.removeprefix("#")
        return next((each for each in self.channels.values() if each.is_named and each.name == wanted), None)

    def conversation_between(self, users: Iterable[str]) -> Channel | None:
        """The direct conversation of exactly these people, if they have one."""
        wanted = set(users)
        return next(
            (each for each in self.channels.values() if not each.is_named and set(each.members) == wanted),
            None,
        )

    def create_channel(
        self, name: str, channel_type: ChannelType, *, creator: str, members: Iterable[str] = (), channel_id: str = ""
    ) -> Channel:
        channel = Channel(
            id=channel_id or new_id(ID_LETTER[channel_type]),
            name=name,
            type=channel_type,
            creator=creator,
            created=self.now_seconds(),
            team=self.team.id,
            members=list(dict.fromkeys(members)),
        )
        self.channels[channel.id] = channel
        self.tell_channel(channel, by=creator)
        return channel

    def direct_with(self, users: Iterable[str]) -> Channel:
        """The direct conversation of these people, opened now if it was not."""
        people = list(dict.fromkeys(users))
        existing = self.conversation_between(people)
        if existing:
            return existing
        pair = len(people) <= 2
        name = "" if pair else "mpdm-" + "--".join(self.user(person).name for person in people) + "-1"
        kind = ChannelType.DIRECT if pair else ChannelType.GROUP_DIRECT
        return self.create_channel(name, kind, creator=people[0], members=people)

    def join(self, channel: Channel, user: str, *, inviter: str | None = None) -> None:
        channel.members.append(user)
        verb = "group_join" if channel.type is ChannelType.PRIVATE else "channel_join"
        self.post(
            Draft(channel.id, f"<@{user}> has joined the channel", user, subtype=verb, inviter=inviter),
        )
        self.tell(ChangeKind.MEMBER_JOINED, {"inviter": inviter}, channel=channel.id, user=user)

    def leave(self, channel: Channel, user: str) -> None:
        channel.members.remove(user)
        verb = "group_leave" if channel.type is ChannelType.PRIVATE else "channel_leave"
        self.post(Draft(channel.id, f"<@{user}> has left the channel", user, subtype=verb))
        self.tell(ChangeKind.MEMBER_LEFT, {}, channel=channel.id, user=user)

    def tell_channel(self, channel: Channel, *, by: str) -> None:
        self.tell(ChangeKind.CHANNEL_CHANGED, channel.as_json(by, with_count=True), channel=channel.id, user=by)

    # Messages

    def message(self, channel_id: str, ts: str) -> Message:
        message = self.channel(channel_id).messages.get(ts)
        if message is None or message.is_tombstone:
            raise Refused("message_not_found")
        return message

    def post(self, draft: Draft, *, client_msg_id: str | None = None) -> Message:
        message = Message(self.stamps.next(), draft, client_msg_id=client_msg_id)
        self.channel(draft.channel).messages[message.ts] = message
        for file_id in draft.files:
            self._share(file_id, message)
        self._tell_message(ChangeKind.MESSAGE_POSTED, message)
        return message

    def edit(self, message: Message, change: Callable[[Draft], Draft], *, by: str | None) -> Message:
        """Replace a message's content; `by` None leaves no "(edited)" mark."""
        edited = replace(message, draft=change(message.draft))
        if by:
            edited = replace(edited, edited_by=by, edited_ts=self.stamps.next())
        self.channel(message.draft.channel).messages[message.ts] = edited
        self._tell_message(ChangeKind.MESSAGE_EDITED, edited, previous=self.message_json(message))
        return edited

    def delete(self, message: Message) -> None:
        """Remove a message; one with replies leaves a tombstone, which goes with the last reply."""
        channel = self.channel(message.draft.channel)
        previous = self.message_json(message)
        if channel.replies(message.ts):
            gone = Draft(channel.id, "This message was deleted.", SLACKBOT, subtype="tombstone", thread_ts=message.ts)
            channel.messages[message.ts] = Message(message.ts, gone, is_tombstone=True)
        else:
            del channel.messages[message.ts]
            self._clear_tombstone(channel, message.draft.thread_ts)
        self.tell(ChangeKind.MESSAGE_DELETED, previous, channel=channel.id, user=message.draft.user)

    def _clear_tombstone(self, channel: Channel, thread_ts: str | None) -> None:
        parent = channel.messages.get(thread_ts or "")
        if parent and parent.is_tombstone and not channel.replies(parent.ts):
            del channel.messages[parent.ts]

    def post_ephemeral(self, draft: Draft) -> Message:
        message = Message(self.stamps.next(), draft)
        self.channel(draft.channel).ephemerals[message.ts] = message
        self.tell(ChangeKind.EPHEMERAL_POSTED, self.message_json(message), channel=draft.channel, user=draft.only_for)
        return message

    def edit_ephemeral(self, message: Message, change: Callable[[Draft], Draft]) -> Message:
        edited = replace(message, draft=change(message.draft))
        self.channel(message.draft.channel).ephemerals[message.ts] = edited
        body = self.message_json(edited)
        self.tell(ChangeKind.EPHEMERAL_EDITED, body, channel=message.draft.channel, user=message.draft.only_for)
        return edited

    def delete_ephemeral(self, message: Message) -> None:
        del self.channel(message.draft.channel).ephemerals[message.ts]
        body = self.message_json(message)
        self.tell(ChangeKind.EPHEMERAL_DELETED, body, channel=message.draft.channel, user=message.draft.only_for)

    # Reactions

    def react(self, message: Message, name: str, user: str) -> None:
        reactions = dict(message.reactions)
        if user in reactions.get(name, ()):
            raise Refused("already_reacted")
        if name not in reactions and len(reactions) >= MOST_REACTIONS:
            raise Refused("too_many_emoji")
        reactions[name] = (*reactions.get(name, ()), user)
        self._set_reactions(message, reactions, ChangeKind.REACTION_ADDED, name, user)

    def unreact(self, message: Message, name: str, user: str) -> None:
        reactions = dict(message.reactions)
        if user not in reactions.get(name, ()):
            raise Refused("no_reaction")
        left = tuple(each for each in reactions[name] if each != user)
        if left:
            reactions[name] = left
        else:
            del reactions[name]
        self._set_reactions(message, reactions, ChangeKind.REACTION_REMOVED, name, user)

    def _set_reactions(
        self, message: Message, reactions: dict[str, tuple[str, ...]], kind: ChangeKind, name: str, user: str
    ) -> None:
        changed = replace(message, reactions=tuple(reactions.items()))
        self.channel(message.draft.channel).messages[message.ts] = changed
        body = {"reaction": name, "item_ts": message.ts, "message": self.message_json(changed)}
        self.tell(kind, body, channel=message.draft.channel, user=user)

    # Files

    def file(self, file_id: str) -> SlackFile:
        if file_id not in self.files:
            raise Refused("file_not_found")
        return self.files[file_id]

    def _share(self, file_id: str, message: Message) -> None:
        shared = self.file(file_id)
        channel = message.draft.channel
        self.files[file_id] = replace(
            shared,
            channels=tuple(dict.fromkeys((*shared.channels, channel))),
            shares=(*shared.shares, (channel, message.ts)),
        )
        self.tell(ChangeKind.FILE_SHARED, self.files[file_id].as_json(), channel=channel, user=shared.user)

    def delete_file(self, file_id: str) -> None:
        gone = self.files.pop(file_id)
        self.tell(ChangeKind.FILE_DELETED, gone.as_json(), user=gone.user)

    # How a message is shown

    def message_json(self, message: Message, *, with_metadata: bool = False) -> Json:
        """The message as conversations.history shows it; metadata only where it was asked for."""
        draft = message.draft
        shown: Json = {"type": "message", "text": draft.text, "ts": message.ts, "team": self.team.id}
        optional: dict[str, Any] = {
            "subtype": draft.subtype or ("thread_broadcast" if message.is_reply and draft.broadcast else None),
            "user": draft.user,
            "username": draft.username,
            "icons": draft.icons,
            "inviter": draft.inviter,
            "client_msg_id": message.client_msg_id,
            "blocks": list(draft.blocks),
            "attachments": list(draft.attachments),
            "metadata": draft.metadata if with_metadata else None,
            "reactions": message.reactions_json(),
            "files": [self.files[each].as_json() for each in draft.files if each in self.files],
        }
        shown |= {key: value for key, value in optional.items() if value}
        if draft.via_app:
            shown |= {"bot_id": self.app.bot_id, "app_id": self.app.id}
            shown |= {"bot_profile": bot_profile(self.app, self.team)} if draft.user else {}
        if not draft.mrkdwn:
            shown["mrkdwn"] = False
        if message.edited_ts:
            shown["edited"] = {"user": message.edited_by, "ts": message.edited_ts}
        if draft.only_for:
            shown["is_ephemeral"] = True
        if message.is_tombstone:
            shown["hidden"] = True
        return shown | self._thread_json(message)

    def _thread_json(self, message: Message) -> Json:
        channel = self.channel(message.draft.channel)
        if message.is_reply and message.draft.thread_ts:
            parent = channel.messages.get(message.draft.thread_ts)
            shown: Json = {"thread_ts": message.draft.thread_ts}
            if parent and parent.draft.user:
                shown["parent_user_id"] = parent.draft.user
            return shown
        replies = channel.replies(message.ts)
        if not replies:
            return {}
        authors = list(dict.fromkeys(reply.draft.user or self.app.bot_id for reply in replies))
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users_count": len(authors),
            "latest_reply": replies[-1].ts,
            "reply_users": authors[:5],
            "is_locked": False,
            "subscribed": False,
        }

    # Telling

    def tell(self, kind: ChangeKind, body: Json, *, channel: str | None = None, user: str | None = None) -> None:
        self.changes.tell(Change(kind, body, channel=channel, user=user))

    def _tell_message(self, kind: ChangeKind, message: Message, *, previous: Json | None = None) -> None:
        body = self.message_json(message)
        if previous:
            body["previous_message"] = previous
        self.tell(kind, body, channel=message.draft.channel, user=message.draft.user)

    def now_seconds(self) -> int:
        return int(self.clock().timestamp())
