"""What several families ask in the same way: which channel is meant, and may this caller see it or speak in it."""

from bot.sandbox.local_slack.channels import Channel, ChannelType
from bot.sandbox.local_slack.method import Call
from bot.sandbox.local_slack.refusals import Refused, invalid_arguments

READ_SCOPE = {
    ChannelType.PUBLIC: "channels:read",
    ChannelType.PRIVATE: "groups:read",
    ChannelType.DIRECT: "im:read",
    ChannelType.GROUP_DIRECT: "mpim:read",
}
READ_SCOPES = "channels:read groups:read im:read mpim:read"
HISTORY_SCOPE = {
    ChannelType.PUBLIC: "channels:history",
    ChannelType.PRIVATE: "groups:history",
    ChannelType.DIRECT: "im:history",
    ChannelType.GROUP_DIRECT: "mpim:history",
}
HISTORY_SCOPES = "channels:history groups:history im:history mpim:history"
MANAGE_SCOPES = "channels:manage channels:write groups:write im:write mpim:write"


def visible_channel(call: Call, name: str = "channel") -> Channel:
    """The channel named by an argument, by id; what the caller cannot see does not exist for them."""
    return _visible(call, call.args.required(name))


def _visible(call: Call, channel_id: str) -> Channel:
    channel = call.workspace.channel(channel_id)
    if not channel.is_open and call.caller.user not in channel.members:
        raise Refused("channel_not_found")
    return channel


def known_channel(call: Call) -> Channel:
    """A channel that the caller may know about: each type needs its own scope."""
    channel = visible_channel(call)
    call.needs(READ_SCOPE[channel.type])
    return channel


def readable_channel(call: Call) -> Channel:
    """A channel whose messages the caller may read: bots, one that they are in; people, any public one, too."""
    channel = visible_channel(call)
    call.needs(HISTORY_SCOPE[channel.type])
    if call.caller.is_bot and call.caller.user not in channel.members:
        raise Refused("not_in_channel")
    return channel


def own_channel(call: Call) -> Channel:
    """A channel that the caller is in and that is not archived."""
    channel = visible_channel(call)
    if call.caller.user not in channel.members:
        raise Refused("not_in_channel")
    if channel.is_archived:
        raise Refused("is_archived")
    return channel


def channel_to_post(call: Call) -> Channel:
    """Where a message may go: a channel by id or name, or a person, whose direct conversation is opened."""
    wanted = call.args.required("channel")
    workspace = call.workspace
    if wanted in workspace.users:
        return workspace.direct_with((call.caller.user, wanted))
    channel = workspace.channel_named(wanted) or _visible(call, wanted)
    channel = _visible(call, channel.id)
    if channel.is_archived:
        raise Refused("is_archived")
    if call.caller.user not in channel.members and not (channel.is_open and "chat:write.public" in call.caller.scopes):
        raise Refused("not_in_channel")
    return channel


def only(call: Call, name: str, *allowed: str) -> None:
    """Refuse a value whose effect is not imitated; absent and empty are always fine."""
    value = str(call.args.as_json().get(name, "")).lower()
    if value and value not in allowed:
        raise invalid_arguments(f"unsupported value of {name}: {value}")
