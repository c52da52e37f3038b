"""Test reports of anybody's pipeline: `POST /events/test-run`, signed as deploys are (`bot.ingest.webhook`).

    POST /events/test-run?suite=e2e-staging&commit=a1b2c3d&branch=main&exit_code=1&url=https://ci.example/runs/7
    webhook-id, webhook-timestamp, webhook-signature: of the body as it is sent

    <the report: JUnit XML, pytest-json-report, CTRF, or pytest's own output; as it is, or gzipped>

    suite       as the catalog names it; needed
    commit      SHA of what was tested. branch: "main" when nobody says
    exit_code   of the test runner: 0 from a runner that found nothing is not the same as none
    url         of the run in the pipeline. at: when it ended, ISO 8601 with its zone; now when nobody says
    scope       all, collect (tests were only collected) or failed (only those that failed before)

    answer      when                                                   stored
    202         taken, or the same delivery again                      once, with its report
    400         a parameter is wrong                                   parked
    401, 404    unsigned, stale or forged; not set up                  no
    404         no such suite; the hint names those there are          parked
    413         more than 32 MiB, or more than 128 MiB unpacked        no
    503         the store did not answer                               no: the sender tries again

The body goes to a file while its signature is computed; it is never in memory as a whole. What is in it is read later:
a report that cannot be read is no fault of the delivery, it is an alarm. `reliability send tests` does all this.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import tempfile
import zlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from bot.errors import Rejected, Retryable
from bot.ingest.config import WebhookConfig
from bot.ingest.source import clean
from bot.ingest.webhook import Signing
from bot.model.suite import DEFAULT_BRANCH, RunScope, TestRun

log = logging.getLogger(__name__)

PATH = "/events/test-run"
LARGEST_BODY = 32 * 1024 * 1024
"""Google's front ends refuse more than this before we see it."""
LARGEST_UNPACKED = 128 * 1024 * 1024
PART = 1024 * 1024
_CHUNK = 64 * 1024
_LARGEST_PARKED = 256 * 1024
_DEADLINE_S = 120.0
_GZIP = b"\x1f\x8b"
_TOLERANCE = timedelta(minutes=5)
_OLDEST = timedelta(days=30)
_LONGEST_URL = 2_000

_WORDS = {400: "malformed", 401: "unauthorized", 404: "not_found", 413: "too_large", 503: "try_again"}
_FORMS = {
    "suite": (re.compile(r"[A-Za-z0-9_-]{1,100}"), "the name of a suite in the catalog"),
    "commit": (re.compile(r"[0-9a-fA-F]{7,64}"), "a commit SHA of 7 to 64 hexadecimal digits"),
    "branch": (re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,200}"), "the name of a git branch"),
    "exit_code": (re.compile(r"-?[0-9]{1,5}"), "a whole number"),
    "scope": (re.compile("|".join(RunScope)), f"one of {', '.join(RunScope)}"),
    "url": (re.compile(r"https?://[^\s<>|\x00-\x20\x7f]+"), "an http:// or https:// address"),
    "at": (re.compile(r"\S{10,40}"), "a time as ISO 8601 with its zone"),
}


class RunInbox(Protocol):
    """Where runs are stored; one transaction each. Whatever it raises makes the sender try again later."""

    async def receive(self, run: TestRun, delivery_id: str, parts: Iterable[bytes]) -> bool:
        """True: new. False: seen before, nothing was written."""
        ...

    async def park(self, source: str, delivery_id: str, body: bytes, why: str) -> bool: ...


@dataclass(frozen=True)
class Spooled:
    """A body on its way in: packed, in a file. `size`: bytes of the file."""

    file: BinaryIO
    size: int

    def parts(self) -> Iterator[bytes]:
        self.file.seek(0)
        while part := self.file.read(PART):
            yield part


@dataclass(frozen=True)
class _Door:
    config: WebhookConfig
    inbox: RunInbox
    suites: Collection[str]
    on_run: Callable[[str], Awaitable[None]]
    now: Callable[[], datetime]

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Answer one delivery, whatever it is."""
        try:
            async with asyncio.timeout(_DEADLINE_S):
                run = await self._receive(request)
        except Rejected as refusal:
            log.info("delivery.rejected", extra={"source": "test_run", "why": str(refusal)})
            return _error(refusal.status, str(refusal))
        except (Retryable, TimeoutError) as error:
            log.warning("delivery.not_taken", extra={"source": "test_run", "why": str(error) or "too slow"})
            return _error(503, "cannot take it now, send it again")
        await self._start(run)
        return web.json_response({"run": run.id}, status=202)

    async def _receive(self, request: web.Request) -> TestRun:
        if not self.config.enabled:
            raise Rejected("not set up: set RELIABILITY_WEBHOOK_SECRET", status=404)
        received_at = self.now()
        signing = Signing(request.headers, received_at, self.config.keys)
        if (request.content_length or 0) > LARGEST_BODY:
            raise _too_large(LARGEST_BODY)
        with tempfile.TemporaryFile() as file:
            spooled = await _spool(request, signing, file)
            delivery_id = signing.check()
            try:
                run = run_of(request.query, delivery_id, received_at, self.suites)
            except Rejected as refusal:
                if refusal.park:
                    await self._park(spooled, delivery_id, str(refusal))
                raise
            is_new = await self._stored(self.inbox.receive(run, delivery_id, spooled.parts()))
        about = {"source": "test_run", "delivery_id": delivery_id, "suite": run.suite, "bytes": spooled.size}
        log.info("delivery.taken" if is_new else "delivery.repeated", extra=about)
        return run

    async def _park(self, spooled: Spooled, delivery_id: str, why: str) -> None:
        """The report is kept where it is small; a pipeline can send the others again."""
        body = next(spooled.parts(), b"") if spooled.size <= _LARGEST_PARKED else b""
        await self._stored(self.inbox.park("test_run", delivery_id, body, why))
        log.warning("delivery.parked", extra={"source": "test_run", "delivery_id": delivery_id, "why": why})

    async def _stored(self, storing: Awaitable[bool]) -> bool:
        try:
            return await storing
        except Exception as error:
            # Whatever it was, nothing is lost while the sender keeps it.
            log.exception("delivery.not_stored", extra={"source": "test_run"})
            raise Retryable("the store did not answer") from error

    async def _start(self, run: TestRun) -> None:
        try:
            await self.on_run(run.id)
        except Exception:
            # It is stored: the sweep starts what is not started here, and the sender has done its part.
            log.exception("run.not_started", extra={"run": run.id})


def routes(
    config: WebhookConfig,
    inbox: RunInbox,
    suites: Collection[str],
    on_run: Callable[[str], Awaitable[None]],
    now: Callable[[], datetime],
) -> list[web.RouteDef]:
    """The POST route, set up or not.

    Args:
        suites: names that the catalog knows. on_run: told the id of a run after it was stored; starting it twice does
            nothing.
    """
    return [web.post(PATH, _Door(config, inbox, suites, on_run, now).receive, name="events-test-run")]


def run_of(query: Mapping[str, str], delivery_id: str, received_at: datetime, suites: Collection[str]) -> TestRun:
    """The run that a delivery is about.

    Raises:
        Rejected: to be parked; 400 names the parameter, 404 the suites there are.
    """
    given = {name: query[name] for name in _FORMS if query.get(name)}
    unknown = sorted(set(query) - _FORMS.keys())
    if unknown:
        raise _malformed(clean(unknown[0], 40), f"is not known; there are {', '.join(_FORMS)}")
    for name, value in given.items():
        form, words = _FORMS[name]
        if not form.fullmatch(value) or len(value) > _LONGEST_URL:
            raise _malformed(name, f"must be {words}")
    if "suite" not in given:
        raise _malformed("suite", "is needed: which suite of the catalog was run")
    if given["suite"] not in suites:
        known = ", ".join(sorted(suites)) or "none so far: add it to `suites`"
        raise Rejected(f"there is no suite {given['suite']!r} in the catalog; it has: {known}", status=404, park=True)
    return TestRun(
        id=run_id(delivery_id),
        suite=given["suite"],
        branch=given.get("branch", DEFAULT_BRANCH),
        commit=given["commit"].lower() if "commit" in given else None,
        at=_moment(given.get("at"), received_at),
        source="webhook",
        url=_address(given.get("url")),
        exit_code=int(given["exit_code"]) if "exit_code" in given else None,
        scope=RunScope(given.get("scope", RunScope.ALL)),
    )


def run_id(delivery_id: str) -> str:
    """The same delivery is the same run, and the same workflow."""
    return f"run-{hashlib.sha256(delivery_id.encode()).hexdigest()[:24]}"


async def _spool(request: web.Request, signing: Signing, file: BinaryIO) -> Spooled:
    """The body, gzipped, in `file`; its signature is computed on the way.

    Raises:
        Rejected: 413 when it is larger than a body may be, packed or unpacked; 400 when it cannot be read.
    """
    encoded = request.headers.get("Content-Encoding", "").lower() not in {"", "identity"}
    most = LARGEST_UNPACKED if encoded else LARGEST_BODY  # aiohttp has unpacked what Content-Encoding says
    taken, written = 0, 0
    packer: zlib._Compress | None = None
    try:
        async for chunk in request.content.iter_chunked(_CHUNK):
            if not taken and not chunk.startswith(_GZIP):
                packer = zlib.compressobj(1, zlib.DEFLATED, 31)
            taken += len(chunk)
            signing.update(chunk)
            packed = chunk if packer is None else packer.compress(chunk)
            written += file.write(packed)
            if taken > most or written > LARGEST_BODY:
                raise _too_large(most)
    except web.RequestPayloadError as error:
        raise Rejected("the body cannot be read: is Content-Encoding right?", status=400) from error
    if packer is not None:
        written += file.write(packer.flush())
    return Spooled(file, written)


def _moment(text: str | None, received_at: datetime) -> datetime:
    if text is None:
        return received_at
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))  # a + in a query is a space
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _malformed("at", f"must be {_FORMS['at'][1]}")
    if not received_at - _OLDEST <= at <= received_at + _TOLERANCE:
        raise _malformed("at", "must lie within the last 30 days")
    return at.astimezone(UTC)


def _address(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        host = urlsplit(text).hostname
    except ValueError:
        host = None
    if not host:
        raise _malformed("url", f"must be {_FORMS['url'][1]}")
    return text


def _too_large(most: int) -> Rejected:
    return Rejected(f"larger than {most // 1024 // 1024} MiB; gzip it", status=413)


def _malformed(name: str, why: str) -> Rejected:
    return Rejected(f"the test run: `{name}` {why}", status=400, park=True)


def _error(status: int, hint: str) -> web.Response:
    return web.json_response({"error": _WORDS[status], "hint": hint}, status=status)
