"""The notifier that writes down what the bot says instead of sending it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.notify.message import Message
from bot.notify.notifier import Outgoing, Receipt


class Kind(StrEnum):
    """What a message is."""

    CARD = "card"  # of an incident, edited while it lasts
    NOTE = "note"  # a line of history in the card's thread
    LINE = "line"  # a message of its own: a deploy that went well


@dataclass(frozen=True)
class Said:
    """One message that would have been posted or edited.

    Attributes:
        id: of the message: edits of a card have that of the card.
        edited: it replaces what was said under this id before.
        thread: id of the card in whose thread it is, "" where it is in the channel.
    """

    at: datetime
    channel: str
    kind: Kind
    id: str
    edited: bool
    thread: str
    version: int
    message: Message
    outgoing: Outgoing


class Recorder:
    """Implements `Notifier`. Slack's time stamps are the messages' ids."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._batch: list[Said] = []
        self.said: list[Said] = []

    async def notify(self, outgoing: Outgoing) -> Receipt:
        thread = outgoing.thread_ts or ""
        self._batch.append(
            Said(
                at=self._now(),
                channel=outgoing.channel,
                kind=_kind(outgoing),
                id=outgoing.card_id,
                edited=outgoing.edit_ts is not None,
                thread=thread,
                version=outgoing.version,
                message=outgoing.message,
                outgoing=outgoing,
            )
        )
        return Receipt(outgoing.channel, outgoing.card_id)

    def close_batch(self) -> None:
        """Incidents are delivered side by side: put what was said at one moment in an order of its own.

        Within one incident it is kept as it was said.
        """
        self.said += sorted(self._batch, key=lambda said: said.thread or said.id)
        self._batch.clear()


def _kind(outgoing: Outgoing) -> Kind:
    if outgoing.thread_ts is not None:
        return Kind.NOTE
    return Kind.CARD if outgoing.card_id.startswith("inc-") else Kind.LINE
