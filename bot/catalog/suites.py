"""What types cannot say about the suites of a catalog, their runners above all: what a runner may start is written here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import PurePosixPath

from bot.catalog import forms
from bot.catalog.forms import Finding
from bot.catalog.problem import Path
from bot.model.catalog import Catalog, Quarantine, Suite
from bot.model.runner import CloudRunJobRunner, GitHubActionsRunner, LocalRunner, RerunPolicy

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_WORKFLOW = re.compile(r"[A-Za-z0-9._-]{1,100}\.ya?ml")
_JOB = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/@+-]{0,199}")
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
_OWN_PREFIXES = ("RELIABILITY_", "SLACK_", "GOOGLE_", "GCP_", "CLOUDSDK_", "DBOS_", "AWS_")
_OWN_NAMES = ("DATABASE_URL", "PGPASSWORD", "GITHUB_TOKEN", "GH_TOKEN")
_TIMEOUTS = (timedelta(seconds=5), timedelta(hours=6))
_COOLDOWNS = (timedelta(0), timedelta(hours=24))
_OUTPUT = (64 * 1024, 256 * 1024 * 1024)


def find(catalog: Catalog) -> Iterator[Finding]:
    """Everything found in `suites`, in their order."""
    for key, suite in catalog.suites.items():
        path: Path = ("suites", key)
        yield from forms.key(path, key)
        for index, name in enumerate(suite.guards):
            yield from forms.known((*path, "guards", index), name, catalog.journeys, "journey")
        for target, value in suite.targets.items():
            yield from forms.fraction((*path, "targets", target), value)
        for warning, budget in suite.warnings.items():
            if budget < 0:
                yield Finding((*path, "warnings", warning), "must be 0 or more")
        if suite.channel is not None and not forms.CHANNEL.fullmatch(suite.channel):
            mend = "Slack shows it at the bottom of the channel's details; it begins with C"
            yield Finding((*path, "channel"), "must be a channel's id, not its name", mend)
        for index, quarantine in enumerate(suite.quarantine):
            yield from _quarantine((*path, "quarantine", index), quarantine)
        yield from _policy((*path, "rerun"), suite.rerun)
        yield from _runner((*path, "runner"), suite)


def _quarantine(path: Path, quarantine: Quarantine) -> Iterator[Finding]:
    if not quarantine.test.strip():
        yield Finding((*path, "test"), "is empty", "the node id as the report names it")
    if not quarantine.why.strip():
        yield Finding((*path, "why"), "is empty", "say what is known about it")
    yield from forms.people((*path, "owner"), (quarantine.owner,), indexed=False)


def _policy(path: Path, policy: RerunPolicy) -> Iterator[Finding]:
    if not _TIMEOUTS[0] <= policy.timeout <= _TIMEOUTS[1]:
        yield Finding((*path, "timeout"), "must be 5 s to 6 h")
    if not _COOLDOWNS[0] <= policy.cooldown <= _COOLDOWNS[1]:
        yield Finding((*path, "cooldown"), "must be at most 24 h")
    if not 1 <= policy.at_once <= 10:
        yield Finding((*path, "at_once"), "must be 1 to 10")
    yield from forms.people((*path, "who"), policy.who)


def _runner(path: Path, suite: Suite) -> Iterator[Finding]:
    match suite.runner:
        case LocalRunner() as runner:
            yield from _local(path, runner)
        case GitHubActionsRunner() as runner:
            yield from _form((*path, "repository"), _REPOSITORY, runner.repository, "must be owner/name", "acme/auth")
            yield from _form((*path, "workflow"), _WORKFLOW, runner.workflow, "must be a file's name", "e2e.yml")
            yield from _form((*path, "ref"), _REF, runner.ref, "must be a branch or tag", "main")
            yield from _templates((*path, "inputs"), runner.inputs.items())
        case CloudRunJobRunner() as runner:
            yield from _google(path, runner.project, runner.region)
            yield from _form((*path, "job"), _JOB, runner.job, "must be the name of a Cloud Run job", "e2e-tests")
            yield from _templates((*path, "arguments"), enumerate(runner.arguments))
            yield from _variables((*path, "environment"), runner.environment)
            yield from _templates((*path, "environment"), runner.environment.items())
        case None:
            if suite.auto_rerun:
                yield Finding((*path[:-1], "auto_rerun"), "needs a `runner`", "say how the suite is run again")


def _local(path: Path, runner: LocalRunner) -> Iterator[Finding]:
    if not runner.command or not runner.command[0].strip():
        yield Finding((*path, "command"), "names no program", "such as [python, -m, pytest]")
    where = PurePosixPath(runner.directory)
    if where.is_absolute() or ".." in where.parts:
        yield Finding((*path, "directory"), "must be inside the catalog's own directory", "a relative path without ..")
    for index, text in enumerate(runner.tests):
        if text.startswith("-"):
            yield Finding((*path, "tests", index), "must be a path, not an option", "options belong to `command`")
    for name in ("command", "collect", "failed", "all"):
        words: tuple[str, ...] = getattr(runner, name)
        allowed = {"ref"} if name == "command" else {"ref", "report"}
        yield from _templates((*path, name), enumerate(words), allowed)
    yield from _variables((*path, "environment"), runner.environment)
    for index, name in enumerate(runner.pass_on):
        here = (*path, "pass_on", index)
        yield from _variables(here, (name,), indexed=False)
        if name.upper().startswith(_OWN_PREFIXES) or name.upper() in _OWN_NAMES:
            yield Finding(
                here, "is the bot's own: tests never see its secrets", "give the tests a variable of their own"
            )
    if not _OUTPUT[0] <= runner.output_limit <= _OUTPUT[1]:
        yield Finding((*path, "output_limit"), "must be 65536 to 268435456 bytes")


def _google(path: Path, project: str, region: str) -> Iterator[Finding]:
    yield from _form(
        (*path, "project"), forms.PROJECT, project, "must be a Google Cloud project id", "acme-staging, not its number"
    )
    yield from _form((*path, "region"), forms.REGION, region, "must be a region", "us-central1")


def _form(path: Path, form: re.Pattern[str], text: str, said: str, example: str) -> Iterator[Finding]:
    if not form.fullmatch(text):
        yield Finding(path, said, f"such as {example}")


def _variables(path: Path, names: Iterable[str], *, indexed: bool = True) -> Iterator[Finding]:
    for name in names:
        if not forms.VARIABLE.fullmatch(name):
            yield Finding((*path, name) if indexed else path, "is no name of an environment variable")


def _templates(
    path: Path, texts: Iterable[tuple[int | str, str]], allowed: Iterable[str] = ("mode", "tests", "ref", "id")
) -> Iterator[Finding]:
    """A misspelt placeholder would be passed on as it stands."""
    for key, text in texts:
        for name in _PLACEHOLDER.findall(text):
            if name not in allowed:
                mend = f"one of {', '.join(f'{{{each}}}' for each in sorted(allowed))}"
                yield Finding((*path, key), f"{{{name}}} stands for nothing here", mend)
