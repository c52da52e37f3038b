"""Cursors."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bot.sandbox.local_slack.arguments import Arguments
from bot.sandbox.local_slack.messages import Draft, Message
from bot.sandbox.local_slack.paging import page, page_by_ts
from bot.sandbox.local_slack.refusals import Refused


def messages(*seconds: int) -> list[Message]:
    return [Message(f"17000000{second:02}.000000", Draft("C1", str(second), "U1")) for second in seconds]


def texts(found: Any) -> list[str]:
    return [message.draft.text for message in found]


def by_ts(found: list[Message], cursor: str = "", *, newest_first: bool) -> tuple[list[str], str]:
    arguments = Arguments({"limit": 2, "cursor": cursor})
    shown, following = page_by_ts(found, arguments, newest_first=newest_first, default=100, most=999)
    return texts(shown), following


def test_pages_follow_each_other_until_the_cursor_is_empty() -> None:
    first, cursor = page("abcde", Arguments({"limit": "2"}))
    second, cursor = page("abcde", Arguments({"limit": "2", "cursor": cursor}))
    third, end = page("abcde", Arguments({"limit": "2", "cursor": cursor}))

    assert (first, second, third, end) == ("ab", "cd", "e", "")


def test_limit_zero_is_the_default() -> None:
    assert page("abc", Arguments({"limit": 0}), default=2)[0] == "ab"


def test_messages_are_paged_from_the_newest_without_a_gap() -> None:
    all_of_them = messages(5, 4, 3, 2, 1)

    first, cursor = by_ts(all_of_them, newest_first=True)
    second, cursor = by_ts(all_of_them, cursor, newest_first=True)
    third, end = by_ts(all_of_them, cursor, newest_first=True)

    assert (first, second, third, end) == (["5", "4"], ["3", "2"], ["1"], "")


def test_messages_that_come_meanwhile_do_not_shift_the_next_page() -> None:
    _, cursor = by_ts(messages(5, 4, 3, 2, 1), newest_first=True)

    assert by_ts(messages(7, 6, 5, 4, 3, 2, 1), cursor, newest_first=True)[0] == ["3", "2"]


def test_a_message_that_goes_meanwhile_does_not_shift_the_next_page() -> None:
    _, cursor = by_ts(messages(5, 4, 3, 2, 1), newest_first=True)

    assert by_ts(messages(5, 3, 2, 1), cursor, newest_first=True)[0] == ["3", "2"]


def test_threads_are_paged_from_the_oldest() -> None:
    first, cursor = by_ts(messages(1, 2, 3), newest_first=False)

    assert (first, by_ts(messages(1, 2, 3), cursor, newest_first=False)) == (["1", "2"], (["3"], ""))


@pytest.mark.parametrize("cursor", ["%%%", "bm90aGluZw==", base64.b64encode(b"next:-1").decode()])
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Refused, match="invalid_cursor"):
        page("abc", Arguments({"cursor": cursor}))


def test_a_cursor_of_another_kind_of_list_is_refused() -> None:
    _, cursor = page("abc", Arguments({"limit": 1}))

    with pytest.raises(Refused, match="invalid_cursor"):
        by_ts(messages(2, 1), cursor, newest_first=True)
