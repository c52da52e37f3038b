"""What people read: sentences, quoted lines, names of dependencies."""

from __future__ import annotations

import pytest

from bot.correlate.attribution.content import Theme, callee_name, dependency_name, theme
from bot.correlate.attribution.naming import names
from bot.correlate.attribution.wording import cut, listed, quoted, since

from .story import REFUSED, calm

PYTHON = (
    "Traceback (most recent call last):\n  File \"/app/orders/views.py\", line 3, in create\n    x()\nKeyError: 'sku'"
)
NODE = "TypeError: Cannot read properties of undefined (reading 'price')\n    at total (/app/src/cart.js:20:17)"
GO = "panic: runtime error: index out of range [3]\n\ngoroutine 12 [running]:\nmain.page(0x1)\n\t/src/page.go:20 +0x1d"
ASKING = (
    "could not connect to server: Connection refused\n\tIs the server running on host "
    '"10.20.0.5" and accepting\n\tTCP/IP connections on port 5432?'
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (PYTHON, "KeyError: 'sku'"),
        (NODE, "TypeError: Cannot read properties of undefined (reading 'price')"),
        (GO, "panic: runtime error: index out of range [3]"),
        ("charge failed", "charge failed"),
        ("", ""),
    ],
)
def test_the_quoted_line_is_the_one_that_says_what(text, line):
    assert quoted(text) == line


def test_a_long_line_ends_at_the_end_of_a_word():
    assert cut("one two three four", 12) == "one two…"


def test_times_of_the_clock_are_told_as_such_and_others_from_the_first_error():
    assert since(1_700_000_012.0, 1_700_000_000.0) == "since 22:13:32 UTC"
    assert since(112.0, 100.0) == "since 12 s after the first error"
    assert since(100.0, 100.0) == "from the first error on"


def test_many_names_are_not_all_told():
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b and 3 more"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"psycopg2.OperationalError: {ASKING}", "postgres at 10.20.0.5:5432"),
        ("redis.exceptions.ConnectionError: Error 111 connecting to 10.20.0.9:6379.", "redis at 10.20.0.9:6379"),
        ("Request failed with status code 503 POST https://api.pay.example/v1/charge", "api.pay.example"),
        ("KeyError: 'sku'", ""),
    ],
)
def test_a_dependency_is_told_with_its_address_where_the_message_has_it(text, name):
    assert dependency_name(text) == name


def test_a_complaint_about_the_schema_is_the_codes_and_not_the_databases():
    assert theme('psycopg2.errors.UndefinedColumn: column "discount" does not exist') is Theme.CODE
    assert theme("psycopg2.OperationalError: server closed the connection unexpectedly") is Theme.DEPENDENCY


def test_what_was_called_is_read_from_the_message():
    assert callee_name("timeout calling ledgerdb") == "ledgerdb"
    assert callee_name("cache: connection refused") == "cache"
    assert callee_name("failed calling the handler") == ""


def test_a_host_of_somebody_else_is_no_service_of_ours_that_is_called_alike():
    assert not names("POST https://api.pay.example/v1/charge failed", "api", "shop")
    assert names("POST https://api-k3jx2a-ew.a.run.app/v1/charge failed", "api", "shop")


def test_the_reasons_do_not_repeat_the_suspect_and_are_short():
    story = calm("auth").deploy(600, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 900, fails=0.4, message=PYTHON)

    [(_, said)] = story.told(900)

    assert not said.why.startswith(("revision", "auth-2 of"))
    assert len(said.why) <= 200
    assert "KeyError: 'sku'" in said.why
    assert "Traceback" not in said.why


def test_how_usual_a_cause_is_is_no_vote():
    story = calm("auth", "shop", "mail")
    for service in ("auth", "shop", "mail"):
        story.serve(service, f"{service}-1", 600, 900, fails=0.5, message=REFUSED)

    [(_, said)] = story.told(900)

    assert "prior" not in [vote.name for vote in said.votes]
    assert "which nobody deployed, fail alike" in said.why
