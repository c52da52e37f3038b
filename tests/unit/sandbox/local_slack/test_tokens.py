"""Who calls, and what they may do."""

from __future__ import annotations

import re

import pytest
from support.local_slack import RILEY

from bot.sandbox import identities
from bot.sandbox.local_slack import ALL_BOT_SCOPES, BOT_SCOPES, LocalSlack
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.tokens import TokenKind, Tokens


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (TokenKind.BOT, r"xoxb-\d{12}-\d{13}-\S{24}"),
        (TokenKind.USER, r"xoxp-\d{12}-\d{12}-\d{13}-[0-9a-f]{32}"),
        (TokenKind.APP, r"xapp-1-A\w+-\d{13}-[0-9a-f]{64}"),
    ],
)
def test_tokens_have_slacks_shape(kind: TokenKind, shape: str) -> None:
    assert re.fullmatch(shape, Tokens().issue(kind, RILEY, ()))


def test_a_token_stands_for_its_owner_and_scopes() -> None:
    tokens = Tokens()
    token = tokens.issue(TokenKind.USER, RILEY, {"chat:write"})

    caller = tokens.caller(token)

    assert (caller.user, caller.kind, caller.scopes) == (RILEY, TokenKind.USER, {"chat:write"})


def test_no_token_and_a_wrong_token_are_told_apart() -> None:
    with pytest.raises(Refused, match="not_authed"):
        Tokens().caller("")
    with pytest.raises(Refused, match="invalid_auth"):
        Tokens().caller("xoxb-made-up")


def test_every_run_has_its_own_secrets() -> None:
    one, other = LocalSlack(), LocalSlack()

    assert one.bot_token != other.bot_token
    assert one.app_token != other.app_token
    assert one.signing_secret != other.signing_secret


def test_every_person_has_a_token_by_role() -> None:
    assert set(LocalSlack().user_tokens) == {person.role for person in identities.PEOPLE}


def test_the_bot_asks_for_less_than_there_is() -> None:
    assert BOT_SCOPES < ALL_BOT_SCOPES
    assert "chat:write.customize" not in BOT_SCOPES
