"""The contract of whatever carries a message to people.

Delivery is the outbox's business: it retries, keeps the order and remembers receipts. A notifier makes one try.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.errors import Permanent
from bot.notify.message import Message


@dataclass(frozen=True)
class Picture:
    """A picture to be shown with the words of its message.

    Attributes:
        filename: ends in `.png`; unlike that of any other picture: by it a lost one is found again.
        title: one line of plain text. alt_text: what it shows, for those who cannot see it; at most 1,000 characters.
    """

    filename: str
    png: bytes
    title: str
    alt_text: str


@dataclass(frozen=True)
class Outgoing:
    """One thing to be said.

    Attributes:
        card_id: identity of the message: an incident's id for its card, `<incident>:<moment>` for a note.
        thread_ts: post into the thread of this message.
        edit_ts: replace this message instead of posting.
        search_first: an earlier try may have posted it: look for `card_id` in the channel before posting again.
        since: the earliest moment at which an earlier try can have posted it.
        version: of what is shown; stored in the message's metadata.
        picture: shown below the message's text, in place of its blocks. It is never edited.
    """

    card_id: str
    channel: str
    message: Message
    thread_ts: str | None = None
    edit_ts: str | None = None
    search_first: bool = False
    since: datetime | None = None
    version: int = 1
    picture: Picture | None = None


@dataclass(frozen=True)
class Receipt:
    """Where the message is now.

    Attributes:
        ts: by which it is edited; of a picture, which is never edited, the id of its file.
        fell_back: why it went to another channel or lost its layout, fit to be shown; "" when all is as wished.
    """

    channel: str
    ts: str
    fell_back: str = ""


class MessageGone(Permanent):
    """The message to be edited, or the one whose thread was meant, is no longer there: it may be posted anew."""


class ChannelClosed(Permanent):
    """This channel does not take what was to be said there; the text says what would open it."""


class Notifier(Protocol):
    """Slack, a terminal, …"""

    async def notify(self, outgoing: Outgoing) -> Receipt:
        """Post or edit; the same Outgoing twice shows one message when `search_first` is set the second time.

        Raises:
            Retryable: nothing is known to be shown; `retry_after` when the other side said how long to wait.
            Permanent: a person has to change something; the text says what.
            MessageGone, ChannelClosed: see there.
        """
        ...
