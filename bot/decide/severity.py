"""How loud an incident is: the catalog's rules, the first that matches wins."""

from __future__ import annotations

from bot.model.catalog import Catalog, Place, Severity, SeverityCondition
from bot.model.judgement import IncidentKind

UNRULED = Severity.P2
"""When no rule matches: seen today, nobody is woken. A last rule without `when` overrides it."""


def severity(catalog: Catalog, place: Place, kind: IncidentKind) -> Severity:
    """Severity of an incident of this kind at this place; P2 where no rule matches."""
    return next((rule.then for rule in catalog.severity if _matches(rule.when, catalog, place, kind)), UNRULED)


def _matches(when: SeverityCondition, catalog: Catalog, place: Place, kind: IncidentKind) -> bool:
    """All that the condition gives must be so; what it leaves out matches everything."""
    return (
        when.kind in {None, kind.value}
        and when.tier in {None, place.service.tier}
        and when.environment in {None, place.environment}
        and when.service in {None, place.service_key}
        and when.guards_journey in {None, bool(catalog.journeys_of(place.service_key))}
    )
