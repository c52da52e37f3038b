"""How often the bot looks and how long it waits, in one place."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field


class WatchConfig(BaseModel, frozen=True, extra="forbid"):
    """Durations are ISO 8601 ("PT5S"); seconds are accepted too."""

    fast_every: timedelta = Field(default=timedelta(seconds=5), description="Look this often right after a deploy.")
    fast_for: timedelta = Field(default=timedelta(minutes=2), description="… for this long.")
    slow_every: timedelta = Field(default=timedelta(seconds=30), description="Then look this often.")
    slow_for: timedelta = Field(default=timedelta(minutes=30), description="… until this long after the deploy.")
    sweep_every: timedelta = Field(default=timedelta(minutes=1), description="Look at every deployment this often.")
    refresh_after: timedelta = Field(
        default=timedelta(seconds=30), description="Edit a card for new counts alone at most this often."
    )
    quiet_for: timedelta = Field(
        default=timedelta(minutes=2), description="Healthy for this long ends a serving failure without a rollback."
    )
    proposal_expires: timedelta = Field(
        default=timedelta(minutes=30), description="A rollback that nobody decided on is proposed anew after this."
    )
    shift_timeout: timedelta = Field(
        default=timedelta(minutes=2), description="Wait this long for Cloud Run to move the traffic."
    )
    shift_poll: timedelta = Field(default=timedelta(seconds=1), description="Re-read the service this often meanwhile.")
    verify_for: timedelta = Field(
        default=timedelta(seconds=60), description="Judge the target of a rollback by this much of its traffic."
    )
    verify_poll: timedelta = Field(default=timedelta(seconds=5), description="Look this often while verifying.")
