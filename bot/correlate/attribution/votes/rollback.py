"""Going back to a revision that served before."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.model.attribution import Vote

_ROLLED_BACK = -3.0  # who goes back to a revision knew it to be good


def vote(case: Case, suspect: Suspect) -> Vote | None:  # noqa: ARG001
    if not suspect.back:
        return None
    return Vote("rollback", _ROLLED_BACK, f"{suspect.revision} had served before: going back to it is rarely the cause")
