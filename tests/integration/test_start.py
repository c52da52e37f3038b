"""What a bot that cannot work says when it is started: one clear message, no traceback, no secret, exit code 2."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from slack_sdk.web.async_client import AsyncWebClient
from support.local_slack import Desk, desk

from commands.command import Desk as CommandDesk
from commands.slack import slack_app, slack_routes

ROOT = Path(__file__).parents[2]
PASSWORD = "correct-horse"
SECRET = "signing-secret-of-nobody"


@pytest.fixture
async def slack() -> AsyncIterator[Desk]:
    async with desk() as opened:
        yield opened


def environment(slack: Desk, tmp_path: Path, **changed: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "COLUMNS": "300",
        "NO_COLOR": "1",
        "SLACK_BOT_TOKEN": slack.slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.slack.signing_secret,
        "SLACK_API_URL": f"{slack.url}/api/",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'bot.sqlite3'}",
        "PORT": "0",
        "GOOGLE_CLOUD_PROJECT": "acme-staging",
        "RELIABILITY_GOOGLE_ENDPOINT": "127.0.0.1:1",
        "RELIABILITY_CATALOG": str(ROOT / "reliability.yaml"),
        **changed,
    }


@asynccontextmanager
async def started(given: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    bot = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run"),
        env=given,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield bot
    finally:
        if bot.returncode is None:
            bot.kill()
        await bot.communicate()


async def refusal(given: dict[str, str]) -> str:
    async with asyncio.timeout(40), started(given) as bot:
        said, _ = await bot.communicate()
    assert bot.returncode == 2
    assert b"Traceback" not in said
    return said.decode()


async def test_a_bot_token_that_slack_refuses_is_named_and_not_shown(slack: Desk, tmp_path: Path) -> None:
    said = await refusal(environment(slack, tmp_path, SLACK_BOT_TOKEN="xoxb-made-up"))

    assert "SLACK_BOT_TOKEN: Slack does not take this token (invalid_auth)" in said
    assert "xoxb-made-up" not in said


async def test_an_app_token_that_slack_refuses_is_named_and_not_shown(slack: Desk, tmp_path: Path) -> None:
    said = await refusal(environment(slack, tmp_path, SLACK_APP_TOKEN="xapp-made-up"))

    assert "SLACK_APP_TOKEN: Slack does not take this token (invalid_auth)" in said
    assert "xapp-made-up" not in said


@pytest.mark.parametrize("mode", ["http", "socket"])
async def test_a_taken_port_is_said_with_the_way_out(slack: Desk, tmp_path: Path, mode: str) -> None:
    more = {"SLACK_APP_TOKEN": slack.slack.app_token} if mode == "socket" else {}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = await refusal(environment(slack, tmp_path, PORT=str(port), **more))

    assert f"Cannot listen on 127.0.0.1:{port}: address already in use; choose another port with PORT" in said


async def test_a_database_that_does_not_answer_is_named_without_its_password(slack: Desk, tmp_path: Path) -> None:
    url = f"postgresql://bot:{PASSWORD}@127.0.0.1:1/reliability"
    said = await refusal(environment(slack, tmp_path, DATABASE_URL=url))

    assert "@127.0.0.1:1/reliability" in said
    assert "correct DATABASE_URL" in said
    assert PASSWORD not in said


async def test_a_file_that_is_no_database_is_named(slack: Desk, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Things to remember. " * 100)
    said = await refusal(environment(slack, tmp_path, DATABASE_URL=f"sqlite:///{file}"))

    assert f"The database sqlite:///{file} cannot be used: file is not a database" in said


async def test_a_slack_that_is_away_keeps_no_bot_from_starting(slack: Desk, tmp_path: Path) -> None:
    """And the log names the port that it really got."""
    async with (
        asyncio.timeout(40),
        started(environment(slack, tmp_path, SLACK_API_URL="http://127.0.0.1:1/api/")) as bot,
    ):
        assert bot.stdout is not None
        lines = [(await bot.stdout.readline()).decode()]
        while "bot.started" not in lines[-1]:
            assert lines[-1], "".join(lines)
            lines.append((await bot.stdout.readline()).decode())
        bot.send_signal(signal.SIGTERM)

    assert any("slack.token_not_checked variable=SLACK_BOT_TOKEN" in line for line in lines)
    assert "port=" in lines[-1]
    assert "port=0 " not in lines[-1]
    assert not any("`token` will be unused" in line for line in lines)


def _app() -> web.Application:
    app = web.Application()
    unused: CommandDesk = None  # type: ignore[assignment]  # no listener is reached
    app.add_routes(slack_routes(slack_app(AsyncWebClient("xoxb-x"), signing_secret=SECRET, desk=unused)))
    return app


@pytest.mark.parametrize("body", ["payload={{{", "payload=[1]", "payload=7", "{", "[" * 10])
async def test_a_signed_body_that_is_not_slacks_is_refused_as_a_bad_request(body: str) -> None:
    now = str(int(time.time()))
    signature = "v0=" + hmac.new(SECRET.encode(), f"v0:{now}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded" if body.startswith("payload") else "application/json",
    }
    async with TestClient(TestServer(_app())) as client:
        answer = await client.post("/slack/events", data=body, headers=headers)

    assert answer.status == 400


def test_bolt_does_not_warn_of_the_token_that_it_finds_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-x")
    with caplog.at_level(logging.WARNING):
        _app()

    assert not caplog.messages
