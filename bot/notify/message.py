"""What is said: blocks for Slack, and a text for notifications, screen readers and clients without blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]
"""One Block Kit block, as JSON."""


@dataclass(frozen=True)
class Message:
    """A rendered message within Slack's limits.

    Attributes:
        text: one or two sentences in mrkdwn that suffice on a lock screen; never empty.
        blocks: () = the text is all there is.
    """

    text: str
    blocks: tuple[Block, ...] = ()
