"""The only reader of the environment. Built once, in `bot.__main__`; everything else receives values.

Ours begin with RELIABILITY_ (parts joined by `__`); names that the ecosystem already uses stay as they are. An unknown
RELIABILITY_… refuses to start: a misspelt RELIABILITY_DRY_RUN must not leave somebody guessing why nothing moved.
The table for people is `docs/settings.md`, written by `reliability settings --markdown`.
"""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from bot import durations
from bot.act.config import GitHubConfig, RerunConfig
from bot.decide.timing import WatchConfig
from bot.errors import InvalidConfiguration
from bot.gcp.config import GoogleConfig
from bot.ingest.config import PubSubConfig, WebhookConfig
from bot.notify.config import SlackConfig
from bot.store.config import DatabaseConfig

PREFIX = "RELIABILITY_"
_DELIMITER = "__"
_Path = tuple[str, ...]

# Names that others gave, or that read better without their section: name → where it goes.
NAMED_OTHERWISE: Mapping[str, _Path] = {
    "SLACK_BOT_TOKEN": ("slack", "bot_token"),
    "SLACK_SIGNING_SECRET": ("slack", "signing_secret"),
    "SLACK_APP_TOKEN": ("slack", "app_token"),
    "SLACK_API_URL": ("slack", "api_url"),
    "DATABASE_URL": ("database", "url"),
    "PORT": ("port",),
    "GOOGLE_CLOUD_PROJECT": ("google", "project"),
    "RELIABILITY_GOOGLE_ENDPOINT": ("google", "endpoint"),
    "RELIABILITY_WEBHOOK_SECRET": ("webhook", "secret"),
}
_REASONS = {
    "bool_parsing": "must be true or false",
    "string_pattern_mismatch": "does not have the form it should",
    "time_delta_parsing": "is no duration",
}
_PLATFORMS = {"GAE_ENV": "app-engine", "K_SERVICE": "cloud-run"}  # set by the platform itself


class NamedOtherwise(PydanticBaseSettingsSource):
    """The settings source behind `NAMED_OTHERWISE`, and what the platform lets us conclude."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError(field_name)  # __call__ answers for all fields at once

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, platform in _PLATFORMS.items():
            if os.environ.get(name):
                found |= {"platform": platform, "host": "0.0.0.0"}
        for name, (*sections, last) in NAMED_OTHERWISE.items():
            if value := os.environ.get(name):
                reduce(lambda inner, section: inner.setdefault(section, {}), sections, found)[last] = value
        return found


class Settings(BaseSettings):
    """How this bot runs. Use `from_environment()`, which explains what is wrong."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=_DELIMITER, env_ignore_empty=True, frozen=True, extra="forbid"
    )

    catalog: Path = Field(
        default=Path("reliability.yaml"), description="The catalog of services.", examples=["reliability.yaml"]
    )
    dry_run: bool = Field(
        default=True, description="Move no traffic, and say so on the card. false = approved rollbacks are carried out."
    )
    host: str = Field(
        default="127.0.0.1",
        description="Address to listen on; 0.0.0.0 by itself on App Engine and Cloud Run.",
        examples=["0.0.0.0"],
    )
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    log_format: Literal["text", "json"] = Field(
        default="text", description="json = one JSON object per line, as Cloud Logging reads them."
    )
    platform: Literal["app-engine", "cloud-run"] | None = Field(default=None, description="Where the bot runs.")
    slack: SlackConfig = SlackConfig()
    google: GoogleConfig = GoogleConfig()
    pubsub: PubSubConfig = PubSubConfig()
    webhook: WebhookConfig = WebhookConfig()
    database: DatabaseConfig = DatabaseConfig()
    watch: WatchConfig = WatchConfig()
    rerun: RerunConfig = RerunConfig()
    github: GitHubConfig = GitHubConfig()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment and nothing else: no .env that somebody forgot about."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, NamedOtherwise(settings_cls)

    @model_validator(mode="before")
    @classmethod
    def _durations_as_people_write_them(cls, given: Any) -> Any:
        """PT5S, 5s and plain seconds; what cannot be read is left for the field to refuse."""
        for setting in all_settings():
            *sections, last = setting.path
            if setting.field.annotation is timedelta and isinstance(given, dict):
                section = reduce(lambda inner, name: inner.get(name, {}), sections, given)
                if isinstance(section, dict) and isinstance(section.get(last), str):
                    written = section[last].strip()
                    with contextlib.suppress(ValueError):
                        section[last] = durations.parse(f"{written}s" if written[-1:].isdigit() else written)
        return given

    @classmethod
    def from_environment(cls) -> Self:
        """The settings, all of them checked.

        Raises:
            InvalidConfiguration: names each wrong variable and the mend, never a value.
        """
        problems = list(_unknown(os.environ))
        try:
            settings = cls()
        except ValidationError as error:
            # Errors carry what was given, maybe a secret in the wrong place: only places and reasons are used.
            problems += [_explain(e["loc"], e["type"], e["msg"]) for e in error.errors(include_input=False)]
        except SettingsError as error:
            # Only a section given as one variable (RELIABILITY_SLACK=…) fails so, and that is an unknown name already.
            problems = problems or [str(error)]
        else:
            problems += _contradictions(settings)
        if problems:
            raise _wrong(problems) from None
        return settings

    def require_slack(self) -> None:
        """Raises InvalidConfiguration unless everything is there to talk with Slack in the chosen mode."""
        missing = []
        if self.slack.bot_token is None:
            missing.append("SLACK_BOT_TOKEN is not set: the bot token (xoxb-…) of the installed Slack app")
        if self.slack.mode == "http" and self.slack.signing_secret is None:
            missing.append(
                "SLACK_SIGNING_SECRET is not set: without it nothing proves that a request is Slack's; "
                "or set SLACK_APP_TOKEN (xapp-…) to use Socket Mode instead of HTTP"
            )
        if missing:
            raise _wrong([*missing, "no Slack workspace at hand? `reliability sandbox` brings its own"])


@dataclass(frozen=True)
class Setting:
    """One setting as people see it.

    Attributes:
        name: of the environment variable. path: of the field in Settings.
    """

    name: str
    path: _Path
    field: FieldInfo

    @property
    def is_secret(self) -> bool:
        return "SecretStr" in str(self.field.annotation)

    @property
    def default(self) -> Any:
        return self.field.get_default(call_default_factory=True)

    @property
    def example(self) -> str:
        """A value that works, "" when none is at hand."""
        return str(self.field.examples[0]) if self.field.examples else ""

    def value_in(self, settings: Settings) -> Any:
        return reduce(getattr, self.path, settings)


def all_settings() -> tuple[Setting, ...]:
    """Every setting, ours and the ecosystem's, in the order of the fields."""
    names = {path: name for name, path in NAMED_OTHERWISE.items()}
    return tuple(
        Setting(names.get(path, _plain_name(path)), path, field)
        for path, field in _leaves(Settings)
        if path != ("platform",)
    )


def first_webhook_secret() -> str:
    """The secret to sign deploys with, and nothing else of the environment: it is a pipeline's, not the bot's.

    Raises:
        InvalidConfiguration: there is none, or it cannot be used.
    """
    name = "RELIABILITY_WEBHOOK_SECRET"
    try:
        secrets = WebhookConfig.model_validate({"secret": os.environ.get(name, "")}).secret
    except ValidationError as error:
        reasons = [_explain(("webhook", *e["loc"]), e["type"], e["msg"]) for e in error.errors(include_input=False)]
        raise InvalidConfiguration("; ".join(reasons)) from None
    if not secrets:
        raise InvalidConfiguration(f"{name} is not set: the secret that the bot has in the same variable")
    return secrets[0].get_secret_value()


def _unknown(environ: Iterable[str]) -> Iterator[str]:
    known = {setting.name for setting in all_settings()}
    by_ending = {name.removeprefix(PREFIX): name for name in known}  # the beginning is always alike and would mislead
    by_ending |= {_plain_name(path).removeprefix(PREFIX): name for name, path in NAMED_OTHERWISE.items()}
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name not in known:  # in small letters too: half of them would be read
            nearest = difflib.get_close_matches(name.upper().removeprefix(PREFIX), by_ending, 1)
            hint = f"did you mean {by_ending[nearest[0]]}?" if nearest else "see `reliability settings`"
            yield f"{name} is no setting of this bot; {hint}"


def _contradictions(settings: Settings) -> Iterator[str]:
    if settings.platform and settings.database.is_sqlite:
        where = {"app-engine": "App Engine", "cloud-run": "Cloud Run"}[settings.platform]
        yield (
            f"DATABASE_URL: SQLite on {where} would forget everything at each restart; "
            "mend: DATABASE_URL=postgresql://user:password@/reliability?host=/cloudsql/PROJECT:REGION:INSTANCE"
        )
    elif (file := settings.database.sqlite_file) and not os.access(file.parent, os.W_OK):
        yield (
            f"DATABASE_URL: {file.parent.absolute()} is no folder that the bot may write in; "
            "mend: DATABASE_URL=sqlite:////path/to/reliability.sqlite3, or a postgresql:// one"
        )
    if (settings.pubsub.audience is None) != (settings.pubsub.service_account is None):
        missing = "AUDIENCE" if settings.pubsub.audience is None else "SERVICE_ACCOUNT"
        yield f"RELIABILITY_PUBSUB__{missing} is not set: pushes are believed only with audience and service account"
    for setting in all_settings():
        value = setting.value_in(settings)
        if isinstance(value, timedelta) and value <= timedelta(0):
            yield f"{setting.name}: must be longer than nothing; mend: {_mend(setting)}"


def _explain(path: Sequence[str | int], type_: str, message: str) -> str:
    """`path` may lead past the field, into an item of a list."""
    setting = next((s for s in all_settings() if tuple(path[: len(s.path)]) == s.path), None)
    reason = _REASONS.get(type_, message.removeprefix("Value error, ").removeprefix("Input "))
    return (
        f"{setting.name}: {reason}; mend: {_mend(setting)}" if setting else f"{_plain_name(map(str, path))}: {reason}"
    )


def _mend(setting: Setting) -> str:
    return f"{setting.name}={setting.example or shown(setting.default)}"


def shown(value: Any) -> str:
    """A value as it is written in the environment; "" for none. Never call it with a secret of somebody's."""
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case bool():
            return str(value).lower()
        case timedelta():
            return durations.iso(value)
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


def _leaves(model: type[BaseModel], path: _Path = ()) -> Iterator[tuple[_Path, FieldInfo]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _leaves(field.annotation, (*path, name))
        else:
            yield (*path, name), field


def _plain_name(path: Iterable[str]) -> str:
    return PREFIX + _DELIMITER.join(path).upper()


def _wrong(problems: list[str]) -> InvalidConfiguration:
    return InvalidConfiguration("the settings are wrong, nothing was started:\n  " + "\n  ".join(problems))
