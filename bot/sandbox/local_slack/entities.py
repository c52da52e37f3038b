"""The things a workspace holds, and how Slack's API shows each of them. No I/O, no rules.

Not imitated: avatars other than a placeholder, user profiles' custom fields, Enterprise Grid, Slack Connect,
guests, channel properties (canvases, tabs), huddles, and the rich_text blocks that Slack derives from plain text.
"""

import struct
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.sandbox.identities import App, Team
from bot.sandbox.local_slack.json_types import Json

SLACKBOT = "USLACKBOT"
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str
    real_name: str
    email: str
    tz: str
    team: str
    is_bot: bool = False
    bot_id: str | None = None
    app_id: str | None = None
    is_admin: bool = False
    deleted: bool = False

    def as_json(self, now: datetime, *, with_email: bool, with_locale: bool = False) -> Json:
        offset = now.astimezone(ZoneInfo(self.tz)).utcoffset()
        zone = now.astimezone(ZoneInfo(self.tz)).tzname()
        shown: Json = {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "deleted": self.deleted,
            "color": "9f69e7",
            "real_name": self.real_name,
            "tz": self.tz,
            "tz_label": zone,
            "tz_offset": int(offset.total_seconds()) if offset else 0,
            "profile": self.profile(with_email=with_email),
            "is_admin": self.is_admin,
            "is_owner": self.is_admin,
            "is_primary_owner": False,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1700000000,
            "is_email_confirmed": not self.is_bot,
            "who_can_share_contact_card": "EVERYONE",
        }
        return shown | {"locale": "en-US"} if with_locale else shown

    def profile(self, *, with_email: bool) -> Json:
        shown: Json = {
            "title": "",
            "phone": "",
            "skype": "",
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.name,
            "display_name_normalized": self.name,
            "fields": None,
            "status_text": "",
            "status_emoji": "",
            "status_expiration": 0,
            "avatar_hash": "0" * 12,
            "first_name": self.real_name.split(" ")[0],
            "last_name": self.real_name.partition(" ")[2],
            "team": self.team,
        }
        if self.is_bot:
            return shown | {"bot_id": self.bot_id, "api_app_id": self.app_id, "always_active": True}
        return shown | {"email": self.email} if with_email else shown


@dataclass(slots=True)
class UserGroup:
    id: str
    handle: str
    name: str
    team: str
    members: list[str]
    created: int
    created_by: str
    description: str = ""
    channels: list[str] = field(default_factory=list)
    disabled_at: int = 0
    updated: int = 0
    updated_by: str = ""

    def as_json(self, *, with_users: bool = False, with_count: bool = False) -> Json:
        shown: Json = {
            "id": self.id,
            "team_id": self.team,
            "is_usergroup": True,
            "is_subteam": True,
            "name": self.name,
            "description": self.description,
            "handle": self.handle,
            "is_external": False,
            "date_create": self.created,
            "date_update": self.updated or self.created,
            "date_delete": self.disabled_at,
            "auto_type": None,
            "auto_provision": False,
            "enterprise_subteam_id": "",
            "created_by": self.created_by,
            "updated_by": self.updated_by or self.created_by,
            "deleted_by": None,
            "prefs": {"channels": list(self.channels), "groups": []},
        }
        if with_users:
            shown["users"] = list(self.members)
        if with_users or with_count:
            shown["user_count"] = len(self.members)
        return shown


@dataclass(frozen=True, slots=True)
class SlackFile:
    id: str
    name: str
    title: str
    user: str
    created: int
    content: bytes
    mimetype: str
    filetype: str
    base_url: str
    alt_text: str = ""
    channels: tuple[str, ...] = ()
    shares: tuple[tuple[str, str], ...] = ()  # (channel, ts) of each message that carries it

    def as_json(self) -> Json:
        public = [channel for channel in self.channels if channel.startswith("C")]
        private = [channel for channel in self.channels if channel.startswith("G")]
        direct = [channel for channel in self.channels if channel.startswith("D")]
        address = f"{self.base_url}/files/{self.id}/{self.name}"
        shown: Json = {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title,
            "mimetype": self.mimetype,
            "filetype": self.filetype,
            "pretty_type": self.filetype.upper(),
            "user": self.user,
            "editable": self.mimetype.startswith("text/"),
            "size": len(self.content),
            "mode": "snippet" if self.mimetype.startswith("text/") else "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": bool(public),
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": address,
            "url_private_download": f"{address}?download=1",
            "permalink": address,
            "channels": public,
            "groups": private,
            "ims": direct,
            "comments_count": 0,
            "shares": self._shares(),
            "has_rich_preview": False,
            "file_access": "visible",
        }
        if self.alt_text:
            shown["alt_txt"] = self.alt_text
        return shown | self._size()

    def _size(self) -> Json:
        """Width and height of a PNG, by which a client keeps room for it before it is loaded."""
        if not self.content.startswith(PNG) or len(self.content) < 24:
            return {}
        width, height = struct.unpack(">II", self.content[16:24])
        return {"original_w": width, "original_h": height}

    def _shares(self) -> Json:
        shares: Json = {}
        for channel, ts in self.shares:
            side = "public" if channel.startswith("C") else "private"
            shares.setdefault(side, {}).setdefault(channel, []).append({"ts": ts, "reply_count": 0})
        return shares


def bot_profile(app: App, team: Team) -> Json:
    return {
        "id": app.bot_id,
        "app_id": app.id,
        "user_id": app.bot_user,
        "name": app.name,
        "deleted": False,
        "updated": 1700000000,
        "icons": {},
        "team_id": team.id,
    }
