"""`reliability manifest`: what Slack is asked for is what the bot uses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from bot.cli.manifest import SCOPES, slack_app
from bot.sandbox.local_slack.methods import METHODS
from commands import COMMANDS

ROOT = Path(__file__).parents[3]
# What the bot calls of Slack's Web API; slack_bolt itself calls auth.test.
USED = (
    "auth.test",
    "chat.postMessage",
    "chat.update",
    "conversations.history",
    "conversations.replies",
    "files.completeUploadExternal",
    "files.getUploadURLExternal",
    "usergroups.users.list",
)


def test_over_http_slack_sends_everything_to_one_address(run) -> None:
    manifest = yaml.safe_load(run("manifest", "--url", "https://bot.example").stdout)

    assert manifest["features"]["slash_commands"][0]["url"] == "https://bot.example/slack/events"
    assert manifest["settings"]["interactivity"] == {
        "is_enabled": True,
        "request_url": "https://bot.example/slack/events",
    }
    assert manifest["settings"]["socket_mode_enabled"] is False


@pytest.mark.parametrize("url", ["https://bot.example/", "https://bot.example/slack/events", "https://bot.example"])
def test_the_address_may_be_given_with_or_without_its_end(run, url: str) -> None:
    manifest = yaml.safe_load(run("manifest", "--url", url).stdout)

    assert manifest["settings"]["interactivity"]["request_url"] == "https://bot.example/slack/events"


def test_in_socket_mode_there_is_no_address(run) -> None:
    result = run("manifest", "--socket-mode", "--json")

    manifest = json.loads(result.stdout)
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["settings"]["interactivity"] == {"is_enabled": True}
    assert "http" not in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--url", "https://bot.example", "--socket-mode"],
        ["--url", "http://bot.example"],
        ["--url", "bot.example"],
        ["--url", "https://"],
        ["--url", "https://bot.example/?x=1"],
        ["--url", "https://" + "b" * 300],
    ],
)
def test_slack_would_not_take_it_so_it_is_refused_here(run, arguments: list[str]) -> None:
    result = run("manifest", *arguments)

    assert result.exit_code == 2
    assert result.stdout == ""


def test_yaml_and_json_say_the_same(run) -> None:
    as_yaml = run("manifest", "--url", "https://bot.example").stdout
    as_json = run("manifest", "--url", "https://bot.example", "--json").stdout

    assert yaml.safe_load(as_yaml) == json.loads(as_json)


def test_the_bot_calls_nothing_else_of_slack() -> None:
    files = [*(ROOT / "bot" / "notify").glob("*.py"), *(ROOT / "commands").glob("*.py")]
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    quoted = set(re.findall(r'"([a-z]+\.[a-zA-Z.]+)"', source)) & set(METHODS)
    called = set(re.findall(r"client\.([a-z]+(?:_[a-zA-Z]+)+)\(", source)) - {"api_call"}

    assert quoted | {name.replace("_", ".") for name in called} == set(USED) - {"auth.test"}


@pytest.mark.parametrize("method", USED)
def test_every_call_of_the_bot_is_allowed_by_the_scopes(method: str) -> None:
    needed = set(METHODS[method].scopes.split())

    assert not needed or needed & set(SCOPES)


def test_every_scope_is_needed_by_a_call_or_a_command() -> None:
    needed = {scope for method in USED for scope in METHODS[method].scopes.split()}

    assert set(SCOPES) - needed == {"commands"}


def test_the_hint_names_every_subcommand() -> None:
    [command] = slack_app(None)["features"]["slash_commands"]

    assert [c.name for c in COMMANDS if c.name not in command["usage_hint"]] == []


def test_it_keeps_to_slacks_limits() -> None:
    manifest = slack_app("https://bot.example/slack/events")

    assert len(manifest["display_information"]["name"]) <= 35
    assert len(manifest["display_information"]["description"]) <= 140
    assert len(manifest["features"]["bot_user"]["display_name"]) <= 80
    [command] = manifest["features"]["slash_commands"]
    assert len(command["description"]) <= 2_000
    assert len(command["usage_hint"]) <= 1_000
    assert "event_subscriptions" not in manifest["settings"]
