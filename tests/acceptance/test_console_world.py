"""The sandbox as a whole: what it says when it is ready, and that nothing is left when it stops.

A few lines of Python stand in for the bot where there is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.sandbox.bot_process import BotFailedToStart
from bot.sandbox.facts import Facts
from bot.sandbox.ports import DEFAULT_PORT
from bot.sandbox.world import CannotStart, WorldOptions, run_world

ROOT = Path(__file__).parents[2]
KEYS = {
    "console",
    "slack_api",
    "bot_token",
    "app_token",
    "user_token",
    "user_tokens",
    "users",
    "channel",
    "signing_secret",
    "google_grpc",
    "bot",
    "webhook_secret",
    "project",
    "region",
    "services",
}
STAND_IN = """
import http.server, json, os
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Ready).serve_forever()
"""
DIES = "raise SystemExit('RELIABILITY_CATALOG: no such file')"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    path = tmp_path / "reliability.yaml"
    path.touch()
    return path


@asynccontextmanager
async def world(catalog: Path, **options: Any) -> AsyncIterator[Facts]:
    """A sandbox that runs, until it is told to stop as a terminal would."""
    said: asyncio.Queue[Facts] = asyncio.Queue()
    bot_command = (sys.executable, "-I", "-c", STAND_IN)
    made = WorldOptions(
        **{"port": 0, "catalog": catalog, "bot_command": bot_command, "bot_log": io.StringIO(), **options}
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(run_world(made, lambda facts, _: said.put_nowait(facts)))
        async with asyncio.timeout(20):
            yield await said.get()
            os.kill(os.getpid(), signal.SIGTERM)
            await running


async def get(url: str) -> Any:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return await response.json(content_type=None)


def answers(url: str) -> bool:
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    with socket.socket() as knock:
        return knock.connect_ex((host, int(port))) == 0


async def test_the_json_line_has_exactly_the_promised_keys(catalog: Path) -> None:
    async with world(catalog) as facts:
        line = json.loads(json.dumps(facts.as_json()))

    assert set(line) == KEYS
    assert line["slack_api"].endswith("/api/")
    assert set(line["users"]) == set(line["user_tokens"]) == {"responder", "approver", "owner", "outsider"}
    assert line["user_token"] == line["user_tokens"]["responder"]
    assert {"auth-service", "backend-service", "websocket-service"} <= set(line["services"])


async def test_a_bot_that_joins_is_told_its_whole_environment(catalog: Path) -> None:
    async with world(catalog, with_bot=False) as facts:
        line = facts.as_json()

    assert set(line) == KEYS | {"environment"}
    environment = line["environment"]
    assert facts.bot == f"http://127.0.0.1:{environment['PORT']}"
    assert environment["SLACK_API_URL"] == facts.slack_api
    assert environment["RELIABILITY_GOOGLE_ENDPOINT"] == facts.google_grpc
    assert environment["RELIABILITY_PUBSUB__AUDIENCE"] == f"{facts.bot}/events/pubsub"
    assert environment["RELIABILITY_DRY_RUN"] == "false"
    assert "SLACK_APP_TOKEN" not in environment


async def test_in_socket_mode_the_bot_is_given_an_app_token(catalog: Path) -> None:
    async with world(catalog, with_bot=False, socket_mode=True) as facts:
        assert facts.environment["SLACK_APP_TOKEN"] == facts.app_token


async def test_it_is_ready_when_the_bot_is_and_the_bot_knows_where_it_is(catalog: Path) -> None:
    async with world(catalog, database_url="postgresql://db.example/bot") as facts:
        environment = await get(f"{facts.bot}/environment")
        state = await get(f"{facts.console}console/state")

    assert environment["SLACK_BOT_TOKEN"] == facts.bot_token
    assert environment["DATABASE_URL"] == "postgresql://db.example/bot"
    assert state["bot"]["state"] == "ready"


async def test_nothing_is_left_when_it_stops(catalog: Path) -> None:
    async with world(catalog) as facts:
        places = [facts.console, facts.bot, f"http://{facts.google_grpc}"]
        database = Path((await get(facts.bot))["DATABASE_URL"].removeprefix("sqlite:///"))
        assert all(answers(place) for place in places)
        assert database.parent.is_dir()

    assert not any(answers(place) for place in places)
    assert not database.parent.exists()


async def test_it_stops_quickly_while_a_page_is_open(catalog: Path) -> None:
    async with aiohttp.ClientSession() as http:
        async with world(catalog, with_bot=False) as facts:
            stream = await http.get(f"{facts.console}console/stream")
            await stream.content.readline()
            begun = asyncio.get_running_loop().time()
        stream.close()

    assert asyncio.get_running_loop().time() - begun < 3


async def test_the_keys_of_pushed_tokens_are_published(catalog: Path) -> None:
    async with world(catalog, with_bot=False) as facts:
        certs = await get(facts.environment["RELIABILITY_PUBSUB__CERTS_URL"])

    assert [key["kty"] for key in certs["keys"]] == ["RSA"]


async def test_a_scenario_is_played_as_soon_as_the_bot_is_ready(catalog: Path) -> None:
    async with world(catalog, scenario="healthy", speed=1000) as facts:
        scenarios = await get(f"{facts.console}console/scenarios")

    healthy = next(each for each in scenarios["list"] if each["name"] == "healthy")
    assert healthy["state"] in {"playing", "done"}


async def refusal(**options: Any) -> str:
    with pytest.raises(CannotStart) as refused:
        await run_world(WorldOptions(**{"port": 0, **options}), lambda *_: None)
    return str(refused.value)


async def test_a_misspelt_scenario_starts_nothing(catalog: Path) -> None:
    words = await refusal(catalog=catalog, scenario="bad-relase")

    assert "did you mean bad-release?" in words
    assert "port-mismatch" in words


async def test_a_taken_port_is_said_with_the_way_out(catalog: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = await refusal(catalog=catalog, port=port)

    assert words == f"Port {port} is taken; choose another with --port N, or any free one with --port 0"


async def test_a_usual_port_that_is_taken_is_replaced_when_nobody_asked_for_it(catalog: Path) -> None:
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # taken by somebody else: as good
            stack.enter_context(socket.create_server(("127.0.0.1", DEFAULT_PORT)))
        async with world(catalog, port=None, with_bot=False) as facts:
            assert facts.console != f"http://127.0.0.1:{DEFAULT_PORT}/"


async def test_a_missing_catalog_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "nowhere.yaml") in await refusal(catalog=tmp_path / "nowhere.yaml")


async def test_a_bot_that_cannot_start_ends_the_sandbox_with_its_last_words(catalog: Path) -> None:
    options = WorldOptions(
        port=0, catalog=catalog, bot_command=(sys.executable, "-I", "-c", DIES), bot_log=io.StringIO()
    )

    with pytest.raises(BotFailedToStart, match=r"exit code 1\n(?s:.*)RELIABILITY_CATALOG: no such file"):
        await run_world(options, lambda *_: pytest.fail("it was never ready"))


COMMAND = (sys.executable, "-c", "import typer; from bot.cli.sandbox import sandbox; typer.run(sandbox)")


def test_the_command_prints_one_line_of_json_and_ends_in_peace_on_ctrl_c() -> None:
    command = [*COMMAND, "--json", "--no-bot", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sandbox:
        assert sandbox.stdout is not None
        facts = json.loads(sandbox.stdout.readline())
        sandbox.send_signal(signal.SIGINT)
        rest, errors = sandbox.communicate(timeout=10)

    assert facts["console"].startswith("http://127.0.0.1:")
    assert (rest, errors, sandbox.returncode) == ("", "", 0)


def test_the_command_explains_what_a_person_can_mend_and_exits_with_2() -> None:
    ran = subprocess.run(  # noqa: PLW1510 - the exit code is what is looked at
        [*COMMAND, "--scenario", "bad-relase", "--port", "0"], cwd=ROOT, capture_output=True, text=True, timeout=20
    )

    assert ran.returncode == 2
    assert "did you mean bad-release?" in ran.stderr
    assert ran.stdout == ""
