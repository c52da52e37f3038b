"""Messages on a terminal: the notifier that needs nothing, and the one that is left when Slack refuses for good."""

from __future__ import annotations

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from bot.notify.notifier import Outgoing, Receipt
from bot.notify.plain import readable

_REMEMBERED = 1_000


class ConsoleNotifier:
    """Prints each version of a message once, however often it is asked to.

    Args:
        console: where to; stderr, because stdout belongs to what commands answer.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._printed: dict[str, int] = {}

    async def notify(self, outgoing: Outgoing) -> Receipt:
        receipt = Receipt(outgoing.channel, f"console-{outgoing.card_id}")
        if self._printed.get(outgoing.card_id, 0) >= outgoing.version:
            return receipt
        edited = " (edited)" if outgoing.card_id in self._printed else ""
        place = f"{outgoing.channel}, thread" if outgoing.thread_ts else outgoing.channel
        self._console.print(Rule(Text(f"{place} · {outgoing.card_id}{edited}"), align="left"))
        # Text, not markup: a log line like "[/red]" or an escape sequence stays what it is
        self._console.print(Text(readable(outgoing.message)))
        if outgoing.picture is not None:
            self._console.print(Text(f"[picture] {outgoing.picture.alt_text}"))
        self._printed[outgoing.card_id] = outgoing.version
        if len(self._printed) > _REMEMBERED:
            del self._printed[next(iter(self._printed))]
        return receipt
