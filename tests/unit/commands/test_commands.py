"""Routing, parsing and help come from the commands' own values."""

from __future__ import annotations

import pkgutil
from datetime import timedelta
from typing import NamedTuple

import pytest

import commands
from bot.errors import UserError
from commands.command import Action, Ask, Command, NoArgs, Reply
from commands.slack import _run_command, find_command

SHARED = {"command", "plans", "reruns", "rights", "slack"}


def test_every_module_is_in_a_list_or_shared():
    found = {module.name for module in pkgutil.iter_modules(commands.__path__)} - SHARED
    listed = {command.run.__module__ for command in commands.COMMANDS} | {a.run.__module__ for a in commands.ACTIONS}

    assert {f"commands.{name}" for name in found} == listed


def test_names_and_ids_are_unique():
    names = [command.name for command in commands.COMMANDS]
    ids = [action.id for action in commands.ACTIONS]

    assert len(set(names)) == len(names)
    assert len(set(ids)) == len(ids)
    assert all(isinstance(action, Action) for action in commands.ACTIONS)


class Args(NamedTuple):
    service: str
    duration: timedelta = timedelta()


async def nothing(ask, args, desk):
    raise AssertionError


COMMAND = Command("silence", "be quiet", Args, nothing)


def test_usage_shows_what_may_be_left_out():
    assert COMMAND.usage == "/reliability silence <service> [duration]"


async def test_a_command_that_takes_its_time_says_so_at_once_and_only_to_who_asked(monkeypatch):
    said = []

    async def respond(**answer):
        said.append((answer["text"], answer["response_type"]))

    async def run(ask, args, desk):
        assert said == [("Reading …", "ephemeral")]
        return Reply("reply/error", {"text": "done"})

    slow = Command("slow", "takes its time", NoArgs, run, at_once="Reading …")
    monkeypatch.setattr("commands.slack.COMMANDS", (slow,))

    assert (await _run_command(respond, Ask("U0RILEY0001", "C0AUTHOPS01"), "slow", None)).context == {"text": "done"}


@pytest.mark.parametrize("words", [[], ["a", "b", "c"]])
def test_too_few_or_too_many_words_are_answered_with_the_usage(words):
    with pytest.raises(UserError, match="Usage: `/reliability silence <service>"):
        COMMAND.parse(words)


def test_a_word_is_found_whatever_its_case():
    assert find_command("STATUS").name == "status"


@pytest.mark.parametrize(("typed", "meant"), [("statsu", "status"), ("stat", "status"), ("hlep", "help")])
def test_an_unknown_word_gets_the_nearest_command(typed, meant):
    with pytest.raises(UserError, match=f"Did you mean `/reliability {meant}`"):
        find_command(typed)


def test_a_word_like_nothing_gets_help_and_is_cut():
    with pytest.raises(UserError, match=r"I do not know `x{40}`\. `/reliability help`"):
        find_command("x" * 5000)
