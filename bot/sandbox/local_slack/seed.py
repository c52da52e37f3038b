"""The workspace as it is when the sandbox starts: the people, groups and channels of `identities`."""

from bot.sandbox import identities
from bot.sandbox.local_slack.channels import ChannelType, Text
from bot.sandbox.local_slack.entities import SLACKBOT, User, UserGroup
from bot.sandbox.local_slack.ids import Clock
from bot.sandbox.local_slack.workspace import Workspace


def seeded_workspace(clock: Clock) -> Workspace:
    workspace = Workspace(identities.TEAM, identities.APP, clock=clock)
    _add_users(workspace)
    _add_groups(workspace)
    _add_channels(workspace)
    return workspace


def _add_users(workspace: Workspace) -> None:
    team, app = workspace.team, workspace.app
    for person in identities.PEOPLE:
        workspace.users[person.id] = User(
            id=person.id,
            name=person.name,
            real_name=person.real_name,
            email=person.email,
            tz=person.tz,
            team=team.id,
            is_admin=person is identities.OWNER,
        )
    bot = User(app.bot_user, app.name, app.name, "", "Etc/UTC", team.id, is_bot=True, bot_id=app.bot_id, app_id=app.id)
    workspace.users[bot.id] = bot
    workspace.users[SLACKBOT] = User(SLACKBOT, "slackbot", "Slackbot", "", "Etc/UTC", team.id)


def _add_groups(workspace: Workspace) -> None:
    for group in identities.GROUPS:
        workspace.groups[group.id] = UserGroup(
            id=group.id,
            handle=group.handle,
            name=group.name,
            team=workspace.team.id,
            members=list(group.members),
            created=workspace.now_seconds(),
            created_by=identities.OWNER.id,
        )


def _add_channels(workspace: Workspace) -> None:
    everybody = [person.id for person in identities.PEOPLE]
    owner = identities.OWNER.id
    for room in identities.ROOMS:
        members = [*everybody, workspace.app.bot_user] if room.has_bot else everybody
        channel = workspace.create_channel(
            room.name, ChannelType.PUBLIC, creator=owner, members=members, channel_id=room.id
        )
        channel.is_general = room is identities.GENERAL
        channel.topic = Text(room.topic, owner, channel.created)
