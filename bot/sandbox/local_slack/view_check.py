"""Whether Slack would take a view as the argument of views.open, push, update or publish."""

from typing import Any

from bot.sandbox.block_kit.check import check_view, error_code
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.refusals import Refused, invalid_arguments


def checked_view(view: Any, *, kinds: tuple[str, ...]) -> Json:
    """The view, if Slack would take it as one of these kinds ("modal", "home"); raises Refused."""
    if not isinstance(view, dict):
        raise invalid_arguments("must provide an object [json-pointer:/view]")
    if view.get("type") not in kinds:
        raise invalid_arguments(f"unsupported type: {view.get('type')} [json-pointer:/view/type]")
    problems = check_view(view)
    if problems:
        raise Refused(error_code(problems), messages=problems)
    return view
