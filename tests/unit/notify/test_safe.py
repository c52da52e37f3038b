"""What a template prints cannot break the JSON around it, mention anybody, or hide what it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from bot.notify import safe


@given(st.text(max_size=300))
def test_every_printed_text_is_a_json_string_without_slacks_own_signs(text: str) -> None:
    printed = json.loads(f'"{safe.safe(text)}"')

    assert not set(printed) & set("<>")
    json.dumps(printed).encode("utf-8")


@given(st.text(alphabet='a\\n"`<>&\n\u2028\u202e\ud800 |', max_size=60))
def test_a_body_of_several_lines_stays_one_json_string(text: str) -> None:
    body = Markup(f"first {safe.safe(text)}\n\n   second   \n")

    assert json.loads(f'"{safe.lines(body)}"').endswith("second")
    assert "\n" not in json.loads(f'"{safe.spoken(body)}"')


def test_none_is_never_printed() -> None:
    with pytest.raises(TypeError, match="None"):
        safe.safe(None)


def test_what_nobody_can_see_and_what_turns_the_text_around_is_removed() -> None:
    assert safe.clean("a\x1b[31mred\x1b[0m\u202eevil\u200bx\ud800\x07") == "aredevilx��"


def test_a_line_break_in_the_log_stays_a_line_break() -> None:
    assert safe.clean("first\r\nsecond\ttab\u2028third") == "first\nsecond\ttab\nthird"


def test_a_secret_is_redacted_wherever_a_template_prints_it() -> None:
    assert "hunter2" not in str(safe.safe("password=hunter2-swordfish"))


def test_code_cannot_be_left_by_a_backtick() -> None:
    assert safe.code("a`b\nc") == "aˋb c"


def test_only_our_own_forms_of_mentions_survive_in_our_sentences() -> None:
    said = safe.mentions(
        "<@U0AVERY0001> <!subteam^S0APPROVERS> <!date^1763388188^{time_secs}|14:03:08 UTC> <!channel> <x>"
    )

    assert said == (
        "<@U0AVERY0001> <!subteam^S0APPROVERS> <!date^1763388188^{time_secs}|14:03:08 UTC> &lt;!channel&gt; &lt;x&gt;"
    )


@pytest.mark.parametrize("url", ["javascript:alert(1)", "", "/relative", "data:text/html,x"])
def test_only_web_addresses_become_links(url: str) -> None:
    with pytest.raises(ValueError, match="not a link"):
        safe.href(url)


def test_a_link_cannot_be_ended_early() -> None:
    assert safe.href("https://x.example/?a=1&b=<c>|d e") == "https://x.example/?a=1&amp;b=%3Cc%3E%7Cde"


def test_a_time_may_have_been_stored_as_text() -> None:
    at = datetime(2025, 11, 17, 14, 3, 8, tzinfo=UTC)

    assert safe.unix("2025-11-17T14:03:08Z") == safe.unix(at) == 1763388188
    assert safe.utc("2025-11-17T15:03:08+01:00", day=True) == "2025-11-17 14:03:08 UTC"


def test_a_time_without_its_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        safe.unix("2025-11-17T14:03:08")


def test_blocks_that_say_nothing_are_left_out() -> None:
    empty = '{"type": "section", "text": {"type": "mrkdwn", "text": ""}}'
    bare = '{"type": "actions", "elements": []}'
    kept = '{"type": "divider"}'

    assert json.loads(safe.sequence(Markup(empty + bare + "\n" + kept))) == [{"type": "divider"}]
