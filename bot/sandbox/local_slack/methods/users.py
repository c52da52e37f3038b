"""users.*: people, their profile and presence, and the conversations they are in."""

from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.method import Call, Method
from bot.sandbox.local_slack.methods.conversations import wanted_types
from bot.sandbox.local_slack.methods.lookups import READ_SCOPES
from bot.sandbox.local_slack.paging import metadata, page
from bot.sandbox.local_slack.rate_limits import Tier
from bot.sandbox.local_slack.refusals import Refused


def _sees_email(call: Call) -> bool:
    return "users:read.email" in call.caller.scopes


def list_users(call: Call) -> Json:
    everybody = list(call.workspace.users.values())
    people, next_cursor = page(everybody, call.args, default=len(everybody))
    now, locale = call.state.clock(), call.args.flag("include_locale")
    shown = [each.as_json(now, with_email=_sees_email(call), with_locale=locale) for each in people]
    return {"members": shown, "cache_ts": call.workspace.now_seconds(), **metadata(next_cursor)}


def show(call: Call) -> Json:
    user = call.workspace.user(call.args.required("user"))
    locale = call.args.flag("include_locale")
    return {"user": user.as_json(call.state.clock(), with_email=_sees_email(call), with_locale=locale)}


def look_up_by_email(call: Call) -> Json:
    wanted = call.args.required("email").lower()
    for user in call.workspace.users.values():
        if not user.is_bot and user.email.lower() == wanted:
            return {"user": user.as_json(call.state.clock(), with_email=True)}
    raise Refused("users_not_found")


def conversations(call: Call) -> Json:
    types = wanted_types(call)
    user = call.workspace.user(call.args.text("user") or call.caller.user).id
    shown = [
        channel
        for channel in call.workspace.channels.values()
        if channel.type in types
        and user in channel.members
        and (channel.is_open or call.caller.user in channel.members)
        and not (channel.is_archived and call.args.flag("exclude_archived"))
    ]
    channels, next_cursor = page(shown, call.args)
    return {"channels": [each.as_json(call.caller.user) for each in channels], **metadata(next_cursor)}


def profile(call: Call) -> Json:
    user = call.workspace.user(call.args.text("user") or call.caller.user)
    return {"profile": user.profile(with_email=_sees_email(call))}


def get_presence(call: Call) -> Json:
    user = call.workspace.user(call.args.text("user") or call.caller.user).id
    presence = call.workspace.presence.get(user, "active")
    return {"presence": presence, "online": presence == "active"}


def set_presence(call: Call) -> Json:
    presence = call.args.required("presence")
    if presence not in {"auto", "away"}:
        raise Refused("invalid_presence")
    call.workspace.presence[call.caller.user] = "away" if presence == "away" else "active"
    return {}


FAMILY = (
    Method("users.list", list_users, Tier.TWO, takes="cursor limit include_locale", scopes="users:read"),
    Method("users.info", show, Tier.FOUR, takes="user include_locale", scopes="users:read"),
    Method("users.lookupByEmail", look_up_by_email, Tier.THREE, takes="email", scopes="users:read.email"),
    Method(
        "users.conversations",
        conversations,
        Tier.THREE,
        takes="user types exclude_archived cursor limit",
        scopes=READ_SCOPES,
    ),
    Method("users.profile.get", profile, Tier.FOUR, takes="user", scopes="users.profile:read"),
    Method("users.getPresence", get_presence, Tier.THREE, takes="user", scopes="users:read"),
    Method("users.setPresence", set_presence, Tier.TWO, takes="presence", scopes="users:write"),
)
