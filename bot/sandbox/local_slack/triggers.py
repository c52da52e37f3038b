"""Trigger ids: proof that a person did something just now; good for opening one view, once, within 3 seconds."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.sandbox.local_slack.ids import Clock
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.tokens import digits

LIFETIME = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Trigger:
    user: str
    issued_at: datetime
    spent: bool = False


class Triggers:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._triggers: dict[str, Trigger] = {}

    def issue(self, user: str) -> str:
        trigger_id = f"{digits(13)}.{digits(11)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user, self.clock())
        return trigger_id

    def spend(self, trigger_id: str) -> Trigger:
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.spent:
            raise Refused("exchanged_trigger_id")
        if self.clock() - trigger.issued_at > LIFETIME:
            raise Refused("expired_trigger_id")
        self._triggers[trigger_id] = replace(trigger, spent=True)
        return trigger
