"""The payloads that Slack sends to an app, field by field: events, commands, clicks, views. Pure.

Not imitated: block_suggestion, message and global shortcuts, workflow steps, legacy interactive messages.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.identities import App, Team
from bot.sandbox.local_slack.channels import Channel, ChannelType
from bot.sandbox.local_slack.entities import User
from bot.sandbox.local_slack.ids import new_id
from bot.sandbox.local_slack.json_types import Json


@dataclass(frozen=True, slots=True)
class Sender:
    """What every payload says about itself; `token` is the deprecated verification token."""

    team: Team
    app: App
    token: str

    def event(self, event: Json, *, at: int) -> Json:
        return {
            "token": self.token,
            "team_id": self.team.id,
            "context_team_id": self.team.id,
            "context_enterprise_id": None,
            "api_app_id": self.app.id,
            "event": event,
            "type": "event_callback",
            "event_id": new_id("Ev"),
            "event_time": at,
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self.team.id,
                    "user_id": self.app.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": f"4-{secrets.token_urlsafe(24)}",
        }

    def command(
        self, *, user: User, channel: Channel, command: str, text: str, response_url: str, trigger_id: str
    ) -> Json:
        return {
            "token": self.token,
            "team_id": self.team.id,
            "team_domain": self.team.domain,
            "channel_id": channel.id,
            "channel_name": shown_name(channel),
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": self.app.id,
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": trigger_id,
        }

    def click(
        self,
        *,
        user: User,
        channel: Channel,
        message: Json,
        is_ephemeral: bool,
        state: Json,
        actions: Sequence[Json],
        response_url: str,
        trigger_id: str,
    ) -> Json:
        container: Json = {
            "type": "message",
            "message_ts": message["ts"],
            "channel_id": channel.id,
            "is_ephemeral": is_ephemeral,
        }
        if "thread_ts" in message:
            container["thread_ts"] = message["thread_ts"]
        payload: Json = {
            **self._interaction("block_actions", user, trigger_id),
            "container": container,
            "channel": {"id": channel.id, "name": shown_name(channel)},
            "state": {"values": state},
            "response_url": response_url,
            "actions": list(actions),
        }
        return payload if is_ephemeral else payload | {"message": message}

    def click_in_view(self, *, user: User, view: Json, actions: Sequence[Json], trigger_id: str) -> Json:
        return {
            **self._interaction("block_actions", user, trigger_id),
            "container": {"type": "view", "view_id": view["id"]},
            "view": view,
            "actions": list(actions),
        }

    def view_submission(self, *, user: User, view: Json, trigger_id: str) -> Json:
        return {**self._interaction("view_submission", user, trigger_id), "view": view, "response_urls": []}

    def view_closed(self, *, user: User, view: Json, is_cleared: bool) -> Json:
        payload = self._interaction("view_closed", user, "")
        del payload["trigger_id"]
        return {**payload, "view": view, "is_cleared": is_cleared}

    def _interaction(self, kind: str, user: User, trigger_id: str) -> dict[str, Any]:
        return {
            "type": kind,
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": self.team.id},
            "api_app_id": self.app.id,
            "token": self.token,
            "trigger_id": trigger_id,
            "team": {"id": self.team.id, "domain": self.team.domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }


def shown_name(channel: Channel) -> str:
    match channel.type:
        case ChannelType.DIRECT:
            return "directmessage"
        case ChannelType.PRIVATE:
            return "privategroup"
        case ChannelType.PUBLIC | ChannelType.GROUP_DIRECT:
            return channel.name
