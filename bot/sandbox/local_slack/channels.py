"""A conversation (public, private, direct, group direct), its members and its messages. No I/O."""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import Message


class ChannelType(StrEnum):
    PUBLIC = "public_channel"
    PRIVATE = "private_channel"
    DIRECT = "im"
    GROUP_DIRECT = "mpim"


@dataclass(slots=True)
class Text:
    """A topic or purpose, with who set it when."""

    value: str = ""
    creator: str = ""
    last_set: int = 0

    def as_json(self) -> Json:
        return {"value": self.value, "creator": self.creator, "last_set": self.last_set}


@dataclass(slots=True)
class Channel:
    id: str
    name: str
    type: ChannelType
    creator: str
    created: int
    team: str
    members: list[str] = field(default_factory=list)
    topic: Text = field(default_factory=Text)
    purpose: Text = field(default_factory=Text)
    is_general: bool = False
    is_archived: bool = False
    previous_names: list[str] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)  # by ts, oldest first
    ephemerals: dict[str, Message] = field(default_factory=dict)
    last_read: dict[str, str] = field(default_factory=dict)  # ts by user

    @property
    def is_open(self) -> bool:
        return self.type is ChannelType.PUBLIC

    @property
    def is_named(self) -> bool:
        """A channel proper, not a direct conversation."""
        return self.type in {ChannelType.PUBLIC, ChannelType.PRIVATE}

    def replies(self, thread_ts: str) -> list[Message]:
        """The replies to a message, oldest first, without the message itself."""
        return [
            message for message in self.messages.values() if message.is_reply and message.draft.thread_ts == thread_ts
        ]

    def as_json(self, viewer: str, *, with_count: bool = False) -> Json:
        if self.type is ChannelType.DIRECT:
            return self._direct_json(viewer)
        shown: Json = {
            "id": self.id,
            "name": self.name,
            "is_channel": self.is_open,
            "is_group": self.type is ChannelType.PRIVATE,
            "is_im": False,
            "is_mpim": self.type is ChannelType.GROUP_DIRECT,
            "is_private": not self.is_open,
            "created": self.created,
            "is_archived": self.is_archived,
            "is_general": self.is_general,
            "unlinked": 0,
            "name_normalized": self.name,
            "is_shared": False,
            "is_org_shared": False,
            "is_pending_ext_shared": False,
            "pending_shared": [],
            "context_team_id": self.team,
            "updated": self.created * 1000,
            "parent_conversation": None,
            "creator": self.creator,
            "is_ext_shared": False,
            "shared_team_ids": [self.team],
            "pending_connected_team_ids": [],
            "is_member": viewer in self.members,
            "topic": self.topic.as_json(),
            "purpose": self.purpose.as_json(),
            "previous_names": list(self.previous_names),
        }
        if viewer in self.members:
            shown["last_read"] = self.last_read.get(viewer, "0000000000.000000")
        return shown | {"num_members": len(self.members)} if with_count else shown

    def _direct_json(self, viewer: str) -> Json:
        other = next((member for member in self.members if member != viewer), viewer)
        return {
            "id": self.id,
            "created": self.created,
            "is_im": True,
            "is_org_shared": False,
            "is_archived": self.is_archived,
            "context_team_id": self.team,
            "updated": self.created * 1000,
            "user": other,
            "is_user_deleted": False,
            "priority": 0,
        }
