"""Who may have caused a case: deploys and settings before its beginning, and what needs no change of ours."""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.correlate.attribution.exposure import share_at, share_seconds, splits
from bot.correlate.attribution.records import Service
from bot.correlate.attribution.rises import Rise
from bot.model.attribution import Cause

SKEW = 20.0  # seconds by which a deploy may seem to come after its first error
_REACH = 120.0  # seconds: a deploy of a service that nothing points at is suspected only so near to the beginning
_WOULD_HAVE_SHOWN = 6.0  # failures
_SETTING_REACH = 420.0


def suspects(case: Case) -> list[Suspect]:
    """All that are to be judged, in a stable order; always at least dependency, traffic and none."""
    found: list[Suspect] = []
    for name in sorted(case.ledger.services):
        service = case.ledger.services[name]
        found += _revisions(case, service)
        found += [
            Suspect(Cause.CONFIG, name, at=s.at, name=s.name, heard=s.heard)
            for s in service.settings
            if -SKEW - 10 <= case.onset - s.at <= _SETTING_REACH
        ]
    where = case.roots[0].service if len(case.roots) == 1 else ""
    found += [
        Suspect(Cause.DEPENDENCY, where, at=case.onset, name=case.dependency()),
        Suspect(Cause.TRAFFIC, where, at=case.onset),
        Suspect(Cause.NONE, where, at=case.onset),
    ]
    if all(rise.kind == "client" for rise in case.rises):
        found.append(Suspect(Cause.CLIENT, where, at=case.onset))
    return found


def _revisions(case: Case, service: Service) -> list[Suspect]:
    found: dict[str, Suspect] = {}
    timeline = splits(service)
    own = case.rise_of(service.name)
    onset = own.onset if own and own.strength >= 3.0 else case.onset
    for deploy in service.deploys:
        gap = onset - deploy.at
        if gap < -SKEW - 60:
            continue
        if gap < -SKEW and deploy.revision in found:
            continue
        serves = (
            deploy.traffic > 0
            and max(share_at(timeline, deploy.revision, onset), share_at(timeline, deploy.revision, onset + SKEW)) > 0
        )
        if not serves and not (own and own.by_revision.get(deploy.revision)):
            continue
        if (
            own is None
            and gap > _REACH
            and not any(case.relation(r, service.name).strength >= 0.25 for r in case.rises)
        ):
            continue
        earlier = found.get(deploy.revision)
        at = earlier.at if earlier and (gap > _REACH or _was_fine(service, own, earlier, deploy.at)) else deploy.at
        found[deploy.revision] = Suspect(
            Cause.REVISION, service.name, deploy.revision, at, back=deploy.back, heard=deploy.heard
        )
    if own:
        found.update(_unannounced(service, own, onset, found))
    return list(found.values())


def _was_fine(service: Service, own: Rise | None, earlier: Suspect, until: float) -> bool:
    """It had served enough before it got more traffic that failures at the present rate would have shown."""
    timeline = splits(service)
    share = share_at(timeline, earlier.revision, own.onset + SKEW) if own else 0.0
    if own is None or not share:
        return False
    served = share_seconds(timeline, earlier.revision, earlier.at, until)
    return own.by_revision.get(earlier.revision, 0.0) / max(own.seconds, 1.0) / share * served >= _WOULD_HAVE_SHOWN


def _unannounced(service: Service, rise: Rise, onset: float, found: dict[str, Suspect]) -> dict[str, Suspect]:
    """Revisions that fail and whose deploy was not told yet: they appeared just before the errors."""
    told = {revision for deploy in service.deploys for revision in (deploy.revision, deploy.prev)} | found.keys()
    older = min((s.first for s in service.series.values() if s.first != float("inf")), default=onset)
    return {
        name: Suspect(Cause.REVISION, service.name, name, series.first, heard=series.first)
        for name, series in service.series.items()
        if name and name not in told and name in rise.by_revision and series.first > max(older + 60, onset - _REACH)
    }
