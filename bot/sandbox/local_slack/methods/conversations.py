"""conversations.*: what channels there are, who is in them, joining, opening, creating, naming.

Not imitated: Slack Connect (invitations across workspaces), canvases, and private channels made public.
"""

import re

from bot.sandbox.local_slack.channels import Channel, ChannelType, Text
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.method import Call, Method
from bot.sandbox.local_slack.methods.lookups import (
    MANAGE_SCOPES,
    READ_SCOPE,
    READ_SCOPES,
    known_channel,
    only,
    own_channel,
    visible_channel,
)
from bot.sandbox.local_slack.paging import metadata, page
from bot.sandbox.local_slack.rate_limits import Tier
from bot.sandbox.local_slack.refusals import Refused

NAME = re.compile(r"[a-z0-9_\-\u00c0-\U0001ffff]{1,80}")
MOST_PEOPLE_IN_GROUP = 9  # those opened by conversations.open: 8 and the caller
LONGEST_TOPIC = 250


def wanted_types(call: Call) -> set[ChannelType]:
    """The types asked for, each with the scope that it needs; shared with users.conversations."""
    try:
        types = {ChannelType(name) for name in call.args.names("types") or [ChannelType.PUBLIC]}
    except ValueError:
        raise Refused("invalid_types") from None
    for kind in types:
        call.needs(READ_SCOPE[kind])
    return types


def list_channels(call: Call) -> Json:
    types = wanted_types(call)
    shown = [
        channel
        for channel in call.workspace.channels.values()
        if channel.type in types
        and (channel.is_open or call.caller.user in channel.members)
        and not (channel.is_archived and call.args.flag("exclude_archived"))
    ]
    channels, next_cursor = page(shown, call.args)
    return {"channels": [each.as_json(call.caller.user, with_count=True) for each in channels], **metadata(next_cursor)}


def show(call: Call) -> Json:
    only(call, "include_locale", "false", "0")
    channel = known_channel(call)
    return _shown(call, channel, with_count=call.args.flag("include_num_members"))


def members(call: Call) -> Json:
    channel = known_channel(call)
    people, next_cursor = page(channel.members, call.args)
    return {"members": list(people), **metadata(next_cursor)}


def join(call: Call) -> Json:
    channel = visible_channel(call)
    if not channel.is_named:
        raise Refused("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise Refused("is_archived")
    if call.caller.user in channel.members:
        already = {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
        return _shown(call, channel) | already
    call.workspace.join(channel, call.caller.user)
    return _shown(call, channel)


def leave(call: Call) -> Json:
    channel = visible_channel(call)
    if channel.is_general:
        raise Refused("cant_leave_general")
    if not channel.is_named:
        raise Refused("method_not_supported_for_channel_type")
    if call.caller.user not in channel.members:
        return {"not_in_channel": True}
    call.workspace.leave(channel, call.caller.user)
    return {}


def invite(call: Call) -> Json:
    channel = own_channel(call)
    people = [call.workspace.user(each).id for each in call.args.names("users")]
    if not people:
        raise Refused("no_user")
    if call.caller.user in people:
        raise Refused("cant_invite_self")
    if not channel.is_named:
        raise Refused("method_not_supported_for_channel_type")
    if any(each in channel.members for each in people):
        raise Refused("already_in_channel")
    for each in people:
        call.workspace.join(channel, each, inviter=call.caller.user)
    return _shown(call, channel)


def kick(call: Call) -> Json:
    channel = own_channel(call)
    person = call.workspace.user(call.args.required("user")).id
    if person == call.caller.user:
        raise Refused("cant_kick_self")
    if channel.is_general:
        raise Refused("cant_kick_from_general")
    if person not in channel.members:
        raise Refused("not_in_channel")
    call.workspace.leave(channel, person)
    return {}


def open_direct(call: Call) -> Json:
    if call.args.text("channel"):
        channel = visible_channel(call)
        if channel.is_named:
            raise Refused("method_not_supported_for_channel_type")
        return {"no_op": True, "already_open": True, "channel": _opened(call, channel)}
    people = list(dict.fromkeys((call.caller.user, *(call.workspace.user(each).id for each in _people(call)))))
    if len(people) > MOST_PEOPLE_IN_GROUP:
        raise Refused("too_many_users")
    existing = call.workspace.conversation_between(people)
    if existing:
        return {"no_op": True, "already_open": True, "channel": _opened(call, existing)}
    if call.args.flag("prevent_creation"):
        raise Refused("channel_not_found")
    return {"channel": _opened(call, call.workspace.direct_with(people))}


def create(call: Call) -> Json:
    name = _valid_name(call)
    private = call.args.flag("is_private")
    kind = ChannelType.PRIVATE if private else ChannelType.PUBLIC
    call.needs("groups:write") if private else call.needs("channels:manage", "channels:write")
    channel = call.workspace.create_channel(name, kind, creator=call.caller.user, members=[call.caller.user])
    return _shown(call, channel)


def rename(call: Call) -> Json:
    channel = own_channel(call)
    if channel.creator != call.caller.user and not call.workspace.user(call.caller.user).is_admin:
        raise Refused("not_authorized")
    name = _valid_name(call)
    channel.previous_names.append(channel.name)
    channel.name = name
    call.workspace.tell_channel(channel, by=call.caller.user)
    return _shown(call, channel)


def archive(call: Call) -> Json:
    channel = visible_channel(call)
    if channel.is_general:
        raise Refused("cant_archive_general")
    if channel.is_archived:
        raise Refused("already_archived")
    if call.caller.user not in channel.members:
        raise Refused("not_in_channel")
    channel.is_archived = True
    call.workspace.tell_channel(channel, by=call.caller.user)
    return {}


def unarchive(call: Call) -> Json:
    channel = visible_channel(call)
    if not channel.is_archived:
        raise Refused("not_archived")
    channel.is_archived = False
    call.workspace.tell_channel(channel, by=call.caller.user)
    return {}


def set_topic(call: Call) -> Json:
    channel = own_channel(call)
    channel.topic = _text(call, "topic")
    call.workspace.tell_channel(channel, by=call.caller.user)
    return _shown(call, channel)


def set_purpose(call: Call) -> Json:
    channel = own_channel(call)
    channel.purpose = _text(call, "purpose")
    call.workspace.tell_channel(channel, by=call.caller.user)
    return _shown(call, channel) | {"purpose": channel.purpose.value}


def mark(call: Call) -> Json:
    channel = visible_channel(call)
    if call.caller.user not in channel.members:
        raise Refused("not_in_channel")
    channel.last_read[call.caller.user] = call.args.required("ts")
    return {}


def _shown(call: Call, channel: Channel, *, with_count: bool = False) -> Json:
    return {"channel": channel.as_json(call.caller.user, with_count=with_count)}


def _opened(call: Call, channel: Channel) -> Json:
    return channel.as_json(call.caller.user) if call.args.flag("return_im") else {"id": channel.id}


def _people(call: Call) -> list[str]:
    people = call.args.names("users")
    if not people:
        raise Refused("users_list_not_supplied")
    return people


def _valid_name(call: Call) -> str:
    name = call.args.text("name").removeprefix("#")
    if not name:
        raise Refused("invalid_name_required")
    if len(name) > 80:
        raise Refused("invalid_name_maxlength")
    if not NAME.fullmatch(name):
        raise Refused("invalid_name_specials")
    if call.workspace.channel_named(name):
        raise Refused("name_taken")
    return name


def _text(call: Call, name: str) -> Text:
    value = call.args.text(name)
    if len(value) > LONGEST_TOPIC:
        raise Refused("too_long")
    return Text(value, call.caller.user, call.workspace.now_seconds())


JOIN = "channels:join channels:write"
PAGE = "cursor limit"
FAMILY = (
    Method("conversations.list", list_channels, Tier.TWO, takes=f"types exclude_archived {PAGE}", scopes=READ_SCOPES),
    Method(
        "conversations.info",
        show,
        Tier.THREE,
        takes="channel include_locale include_num_members",
        scopes=READ_SCOPES,
    ),
    Method("conversations.members", members, Tier.FOUR, takes=f"channel {PAGE}", scopes=READ_SCOPES),
    Method("conversations.join", join, Tier.THREE, takes="channel", scopes=JOIN),
    Method("conversations.leave", leave, Tier.THREE, takes="channel", scopes=MANAGE_SCOPES),
    Method("conversations.invite", invite, Tier.THREE, takes="channel users", scopes=MANAGE_SCOPES),
    Method("conversations.kick", kick, Tier.THREE, takes="channel user", scopes=MANAGE_SCOPES),
    Method(
        "conversations.open",
        open_direct,
        Tier.THREE,
        takes="channel users return_im prevent_creation",
        scopes=MANAGE_SCOPES,
    ),
    Method("conversations.create", create, Tier.TWO, takes="name is_private", scopes=MANAGE_SCOPES),
    Method("conversations.rename", rename, Tier.TWO, takes="channel name", scopes=MANAGE_SCOPES),
    Method("conversations.archive", archive, Tier.TWO, takes="channel", scopes=MANAGE_SCOPES),
    Method("conversations.unarchive", unarchive, Tier.TWO, takes="channel", scopes=MANAGE_SCOPES),
    Method("conversations.setTopic", set_topic, Tier.TWO, takes="channel topic", scopes=MANAGE_SCOPES),
    Method("conversations.setPurpose", set_purpose, Tier.TWO, takes="channel purpose", scopes=MANAGE_SCOPES),
    Method("conversations.mark", mark, Tier.THREE, takes="channel ts", scopes=MANAGE_SCOPES),
)
