"""Suites, their runners and quarantines in reliability.yaml: what is right is read, what is wrong is told with its line."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from bot import catalog
from bot.model.runner import CloudRunJobRunner, GitHubActionsRunner, LocalRunner

HEAD = """\
services:
  auth: {tier: 1, channel: C0AUTHOPS01, suites: [e2e], deployments: {}}
severity: [{then: P0}]
suites:
"""
LOCAL = "  e2e: {runner: {kind: local, command: [python, -m, pytest], tests: [tests/e2e]}}\n"


def report(tmp_path: Path, text: str) -> catalog.CatalogReport:
    file = tmp_path / "reliability.yaml"
    file.write_text(HEAD + text)
    return catalog.check(file)


def test_each_kind_of_runner_is_read_into_its_own_type(tmp_path: Path) -> None:
    found = report(
        tmp_path,
        """\
  e2e:
    channel: C0BACKOPS01
    auto_rerun: true
    rerun: {timeout: 10m, cooldown: 0s, at_once: 2, who: [S0APPROVERS]}
    quarantine: [{test: "tests/a.py::test_b", until: 2026-12-01, owner: U0DANA00001, why: "flaky since the upgrade"}]
    runner: {kind: local, command: [python, -m, pytest], tests: [tests/e2e], environment: {PYTHONPATH: backend}}
  ci: {runner: {kind: github_actions, repository: acme/auth, workflow: e2e.yml, inputs: {mode: "{mode}"}}}
  job: {runner: {kind: cloud_run_job, project: acme-staging, region: us-central1, job: e2e, arguments: ["{tests}"]}}
  plain: {}
""",
    ).catalog

    assert found
    e2e = found.suites["e2e"]
    assert e2e.runner == LocalRunner(
        "local", ("python", "-m", "pytest"), ("tests/e2e",), environment={"PYTHONPATH": "backend"}
    )
    assert e2e.rerun.timeout == timedelta(minutes=10)
    assert e2e.quarantine[0].until == date(2026, 12, 1)
    assert isinstance(found.suites["ci"].runner, GitHubActionsRunner)
    assert isinstance(found.suites["job"].runner, CloudRunJobRunner)
    assert [found.channel_of(name) for name in ("e2e", "plain")] == ["C0BACKOPS01", None]
    assert [service.channel for service in found.services_with("e2e")] == ["C0AUTHOPS01"]


RUNNER = "suites.e2e.runner"


@pytest.mark.parametrize(
    ("suite", "field", "said"),
    [
        ("runner: {kind: lokal, command: [x]}", f"{RUNNER}.kind", "must be local, github_actions or cloud_run_job; mend: local?"),
        ("runner: {kind: 7}", f"{RUNNER}.kind", "must be local, github_actions or cloud_run_job"),
        ("runner: {command: [x]}", f"{RUNNER}.kind", "is missing"),
        ("runner: local", RUNNER, "must be a mapping"),
        ("runner: [local]", RUNNER, "must be a mapping"),
        ("runner: {kind: local}", f"{RUNNER}.command", "is missing"),
        ("runner: {kind: local, command: []}", f"{RUNNER}.command", "names no program"),
        ("runner: {kind: local, command: pytest -q}", f"{RUNNER}.command", "must be a list"),
        ("runner: {kind: local, command: [x], workflow: e2e.yml}", f"{RUNNER}.workflow", "is not known here"),
        ("runner: {kind: local, command: [x], comand: [y]}", f"{RUNNER}.comand", "command?"),
        ("runner: {kind: local, command: [x], directory: ../other}", f"{RUNNER}.directory", "inside the catalog's own"),
        ("runner: {kind: local, command: [x], directory: /etc}", f"{RUNNER}.directory", "inside the catalog's own"),
        ("runner: {kind: local, command: [x], tests: [--pdb]}", f"{RUNNER}.tests[0]", "not an option"),
        ("runner: {kind: local, command: [x, '{reff}']}", f"{RUNNER}.command[1]", "{reff} stands for nothing here"),
        ("runner: {kind: local, command: [x], pass_on: [SLACK_BOT_TOKEN]}", f"{RUNNER}.pass_on[0]", "is the bot's own"),
        ("runner: {kind: local, command: [x], pass_on: [database_url]}", f"{RUNNER}.pass_on[0]", "is the bot's own"),
        ("runner: {kind: local, command: [x], environment: {A-B: x}}", f"{RUNNER}.environment.A-B", "is no name"),
        ("runner: {kind: local, command: [x], output_limit: 5}", f"{RUNNER}.output_limit", "must be 65536 to"),
        ("runner: {kind: github_actions, repository: acme, workflow: e.yml}", f"{RUNNER}.repository", "must be owner/name"),
        ("runner: {kind: github_actions, repository: a/b, workflow: e2e}", f"{RUNNER}.workflow", "must be a file's name"),
        ("runner: {kind: github_actions, repository: a/b}", f"{RUNNER}.workflow", "is missing"),
        ("runner: {kind: github_actions, repository: a/b, workflow: e.yml, ref: -x}", f"{RUNNER}.ref", "must be a branch"),
        ("runner: {kind: cloud_run_job, project: acme-staging, region: x, job: j}", f"{RUNNER}.region", "must be a region"),
        ("rerun: {timeout: 1s}", "suites.e2e.rerun.timeout", "must be 5 s to 6 h"),
        ("rerun: {timeout: soon}", "suites.e2e.rerun.timeout", "must be a duration"),
        ("rerun: {cooldown: 25h}", "suites.e2e.rerun.cooldown", "must be at most 24 h"),
        ("rerun: {at_once: 0}", "suites.e2e.rerun.at_once", "must be 1 to 10"),
        ("rerun: {who: [riley]}", "suites.e2e.rerun.who[0]", "must be the id of a Slack user"),
        ("channel: alerts", "suites.e2e.channel", "must be a channel's id"),
        ("auto_rerun: true", "suites.e2e.auto_rerun", "needs a `runner`"),
        ("quarantine: [{test: a, until: soon, owner: U0DANA00001, why: x}]", "suites.e2e.quarantine[0].until", "must be a date"),
        ("quarantine: [{test: a, until: 2026-12-01, owner: dana, why: x}]", "suites.e2e.quarantine[0].owner", "must be the id"),
        ("quarantine: [{test: a, until: 2026-12-01, owner: U0DANA00001}]", "suites.e2e.quarantine[0].why", "is missing"),
        ("quarantine: [{test: a, until: 2026-12-01, owner: U0DANA00001, why: ' '}]", "suites.e2e.quarantine[0].why", "is empty"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_its_field_and_the_mend(
    tmp_path: Path, suite: str, field: str, said: str
) -> None:
    found = report(tmp_path, f"  e2e: {{{suite}}}\n")

    assert found.catalog is None
    [problem] = found.errors
    assert (problem.line, problem.field) == (5, field)
    assert said in str(problem)


def test_a_runner_of_no_known_kind_hides_no_other_mistake(tmp_path: Path) -> None:
    found = report(tmp_path, "  e2e: {runner: {kind: lokal}, targets: {pass: 90}}\n")

    assert [problem.field for problem in found.errors] == ["suites.e2e.runner.kind", "suites.e2e.targets.pass"]
