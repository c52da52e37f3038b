"""Block Kit's interactive elements: what a person's choice looks like in `actions` and in `state.values`.

Not imitated: options loaded from the app (external selects take any value, shown as its own text) and the
content of rich text inputs (taken as given).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import INTERACTIVE, elements_of

# Where each type keeps what was chosen, and what it starts with.
CHOSEN_IN: Final = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", ""),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", ""),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
}
STATELESS: Final = frozenset({"button", "workflow_button", "overflow"})
BUTTONS: Final = frozenset({"button", "workflow_button"})
SEVERAL: Final = frozenset(
    {kind for kind, (key, _) in CHOSEN_IN.items() if key.startswith("selected_") and key.endswith("s")} | {"file_input"}
)

Choice = str | int | list[str] | dict[str, Any] | None
Values = dict[str, dict[str, Any]]


class NotThere(LookupError):
    """What a person wanted to touch is not there (any more): a message, an element or an option."""


@dataclass(frozen=True, slots=True)
class Found:
    block: Json
    element: Json

    @property
    def is_required(self) -> bool:
        return self.block.get("type") == "input" and not self.block.get("optional", False)


def interactive(blocks: Sequence[Json]) -> Iterator[Found]:
    for block in blocks:
        for element in elements_of(block):
            if element.get("type") in INTERACTIVE:
                yield Found(block, element)


def find(blocks: Sequence[Json], block_id: str, action_id: str) -> Found:
    for found in interactive(blocks):
        if found.block["block_id"] == block_id and found.element["action_id"] == action_id:
            return found
    raise NotThere(f"no element {action_id!r} in block {block_id!r}")


def chosen(element: Json, choice: Choice) -> Json:
    """The element's entry in `state.values` after this choice; raises NotThere for an option it does not have."""
    kind = element["type"]
    key, _ = CHOSEN_IN[kind]
    return {"type": kind, key: _value(element, key, choice)}


def untouched(element: Json) -> Json:
    """The element's entry in `state.values` before anybody touched it."""
    kind = element["type"]
    key, initial = CHOSEN_IN[kind]
    return {"type": kind, key: element.get(initial, [] if kind in SEVERAL else None)}


def action(found: Found, choice: Choice, action_ts: str) -> Json:
    """The entry of `actions` in a block_actions payload."""
    element = found.element
    kind = element["type"]
    sent: Json = {"type": kind, "action_id": element["action_id"], "block_id": found.block["block_id"]}
    if kind in BUTTONS:
        sent |= {key: element[key] for key in ("text", "value", "style", "url", "confirm") if key in element}
    else:
        sent |= chosen(element, choice)
        sent |= {key: element[key] for key in ("placeholder", "confirm") if key in element}
    return sent | {"action_ts": action_ts}


def state_of(blocks: Sequence[Json], touched: Values) -> Values:
    """`state.values` of a message or view: what was touched, else what each element starts with."""
    values: Values = {}
    for found in interactive(blocks):
        if found.element["type"] in STATELESS:
            continue
        block_id, action_id = found.block["block_id"], found.element["action_id"]
        entry = touched.get(block_id, {}).get(action_id) or untouched(found.element)
        values.setdefault(block_id, {})[action_id] = entry
    return values


def is_empty(entry: Json) -> bool:
    key, _ = CHOSEN_IN[entry["type"]]
    return entry.get(key) in (None, "", [])


def _value(element: Json, key: str, choice: Choice) -> Any:
    if isinstance(choice, dict) and choice.get("type") == element["type"]:  # already an entry of state.values
        return choice.get(key)
    if key == "selected_option":
        return None if choice is None else _option(element, str(choice))
    if key == "selected_options":
        return [_option(element, each) for each in _several(choice)]
    if element["type"] in SEVERAL:
        return _several(choice)
    if key == "value":
        return None if choice in (None, "") else str(choice)
    return choice or None


def _several(choice: Choice) -> list[str]:
    if isinstance(choice, list):
        return choice
    return [] if choice in (None, "") else [str(choice)]


def _option(element: Json, value: str) -> Json:
    if element["type"] in {"external_select", "multi_external_select"}:
        return {"text": {"type": "plain_text", "text": value, "emoji": True}, "value": value}
    groups = element.get("option_groups") or []
    options = [*element.get("options", []), *(option for group in groups for option in group.get("options", []))]
    for option in options:
        if option.get("value") == value:
            return dict(option)
    raise NotThere(f"no option {value!r} in {element['action_id']!r}")
