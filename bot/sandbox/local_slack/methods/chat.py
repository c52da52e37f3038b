"""chat.*: post, edit, delete, say to one person only, link.

Not imitated: chat.scheduleMessage, chat.unfurl, streaming, slash commands as messages (chat.command), link_names,
parse=full, markdown_text, and posting as somebody else with a classic app's `as_user`. Stricter than Slack: a reply to
a reply is refused, where Slack takes it and shows it in no good place.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.sandbox.local_slack.channels import Channel
from bot.sandbox.local_slack.content import Content, read_content
from bot.sandbox.local_slack.ids import TS
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import Draft, Message
from bot.sandbox.local_slack.method import Call, Method
from bot.sandbox.local_slack.methods.lookups import channel_to_post, only, visible_channel
from bot.sandbox.local_slack.rate_limits import Tier
from bot.sandbox.local_slack.refusals import Refused

MOST_EDITED_TEXT: Final = 4_000  # chat.postMessage takes ten times as much


def post(call: Call) -> Json:
    _refuse_unimitated(call)
    only(call, "as_user", "false")
    channel = channel_to_post(call)
    content = _said(call)
    draft = _styled(call, _draft(call, channel, content))
    message = call.workspace.post(draft)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "message": call.workspace.message_json(message, with_metadata=True),
    }


def post_ephemeral(call: Call) -> Json:
    _refuse_unimitated(call)
    only(call, "as_user", "false")
    reader = call.workspace.user(call.args.required("user")).id
    channel = channel_to_post(call)
    if reader not in channel.members:
        raise Refused("user_not_in_channel")
    draft = _styled(call, replace(_draft(call, channel, _said(call)), only_for=reader))
    return {"message_ts": call.workspace.post_ephemeral(draft).ts}


def update(call: Call) -> Json:
    _refuse_unimitated(call)
    channel = visible_channel(call)
    ts = call.args.required("ts")
    content = read_content(call.args)
    if channel.is_archived:
        raise Refused("is_inactive")
    if len(content.text or "") > MOST_EDITED_TEXT:
        raise Refused("msg_too_long")
    message = call.workspace.message(channel.id, ts)
    _refuse_stranger(call, message, "cant_update_message")
    _refuse_late(call, message)
    nothing_given = content.text is None and content.blocks is None and content.attachments is None
    if nothing_given and content.metadata is None:
        raise Refused("no_text")
    edited_draft = _rewritten(message.draft, content)
    if not (edited_draft.text or edited_draft.blocks or edited_draft.attachments):
        raise Refused("no_text")
    by = None if edited_draft.blocks else call.caller.user  # Slack marks only plain texts as edited
    edited = call.workspace.edit(message, lambda _: edited_draft, by=by)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": edited.draft.text,
        "message": call.workspace.message_json(edited, with_metadata=True),
    }


def delete(call: Call) -> Json:
    channel = visible_channel(call)
    ts = call.args.required("ts")
    message = call.workspace.message(channel.id, ts)
    _refuse_stranger(call, message, "cant_delete_message")
    call.workspace.delete(message)
    return {"channel": channel.id, "ts": ts}


def permalink(call: Call) -> Json:
    channel = visible_channel(call)
    message = call.workspace.message(channel.id, call.args.required("message_ts"))
    address = f"https://{call.workspace.team.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        address += f"?thread_ts={message.draft.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": address}


def _refuse_unimitated(call: Call) -> None:
    only(call, "parse", "none")
    only(call, "link_names", "false", "0")


def _said(call: Call) -> Content:
    content = read_content(call.args)
    if content.says_nothing:
        raise Refused("no_text")
    return content


def _draft(call: Call, channel: Channel, content: Content) -> Draft:
    return Draft(
        channel=channel.id,
        text=content.text or "",
        user=call.caller.user,
        via_app=True,
        blocks=content.blocks or (),
        attachments=content.attachments or (),
        metadata=content.metadata or None,
        thread_ts=_thread(call, channel),
        broadcast=call.args.flag("reply_broadcast"),
        mrkdwn=call.args.flag("mrkdwn", default=True),
        unfurl_links=call.args.flag("unfurl_links", default=False),
        unfurl_media=call.args.flag("unfurl_media", default=True),
    )


def _thread(call: Call, channel: Channel) -> str | None:
    """The thread that a message joins; none if the parent is gone, and the message lands in the channel, as in Slack."""
    thread_ts = call.args.text("thread_ts")
    if not thread_ts:
        return None
    if not TS.fullmatch(thread_ts):
        raise Refused("invalid_thread_ts")
    parent = channel.messages.get(thread_ts)
    if parent and (parent.is_reply or parent.is_about_membership):
        raise Refused("cannot_reply_to_message")
    return thread_ts if parent else None


def _styled(call: Call, draft: Draft) -> Draft:
    """With a name or icon of its own the message becomes a bot_message, which has no user."""
    username, emoji, url = (call.args.text(name) for name in ("username", "icon_emoji", "icon_url"))
    if not (username or emoji or url):
        return draft
    call.needs("chat:write.customize")
    icons = {"emoji": emoji} if emoji else {"image_48": url} if url else None
    name = username or call.workspace.app.name
    return replace(draft, user=None, subtype="bot_message", username=name, icons=icons)


def _rewritten(draft: Draft, content: Content) -> Draft:
    """What is not mentioned stays, except that a text without blocks takes the blocks away."""
    blocks = content.blocks
    if blocks is None:
        blocks = draft.blocks if content.text is None else ()
    return replace(
        draft,
        text=draft.text if content.text is None else content.text,
        blocks=blocks,
        attachments=draft.attachments if content.attachments is None else content.attachments,
        metadata=draft.metadata if content.metadata is None else content.metadata or None,
    )


def _refuse_stranger(call: Call, message: Message, error: str) -> None:
    """Only the author may change a message; a bot's customised messages are its own, too."""
    draft = message.draft
    own = draft.user == call.caller.user or (draft.user is None and call.caller.is_bot)
    if not own or message.is_about_membership:
        raise Refused(error)


def _refuse_late(call: Call, message: Message) -> None:
    window = call.state.edit_window
    if window is None:
        return
    age = timedelta(seconds=call.state.clock().timestamp() - float(message.ts))
    if age > window:
        raise Refused("edit_window_closed")


CONTENT = "channel text blocks attachments"
STYLE = "username icon_emoji icon_url as_user parse link_names"
FAMILY = (
    Method(
        "chat.postMessage",
        post,
        Tier.POSTING,
        takes=f"{CONTENT} {STYLE} metadata thread_ts reply_broadcast mrkdwn unfurl_links unfurl_media",
        scopes="chat:write",
    ),
    Method(
        "chat.postEphemeral", post_ephemeral, Tier.FOUR, takes=f"{CONTENT} {STYLE} user thread_ts", scopes="chat:write"
    ),
    Method(
        "chat.update",
        update,
        Tier.THREE,
        takes=f"{CONTENT} ts metadata as_user parse link_names",
        scopes="chat:write",
    ),
    Method("chat.delete", delete, Tier.THREE, takes="channel ts as_user", scopes="chat:write"),
    Method("chat.getPermalink", permalink, Tier.UNLIMITED, takes="channel message_ts"),
)
