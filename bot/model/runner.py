"""How a suite is run again, as the catalog says it: one kind each, with the fields that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True)
class LocalRunner:
    """A command on the bot's own machine, never a shell line.

    Attributes:
        command: program and arguments as they are passed on; `{ref}` stands for what the person asked for.
        tests: paths that are added at the end; *failed* names the failed tests in their place.
        directory: where it runs, relative to the catalog's own directory and inside it.
        collect, failed, all: arguments added for the mode. `{report}`: where a JUnit file is expected.
        environment: variables it gets besides PATH, HOME, LANG, TZ and TMPDIR.
        pass_on: names of the bot's own variables that it may see.
        output_limit: bytes of output after which it is ended.
    """

    kind: Literal["local"]
    command: tuple[str, ...]
    tests: tuple[str, ...] = ()
    directory: str = "."
    collect: tuple[str, ...] = ("--collect-only", "-q")
    failed: tuple[str, ...] = ("--junitxml={report}",)
    all: tuple[str, ...] = ("--junitxml={report}",)
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_on: tuple[str, ...] = ()
    output_limit: int = 16 * 1024 * 1024


@dataclass(frozen=True)
class GitHubActionsRunner:
    """A workflow of GitHub Actions with `workflow_dispatch`.

    Attributes:
        repository: "acme/auth". workflow: its file's name, "e2e.yml". ref: branch or tag when nobody asks for another.
        inputs: sent as they are; `{mode}`, `{tests}`, `{ref}` and `{id}` are filled in.
        artifact: name of the artifact that holds the report; None: only the conclusion is known.
    """

    kind: Literal["github_actions"]
    repository: str
    workflow: str
    ref: str = "main"
    inputs: Mapping[str, str] = field(default_factory=dict)
    artifact: str | None = None


@dataclass(frozen=True)
class CloudRunJobRunner:
    """An execution of a Cloud Run job.

    Attributes:
        container: whose arguments are replaced; None: the job's only one.
        arguments: `{mode}`, `{tests}`, `{ref}` and `{id}` are filled in; () leaves the job's own.
        environment: variables of this execution, filled in likewise.
    """

    kind: Literal["cloud_run_job"]
    project: str
    region: str
    job: str
    container: str | None = None
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


SuiteRunner = LocalRunner | GitHubActionsRunner | CloudRunJobRunner


@dataclass(frozen=True)
class RerunPolicy:
    """How often, how long and by whom a suite is run again.

    Attributes:
        timeout: a run that has not ended by then is ended, 5 s – 6 h.
        cooldown: this long after the end of a rerun no other is started, 0 – 24 h.
        at_once: different reruns of the suite that may be under way, 1 – 10.
        who: Slack users and user groups that may start any of them. None listed: everybody in one of the bot's
            channels may have the tests collected, and who may approve rollbacks of the suite's services may run them.
    """

    timeout: timedelta = timedelta(minutes=15)
    cooldown: timedelta = timedelta(seconds=30)
    at_once: int = 1
    who: tuple[str, ...] = ()
