"""Words of a program's own business that sound like a known cause: to claim one would be worse than to know none."""

import pytest

from bot.correlate import diagnose

BUSINESS = [
    "order 28000 could not be shipped",
    "invoice 40001 could not be rendered",
    "SKU P2024 is discontinued",
    "voucher SUMMER24 is not yet valid",
    "gift certificate has expired",
    "Aborted: the user cancelled the checkout",
    "Illegal instruction in workflow step 3",
    "could not delete object with key id 123456",
    "no matching key in translations: checkout.title",
    "Missing translation key: checkout.button.label",
    "user u-3 lacks permission orders.invoice.delete",
    "permission denied: viewer may not edit document 14",
    "refresh: session: not found",
    "parser: line 12: column price: not found",
    "could not publish report: summary.csv: no such file or directory",
    "ffmpeg failed with exit code 1",
    "export concurrency limit reached for tenant 9",
    "no available instance of courier for route 3",
    "class 'gold' not found for member 77",
    "The module checkout-tips was not found.",
    "payload has no encryption",
    "Column 'price' does not exist in the uploaded CSV",
    "table 12 does not exist in restaurant 4",
    "Field COUNTRY_CODE is missing in row 14",
    "Missing required parameter: CUSTOMER_ID in request",
    "ORDER_ID is required",
    "Invalid token in template at line 3",
    "xml.etree.ElementTree.ParseError: not well-formed (invalid token): line 1, column 0",
    "signature is invalid on delivery slip 12",
    "image 'hero.png' not found in bucket",
    "shipment status code 512 unknown",
    "email address already in use",
    "could not find driver in area 4",
]
QUIET = [
    "Worker timeout: 120s, keepalive 5s",
    "harakiri set to 30 seconds",
    "Too many connections will be refused above 500",
    "ImportError: orjson not available, falling back to json",
    "/entrypoint.sh: line 3: curl: command not found, skipping warm-up",
    "fatal: not a git repository (or any of the parent directories): .git",
    "run finished: error_count=0 failed=0 timeouts=0",
]


OF_CALLERS = [
    "org.apache.catalina.connector.ClientAbortException: java.io.IOException: Connection reset by peer\n\tat com.acme.Api.get(Api.java:3)",
    "pydantic_core._pydantic_core.ValidationError: 1 validation error for LoginRequest\nemail\n  Field required [type=missing]",
    "django.core.exceptions.DisallowedHost: Invalid HTTP_HOST header: 'x.example'. You may need to add 'x.example' to ALLOWED_HOSTS.",
    "Traceback (most recent call last):\n  File \"/app/app/cart.py\", line 3, in add\n    prices[name]\nKeyError: 'API_KEY'",
]


@pytest.mark.parametrize("said", OF_CALLERS)
def test_what_a_caller_did_wrong_is_neither_a_setting_nor_an_upstream(said):
    found = diagnose([{"textPayload": said, "severity": "ERROR"}])

    assert {cause.code for cause in found} <= {"unknown", "unhandled_exception"}


@pytest.mark.parametrize("said", BUSINESS)
def test_an_error_of_the_business_is_unknown_and_shown_as_it_is(said):
    (found,) = diagnose([{"textPayload": said, "severity": "ERROR"}])

    assert (found.code, found.evidence) == ("unknown", (said,))


@pytest.mark.parametrize("said", QUIET)
def test_a_plain_line_about_what_could_go_wrong_is_nothing_to_say(said):
    assert diagnose([{"textPayload": said, "logName": "projects/p/logs/run.googleapis.com%2Fstderr"}]) == []


def test_an_error_beside_chatter_in_one_entry_is_still_an_error():
    text = "[1] [INFO] Booting worker with pid: 7\nERROR: ledger out of balance"

    assert [found.code for found in diagnose([{"textPayload": text}])] == ["unknown"]
