"""app.yaml, Dockerfile and what is left out of uploads: only names that exist, no secrets, nothing missing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import NAMED_OTHERWISE, all_settings

ROOT = Path(__file__).parents[3]
APP_YAML = (ROOT / "app.yaml").read_text(encoding="utf-8")
SETTINGS = {setting.name: setting for setting in all_settings()}


@pytest.fixture
def app_yaml() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(APP_YAML)
    return document


def test_app_engine_keeps_exactly_one_instance_running(app_yaml: dict[str, Any]) -> None:
    assert app_yaml["manual_scaling"] == {"instances": 1}
    assert app_yaml["entrypoint"] == "python -m bot run"


def test_app_engine_runs_a_python_that_the_bot_supports(app_yaml: dict[str, Any]) -> None:
    floor = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=3.")

    assert int(app_yaml["runtime"].removeprefix("python3")) >= int(floor)


def test_app_engine_installs_the_locked_versions(app_yaml: dict[str, Any]) -> None:
    constraints = app_yaml["build_env_variables"]["PIP_CONSTRAINT"]

    assert (ROOT / constraints).is_file()
    assert app_yaml["build_env_variables"]["GOOGLE_PYTHON_PACKAGE_MANAGER"] == "pip"


def test_app_engine_is_given_settings_that_exist_and_no_secret(app_yaml: dict[str, Any]) -> None:
    mentioned = set(re.findall(r"\b(?:RELIABILITY|SLACK)_[A-Z_]+\b", APP_YAML)) | set(app_yaml["env_variables"])

    assert mentioned <= set(SETTINGS) | set(NAMED_OTHERWISE)
    assert not [name for name in app_yaml["env_variables"] if SETTINGS[name].is_secret]
    assert app_yaml["env_variables"]["RELIABILITY_DRY_RUN"] == "true"


def test_secrets_can_be_appended_to_app_yaml_as_it_says(app_yaml: dict[str, Any]) -> None:
    appended = yaml.safe_load(f'{APP_YAML}  DATABASE_URL: "postgresql://u:p@/d?host=/cloudsql/p:r:i"\n')

    assert set(appended["env_variables"]) - set(app_yaml["env_variables"]) == {"DATABASE_URL"}


def test_the_image_runs_the_locked_versions_without_rights() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()

    assert any("-c constraints.txt" in line for line in lines)
    assert [line.split()[1] for line in lines if line.startswith("USER")] == ["reliability"]
    assert lines.index("USER reliability") < lines.index('CMD ["reliability", "run"]')


def test_the_image_gets_all_it_copies_and_nothing_else() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert [name for name in allowed if not (ROOT / name).exists()] == []
    assert {"bot", "commands", "templates", "constraints.txt", "pyproject.toml", "reliability.yaml"} <= allowed


def test_app_engine_gets_all_it_needs() -> None:
    left_out = {line.rstrip("/") for line in (ROOT / ".gcloudignore").read_text().splitlines()}

    assert not left_out & {"bot", "commands", "templates", "constraints.txt", "pyproject.toml", "README.md"}
