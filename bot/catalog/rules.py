"""What types cannot say about a catalog: forms, ranges, and that names mean something."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from bot.catalog import forms, suites
from bot.catalog.forms import Finding
from bot.catalog.problem import Path
from bot.model.catalog import Catalog, Deployment, Detection, RollbackPolicy, Service, SeverityCondition
from bot.model.judgement import IncidentKind

_USER_GROUP = "S"
_CLOUD_RUN = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_HTTPS = re.compile(r"https://[^\s/]+(/\S*)?")
_KINDS = (*IncidentKind, "discovery_failure")  # the last: tests that are not found, see `suites`
_LEAST_WINDOW, _MOST_WINDOW = timedelta(seconds=10), timedelta(hours=1)


def find(catalog: Catalog) -> Iterator[Finding]:
    """Everything found, in the order of the sections."""
    yield from _business(catalog)
    yield from _journeys(catalog)
    yield from _services(catalog)
    yield from _same_service_twice(catalog)
    yield from _detection(("detection",), catalog.detection)
    yield from _severity(catalog)
    yield from suites.find(catalog)
    for role, people in catalog.roles.items():
        yield from forms.people(("roles", role), people)


def _business(catalog: Catalog) -> Iterator[Finding]:
    arr = catalog.business.arr
    if arr and not 0 < arr.amount < float("inf"):
        yield Finding(("business", "arr", "amount"), "must be more than 0")
    if arr and not _CURRENCY.fullmatch(arr.currency):
        yield Finding(("business", "arr", "currency"), "must be an ISO 4217 code", "three capitals such as USD")
    if catalog.business.restore_within <= timedelta(0):
        yield Finding(("business", "restore_within"), "must be longer than nothing", "write it as 4h")


def _journeys(catalog: Catalog) -> Iterator[Finding]:
    for key, journey in catalog.journeys.items():
        path: Path = ("journeys", key)
        yield from forms.key(path, key)
        for index, name in enumerate(journey.needs):
            yield from forms.known((*path, "needs", index), name, catalog.services, "service")
        if not journey.needs:
            yield Finding((*path, "needs"), "names no service: nothing can ever block this journey", is_error=False)
        yield from forms.fraction((*path, "arr_share"), journey.arr_share)
        yield from forms.fraction((*path, "objective"), journey.objective)
    each = [journey.arr_share or 0 for journey in catalog.journeys.values()]
    if (shares := sum(each)) > 1 >= max(each):
        text = f"the arr_share of all journeys add up to {shares:g}: what is at risk is cut at the whole ARR"
        yield Finding(("journeys",), text, is_error=False)


def _services(catalog: Catalog) -> Iterator[Finding]:
    if not catalog.services:
        yield Finding(("services",), "holds no service", "describe at least one")
    for key, service in catalog.services.items():
        path: Path = ("services", key)
        yield from forms.key(path, key)
        yield from _service(path, service, catalog)
        for environment, deployment in service.deployments.items():
            here = (*path, "deployments", environment)
            yield from forms.key(here, environment)
            yield from _deployment(here, deployment)


def _service(path: Path, service: Service, catalog: Catalog) -> Iterator[Finding]:
    if not 1 <= service.tier <= 4:
        yield Finding((*path, "tier"), "must be 1 to 4", "1 = most important")
    if not forms.CHANNEL.fullmatch(service.channel):
        mend = "Slack shows it at the bottom of the channel's details; it begins with C"
        yield Finding((*path, "channel"), "must be a channel's id, not its name", mend)
    if service.health is not None and not re.fullmatch(r"/\S*", service.health):
        yield Finding((*path, "health"), "must be a path", "begin with a slash: /health")
    if service.repository is not None and not _HTTPS.fullmatch(service.repository):
        yield Finding((*path, "repository"), "must be an https:// address", "such as https://github.com/acme/auth")
    yield from forms.people((*path, "owners"), service.owners)
    for index, name in enumerate(service.requires_env):
        if not forms.VARIABLE.fullmatch(name):
            yield Finding((*path, "requires_env", index), "is no name of an environment variable")
    for index, name in enumerate(service.suites):
        yield from forms.known((*path, "suites", index), name, catalog.suites, "suite")
    if service.detection:
        yield from _detection((*path, "detection"), service.detection)
    if not service.deployments:
        yield Finding((*path, "deployments"), "names none: this service is not watched", is_error=False)


def _deployment(path: Path, deployment: Deployment) -> Iterator[Finding]:
    if not forms.PROJECT.fullmatch(deployment.project):
        yield Finding((*path, "project"), "must be a Google Cloud project id", "such as acme-staging, not its number")
    if not forms.REGION.fullmatch(deployment.region):
        yield Finding((*path, "region"), "must be a region", "such as us-central1")
    if not _CLOUD_RUN.fullmatch(deployment.cloud_run):
        yield Finding((*path, "cloud_run"), "must be the name of a Cloud Run service", "such as auth-service")
    rule = deployment.rollback
    here = (*path, "rollback", "approvers")
    yield from forms.people(here, rule.approvers)
    if rule.policy is RollbackPolicy.NEVER:
        return
    if not rule.approvers:
        yield Finding(here, "nobody can approve a rollback here", "list user or user-group ids", is_error=False)
    elif not any(a.startswith(_USER_GROUP) for a in rule.approvers):
        people = len(set(rule.approvers))
        if people < rule.policy.approvals_needed:
            text = f"{rule.policy} can never be met by {people} person"
            yield Finding(here, text, "list more people or a user group", is_error=False)


def _same_service_twice(catalog: Catalog) -> Iterator[Finding]:
    seen: dict[tuple[str, str, str], str] = {}
    for place in catalog.places:
        deployment = place.deployment
        identity = (deployment.project, deployment.region, deployment.cloud_run)
        if identity in seen:
            path = ("services", place.service_key, "deployments", place.environment)
            yield Finding(path, f"is the same Cloud Run service as {seen[identity]}", "keep one of them")
        seen.setdefault(identity, place.key)


def _detection(path: Path, detection: Detection) -> Iterator[Finding]:
    if detection.failures < 1:
        yield Finding((*path, "failures"), "must be 1 or more")
    if not 0 < detection.ratio <= 1:
        yield Finding((*path, "ratio"), "must be more than 0 and at most 1", "0.05 = 5 %")
    if not _LEAST_WINDOW <= detection.window <= _MOST_WINDOW:
        yield Finding((*path, "window"), "must be 10 s to 1 h")
    if detection.min_requests < 1:
        yield Finding((*path, "min_requests"), "must be 1 or more: no request is no proof of health")


def _severity(catalog: Catalog) -> Iterator[Finding]:
    caught_all = False
    for index, rule in enumerate(catalog.severity):
        path: Path = ("severity", index)
        if caught_all:
            yield Finding(path, "is never reached: a rule above it matches everything", "move it up", is_error=False)
        yield from _condition((*path, "when"), rule.when, catalog)
        caught_all = caught_all or rule.when == SeverityCondition()
    if not caught_all:
        text = "no rule matches everything: what none matches gets the default"
        yield Finding(("severity",), text, "end with `- {then: P2}`", is_error=False)


def _condition(path: Path, when: SeverityCondition, catalog: Catalog) -> Iterator[Finding]:
    if when.kind is not None:
        yield from forms.known((*path, "kind"), when.kind, _KINDS, "kind of incident")
    if when.tier is not None and not 1 <= when.tier <= 4:
        yield Finding((*path, "tier"), "must be 1 to 4")
    if when.service is not None:
        yield from forms.known((*path, "service"), when.service, catalog.services, "service")
    if when.environment is not None:
        environments = {place.environment for place in catalog.places}
        yield from forms.known((*path, "environment"), when.environment, environments, "environment")
