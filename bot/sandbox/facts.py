"""What somebody has to know to use the sandbox: addresses, tokens, people; and the environment a bot needs to join.

The variables' names are the bot's public interface (docs/settings.md); the sandbox knows them as any deployment does.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from bot.sandbox import identities
from bot.sandbox.local_google import LocalGoogle
from bot.sandbox.local_slack import LocalSlack

HOST: Final = "127.0.0.1"
PLAYABLE: Final = (identities.RESPONDER, identities.APPROVER, identities.OWNER, identities.OUTSIDER)

# A drill should not make people wait as production does; everything else is as it is there.
QUICKER: Final[Mapping[str, str]] = {
    "RELIABILITY_WATCH__FAST_EVERY": "PT2S",
    "RELIABILITY_WATCH__SWEEP_EVERY": "PT30S",
    "RELIABILITY_WATCH__REFRESH_AFTER": "PT10S",
    "RELIABILITY_WATCH__VERIFY_FOR": "PT15S",
    "RELIABILITY_WATCH__VERIFY_POLL": "PT2S",
}


@dataclass(frozen=True)
class Addresses:
    """Where things listen: one port for console, Slack and keys, one for the bot."""

    port: int
    bot_port: int

    @property
    def base(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def slack_api(self) -> str:
        return f"{self.base}/api/"

    @property
    def certs(self) -> str:
        return f"{self.base}/google/certs"

    @property
    def bot(self) -> str:
        return f"http://{HOST}:{self.bot_port}"

    @property
    def slack_requests(self) -> str:
        return f"{self.bot}/slack/events"

    @property
    def push(self) -> str:
        return f"{self.bot}/events/pubsub"


@dataclass(frozen=True)
class Facts:
    """The fields are the keys of `reliability sandbox --json`."""

    console: str
    slack_api: str
    bot_token: str
    app_token: str
    user_token: str
    user_tokens: dict[str, str]
    users: dict[str, str]
    channel: str
    signing_secret: str
    google_grpc: str
    bot: str
    webhook_secret: str
    project: str
    region: str
    services: list[str]
    environment: dict[str, str] = field(default_factory=dict)  # for a bot that joins; empty if there is one already

    def as_json(self) -> dict[str, Any]:
        shown = asdict(self)
        if not self.environment:
            del shown["environment"]
        return shown


def gather(slack: LocalSlack, google: LocalGoogle, at: Addresses, webhook_secret: str) -> Facts:
    return Facts(
        console=f"{at.base}/",
        slack_api=at.slack_api,
        bot_token=slack.bot_token,
        app_token=slack.app_token,
        user_token=slack.user_tokens[identities.RESPONDER.role],
        user_tokens={person.role: slack.user_tokens[person.role] for person in PLAYABLE},
        users={person.role: person.id for person in PLAYABLE},
        channel=identities.AUTH_ALERTS.id,
        signing_secret=slack.signing_secret,
        google_grpc=google.grpc_address,
        bot=at.bot,
        webhook_secret=webhook_secret,
        project=google.place.project,
        region=google.place.region,
        services=google.services(),
    )


def bot_environment(
    facts: Facts,
    at: Addresses,
    *,
    socket_mode: bool,
    database_url: str,
    catalog: Path,
    runs: Path,
    push_service_account: str,
) -> dict[str, str]:
    """Everything a bot needs to work in this sandbox."""
    socket = {"SLACK_APP_TOKEN": facts.app_token} if socket_mode else {}
    return {
        "SLACK_BOT_TOKEN": facts.bot_token,
        "SLACK_SIGNING_SECRET": facts.signing_secret,
        "SLACK_API_URL": facts.slack_api,
        **socket,
        "DATABASE_URL": database_url,
        "PORT": str(at.bot_port),
        "GOOGLE_CLOUD_PROJECT": facts.project,
        "RELIABILITY_GOOGLE_ENDPOINT": facts.google_grpc,
        "RELIABILITY_DRY_RUN": "false",
        "RELIABILITY_CATALOG": str(catalog),
        "RELIABILITY_RERUN__DIRECTORY": str(runs),
        "RELIABILITY_WEBHOOK_SECRET": facts.webhook_secret,
        "RELIABILITY_PUBSUB__AUDIENCE": at.push,
        "RELIABILITY_PUBSUB__SERVICE_ACCOUNT": push_service_account,
        "RELIABILITY_PUBSUB__CERTS_URL": at.certs,
        **QUICKER,
    }


def new_webhook_secret() -> str:
    """In the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
