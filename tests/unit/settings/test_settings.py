"""The environment: safe without anything, strict about what is there, silent about secrets."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.deliveries import OTHER_SECRET, SECRET

from bot.errors import InvalidConfiguration
from bot.settings import Settings, all_settings, first_webhook_secret, shown
from bot.store.config import DatabaseConfig

FAKE_TOKEN = "xoxb-not-a-real-token"
PASSWORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a bot of their own in the environment."""
    ours = {setting.name for setting in all_settings()} | {"GAE_ENV", "K_SERVICE"}
    for name in [name for name in os.environ if name in ours or name.upper().startswith("RELIABILITY_")]:
        monkeypatch.delenv(name)


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings.from_environment()


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    with pytest.raises(InvalidConfiguration) as refused:
        read(monkeypatch, **environment)
    return str(refused.value)


def test_without_anything_the_bot_is_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch)

    assert settings.dry_run is True
    assert settings.host == "127.0.0.1"
    assert settings.google.endpoint is None
    assert not settings.pubsub.enabled
    assert not settings.webhook.enabled


def test_names_that_the_ecosystem_uses_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch,
        SLACK_BOT_TOKEN=FAKE_TOKEN,
        SLACK_SIGNING_SECRET="0" * 32,
        SLACK_API_URL="http://127.0.0.1:1/api/",
        DATABASE_URL="sqlite:////tmp/x.sqlite3",
        PORT="9000",
        GOOGLE_CLOUD_PROJECT="acme-ops",
        RELIABILITY_GOOGLE_ENDPOINT="127.0.0.1:9001",
        RELIABILITY_WEBHOOK_SECRET=SECRET,
    )

    assert settings.slack.bot_token
    assert settings.slack.bot_token.get_secret_value() == FAKE_TOKEN
    assert settings.slack.api_url == "http://127.0.0.1:1/api/"
    assert (settings.port, settings.google.project, settings.google.endpoint) == (9000, "acme-ops", "127.0.0.1:9001")
    assert settings.webhook.enabled


def test_every_setting_can_be_set_by_the_name_that_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [setting.name for setting in all_settings()]

    assert len(names) == len(set(names))
    settings = read(monkeypatch, **{s.name: s.example or shown(s.default) for s in all_settings() if _settable(s)})
    assert settings.watch.fast_every == timedelta(seconds=5)


def _settable(setting: Any) -> bool:
    """Secrets' examples show their form only."""
    return not setting.is_secret and bool(setting.example or shown(setting.default))


@pytest.mark.parametrize("name", ["RELIABILITY_DRYRUN", "RELIABILITY_DRY_RUM", "reliability_dry_run"])
def test_a_misspelt_name_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert f"{name} is no setting of this bot; did you mean RELIABILITY_DRY_RUN?" in refusal(
        monkeypatch, **{name: "false"}
    )


def test_a_name_of_ours_for_what_has_a_name_already_is_refused_with_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, RELIABILITY_SLACK__BOT_TOKEN=FAKE_TOKEN, RELIABILITY_PORT="1")

    assert "RELIABILITY_SLACK__BOT_TOKEN is no setting of this bot; did you mean SLACK_BOT_TOKEN?" in said
    assert "RELIABILITY_PORT is no setting of this bot; did you mean PORT?" in said


@pytest.mark.parametrize("value", ['{"bot_token": "xoxb-1"}', "not json"])
def test_a_whole_section_in_one_variable_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    said = refusal(monkeypatch, RELIABILITY_SLACK=value)

    assert "RELIABILITY_SLACK is no setting" in said
    assert "xoxb-1" not in said


def test_every_mistake_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, RELIABILITY_DRY_RUN="perhaps", PORT="99999", RELIABILITY_WATCH__FAST_EVERY="soon")

    assert "RELIABILITY_DRY_RUN: must be true or false; mend: RELIABILITY_DRY_RUN=true" in said
    assert "PORT: should be less than or equal to 65535; mend: PORT=8080" in said
    assert "RELIABILITY_WATCH__FAST_EVERY: is no duration; mend: RELIABILITY_WATCH__FAST_EVERY=PT5S" in said


@pytest.mark.parametrize(
    "environment",
    [
        {"SLACK_BOT_TOKEN": "xapp-in-the-wrong-place"},
        {"SLACK_APP_TOKEN": FAKE_TOKEN},
        {"RELIABILITY_WEBHOOK_SECRET": "correct-horse-battery-staple"},
        {"DATABASE_URL": f"mysql://bot:{PASSWORD}@host/x"},
        {"DATABASE_URL": f"postgresql://bot:{PASSWORD}@host:port/x"},
        {"RELIABILITY_DRY_RUN": FAKE_TOKEN},
        {"PORT": FAKE_TOKEN},
    ],
    ids="-".join,
)
def test_a_refusal_names_the_variable_and_never_shows_its_value(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    said = refusal(monkeypatch, **environment)

    assert next(iter(environment)) in said
    assert PASSWORD not in said
    assert not [value for value in environment.values() if value in said]


def test_secrets_are_not_shown_by_printing_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch,
        SLACK_BOT_TOKEN=FAKE_TOKEN,
        DATABASE_URL=f"postgresql://bot:{PASSWORD}@host/x",
        RELIABILITY_WEBHOOK_SECRET=SECRET,
    )

    said = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert not [secret for secret in (FAKE_TOKEN, PASSWORD, SECRET) if secret in said]


@pytest.mark.parametrize(
    ("given", "for_the_bot", "for_workflows"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql+psycopg://u:p@h/d?sslmode=require", None),
        ("POSTGRES://u:p@h/d", "postgresql+psycopg://u:p@h/d", None),
        ("postgresql+psycopg://u@/d?host=/cloudsql/p:r:i", "postgresql+psycopg://u@/d?host=/cloudsql/p:r:i", None),
        ("sqlite:///bot.sqlite3", "sqlite+aiosqlite:///bot.sqlite3", "sqlite:///bot.sqlite3"),
        ("sqlite+aiosqlite:////bot.sqlite3", "sqlite+aiosqlite:////bot.sqlite3", "sqlite:////bot.sqlite3"),
        (" postgres://u:p@h/d\n", "postgresql+psycopg://u:p@h/d", None),
    ],
)
def test_a_database_url_is_taken_in_every_usual_spelling(
    given: str, for_the_bot: str, for_workflows: str | None
) -> None:
    database = DatabaseConfig.model_validate({"url": given})

    assert database.async_url == for_the_bot
    assert database.dbos_url == (for_workflows or for_the_bot)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite://file", "oracle://h/d", "host/db", "postgres:/h/d"]
)
def test_a_database_that_cannot_work_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert "DATABASE_URL: " in refusal(monkeypatch, DATABASE_URL=url)


def test_a_database_file_in_a_folder_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = refusal(monkeypatch, DATABASE_URL=f"sqlite:///{tmp_path}/none/bot.sqlite3")

    assert f"DATABASE_URL: {tmp_path}/none is no folder that the bot may write in" in said


@pytest.mark.parametrize(("variable", "platform"), [("K_SERVICE", "Cloud Run"), ("GAE_ENV", "App Engine")])
def test_sqlite_where_disks_forget_is_refused_and_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, variable: str, platform: str
) -> None:
    said = refusal(monkeypatch, **{variable: "standard"})

    assert f"DATABASE_URL: SQLite on {platform} would forget everything at each restart" in said
    assert "mend: DATABASE_URL=postgresql://" in said


@pytest.mark.parametrize("variable", ["K_SERVICE", "GAE_ENV"])
def test_on_a_platform_the_bot_listens_for_everybody(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    settings = read(monkeypatch, **{variable: "standard", "DATABASE_URL": "postgresql://u:p@h/d"})

    assert settings.host == "0.0.0.0"


def test_half_of_the_push_settings_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, RELIABILITY_PUBSUB__AUDIENCE="https://bot.example/events/pubsub")

    assert "RELIABILITY_PUBSUB__SERVICE_ACCOUNT is not set" in said


@pytest.mark.parametrize(
    "url", ["http://certs.example/keys", "ftp://127.0.0.1/keys", "https://", "http://127.0.0.1.stranger.example/"]
)
def test_keys_that_could_be_swapped_on_the_way_are_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert "RELIABILITY_PUBSUB__CERTS_URL: must be an https:// address" in refusal(
        monkeypatch, RELIABILITY_PUBSUB__CERTS_URL=url
    )


@pytest.mark.parametrize(("written", "seconds"), [("PT5S", 5), ("5s", 5), ("5", 5), ("1m30s", 90), ("0.5", 0.5)])
def test_durations_are_taken_as_people_write_them(
    monkeypatch: pytest.MonkeyPatch, written: str, seconds: float
) -> None:
    settings = read(monkeypatch, RELIABILITY_WATCH__FAST_EVERY=written)

    assert settings.watch.fast_every.total_seconds() == seconds


@pytest.mark.parametrize("written", ["PT0S", "-5", "soon", "nan", "1e99", "9" * 9 + "d" + "9" * 9 + "h"])
def test_a_duration_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    assert "RELIABILITY_SLACK__TIMEOUT: " in refusal(monkeypatch, RELIABILITY_SLACK__TIMEOUT=written)


def test_an_empty_variable_is_the_same_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, SLACK_APP_TOKEN="", RELIABILITY_DRY_RUN="", DATABASE_URL="", PORT="")

    assert settings == Settings()


def test_slack_is_needed_in_one_of_its_two_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidConfiguration, match="SLACK_BOT_TOKEN is not set") as refused:
        read(monkeypatch).require_slack()
    assert "SLACK_SIGNING_SECRET is not set" in str(refused.value)
    assert "reliability sandbox" in str(refused.value)

    read(monkeypatch, SLACK_BOT_TOKEN=FAKE_TOKEN, SLACK_APP_TOKEN="xapp-not-a-real-one").require_slack()


def test_a_line_end_after_a_token_is_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    token = read(monkeypatch, SLACK_BOT_TOKEN=f"{FAKE_TOKEN}\n").slack.bot_token

    assert token
    assert token.get_secret_value() == FAKE_TOKEN


def test_no_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RELIABILITY_DRY_RUN=false\nPORT=1\n")
    monkeypatch.chdir(tmp_path)

    assert read(monkeypatch) == Settings()


def test_a_pipeline_signs_with_the_first_secret_whatever_else_is_in_its_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RELIABILITY_WEBHOOK_SECRET", f" {OTHER_SECRET} , {SECRET}")
    monkeypatch.setenv("DATABASE_URL", "mysql://the-app/its-own")

    assert first_webhook_secret() == OTHER_SECRET


@pytest.mark.parametrize("given", ["", "correct-horse-battery-staple", "whsec_AAAA"])
def test_a_pipeline_without_a_usable_secret_is_told_so_without_seeing_it(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("RELIABILITY_WEBHOOK_SECRET", given)

    with pytest.raises(InvalidConfiguration, match="RELIABILITY_WEBHOOK_SECRET") as refused:
        first_webhook_secret()

    assert not given or given not in str(refused.value)
