"""reactions.*: on messages. Not imitated: reactions to files and file comments."""

import re

from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import Message
from bot.sandbox.local_slack.method import Call, Method
from bot.sandbox.local_slack.methods.lookups import visible_channel
from bot.sandbox.local_slack.paging import metadata, page
from bot.sandbox.local_slack.rate_limits import Tier
from bot.sandbox.local_slack.refusals import Refused

EMOJI = re.compile(r"[a-z0-9_+'\-]+(::skin-tone-[2-6])?")


def add(call: Call) -> Json:
    name = _name(call)
    message = _message(call)
    if call.workspace.channel(message.draft.channel).is_archived:
        raise Refused("is_archived")
    call.workspace.react(message, name, call.caller.user)
    return {}


def remove(call: Call) -> Json:
    name = _name(call)
    call.workspace.unreact(_message(call), name, call.caller.user)
    return {}


def show(call: Call) -> Json:
    message = _message(call)
    return {
        "type": "message",
        "channel": message.draft.channel,
        "message": call.workspace.message_json(message) | {"permalink": _permalink(call, message)},
    }


def list_items(call: Call) -> Json:
    user = call.workspace.user(call.args.text("user") or call.caller.user).id
    items = [
        {"type": "message", "channel": channel.id, "message": call.workspace.message_json(message)}
        for channel in call.workspace.channels.values()
        if channel.is_open or call.caller.user in channel.members
        for message in channel.messages.values()
        if any(user in users for _, users in message.reactions)
    ]
    shown, next_cursor = page(items[::-1], call.args)
    return {"items": list(shown), **metadata(next_cursor)}


def _name(call: Call) -> str:
    name = call.args.text("name").strip(":")
    if not EMOJI.fullmatch(name):
        raise Refused("invalid_name")
    return name


def _message(call: Call) -> Message:
    if not call.args.text("channel") or not call.args.text("timestamp"):
        raise Refused("no_item_specified")
    return call.workspace.message(visible_channel(call).id, call.args.text("timestamp"))


def _permalink(call: Call, message: Message) -> str:
    domain = call.workspace.team.domain
    return f"https://{domain}.slack.com/archives/{message.draft.channel}/p{message.ts.replace('.', '')}"


FAMILY = (
    Method("reactions.add", add, Tier.THREE, takes="channel timestamp name", scopes="reactions:write"),
    Method("reactions.remove", remove, Tier.TWO, takes="channel timestamp name", scopes="reactions:write"),
    Method("reactions.get", show, Tier.THREE, takes="channel timestamp full", scopes="reactions:read"),
    Method("reactions.list", list_items, Tier.TWO, takes="user full cursor limit", scopes="reactions:read"),
)
