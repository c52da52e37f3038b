"""What a place where traffic can be moved has to offer."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from bot.model.catalog import Place
from bot.model.cloud_run import ServiceState, TrafficSplit


class ShiftResult(StrEnum):
    """What a shift that was not refused has done."""

    SENT = "sent"  # the change is accepted; it is served when `state` says so
    ALREADY = "already"  # it was made before: served, or on its way
    DRY_RUN = "dry_run"  # it could be made; nothing was moved


class RollbackTarget(Protocol):
    """Two implementations: Cloud Run and a dry run. Both pass tests/contract/test_rollback_targets.py."""

    async def state(self, place: Place) -> ServiceState:
        """The service now, read anew.

        Raises:
            Retryable: it could not be read at the moment.
            Permanent: it cannot be read until a person has changed something.
        """
        ...

    async def shift(self, place: Place, to: TrafficSplit, *, expecting: TrafficSplit) -> ShiftResult:
        """Give users to the revisions of `to`, if they are still served by those of `expecting`.

        Does not wait for the traffic to arrive: ask `state`. Calling it again after a crash is safe. Tags stay
        exactly as they are at that moment, whatever `to` says about them.

        Raises:
            Conflict: traffic is neither as expected nor as wanted, or a revision of `to` cannot take it. Nothing moved.
            Retryable: no answer, or no clear one; whether traffic moved is to be read from `state`.
            Permanent: it will not be done until a person has changed something.
        """
        ...
