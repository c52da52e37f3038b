"""`reliability settings` and the page it writes."""

from __future__ import annotations

from pathlib import Path

from support.deliveries import SECRET

from bot.cli.settings import reference
from bot.errors import InvalidConfiguration
from bot.settings import all_settings

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_page_in_the_repository_is_what_the_fields_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "reliability settings --markdown > docs/settings.md"


def test_the_page_names_every_setting_once(run) -> None:
    page = run("settings", "--markdown").stdout

    assert [s.name for s in all_settings() if page.count(f"| `{s.name}` |") != 1] == []


def test_every_setting_says_what_it_means() -> None:
    assert [s.name for s in all_settings() if not s.field.description] == []


def test_the_table_shows_what_is_set_now_but_no_secret(run) -> None:
    result = run(
        "settings",
        RELIABILITY_WEBHOOK_SECRET=SECRET,
        SLACK_BOT_TOKEN="xoxb-not-a-real-token",
        DATABASE_URL="postgresql://bot:correct-horse@host/x",
        RELIABILITY_WATCH__FAST_EVERY="7s",
    )

    assert result.exit_code == 0
    assert "PT7S" in result.stdout
    assert result.stdout.count("(set)") == 3
    assert not [secret for secret in (SECRET, "xoxb-not", "correct-horse") if secret in result.stdout]


def test_wrong_settings_are_refused_after_the_table_that_helps_to_mend_them(run) -> None:
    result = run("settings", RELIABILITY_DRYRUN="false")

    assert isinstance(result.exception, InvalidConfiguration)
    assert "RELIABILITY_DRY_RUN" in result.stdout
