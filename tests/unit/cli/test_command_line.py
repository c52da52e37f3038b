"""`reliability` as a whole: help at once, refusals in one message, nothing heavy before it is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import Result

ROOT = Path(__file__).parents[3]
SUBCOMMANDS = ("run", "sandbox", "catalog", "settings", "manifest", "send", "db")


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False)


def said(result: Result) -> str:
    """Without the frames that rich draws."""
    return " ".join((result.stdout + result.stderr).replace("│", " ").split())


def test_without_arguments_it_shows_its_help(run) -> None:
    result = run()

    assert "Usage: reliability" in said(result)
    assert [name for name in SUBCOMMANDS if name not in said(result)] == []


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [(["rnu"], "run"), (["manifets"], "manifest"), (["setings"], "settings"), (["catalog", "chekc"], "check")],
)
def test_an_unknown_subcommand_gets_the_nearest(run, typed: list[str], nearest: str) -> None:
    result = run(*typed)

    assert result.exit_code == 2
    assert f"Did you mean '{nearest}'?" in said(result)


@pytest.mark.parametrize("group", ["catalog", "send", "db"])
def test_a_group_alone_shows_its_help(run, group: str) -> None:
    assert f"Usage: reliability {group}" in said(run(group))


def test_it_knows_its_version(run) -> None:
    assert run("--version").stdout == f"reliability {version('reliability-bot')}\n"


def test_help_loads_nothing_heavy() -> None:
    heavy = ("pydantic", "sqlalchemy", "grpc", "google", "slack_sdk", "slack_bolt", "dbos", "aiohttp", "yaml", "jinja2")
    code = f"import sys, json, bot.cli; print(json.dumps([name for name in {heavy} if name in sys.modules]))"

    found = python("-c", code)

    assert json.loads(found.stdout) == []


def test_what_the_bot_refuses_is_one_message_and_no_traceback() -> None:
    refused = python("-m", "bot", "run")

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.startswith(
        "Error: the settings are wrong, nothing was started:\n  SLACK_BOT_TOKEN is not set"
    )
    assert "Traceback" not in refused.stderr


def test_a_refusal_is_not_read_as_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELIABILITY_[bold]X[/nothing]", "1")

    refused = python("-m", "bot", "db", "upgrade")

    assert refused.returncode == 2
    assert "RELIABILITY_[bold]X[/nothing] is no setting of this bot" in refused.stderr
