"""The list of methods."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest

from bot.sandbox.local_slack import ALL_BOT_SCOPES, methods
from bot.sandbox.local_slack.method import Method
from bot.sandbox.local_slack.tokens import TokenKind

NO_FAMILY = {"lookups"}
ALL = [method for family in methods.FAMILIES for method in family]


def test_every_family_in_the_folder_is_in_the_list() -> None:
    modules = {module.name for module in pkgutil.iter_modules(methods.__path__)} - NO_FAMILY

    listed = {Path(method.run.__code__.co_filename).stem for method in ALL}

    assert listed == modules


def test_no_method_is_there_twice() -> None:
    assert len(methods.METHODS) == len(ALL)


@pytest.mark.parametrize("method", ALL, ids=lambda method: method.name)
def test_some_token_may_call_each_method(method: Method) -> None:
    known = ALL_BOT_SCOPES | {"connections:write", "channels:write"}

    assert set(method.scopes.split()) <= known
    assert method.tokens <= set(TokenKind)
