"""The command line as a person calls it, in an environment of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.settings import all_settings

Run = Callable[..., Result]

PIPELINES = ("GITHUB_", "GITLAB_", "CI_", "CIRCLE_", "CLOUDSDK_", "GOOGLE_CLOUD_", "BUILD_", "BITBUCKET_", "GIT_")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings and no pipeline of whoever runs the tests; an empty folder; a wide terminal without colours."""
    ours = {setting.name for setting in all_settings()} | {"GAE_ENV", "K_SERVICE", "COMMIT_SHA", "GCP_PROJECT"}
    for name in list(os.environ):
        if name in ours or name.upper().startswith("RELIABILITY_") or name.startswith(PIPELINES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run() -> Run:
    """run("catalog", "check") → result with exit_code, stdout, stderr; what the bot refuses is in `exception`."""

    def invoke(*arguments: str, **environment: str) -> Result:
        return CliRunner(env=environment).invoke(app, arguments)

    return invoke
