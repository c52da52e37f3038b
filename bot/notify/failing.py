"""What is failing, in numbers that carry their window and sample size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.decide.phrases import percent
from bot.model.evidence import RequestCount
from bot.model.incident import Incident
from bot.notify.words import count, duration, short


@dataclass(frozen=True)
class Failing:
    """A revision that serves users and fails.

    Attributes:
        share: of the traffic that it gets, `100 %`; "" when it gets none (any more).
        ratio: of its requests that fail, `97 %`; "" when they could not be counted.
        counted: `1,204 of 1,241 in 3 min`; until: the end of that time.
        compared: `0.1 % of 1,530 on …-00281-kzq before it`; "" when there is nothing to compare with.
    """

    revision: str
    share: str = ""
    ratio: str = ""
    counted: str = ""
    until: datetime | None = None
    compared: str = ""


@dataclass(frozen=True)
class Blocked:
    """Deploys that do not become ready. `tally`: `5 of 5 deploys failed`; newest: the newest of the revisions."""

    tally: str
    newest: str


def failing(incident: Incident, service: str) -> Failing:
    """Of a serving failure."""
    requests = incident.requests
    name = requests.revision if requests else incident.revisions[0].name if incident.revisions else ""
    split = incident.serving.serving
    if name not in split and incident.plan is not None:
        split = incident.plan.before.serving  # rolled back: what it served until then
    share = f"{split[name]} %" if name in split else ""
    shown = short(name, service) or service
    if requests is None:
        return Failing(shown, share)
    return Failing(
        revision=shown,
        share=share,
        ratio=percent(requests.ratio),
        counted=counted(requests),
        until=requests.window.end,
        compared=_compared(incident.before, service),
    )


def counted(requests: RequestCount) -> str:
    """`1,204 of 1,241 in 3 min`; where the log was longer than we read: `at least 1,204 of 5,000 sampled in 3 min`."""
    window = duration(requests.window.end - requests.window.start)
    if requests.complete:
        return f"{requests.failed:,} of {requests.total:,} in {window}"
    return f"at least {requests.failed:,} of {requests.total:,} sampled in {window}"


def _compared(before: RequestCount | None, service: str) -> str:
    if before is None or not before.total:
        return ""
    return f"{percent(before.ratio)} of {before.total:,} on {short(before.revision, service)} before it"


def blocked(incident: Incident, service: str) -> Blocked:
    """Of a blocked deploy."""
    failed = max(incident.failed_attempts, len(incident.revisions))
    tried = max(incident.attempts, failed)
    newest = short(incident.revisions[0].name, service) if incident.revisions else ""
    return Blocked(f"{failed:,} of {count(tried, 'deploy')} failed", newest)
