"""views.*: modals and the App Home tab."""

from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.method import Call, Method
from bot.sandbox.local_slack.rate_limits import Tier
from bot.sandbox.local_slack.refusals import Refused, invalid_arguments
from bot.sandbox.local_slack.tokens import TokenKind
from bot.sandbox.local_slack.view_check import checked_view
from bot.sandbox.local_slack.views import View


def open_view(call: Call) -> Json:
    content = _content(call, "modal")
    trigger = call.state.triggers.spend(_trigger_id(call))
    return _shown(call, call.state.views.open(trigger.user, content))


def push(call: Call) -> Json:
    content = _content(call, "modal")
    trigger = call.state.triggers.spend(_trigger_id(call))
    return _shown(call, call.state.views.push(trigger.user, content))


def update(call: Call) -> Json:
    content = _content(call, "modal", "home")
    views = call.state.views
    view_id, external_id = call.args.text("view_id"), call.args.text("external_id")
    if not view_id and not external_id:
        raise invalid_arguments("missing required field: view_id or external_id")
    view = views.get(view_id) if view_id else views.by_external_id(external_id)
    if content["type"] != view.kind:
        raise invalid_arguments(f"unsupported type: {content['type']} [json-pointer:/view/type]")
    return _shown(call, views.update(view, content, expected_hash=call.args.text("hash")))


def publish(call: Call) -> Json:
    user = call.args.required("user_id")
    if user not in call.workspace.users:
        raise invalid_arguments("user not found [json-pointer:/user_id]")
    content = _content(call, "home")
    return _shown(call, call.state.views.publish(user, content, expected_hash=call.args.text("hash")))


def _content(call: Call, *kinds: str) -> Json:
    return checked_view(call.args.parsed("view"), kinds=kinds)


def _trigger_id(call: Call) -> str:
    trigger_id = call.args.text("trigger_id")
    if not trigger_id:
        raise Refused("invalid_trigger_id")
    return trigger_id


def _shown(call: Call, view: View) -> Json:
    return {"view": call.state.views.as_json(view)}


BOTS = frozenset({TokenKind.BOT})
FAMILY = (
    Method("views.open", open_view, Tier.FOUR, takes="trigger_id view", tokens=BOTS),
    Method("views.push", push, Tier.FOUR, takes="trigger_id view", tokens=BOTS),
    Method("views.update", update, Tier.FOUR, takes="view_id external_id view hash", tokens=BOTS),
    Method("views.publish", publish, Tier.FOUR, takes="user_id view hash", tokens=BOTS),
)
