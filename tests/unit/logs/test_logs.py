"""The bot's own log: readable, machine-readable, and without secrets."""

from __future__ import annotations

import json
import logging
import sys

from bot.logs import JsonFormatter, TextFormatter

SECRET = "xoxb-" + "1" * 12 + "-" + "2" * 13 + "-" + "a" * 24


def record(message: str = "message.sent", exc_info=None, **fields) -> logging.LogRecord:
    made = logging.LogRecord("bot.workflows", logging.INFO, __file__, 1, message, (), exc_info)
    vars(made).update(fields)
    return made


def test_fields_stand_beside_the_name_of_the_event():
    line = TextFormatter().format(record(message_id="inc-1", version=2))

    assert line.endswith("INFO    message.sent message_id=inc-1 version=2")


def test_a_field_without_a_value_is_left_out_of_the_text_but_zero_and_false_are_said():
    line = TextFormatter().format(record(fell_back="", why=None, picked_up=0, edited=False))

    assert line.endswith("INFO    message.sent picked_up=0 edited=False")


def test_json_has_the_names_that_cloud_logging_lifts_out():
    entry = json.loads(JsonFormatter().format(record(service="auth")))

    assert (entry["severity"], entry["message"], entry["service"]) == ("INFO", "message.sent", "auth")


def test_a_secret_in_a_field_or_a_traceback_is_masked_in_both_forms():
    try:
        raise ValueError(f"could not post with {SECRET}")  # noqa: TRY301
    except ValueError:
        failed = record(exc_info=sys.exc_info(), token=SECRET)

    for formatter in (TextFormatter(), JsonFormatter()):
        line = formatter.format(failed)
        assert SECRET not in line
        assert "could not post" in line
