"""What the bot itself has seen a revision do: the proof behind a rollback target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class ServedSpan:
    """All the time that one revision served users, added up.

    Attributes:
        revision: short name.
        minutes: ≥ 0, at any percentage above 0.
        max_percent: 0–100, the largest share of traffic that it ever had.
        failed_incidents: incidents in which it was the failing revision.
        last_served: when the bot last saw it serve.
    """

    revision: str
    minutes: float
    max_percent: int
    failed_incidents: int
    last_served: datetime

    @property
    def first_seen(self) -> datetime:
        """The latest moment by which the bot must have been watching."""
        return self.last_served - timedelta(minutes=self.minutes)
