"""What became visible to somebody: every change is told, whole, to whoever listens.

A change carries the full message, view or file as Slack's API would show it, so that a listener (the web
console, a test) never has to ask back.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

logger = logging.getLogger(__name__)


class ChangeKind(StrEnum):
    MESSAGE_POSTED = "message_posted"
    MESSAGE_EDITED = "message_edited"
    MESSAGE_DELETED = "message_deleted"
    EPHEMERAL_POSTED = "ephemeral_posted"  # only `user` sees it
    EPHEMERAL_EDITED = "ephemeral_edited"
    EPHEMERAL_DELETED = "ephemeral_deleted"
    NOTICE = "notice"  # Slack itself tells `user` that a click or a submission failed; body: text, message_ts | view_id
    REACTION_ADDED = "reaction_added"  # body: reaction, item_ts, message
    REACTION_REMOVED = "reaction_removed"
    VIEW_OPENED = "view_opened"  # opened or pushed, for `user`
    VIEW_UPDATED = "view_updated"
    VIEW_CLOSED = "view_closed"
    VIEW_ERRORS = "view_errors"  # the app refused a submission; body: view_id, errors by block_id
    HOME_PUBLISHED = "home_published"
    HOME_OPENED = "home_opened"
    FILE_SHARED = "file_shared"
    FILE_DELETED = "file_deleted"
    CHANNEL_CHANGED = "channel_changed"  # created, renamed, archived, new topic
    MEMBER_JOINED = "member_joined"
    MEMBER_LEFT = "member_left"
    CONNECTION = "connection"  # the app came or went; body: connected


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        channel: where, if anywhere.
        user: the only one who sees it (ephemerals, views, notices), else the one who did it, if known.
        body: the whole message, view, file or channel, JSON-able.
    """

    kind: ChangeKind
    body: dict[str, Any]
    channel: str | None = None
    user: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind.value, "channel": self.channel, "user": self.user, "body": self.body}


Listener = Callable[[Change], None]


class Changes:
    """Tells every listener, in order of registration; one that fails is logged and does not hurt the others."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, callback: Listener) -> Callable[[], None]:
        self._listeners.append(callback)

        def remove() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return remove

    def tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(change)
            except Exception:
                logger.exception("A listener failed", extra={"change": change.kind.value})
