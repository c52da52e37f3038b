"""`reliability send deploy`: tell a bot about a deploy, signed, from any pipeline.

A retry carries the same `webhook-id`, so however often it is sent, it is one event.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

import aiohttp
import msgspec
import typer
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from bot.errors import Permanent, Retryable, UserError
from bot.ingest import webhook
from bot.ingest.config import signing_key
from bot.ingest.source import Delivery, clean

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LONGEST_PAUSE_S = 60.0
_LONGEST_ANSWER = 2_000


@app.callback()
def _send() -> None:
    """Tell a bot about a deploy, from a pipeline."""


@app.command()
def deploy(
    url: Annotated[str, typer.Option(help="The bot's address.", metavar="https://…")],
    project: Annotated[str, typer.Option(envvar=["GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT", "PROJECT_ID"])],
    service: Annotated[str, typer.Option(help="Name of the Cloud Run service.")],
    secret: Annotated[
        str,
        typer.Option(
            envvar="RELIABILITY_WEBHOOK_SECRET", help="whsec_…; better in the environment than on the command line."
        ),
    ],
    region: Annotated[str | None, typer.Option(envvar=["CLOUDSDK_RUN_REGION"])] = None,
    revision: Annotated[str | None, typer.Option(help="Short name of the new revision.")] = None,
    commit: Annotated[
        str | None,
        typer.Option(envvar=["GITHUB_SHA", "CI_COMMIT_SHA", "COMMIT_SHA", "BUILDKITE_COMMIT", "CIRCLE_SHA1"]),
    ] = None,
    author: Annotated[
        str | None,
        typer.Option(envvar=["GITHUB_ACTOR", "GITLAB_USER_EMAIL", "BUILDKITE_BUILD_CREATOR_EMAIL", "CIRCLE_USERNAME"]),
    ] = None,
    at: Annotated[str | None, typer.Option(help="When, as 2025-09-15T14:02:11Z; now by default.")] = None,
    delivery_id: Annotated[str | None, typer.Option("--id", help="Of the delivery; random by default.")] = None,
    attempts: Annotated[int, typer.Option(min=1, max=20, help="How often to try.")] = 5,
) -> None:
    """Post one deploy and say what became of it."""
    told = webhook.Deploy(
        project=project,
        service=service,
        region=region or None,
        revision=revision or None,
        commit=commit or None,
        author=author or None,
        at=_time(at),
    )
    body = msgspec.json.encode(told)
    delivery = delivery_id or f"deploy-{uuid.uuid4()}"
    webhook.parse(Delivery({}, body, datetime.now(UTC)), delivery)  # what the bot would refuse is refused here
    letter = Letter(_address(url), body, delivery, _first(secret))
    asyncio.run(_post(letter, attempts))
    typer.echo(f"told {letter.url}: {revision or service} of {project} (delivery {delivery})")


class Letter(msgspec.Struct, frozen=True):
    """One delivery, ready to be signed: as often as it is sent, with the time of sending."""

    url: str
    body: bytes
    delivery_id: str
    secret: str

    def headers(self, now: datetime) -> dict[str, str]:
        signature = Webhook(self.secret).sign(self.delivery_id, now, self.body.decode())
        return {
            "Content-Type": "application/json",
            "webhook-id": self.delivery_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }


async def post(
    letter: Letter,
    session: aiohttp.ClientSession,
    attempts: int,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Send until it is taken.

    Raises:
        Permanent: refused, and it would be again. Retryable: not taken in so many attempts.
    """
    for attempt in range(1, attempts + 1):
        try:
            return await _try(letter, session)
        except Retryable as error:
            if attempt == attempts:
                raise Retryable(f"{letter.url}: {error}; gave up after {attempts} attempts") from error
            pause = error.retry_after if error.retry_after is not None else 2.0 ** (attempt - 1)
            typer.echo(f"{letter.url}: {error}; again in {pause:g} s", err=True)
            await sleep(pause)
    raise AssertionError("attempts is at least 1")


async def _post(letter: Letter, attempts: int) -> None:
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        await post(letter, session, attempts)


async def _try(letter: Letter, session: aiohttp.ClientSession) -> None:
    headers = letter.headers(datetime.now(UTC))
    try:
        async with session.post(letter.url, data=letter.body, headers=headers, allow_redirects=False) as response:
            answer = await response.content.read(_LONGEST_ANSWER)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Retryable(f"no answer ({str(error) or type(error).__name__})") from error
    if 200 <= response.status < 300:
        return
    said = f"answered {response.status}: {_hint(answer)}"
    if response.status >= 500 or response.status == 429:
        raise Retryable(said, retry_after=_pause(response.headers.get("Retry-After", "")))
    raise Permanent(f"{letter.url} {said}")


def _hint(answer: bytes) -> str:
    try:
        return clean(msgspec.json.decode(answer, type=dict[str, str])["hint"], 500)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        return clean(answer.decode(errors="replace").strip(), 200) or "nothing more"


def _pause(retry_after: str) -> float | None:
    return min(float(retry_after), _LONGEST_PAUSE_S) if retry_after.isdecimal() else None


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UserError("--url must be the bot's address, such as https://bot.example")
    return url if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}{webhook.SOURCE.path}"


def _first(secrets: str) -> str:
    """While secrets are rotated the first is the new one."""
    secret = secrets.partition(",")[0].strip()
    try:
        signing_key(SecretStr(secret))
    except ValueError as error:
        raise UserError(f"RELIABILITY_WEBHOOK_SECRET: {error}") from error
    return secret


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError("--at must be a time such as 2025-09-15T14:02:11Z") from error
    if at.tzinfo is None:
        raise UserError("--at needs a time zone: end it with Z")
    return at
