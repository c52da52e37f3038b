"""`reliability send tests`: with --dry-run one line per file, whatever the file; without it, over the loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from support.deliveries import SECRET

from bot.ingest.config import signing_key
from bot.ingest.webhook import Signing

GREEN = '<testsuite name="pytest" tests="1"><testcase classname="tests.test_x" name="test_a"/></testsuite>'
RED = '<testsuite tests="1"><testcase classname="x" name="a"><failure message="no"/></testcase></testsuite>'
NONE = "\nno tests collected in 0.01s\n"
FIELDS = ["file", "format", "tests", "passed", "failed", "errors", "skipped", "collected", "verdict", "reason"]


@pytest.fixture
def lines(run, tmp_path: Path):
    """lines({name: text}, *options) → the objects that were printed."""

    def invoke(files: dict[str, str], *options: str) -> list[dict[str, Any]]:
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        result = run("send", "tests", "--dry-run", "--json", *files, *options)
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    return invoke


def test_each_file_gives_one_line_in_the_order_given(lines) -> None:
    found = lines({"green.xml": GREEN, "red.xml": RED, "none.txt": NONE, "odd.bin": "odd"})

    assert [list(line) for line in found] == [FIELDS] * 4
    assert [(line["file"], line["format"], line["verdict"]) for line in found] == [
        ("green.xml", "junit", "passed"),
        ("red.xml", "junit", "failed"),
        ("none.txt", "pytest-collect-only", "discovery_failure"),
        ("odd.bin", "unknown", "unreadable"),
    ]
    assert all(line["reason"] for line in found)


def test_a_file_that_is_not_there_is_unreadable_and_the_others_are_read(run, tmp_path: Path) -> None:
    (tmp_path / "green.xml").write_text(GREEN)

    result = run("send", "tests", "--dry-run", "--json", "gone.xml", "green.xml")

    assert result.exit_code == 0
    gone, green = map(json.loads, result.stdout.splitlines())
    assert (gone["verdict"], green["verdict"]) == ("unreadable", "passed")
    assert "No such file" in gone["reason"]


def test_an_unreadable_file_keeps_the_format_that_it_began_as(lines) -> None:
    (line,) = lines({"cut.xml": GREEN[:60]})

    assert (line["format"], line["verdict"], line["tests"]) == ("junit", "unreadable", 0)


@pytest.mark.parametrize(
    ("code", "verdict", "said"),
    [
        ("0", "passed", "1 of 1 test passed"),
        ("1", "failed", "exit code 1"),
        ("2", "discovery_failure", "aborted"),
        ("3", "discovery_failure", "internal error"),
        ("4", "discovery_failure", "usage error"),
        ("5", "discovery_failure", "collected nothing"),
        ("137", "discovery_failure", "ended from outside"),
    ],
)
def test_each_exit_code_means_its_own_thing(lines, code: str, verdict: str, said: str) -> None:
    (line,) = lines({"green.xml": GREEN}, "--exit-code", code)

    assert line["verdict"] == verdict
    assert said in line["reason"]


def test_exit_codes_of_other_runners_are_not_read_as_those_of_pytest(lines) -> None:
    jest = '<testsuites name="jest tests"><testsuite><testcase name="a"/></testsuite></testsuites>'
    (line,) = lines({"jest.xml": jest}, "--exit-code", "2")

    assert line["verdict"] == "failed"


def test_silence_with_an_exit_code_of_pytest_is_a_discovery_failure(lines) -> None:
    (line,) = lines({"out.txt": ""}, "--exit-code", "4")

    assert (line["verdict"], line["format"]) == ("discovery_failure", "pytest-collect-only")
    assert "stderr" in line["reason"]


def test_silence_alone_is_unreadable(lines) -> None:
    (line,) = lines({"out.txt": ""})

    assert (line["verdict"], line["reason"]) == ("unreadable", "the file is empty")


def test_secrets_are_not_repeated(lines) -> None:
    secret = "ghp_" + "x1" * 18
    (line,) = lines({"red.xml": RED.replace("no", f"clone with {secret} failed")})

    assert secret not in line["reason"]
    assert "clone with" in line["reason"]


def test_strict_breaks_the_build_unless_all_is_green(run, tmp_path: Path) -> None:
    (tmp_path / "green.xml").write_text(GREEN)
    (tmp_path / "red.xml").write_text(RED)

    assert run("send", "tests", "--dry-run", "--strict", "green.xml").exit_code == 0
    assert run("send", "tests", "--dry-run", "--strict", "green.xml", "red.xml").exit_code == 1


def test_without_json_a_person_can_read_it(run, tmp_path: Path) -> None:
    (tmp_path / "red.xml").write_text(RED)

    result = run("send", "tests", "--dry-run", "--suite", "e2e-staging", "--commit", "a1b2c3d", "--junit", "red.xml")

    assert "suite e2e-staging at a1b2c3d" in result.stdout
    assert "red.xml: failed (junit, tests 1: 0 passed, 1 failed" in result.stdout
    assert "first: x::a: no" in result.stdout


@pytest.mark.parametrize("arguments", [("--dry-run",), ("report.xml",)], ids=["no file", "not dry"])
def test_what_cannot_be_done_is_a_usage_error(run, arguments: tuple[str, ...]) -> None:
    assert run("send", "tests", *arguments).exit_code == 2


SENT = ("--suite", "e2e-staging", "--commit", "a1b2c3d", "--exit-code", "0")


@pytest.fixture
async def door() -> AsyncIterator[tuple[str, list[web.Request], list[bytes]]]:
    """A server that takes suite `e2e-staging` and refuses every other."""
    requests: list[web.Request] = []
    bodies: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        requests.append(request)
        bodies.append(await request.read())
        known = request.query.get("suite") == "e2e-staging"
        return web.Response(status=202) if known else web.json_response({"hint": "no such suite"}, status=404)

    app = web.Application()
    app.router.add_post("/events/test-run", take)
    async with TestServer(app) as server:
        yield str(server.make_url("/")), requests, bodies


async def invoked(run, url: str, *arguments: str):
    given = ("send", "tests", "--url", url, "--retry-for", "1s", *arguments)
    return await asyncio.to_thread(run, *given, RELIABILITY_WEBHOOK_SECRET=SECRET)


async def test_a_report_is_sent_signed_with_what_is_known_of_the_run(run, tmp_path: Path, door) -> None:
    url, requests, bodies = door
    (tmp_path / "green.xml").write_text(GREEN)

    result = await invoked(run, url, *SENT, "--branch", "main", "--junit", str(tmp_path / "green.xml"))

    [request], [body] = requests, bodies
    signing = Signing(request.headers, datetime.now(UTC), [signing_key(SecretStr(SECRET))])
    signing.update(body)
    assert signing.check().startswith("tests_")
    assert gzip.decompress(body).decode() == GREEN
    assert dict(request.query) == {
        "suite": "e2e-staging",
        "commit": "a1b2c3d",
        "branch": "main",
        "scope": "all",
        "exit_code": "0",
    }
    assert (result.exit_code, "delivered" in result.stdout) == (0, True)


async def test_a_report_that_is_not_taken_breaks_the_build_only_where_that_is_asked_for(run, tmp_path, door) -> None:
    url, _, _ = door
    (tmp_path / "green.xml").write_text(GREEN)
    wrong = ("--suite", "nobody", str(tmp_path / "green.xml"))

    mild, strict = await invoked(run, url, *wrong), await invoked(run, url, "--strict", *wrong)

    assert (mild.exit_code, strict.exit_code) == (0, 1)
    assert "no such suite" in mild.stderr


async def test_a_report_that_is_not_there_and_a_bot_that_is_not_there_are_said(run, tmp_path, door) -> None:
    url, _, _ = door
    (tmp_path / "green.xml").write_text(GREEN)

    gone = await invoked(run, url, *SENT, str(tmp_path / "gone.xml"))
    silent = await invoked(run, "http://127.0.0.1:9/", *SENT, str(tmp_path / "green.xml"))

    assert "cannot be opened" in gone.stderr
    assert "no answer" in silent.stderr
    assert (gone.exit_code, silent.exit_code) == (0, 0)
