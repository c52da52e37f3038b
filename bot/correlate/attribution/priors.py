"""How often each cause is the cause, before anything is looked at. No evidence, and never shown as such."""

from __future__ import annotations

from bot.model.attribution import Cause

USUAL = {
    Cause.REVISION: 0.0,  # most outages follow a change
    Cause.CONFIG: 0.5,  # rarer than deploys, and so the nearness of one tells more
    Cause.DEPENDENCY: -0.7,
    Cause.TRAFFIC: -0.7,
    Cause.CLIENT: 1.5,  # only asked where nothing but 4xx rose
    Cause.NONE: 4.5,  # against which the strength of the rise is set; a chance rise is searched for beside deploys, too
}
"""ln of the odds, against a revision's."""
