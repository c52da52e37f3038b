"""How loud an incident, or an alarm of a suite, is: the catalog's rules, the first that matches wins."""

from __future__ import annotations

from bot.model.catalog import Catalog, Place, Severity, SeverityCondition
from bot.model.judgement import IncidentKind
from bot.model.suite import AlarmKind

UNRULED = Severity.P2
"""When no rule matches: seen today, nobody is woken. A last rule without `when` overrides it."""


def severity(catalog: Catalog, place: Place, kind: IncidentKind) -> Severity:
    """Severity of an incident of this kind at this place; P2 where no rule matches."""
    return next((rule.then for rule in catalog.severity if _matches(rule.when, catalog, place, kind)), UNRULED)


def severity_of_suite(catalog: Catalog, suite: str, kind: AlarmKind) -> Severity:
    """Severity of an alarm of a suite.

    The suite stands for the services that list it, or else for those that its journeys need. Where no rule matches,
    P2, but P0 for a suite that guards a journey and does not find its tests: nobody knows then whether it works.
    """
    guarded = [catalog.journeys[key] for key in catalog.suites[suite].guards if key in catalog.journeys]
    listing = {key for key, service in catalog.services.items() if suite in service.suites}
    services = listing or {key for journey in guarded for key in journey.needs if key in catalog.services}
    unruled = Severity.P0 if guarded and kind is AlarmKind.DISCOVERY_FAILURE else UNRULED
    tiers = {catalog.services[key].tier for key in services}
    environments = {name for key in services for name in catalog.services[key].deployments}
    return next(
        (
            rule.then
            for rule in catalog.severity
            if rule.when.kind in {None, kind.value}
            and rule.when.tier in {None, min(tiers, default=None)}
            and (rule.when.environment is None or rule.when.environment in environments)
            and (rule.when.service is None or rule.when.service in services)
            and rule.when.guards_journey in {None, bool(guarded)}
        ),
        unruled,
    )


def _matches(when: SeverityCondition, catalog: Catalog, place: Place, kind: IncidentKind) -> bool:
    """All that the condition gives must be so; what it leaves out matches everything."""
    return (
        when.kind in {None, kind.value}
        and when.tier in {None, place.service.tier}
        and when.environment in {None, place.environment}
        and when.service in {None, place.service_key}
        and when.guards_journey in {None, bool(catalog.journeys_of(place.service_key))}
    )
