"""Cloud Monitoring's counts by revision and class: late, complete. A veto, and a word for silent callees."""

from __future__ import annotations

from collections.abc import Mapping

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.exposure import counts_of
from bot.correlate.attribution.statistics import log_evidence
from bot.model.attribution import Cause, Vote

_ENOUGH = 30
_LIMIT = 3.0


def vote(case: Case, suspect: Suspect) -> Vote | None:
    if suspect.cause is not Cause.REVISION or all(rise.kind == "client" for rise in case.rises):
        return None
    service = case.ledger.services[suspect.service]
    since = max(suspect.at, case.onset)
    own = counts_of(service, suspect.revision, since, case.now)
    whole = counts_of(service, None, since, case.now)
    beside = {key: count - own.get(key, 0.0) for key, count in whole.items()}
    before = counts_of(service, None, case.onset - 900, min(suspect.at, case.onset) - 30)
    if sum(own.values()) < _ENOUGH:
        return None
    if sum(beside.values()) >= _ENOUGH:
        return _said(suspect, own, beside, "of the other revisions meanwhile", _LIMIT)
    if sum(before.values()) < _ENOUGH:
        return None
    silent = (
        case.rise_of(suspect.service) is None
    )  # where it complains itself, that it fails is known and proves no cause
    return _said(suspect, own, before, "before", 1.5 if silent else 0.0)


def _said(suspect: Suspect, own: Mapping[str, float], other: Mapping[str, float], when: str, most: float) -> Vote:
    asked, failed = sum(own.values()), own.get("5xx", 0.0)
    asked_other, failed_other = sum(other.values()), other.get("5xx", 0.0)
    weight = log_evidence(failed, asked, failed_other, asked_other, (2.0, 5.0, 20.0))
    return Vote(
        "counts",
        max(-_LIMIT, min(most, weight)),
        f"{failed:.0f} of {asked:.0f} requests to {suspect.revision} failed by count, {when} {failed_other:.0f} of {asked_other:.0f}",
    )
