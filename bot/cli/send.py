"""`reliability send deploy|config|tests`: a pipeline tells the bot what it did, signed, and tries again until it is taken."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit, urlunsplit

import typer

from bot import durations
from bot.cli import send_tests, words
from bot.errors import Permanent

if TYPE_CHECKING:
    import aiohttp

    from bot.ingest.source import Source

app = typer.Typer(no_args_is_help=True, help="Tell a running bot something.")

GAVE_UP = 1
_ONE_TRY_S = 10.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0

_PROJECT = ["GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT", "GCP_PROJECT"]
_REGION = ["CLOUDSDK_RUN_REGION", "GOOGLE_CLOUD_REGION"]
_COMMIT = ["GITHUB_SHA", "CI_COMMIT_SHA", "COMMIT_SHA", "CIRCLE_SHA1", "BITBUCKET_COMMIT", "GIT_COMMIT"]
_AUTHOR = ["GITHUB_ACTOR", "GITLAB_USER_EMAIL", "CIRCLE_USERNAME", "BUILD_REQUESTEDFOREMAIL"]


@dataclass(frozen=True)
class Letter:
    """What is posted. The id stays the same however often it is: the bot takes it once."""

    url: str
    id: str
    body: bytes
    secret: str
    content_type: str = "application/json"
    try_s: float = _ONE_TRY_S


@app.callback()
def _send() -> None:
    pass  # without it typer would make `send` itself the command


_Url = Annotated[str, typer.Option(metavar="https://…", help="The bot's address, or all of …/events/….")]
_Service = Annotated[str, typer.Option(help="Name of the Cloud Run service.")]
_Project = Annotated[str, typer.Option(envvar=_PROJECT, help="Google Cloud project id.")]
_Region = Annotated[str | None, typer.Option(envvar=_REGION, help="Such as us-central1.")]
_Author = Annotated[str | None, typer.Option(envvar=_AUTHOR, help="Who did it.")]
_At = Annotated[str | None, typer.Option(metavar="ISO-8601", help="When, with time zone; now if not given.")]
_RetryFor = Annotated[str, typer.Option(metavar="DURATION", help="Try again for so long, such as 2m.")]


@app.command("deploy")
def deploy(
    url: _Url,
    service: _Service,
    project: _Project,
    region: _Region = None,
    revision: Annotated[str | None, typer.Option(help="Short name, where it is known.")] = None,
    commit: Annotated[str | None, typer.Option(envvar=_COMMIT, help="SHA of what was deployed.")] = None,
    author: _Author = None,
    at: _At = None,
    file: Annotated[list[str] | None, typer.Option(help="A file that the commit changed; may be repeated.")] = None,
    retry_for: _RetryFor = "60s",
) -> None:
    """Tell the bot that a Cloud Run service was deployed. Signed with RELIABILITY_WEBHOOK_SECRET."""
    from bot.ingest.webhook import SOURCE

    told = {"project": project, "region": region, "service": service, "revision": revision, "commit": commit}
    fields = told | {"author": author, "at": at or _now(), "files": file}
    _deliver(SOURCE, url, fields, retry_for)


@app.command("config")
def config(
    url: _Url,
    service: _Service,
    project: _Project,
    name: Annotated[str, typer.Option(help="What was changed, never its value: JWT_TTL, feature flag new-login.")],
    region: _Region = None,
    author: _Author = None,
    at: _At = None,
    retry_for: _RetryFor = "60s",
) -> None:
    """Tell the bot that a setting was changed without a deploy. Signed with RELIABILITY_WEBHOOK_SECRET."""
    from bot.ingest.config_change import SOURCE

    told = {"project": project, "region": region, "service": service, "name": name}
    _deliver(SOURCE, url, told | {"author": author, "at": at or _now()}, retry_for)


app.command("tests")(send_tests.read_reports)


def _deliver(source: Source, url: str, fields: Mapping[str, object], retry_for: str) -> None:
    from bot.settings import first_webhook_secret

    patience = patience_of(retry_for)
    letter = Letter(
        url=address(url, source.path),
        id=f"{'deploy' if source.name == 'webhook' else source.name}_{uuid.uuid4().hex}",
        body=_checked({name: value for name, value in fields.items() if value}, source),
        secret=first_webhook_secret(),
    )
    refusal = asyncio.run(post(letter, patience))
    if refusal:
        words.complain(f"not delivered within {retry_for}: {refusal}")
        raise typer.Exit(GAVE_UP)
    words.say(f"delivered: {fields['service']} in {fields['project']} ({letter.id})")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


async def post(letter: Letter, patience: timedelta, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> str:
    """Nothing ("") once it is taken; why not, when patience ran out.

    Raises:
        Permanent: the bot refused it, and would again.
    """
    import aiohttp

    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience.total_seconds()
    # The environment may name a proxy: pipelines often sit behind one.
    async with aiohttp.ClientSession(trust_env=True, timeout=aiohttp.ClientTimeout(total=letter.try_s)) as http:
        pause_s = _FIRST_PAUSE_S
        while (answer := await _post_once(http, letter)).why:
            wait_s = max(pause_s, answer.retry_after_s)
            if loop.time() + wait_s > deadline:
                break
            words.say(f"{answer.why}; again in {wait_s:g} s")
            await sleep(wait_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    return answer.why


@dataclass(frozen=True)
class _Answer:
    """Attributes:
    why: it was not taken yet; "" when it was. retry_after_s: what the bot asked for.
    """

    why: str = ""
    retry_after_s: float = 0.0


async def _post_once(http: aiohttp.ClientSession, letter: Letter) -> _Answer:
    """Raises Permanent for an answer that will not change."""
    import aiohttp

    request = http.post(letter.url, data=letter.body, headers=_headers(letter), allow_redirects=False)
    try:
        async with request as response:
            status = response.status
            hint = _hint(await response.content.read(2_000))
            asked = response.headers.get("Retry-After", "")
    except (aiohttp.ClientError, TimeoutError) as error:
        return _Answer(f"no answer ({type(error).__name__})")
    if status < 300:
        return _Answer()
    why = f"the bot answered {status}"
    if status >= 500 or status == 429:
        return _Answer(why, float(asked) if asked.isdecimal() else 0.0)
    if status < 400:
        raise Permanent(f"not delivered: {why}; give --url the address that it redirects to")
    raise Permanent(f"not delivered: {why}: {hint}" if hint else f"not delivered: {why}; is --url right?")


def _hint(body: bytes) -> str:
    """What the bot says about its refusal; "" where somebody else answered."""
    import json

    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    return str(answer.get("hint", "")) if isinstance(answer, dict) else ""


def _headers(letter: Letter) -> dict[str, str]:
    """Signed as standardwebhooks.com says; the body may be any bytes."""
    import base64
    import hashlib
    import hmac

    from pydantic import SecretStr

    from bot.ingest.config import signing_key

    timestamp = str(int(datetime.now(UTC).timestamp()))
    signed = b".".join((letter.id.encode(), timestamp.encode(), letter.body))
    digest = hmac.digest(signing_key(SecretStr(letter.secret)), signed, hashlib.sha256)
    return {
        "content-type": letter.content_type,
        "webhook-id": letter.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _checked(fields: Mapping[str, object], source: Source) -> bytes:
    """The body, read as the bot will read it: a mistake is told here instead of being parked there.

    Raises:
        Rejected: names the field.
    """
    import json

    from bot.ingest.source import Delivery

    body = json.dumps(fields, ensure_ascii=False).encode(errors="replace")
    source.parse(Delivery({}, body, datetime.now(UTC)), "check")
    return body


def address(url: str, path: str) -> str:
    """The bot's address with this path, where it comes without one."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise typer.BadParameter("must be an http:// or https:// address", param_hint="--url")
    return urlunsplit(parts._replace(path=path)) if parts.path in {"", "/"} else url


def patience_of(text: str) -> timedelta:
    try:
        return durations.parse(text)
    except ValueError:
        raise typer.BadParameter("write it as 30s, 2m or PT2M", param_hint="--retry-for") from None
