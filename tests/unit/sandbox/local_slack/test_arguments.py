"""The arguments of a call, as strings or as JSON values."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.local_slack.arguments import Arguments
from bot.sandbox.local_slack.refusals import Refused


def refused(read: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        read()
    return caught.value


def test_what_a_method_does_not_know_is_refused_by_name() -> None:
    no = refused(lambda: Arguments({"channel": "C1", "colour": "red"}).refuse_unknown({"channel"}))

    assert no.body() == {
        "ok": False,
        "error": "invalid_arguments",
        "response_metadata": {"messages": ["[ERROR] unsupported argument: colour"]},
    }


def test_null_counts_as_absent() -> None:
    arguments = Arguments({"thread_ts": None})

    assert "thread_ts" not in arguments
    arguments.refuse_unknown(set())


@pytest.mark.parametrize("values", [{}, {"channel": ""}])
def test_a_required_argument_is_named_when_it_is_missing(values: dict[str, str]) -> None:
    no = refused(lambda: Arguments(values).required("channel"))

    assert no.messages == ("[ERROR] missing required field: channel",)


@pytest.mark.parametrize("value", [True, ["C1"], {"id": "C1"}])
def test_a_text_is_not_made_of_something_else(value: object) -> None:
    assert refused(lambda: Arguments({"channel": value}).text("channel")).error == "invalid_arguments"


@pytest.mark.parametrize(("value", "read"), [("true", True), ("1", True), (True, True), ("false", False), (0, False)])
def test_flags_are_read_from_strings_and_from_json(value: object, read: bool) -> None:
    assert Arguments({"inclusive": value}).flag("inclusive") is read


def test_a_flag_has_a_default_and_takes_no_other_words() -> None:
    assert Arguments({}).flag("mrkdwn", default=True) is True
    assert refused(lambda: Arguments({"mrkdwn": "maybe"}).flag("mrkdwn")).error == "invalid_arguments"


@pytest.mark.parametrize(("value", "read"), [("7", 7), (7, 7), ("", 100), (None, 100)])
def test_numbers_are_read_from_strings_and_from_json(value: object, read: int) -> None:
    assert Arguments({"limit": value}).number("limit", 100) == read


@pytest.mark.parametrize("value", ["seven", "-1", 1001])
def test_a_number_out_of_bounds_is_refused_with_the_methods_own_code(value: object) -> None:
    assert refused(lambda: Arguments({"limit": value}).number("limit", 100)).error == "invalid_limit"


@pytest.mark.parametrize("value", ["U1,U2", "U1, U2", '["U1", "U2"]', ["U1", "U2"]])
def test_lists_of_names_come_in_every_form(value: object) -> None:
    assert Arguments({"users": value}).names("users") == ["U1", "U2"]


def test_json_comes_as_itself_or_as_a_string() -> None:
    assert Arguments({"view": '{"type": "modal"}'}).parsed("view") == {"type": "modal"}
    assert Arguments({"view": {"type": "modal"}}).parsed("view") == {"type": "modal"}
    assert Arguments({"view": " "}).parsed("view") is None


def test_json_that_cannot_be_read_is_refused_with_the_methods_own_code() -> None:
    arguments = Arguments({"blocks": "[{"})

    assert refused(lambda: arguments.parsed("blocks", error="invalid_blocks_format")).error == "invalid_blocks_format"


@pytest.mark.parametrize("value", ['{"id": 1}', "[1]"])
def test_a_list_of_objects_is_nothing_else(value: str) -> None:
    assert refused(lambda: Arguments({"files": value}).dicts("files", error="invalid_files")).error == "invalid_files"
