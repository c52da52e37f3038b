"""Keeps other web pages from pressing Approve.

The console has no log-in: whoever can reach it may click as anybody. It listens on the loopback address, but
every page open in the same browser can send requests there, and a name that resolves to 127.0.0.1 can even
read the answers. So:

- the Host must be a loopback name (a name rebound by DNS is not); a forwarded port is fine;
- a request that changes something must come from the console's own page (Origin is the Host, Sec-Fetch-Site) or from no
  page at all (tests, curl), and must be JSON, which another page's form cannot send;
- no page may frame the console, and the console runs only its own files (Content-Security-Policy);
- files uploaded to the local Slack are served from the same origin, so they are sandboxed: their scripts do
  not run.
"""

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

_LOOPBACK_HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?")
SAFE_METHODS = frozenset({"GET", "HEAD"})
OWN_FETCHES = frozenset({"same-origin", "none"})

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILE_POLICY = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_console(path: str) -> bool:
    return path == "/" or path.startswith("/console/")


def objection(request: web.BaseRequest) -> str | None:
    """Why this request is not let in, in words for whoever reads the answer; None if it is."""
    if _LOOPBACK_HOST.fullmatch(request.host) is None:
        return f"The console answers only to this computer's own address, not to {request.host!r}"
    if request.method in SAFE_METHODS:
        return None
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        return f"The page {origin!r} may not press buttons here"
    if request.headers.get("Sec-Fetch-Site", "none") not in OWN_FETCHES:
        return "Another page may not press buttons here"
    if request.content_type != "application/json":
        return "Send JSON, with Content-Type: application/json"
    return None


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    if is_console(request.path):
        reason = objection(request)
        if reason:
            return web.json_response(
                {"error": reason, "hint": "Open the console at the address it printed"}, status=403
            )
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For `app.on_response_prepare`."""
    is_file = request.path.startswith(("/files/", "/console/files/"))
    if is_file:
        response.headers.update(HEADERS)
        response.headers["Content-Security-Policy"] = FILE_POLICY
    elif is_console(request.path):
        response.headers.update(HEADERS)
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cache-Control"] = "no-cache"
