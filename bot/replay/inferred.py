"""A catalog from what was recorded, where none is given: every service that is named, in the project that it ran in.

What nobody wrote down stays unknown: there are no journeys and no revenue, so impact is unknown; who may approve is
nobody; every service counts as tier 1, because a replay is to show what the bot can see.
"""

from __future__ import annotations

from collections import Counter

from bot.model.catalog import Catalog, Deployment, Service, Severity, SeverityCondition, SeverityRule
from bot.replay.recording import Home, Recording

CHANNEL = "C0REPLAY"

_RULES = (
    SeverityRule(Severity.P0, SeverityCondition(kind="serving_failure")),
    SeverityRule(Severity.P1, SeverityCondition(kind="deploy_blocked")),
)
"""Users who suffer are louder than a release that waits."""


def infer(recording: Recording) -> Catalog:
    """The catalog; the environment is called after the project, and after the region where that does not tell apart."""
    often = Counter((home.project, home.service) for home in recording.homes)
    services: dict[str, dict[str, Deployment]] = {}
    for home in recording.homes:
        environment = _environment(home, often[home.project, home.service])
        deployment = Deployment(home.project, home.region, home.service)
        services.setdefault(home.service, {})[environment] = deployment
    return Catalog(
        services={
            name: Service(tier=1, channel=CHANNEL, deployments=deployments)
            for name, deployments in sorted(services.items())
        },
        severity=_RULES,
    )


def _environment(home: Home, same_name: int) -> str:
    project = home.project or "project unknown"
    return project if same_name == 1 else f"{project} {home.region or 'region unknown'}"
