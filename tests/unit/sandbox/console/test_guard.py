"""Who may press buttons in the console."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot.sandbox.console.guard import add_headers, guard

OWN = {"Host": "127.0.0.1:8765", "Content-Type": "application/json"}


async def status(method: str, path: str, headers: dict[str, str]) -> int:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(text="done")

    response = await guard(make_mocked_request(method, path, headers=headers), handler)
    assert isinstance(response, web.Response)
    return response.status


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "localhost", "localhost:9000"])
async def test_the_console_answers_on_this_computers_own_names(host: str) -> None:
    assert await status("GET", "/", {"Host": host}) == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example:8765", "192.168.1.2:8765", ""]
)
async def test_a_name_rebound_to_this_computer_cannot_even_read(host: str) -> None:
    assert await status("GET", "/console/state", {"Host": host}) == 403


async def test_the_page_itself_may_press_buttons() -> None:
    own_page = {**OWN, "Origin": "http://127.0.0.1:8765", "Sec-Fetch-Site": "same-origin"}

    assert await status("POST", "/console/click", own_page) == 200


async def test_a_program_without_a_page_may_press_buttons() -> None:
    assert await status("POST", "/console/click", OWN) == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:3000", "https://127.0.0.1:8765", "http://127.0.0.1"]
)
async def test_another_page_cannot_press_buttons(origin: str) -> None:
    assert await status("POST", "/console/click", {**OWN, "Origin": origin}) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_request_that_the_browser_marks_as_foreign_is_refused(site: str) -> None:
    assert await status("POST", "/console/click", {**OWN, "Sec-Fetch-Site": site}) == 403


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_what_a_foreign_form_can_send_is_refused(content_type: str) -> None:
    assert await status("POST", "/console/click", {**OWN, "Content-Type": content_type}) == 403


async def test_the_slack_api_beside_the_console_has_its_own_rules() -> None:
    assert await status("POST", "/api/chat.postMessage", {"Host": "slack.example"}) == 200


async def policy(path: str) -> str:
    response = web.Response()
    await add_headers(make_mocked_request("GET", path), response)
    return response.headers.get("Content-Security-Policy", "")


@pytest.mark.parametrize("path", ["/", "/console/static/app.js", "/console/state"])
async def test_the_page_runs_only_its_own_files_and_is_framed_by_nobody(path: str) -> None:
    directives = (await policy(path)).split("; ")

    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(directives)
    assert "unsafe-inline" not in await policy(path)


@pytest.mark.parametrize("path", ["/files/F0123456789/page.html", "/console/files/F0123456789"])
async def test_an_uploaded_page_cannot_run_scripts(path: str) -> None:
    directives = (await policy(path)).split("; ")

    assert {"sandbox", "default-src 'none'"} <= set(directives)
