"""Cloud Run: writes the traffic split of a service, and never on doubt."""

from __future__ import annotations

from dataclasses import dataclass

from bot.act.plan import already_shifted, check_shift, served_equals, under_way, with_tags
from bot.act.target import ShiftResult
from bot.errors import Conflict, Retryable
from bot.gcp.clients import Clients
from bot.gcp.run import read_service, write_traffic
from bot.model.catalog import Place
from bot.model.cloud_run import ServiceState, TrafficSplit

_ATTEMPTS = 3


@dataclass(frozen=True)
class CloudRun:
    """Implements `RollbackTarget`."""

    clients: Clients

    async def state(self, place: Place) -> ServiceState:
        return await read_service(self.clients, place)

    async def shift(self, place: Place, to: TrafficSplit, *, expecting: TrafficSplit) -> ShiftResult:
        """Read, check, write with the etag just read. Whatever goes wrong is followed by reading again.

        An answer that was lost is therefore never sent again blindly; and should the lost request arrive after all,
        only one of the two can still have the right etag.
        """
        live = await read_service(self.clients, place, also=to.serving)
        if already_shifted(live, to) or under_way(live, to):
            return ShiftResult.ALREADY
        for attempt in range(1, _ATTEMPTS + 1):
            check_shift(live, to, expecting=expecting)
            try:
                await write_traffic(self.clients, place, with_tags(to, live.wish), etag=live.etag)
            except Retryable:
                live = await read_service(self.clients, place, also=to.serving)
                if served_equals(live.wish, to):
                    return ShiftResult.SENT
                if attempt == _ATTEMPTS:
                    raise
            except Conflict:
                if attempt == _ATTEMPTS:
                    raise
                live = await read_service(self.clients, place, also=to.serving)
                if served_equals(live.wish, to):
                    return ShiftResult.ALREADY
            else:
                return ShiftResult.SENT
        raise AssertionError(attempt)  # the last attempt returns or raises
