"""`reliability manifest`: the Slack app, ready to paste into api.slack.com/apps → Create New App → From a manifest."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

# Scope → the feature that needs it; nothing else is asked for.
SCOPES = {
    "commands": "/reliability",
    "chat:write": "cards, threads and replies",
    "channels:history": "after a crash, looking for its own card before posting another",
    "usergroups:read": "who is in a user group of approvers",
    "files:write": "charts of errors, in a card's thread and on request",
}
_LONGEST_URL = 255


def manifest(
    url: Annotated[
        str | None, typer.Option(metavar="https://…", help="Slack sends to this address of the bot.")
    ] = None,
    socket_mode: Annotated[
        bool, typer.Option("--socket-mode", help="The bot fetches from Slack instead; no public address is needed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False,
) -> None:
    """Print the manifest of the Slack app, with only the scopes that are used."""
    if (url is None) != socket_mode:
        raise typer.BadParameter("give one of --url https://… and --socket-mode", param_hint="--url")
    content = slack_app(_events_url(url) if url is not None else None)
    if as_json:
        print(json.dumps(content, indent=2, ensure_ascii=False))
        return
    import yaml

    print(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120), end="")


def slack_app(events_url: str | None) -> dict[str, Any]:
    """The manifest. No event subscriptions: the bot reacts to commands and buttons only.

    Args:
        events_url: where Slack delivers over HTTP; None = Socket Mode.
    """
    command = {
        "command": "/reliability",
        "description": "Deployments, open incidents, ARR at risk",
        "usage_hint": "status [service] | errors <service> [revision] | rerun <suite> [what] | help",
        "should_escape": False,
    }
    interactivity: dict[str, Any] = {"is_enabled": True}
    if events_url is not None:
        command["url"] = events_url
        interactivity["request_url"] = events_url
    return {
        "display_information": {
            "name": "Reliability",
            "description": "Which deploy did it, what does it cost, who decides, and is it really fixed?",
        },
        "features": {
            "bot_user": {"display_name": "reliability", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": events_url is None,
            "token_rotation_enabled": False,
        },
    }


def _events_url(url: str) -> str:
    """`/slack/events` of the bot at this address."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or len(url) > _LONGEST_URL:
        raise typer.BadParameter("must be https://HOST: Slack sends to nothing else", param_hint="--url")
    return f"{url.rstrip('/').removesuffix('/slack/events')}/slack/events"
