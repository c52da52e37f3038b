"""What a person's choice looks like to the app."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.local_slack.elements import NotThere, action, chosen, find, is_empty, state_of, untouched

OPTIONS = [
    {"text": {"type": "plain_text", "text": "One hour"}, "value": "PT1H"},
    {"text": {"type": "plain_text", "text": "One day"}, "value": "P1D"},
]


def select(kind: str = "static_select", **more: Any) -> dict[str, Any]:
    return {"type": kind, "action_id": "how_long", "options": OPTIONS, **more}


def form(element: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "input", "block_id": "b1", "element": {"action_id": "a1", **element}, **more}


BUTTON = {
    "type": "button",
    "action_id": "rollback",
    "text": {"type": "plain_text", "text": "Roll back"},
    "value": "42",
    "style": "danger",
}
CARD = [
    {"type": "section", "block_id": "what", "text": {"type": "mrkdwn", "text": "It broke"}, "accessory": select()},
    {"type": "actions", "block_id": "do", "elements": [BUTTON]},
]


def test_an_element_is_found_by_block_and_action() -> None:
    assert find(CARD, "do", "rollback").element is BUTTON
    assert find(CARD, "what", "how_long").block is CARD[0]


def test_an_element_that_is_not_there_cannot_be_touched() -> None:
    with pytest.raises(NotThere, match="rollback"):
        find(CARD, "what", "rollback")


def test_a_button_sends_what_the_app_wrote_on_it() -> None:
    assert action(find(CARD, "do", "rollback"), None, "1.000001") == {
        "type": "button",
        "action_id": "rollback",
        "block_id": "do",
        "text": {"type": "plain_text", "text": "Roll back"},
        "value": "42",
        "style": "danger",
        "action_ts": "1.000001",
    }


def test_a_menu_sends_the_whole_option_that_was_chosen() -> None:
    sent = action(find(CARD, "what", "how_long"), "P1D", "1.000001")

    assert (sent["type"], sent["selected_option"]) == ("static_select", OPTIONS[1])


def test_only_an_option_of_the_menu_can_be_chosen() -> None:
    with pytest.raises(NotThere, match="P1W"):
        chosen(select(), "P1W")


def test_options_may_be_in_groups() -> None:
    grouped = {"type": "static_select", "action_id": "a", "option_groups": [{"options": OPTIONS}]}

    assert chosen(grouped, "PT1H")["selected_option"] == OPTIONS[0]


@pytest.mark.parametrize(
    ("element", "choice", "entry"),
    [
        ({"type": "plain_text_input"}, "why", {"value": "why"}),
        ({"type": "plain_text_input"}, "", {"value": None}),
        ({"type": "number_input"}, 7, {"value": "7"}),
        ({"type": "datepicker"}, "2026-03-02", {"selected_date": "2026-03-02"}),
        ({"type": "datetimepicker"}, 1772452800, {"selected_date_time": 1772452800}),
        ({"type": "users_select"}, "U1", {"selected_user": "U1"}),
        ({"type": "multi_users_select"}, ["U1", "U2"], {"selected_users": ["U1", "U2"]}),
        ({"type": "multi_users_select"}, None, {"selected_users": []}),
        (select("checkboxes"), ["P1D"], {"selected_options": [OPTIONS[1]]}),
        (select("radio_buttons"), None, {"selected_option": None}),
        ({"type": "plain_text_input"}, {"type": "plain_text_input", "value": "as is"}, {"value": "as is"}),
        ({"type": "rich_text_input"}, {"type": "rich_text"}, {"rich_text_value": {"type": "rich_text"}}),
    ],
)
def test_each_element_keeps_its_choice_under_its_own_name(element: Any, choice: Any, entry: dict[str, Any]) -> None:
    assert chosen(element, choice) == {"type": element["type"], **entry}


def test_untouched_elements_have_their_initial_value() -> None:
    assert untouched({"type": "plain_text_input", "initial_value": "why"})["value"] == "why"
    assert untouched(select("checkboxes"))["selected_options"] == []
    assert untouched(select(initial_option=OPTIONS[0]))["selected_option"] == OPTIONS[0]


def test_the_state_has_every_element_but_the_buttons() -> None:
    touched = {"what": {"how_long": {"type": "static_select", "selected_option": OPTIONS[0]}}}

    assert state_of(CARD, touched) == touched
    assert state_of(CARD, {})["what"]["how_long"]["selected_option"] is None


def test_an_input_is_required_unless_it_says_otherwise() -> None:
    required, optional = form({"type": "plain_text_input"}), form({"type": "plain_text_input"}, optional=True)

    assert find([required], "b1", "a1").is_required
    assert not find([optional], "b1", "a1").is_required


@pytest.mark.parametrize(("choice", "empty"), [("", True), (None, True), ("0", False), (0, False)])
def test_zero_is_an_answer_and_nothing_is_not(choice: Any, empty: bool) -> None:
    assert is_empty(chosen({"type": "number_input"}, choice)) is empty
