"""`reliability manifest`: the Slack app to create, with the least it needs.

    scope               because
    commands            /reliability
    chat:write          cards, their threads, answers only the asker sees
    channels:history    after a crash it looks whether its card stands already, before it posts again
    usergroups:read     approvers and owners may be user groups

No event subscription: buttons and the command are all it listens to.
"""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
import yaml

from bot.errors import UserError

SCOPES = ("commands", "chat:write", "channels:history", "usergroups:read")
_PRIVATE_SCOPES = ("groups:history",)
_REQUESTS = "/slack/events"


def manifest(
    url: Annotated[
        str | None, typer.Option(help="Public https address of the bot: Slack delivers over HTTP.", metavar="https://…")
    ] = None,
    socket_mode: Annotated[bool, typer.Option("--socket-mode", help="The bot connects to Slack instead.")] = False,
    name: Annotated[str, typer.Option(help="Name of the app and of its user.")] = "reliability",
    private_channels: Annotated[
        bool, typer.Option("--private-channels", help="Cards go to private channels, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False,
) -> None:
    """Print the manifest to paste at api.slack.com/apps → Create New App → From a manifest."""
    if (url is None) != socket_mode:
        raise UserError("say how Slack delivers: either --url https://… or --socket-mode")
    found = build(name, url, private_channels=private_channels)
    text = json.dumps(found, indent=2, ensure_ascii=False) if as_json else yaml.safe_dump(found, sort_keys=False)
    typer.echo(text.rstrip())


def build(name: str, url: str | None, *, private_channels: bool = False) -> dict[str, Any]:
    """The manifest.

    Args:
        url: None = Socket Mode.

    Raises:
        UserError: Slack would not take the name or the address.
    """
    if not 1 <= len(name) <= 35:
        raise UserError("a Slack app's name has 1 to 35 characters")
    requests = None if url is None else _request_url(url)
    command = {
        "command": "/reliability",
        "description": "Deploys, incidents and what is at risk",
        "usage_hint": "status [service] | help",
        "should_escape": False,
    }
    interactivity: dict[str, Any] = {"is_enabled": True}
    if requests is not None:
        command = {**command, "url": requests}
        interactivity = {**interactivity, "request_url": requests}
    return {
        "_metadata": {"major_version": 1},
        "display_information": {
            "name": name,
            "description": "Which deploy did it, what it costs, who decides, and whether it is fixed.",
            "background_color": "#1d1c1d",
        },
        "features": {
            "bot_user": {"display_name": name, "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": [*SCOPES, *(_PRIVATE_SCOPES if private_channels else ())]}},
        "settings": {
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": requests is None,
            "token_rotation_enabled": False,
        },
    }


def _request_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise UserError("--url must be an https:// address that Slack can reach, without ? and #")
    base = url.rstrip("/").removesuffix(_REQUESTS)
    return f"{base}{_REQUESTS}"
