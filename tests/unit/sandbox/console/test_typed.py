"""What a person types becomes what Slack stores."""

from __future__ import annotations

import pytest

from bot.sandbox.console.typed import encode

PEOPLE = {"riley": "U0RILEY0001", "avery": "U0AVERY0001"}
GROUPS = {"auth-owners": "S0OWNERS001"}
CHANNELS = {"random": "C0RANDOM001"}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("all is well", "all is well"),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("@riley look", "<@U0RILEY0001> look"),
        ("thanks, @avery.", "thanks, <@U0AVERY0001>."),
        ("@auth-owners: look", "<!subteam^S0OWNERS001>: look"),
        ("@here @channel @everyone", "<!here> <!channel> <!everyone>"),
        ("see #random", "see <#C0RANDOM001|random>"),
        ("@nobody #nowhere", "@nobody #nowhere"),
        ("riley@acme.example", "riley@acme.example"),
        ("issue##random", "issue##random"),
    ],
)
def test_typed_text_is_stored_escaped_and_with_references(typed: str, stored: str) -> None:
    assert encode(typed, people=PEOPLE, groups=GROUPS, channels=CHANNELS) == stored
