"""Did requests fail at all? Lines at ERROR beside answers that are all well are chatter."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.content import Theme
from bot.model.attribution import Cause, Vote

_HARDLY = 0.1  # failed requests by failure
_CHATTER, _MUCH_CHATTER, _MANY = 3.0, 5.5, 10  # weights; lines from which there is no doubt
_NEEDS_NO_REQUEST = (Theme.STARTUP, Theme.MEMORY)


def vote(case: Case, suspect: Suspect) -> Vote | None:
    errors = [rise for rise in case.rises if rise.kind == "error"]
    shares = [rise.failed_requests for rise in errors]
    if not errors or len(errors) < len(case.rises) or any(share is None or share > _HARDLY for share in shares):
        return None
    if sum(case.themes(case.roots).get(theme, 0.0) for theme in _NEEDS_NO_REQUEST) >= 0.3:
        return None
    units = sum(rise.units for rise in errors)
    clear = 1.0 - 0.7 * case.themes(case.roots).get(Theme.CODE, 0.0)  # an exception may be answered with 200
    weight = clear * (_MUCH_CHATTER if units >= _MANY else _CHATTER)
    return Vote(
        "requests",
        weight if suspect.cause is Cause.NONE else -weight,
        f"{units:.0f} error lines, and hardly a request failed",
    )
