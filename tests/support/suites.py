"""Suites of tests for tests: a catalog that knows them, reports as their runners write them, a pipeline that posts them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import aiohttp

from bot.decide.timing import WatchConfig
from bot.deps import Deps
from bot.model.catalog import Catalog, Quarantine, Severity, SeverityCondition, SeverityRule, Suite
from bot.model.suite import RunScope, TestRun
from bot.model.test_run import Case, Outcome, RunJudgement, RunVerdict, TestReport, Totals
from bot.store.database import Database
from support.deliveries import SECRET, Pipeline
from support.values import NOON, catalog

CATALOG = """
business: {arr: {amount: 500000, currency: USD, as_of: 2025-09-15}}
journeys:
  golden-path: {title: Sign in and get a first answer, needs: [auth], arr_share: 1.0}
services:
  auth:
    tier: 1
    channel: C0AUTHOPS01
    repository: https://github.example/acme/auth
    suites: [e2e-staging]
    deployments:
      staging:
        project: acme-staging
        region: us-central1
        cloud_run: auth-service
        rollback: {policy: one-approver, approvers: [U0AVERY0001]}
severity:
  - {when: {kind: discovery_failure, guards_journey: true}, then: P0}
  - {then: P1}
suites:
  e2e-staging: {guards: [golden-path], targets: {collection: 1.0, pass: 0.9}}
"""

NOTHING_COLLECTED = b"\nno tests ran in 0.01s\n"
EMPTY_JUNIT = (
    b'<?xml version="1.0"?><testsuites><testsuite name="pytest" errors="0" failures="0" tests="0"/></testsuites>'
)


def write_catalog(folder: Path) -> str:
    path = folder / "suites.yaml"
    path.write_text(CATALOG)
    return str(path)


def suite_catalog(*quarantine: Quarantine, **fields: Any) -> Catalog:
    """The catalog of `support.values` with one suite that guards the golden path."""
    known = catalog()
    rules = (SeverityRule(Severity.P0, SeverityCondition(kind="discovery_failure", guards_journey=True)),)
    suite = Suite(**{"guards": ("golden-path",), "targets": {"collection": 1.0}, "quarantine": quarantine} | fields)
    services = {"auth": replace(known.services["auth"], suites=("e2e",), repository="https://github.example/acme/auth")}
    unruled = SeverityRule(Severity.P2)
    return replace(known, services=services, suites={"e2e": suite}, severity=(*rules, unruled))


def junit(results: Mapping[str, str]) -> bytes:
    """As pytest writes it. Args: results: `tests/test_a.py::test_b` → "passed", "failed" or "skipped"."""
    ends = {
        "passed": "",
        "failed": '<failure message="assert 1 == 2">E assert 1 == 2</failure>',
        "skipped": "<skipped/>",
    }
    cases = []
    for node_id, result in results.items():
        file, _, name = node_id.partition("::")
        group = file.removesuffix(".py").replace("/", ".")
        cases.append(
            f"<testcase classname={quoteattr(group)} name={quoteattr(name)} time='0.01'>{ends[result]}</testcase>"
        )
    failed = sum(result == "failed" for result in results.values())
    head = f'<testsuites><testsuite name="pytest" errors="0" failures="{failed}" tests="{len(cases)}">'
    return f'<?xml version="1.0"?>{head}{"".join(cases)}</testsuite></testsuites>'.encode()


def run(number: int, *, minutes: float | None = None, commit: str | None = None, **fields: Any) -> TestRun:
    """Run 3 ended three minutes after noon."""
    at = NOON + timedelta(minutes=number if minutes is None else minutes)
    base = TestRun(f"run-{number:03}", "e2e", "main", commit or f"{number:07x}", at, "webhook")
    return replace(base, **fields)


_OUTCOMES = {"p": Outcome.PASSED, "f": Outcome.FAILED, "s": Outcome.SKIPPED, "c": Outcome.COLLECTED}


def report(results: Mapping[str, str], *, flaky: Sequence[str] = (), **fields: Any) -> TestReport:
    """Args: results: node id → p, f, s or c."""
    cases = tuple(Case(node_id, _OUTCOMES[letter], flaky=node_id in flaky) for node_id, letter in results.items())
    counted = [case.outcome for case in cases]
    totals = Totals(
        tests=len(cases),
        passed=counted.count(Outcome.PASSED),
        failed=counted.count(Outcome.FAILED),
        skipped=counted.count(Outcome.SKIPPED),
    )
    return replace(TestReport("junit", cases=cases, totals=totals, collected=len(cases)), **fields)


def judged(told: TestReport | None) -> RunJudgement:
    if told is None:
        return RunJudgement(RunVerdict.UNREADABLE, "not a test report of a known format")
    if not told.cases:
        return RunJudgement(RunVerdict.DISCOVERY_FAILURE, "nothing was collected")
    red = told.red
    return RunJudgement(RunVerdict.FAILED if red else RunVerdict.PASSED, f"{red} failed" if red else "all passed")


def suite_deps(db: Database, known: Catalog | None = None) -> Deps:
    """A database and a catalog; nothing of Google or Slack is asked."""

    async def nobody(*_: object, **__: object) -> Any:
        raise AssertionError("a test run asks nobody")

    return Deps(
        db=db,
        catalog=known or suite_catalog(),
        count_requests=nobody,
        read_entries=nobody,
        read_errors=nobody,
        read_traffic=nobody,
        target=nobody,  # type: ignore[arg-type]
        notifiers=(),
        members=nobody,
        check_health=nobody,
        now=lambda: datetime.now(UTC),
        wake_outbox=lambda: None,
        watch=WatchConfig(),
        dry_run=False,
    )


@dataclass
class Ci:
    """A pipeline that posts test reports to a bot."""

    http: aiohttp.ClientSession
    url: str
    secret: str = SECRET
    suite: str = "e2e-staging"

    async def post(
        self, body: bytes, *, delivery_id: str = "", headers: Mapping[str, str] | None = None, **query: str
    ) -> tuple[int, dict[str, Any]]:
        """(status, answer)"""
        sender = Pipeline(now=datetime.now(UTC), secret=self.secret)
        signed = sender.headers(body, delivery_id or f"run_{uuid.uuid4().hex}") | {"Content-Type": "application/xml"}
        request = self.http.post(
            f"{self.url}/events/test-run",
            params={"suite": self.suite, **query},
            data=body,
            headers=signed | dict(headers or {}),
        )
        async with request as response:
            return response.status, await response.json()


__all__ = [
    "CATALOG",
    "EMPTY_JUNIT",
    "NOTHING_COLLECTED",
    "Ci",
    "RunScope",
    "judged",
    "junit",
    "report",
    "run",
    "suite_catalog",
    "suite_deps",
    "write_catalog",
]
