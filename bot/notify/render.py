"""Template + context → Message. The templates are in `templates/`; `blocks.j2` holds all syntax."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.decide import transitions
from bot.model.catalog import Catalog, Place
from bot.model.incident import Incident
from bot.notify import safe
from bot.notify.card import Card, card
from bot.notify.limits import fit
from bot.notify.message import Message
from bot.notify.presenters import PRESENTERS

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parents[2] / "templates"


@cache
def environment() -> Environment:
    """Every value printed by a template goes through `safe`; an undefined name raises."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=safe.safe,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters |= {function.__name__: function for function in safe.FILTERS}
    env.tests |= {"person": safe.is_person, "group": safe.is_group}
    return env


def render(template: str, context: Mapping[str, Any]) -> Message:
    """A message within Slack's limits; the same input gives the same bytes.

    Args:
        template: name below `templates/` without its suffix, "reply/status".
        context: what the template (or its presenter) asks for; anything missing raises.
    """
    present = PRESENTERS.get(template)
    shown = present(context) if present else context
    document = json.loads(environment().get_template(f"{template}.json.j2").render(shown))
    return fit(Message(document["text"], tuple(document["blocks"])))


def render_card(
    incident: Incident,
    place: Place,
    catalog: Catalog,
    *,
    actions: Sequence[str] | None = None,
    delayed_by: timedelta | None = None,
) -> Message:
    """The card of an incident. A card that cannot be laid out is told in plain text: notifying fails open.

    Args:
        actions: ids of the buttons; None: those that `transitions` allows now.
    """
    view = card(
        incident,
        place,
        arr=catalog.business.arr,
        actions=transitions.allowed(incident) if actions is None else actions,
        delayed_by=delayed_by,
        moved=catalog.place(incident.plan.place) if incident.plan else None,
        pinned=catalog.place(incident.pinned_place) if incident.pinned_place else None,
    )
    try:
        return render("incident/card", {"card": view})
    except Exception:
        log.exception("card.not_laid_out", extra={"incident": incident.id})
        return _unadorned(view)


def _unadorned(view: Card) -> Message:
    """What matters most, without any template."""
    text = f"{view.text}. {view.cause.title} {view.cause.proof} (This card could not be laid out; the log says why.)"
    return fit(Message(str(safe.mentions(text)).replace('\\"', '"').replace("\\n", "\n")))
