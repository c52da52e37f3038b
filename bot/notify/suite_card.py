"""An alarm of a suite → its card as a message."""

from __future__ import annotations

import logging

from bot.model.catalog import Catalog
from bot.model.suite import SuiteAlarm
from bot.notify import safe
from bot.notify.limits import fit
from bot.notify.message import Message
from bot.notify.render import render
from bot.notify.suite import alarm_card

log = logging.getLogger(__name__)


def render_alarm(alarm: SuiteAlarm, catalog: Catalog) -> Message:
    """The card of an alarm. One that cannot be laid out is told in plain text: notifying fails open."""
    card = alarm_card(alarm, catalog)
    try:
        return render("suite/card", {"card": card})
    except Exception:
        log.exception("card.not_laid_out", extra={"alarm": alarm.id})
        text = f"{card.text}. {card.reason} (This card could not be laid out; the log says why.)"
        return fit(Message(str(safe.mentions(text)).replace('\\"', '"').replace("\\n", "\n")))
