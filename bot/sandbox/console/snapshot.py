"""The local Slack as the page needs it: everything at once (`slack_state`), and one change (`change_json`)."""

from typing import Any, Final

from bot.sandbox import identities
from bot.sandbox.local_slack.changes import Change, ChangeKind
from bot.sandbox.local_slack.channels import Channel
from bot.sandbox.local_slack.views import Views
from bot.sandbox.local_slack.workspace import Workspace

MOST_MESSAGES: Final = 500
PLACE_CHANGES: Final = frozenset({ChangeKind.CHANNEL_CHANGED, ChangeKind.MEMBER_JOINED, ChangeKind.MEMBER_LEFT})
UNSEEN: Final = frozenset({ChangeKind.FILE_SHARED, ChangeKind.HOME_OPENED})  # the message or view is told, too

COMMANDS: Final = (
    {"text": "/reliability status", "hint": "[service]", "description": "Deployments, traffic, open incidents"},
    {"text": "/reliability status auth", "hint": "", "description": "One service, by its catalog key"},
    {"text": "/reliability help", "hint": "", "description": "Everything it can do"},
)


def people() -> list[dict[str, Any]]:
    """Those one can be in the console."""
    playable = (identities.RESPONDER, identities.APPROVER, identities.OUTSIDER)
    return [
        {"id": person.id, "name": person.name, "real_name": person.real_name, "role": person.role}
        for person in playable
    ]


def slack_state(workspace: Workspace, views: Views) -> dict[str, Any]:
    return {
        "team": {"id": workspace.team.id, "name": workspace.team.name},
        "app": {"user": workspace.app.bot_user, "name": workspace.app.name},
        "people": people(),
        "commands": list(COMMANDS),
        "users": [
            {"id": user.id, "name": user.name, "real_name": user.real_name, "is_bot": user.is_bot, "tz": user.tz}
            for user in workspace.users.values()
        ],
        "groups": [
            {"id": group.id, "handle": group.handle, "name": group.name, "users": list(group.members)}
            for group in workspace.groups.values()
        ],
        "channels": [channel_with_messages(workspace, channel) for channel in workspace.channels.values()],
        "views": {user: [views.as_json(view) for view in views.stack(user)] for user in workspace.users},
    }


def channel_json(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.type.value,
        "topic": channel.topic.value,
        "is_archived": channel.is_archived,
        "members": list(channel.members),
    }


def channel_with_messages(workspace: Workspace, channel: Channel) -> dict[str, Any]:
    newest = list(channel.messages.values())[-MOST_MESSAGES:]
    return channel_json(channel) | {
        "messages": [workspace.message_json(message) for message in newest],
        "ephemerals": [
            {"user": message.draft.only_for, "message": workspace.message_json(message)}
            for message in channel.ephemerals.values()
        ],
    }


def change_json(change: Change, workspace: Workspace) -> dict[str, Any] | None:
    """One change for the page; None if the page shows nothing of it."""
    if change.kind in UNSEEN:
        return None
    if change.kind in PLACE_CHANGES and change.channel in workspace.channels:
        place = channel_json(workspace.channels[change.channel])
        return Change(ChangeKind.CHANNEL_CHANGED, place, channel=change.channel).as_json()
    return change.as_json()
