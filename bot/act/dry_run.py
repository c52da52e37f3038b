"""The dry run: reads the real thing, makes every check, moves nothing."""

from __future__ import annotations

from dataclasses import dataclass

from bot.act.plan import already_shifted, check_shift
from bot.act.target import ShiftResult
from bot.gcp.clients import Clients
from bot.gcp.run import read_service
from bot.model.catalog import Place
from bot.model.cloud_run import ServiceState, TrafficSplit


@dataclass(frozen=True)
class DryRun:
    """Implements `RollbackTarget`."""

    clients: Clients

    async def state(self, place: Place) -> ServiceState:
        return await read_service(self.clients, place)

    async def shift(self, place: Place, to: TrafficSplit, *, expecting: TrafficSplit) -> ShiftResult:
        live = await read_service(self.clients, place, also=to.serving)
        if already_shifted(live, to):
            return ShiftResult.ALREADY
        check_shift(live, to, expecting=expecting)
        return ShiftResult.DRY_RUN
