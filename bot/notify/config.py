"""How the bot reaches Slack."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

_BEGINS = {"bot_token": "xoxb-", "app_token": "xapp-"}


class SlackConfig(BaseModel, frozen=True, extra="forbid"):
    """Tokens are checked for their kind only: pasting one into the other's place is the commonest mistake."""

    bot_token: SecretStr | None = Field(
        default=None, description="Bot token of the Slack app, xoxb-…", examples=["xoxb-…"]
    )
    signing_secret: SecretStr | None = Field(
        default=None,
        description="Proves that a request is Slack's (app → Basic Information). Needed without SLACK_APP_TOKEN.",
        examples=["0123456789abcdef0123456789abcdef"],
    )
    app_token: SecretStr | None = Field(
        default=None,
        description="App-level token with connections:write, xapp-…; set = Socket Mode, unset = HTTP at /slack/events.",
        examples=["xapp-…"],
    )
    api_url: str = Field(
        default="https://slack.com/api/",
        pattern=r"^https?://[^\s?#]+/$",
        description="Base address of Slack's Web API, with a slash at the end.",
        examples=["https://slack.com/api/"],
    )
    timeout: timedelta = Field(
        default=timedelta(seconds=5), description="Give up one call to Slack after this.", examples=["PT5S"]
    )
    fallback_channel: str | None = Field(
        default=None,
        pattern=r"^[CG][A-Z0-9]{4,20}$",
        description="Id of the channel for what has none of its own or whose channel refuses it.",
        examples=["C0123456789"],
    )

    @field_validator("bot_token", "signing_secret", "app_token")
    @classmethod
    def _is_of_its_kind(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        text = value.get_secret_value().strip()  # secret stores like to add a line end
        beginning = _BEGINS.get(info.field_name or "", "")
        if not text.startswith(beginning):
            raise ValueError(f"begins with {beginning}; this looks like another of Slack's secrets")
        return SecretStr(text)

    @property
    def mode(self) -> Literal["socket", "http"]:
        """How Slack delivers to the bot."""
        return "socket" if self.app_token else "http"
