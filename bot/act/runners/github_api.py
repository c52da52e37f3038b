"""GitHub's REST API, as far as reruns need it: one call, and what its refusals mean."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr

from bot.errors import Permanent, Retryable

LARGEST_ARCHIVE = 64 * 1024 * 1024
LARGEST_REPORT = 64 * 1024 * 1024
_LARGEST_ANSWER = 8 * 1024 * 1024
_REPORTS = (".xml", ".json", ".txt", ".log")
_VERSION = "2022-11-28"


@dataclass(frozen=True)
class Answer:
    """Attributes: body: the JSON, {} for none. location: where a redirect leads, "" for none."""

    status: int
    body: Mapping[str, Any]
    location: str = ""


@dataclass(frozen=True)
class GitHubApi:
    """Attributes: url: "https://api.github.com". timeout: of one call, its answer included."""

    http: aiohttp.ClientSession
    token: SecretStr
    url: str
    timeout: timedelta

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str) -> Answer:
        """Answers of 2xx, 3xx, 404, 409 and 422 are given back: what they mean depends on the question.

        Raises:
            Retryable: no answer, 5xx, or too many calls. Permanent: the token does not do.
        """
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": _VERSION,
            "Authorization": f"Bearer {self.token.get_secret_value()}",
            "User-Agent": "reliability-bot",
        }
        try:
            async with self.http.request(
                method,
                f"{self.url.rstrip('/')}{path}",
                json=body,
                params=query,
                headers=headers,
                allow_redirects=False,  # where an archive is, the token must not go
                timeout=aiohttp.ClientTimeout(total=self.timeout.total_seconds()),
            ) as response:
                raw = await response.content.read(_LARGEST_ANSWER)
                return _checked(response.status, response.headers, raw)
        except TimeoutError as error:
            raise Retryable(f"GitHub did not answer within {self.timeout.total_seconds():g} s") from error
        except aiohttp.ClientError as error:
            raise Retryable(f"GitHub could not be reached ({type(error).__name__})") from error

    async def archive(self, path: str) -> bytes | None:
        """The zip that an artifact is; None when it is not there (any more).

        Raises:
            Retryable: no answer. Permanent: it is larger than `LARGEST_ARCHIVE`.
        """
        answer = await self.call("GET", path)
        if not answer.location:
            return None
        if not _is_safe(answer.location, self.url):
            raise Permanent("GitHub sends us to an address without TLS for the report")
        try:
            async with self.http.get(
                answer.location, timeout=aiohttp.ClientTimeout(total=self.timeout.total_seconds() * 6)
            ) as response:
                if response.status >= 500:
                    raise Retryable(f"the report's storage answers {response.status}")
                if response.status != 200:
                    return None
                taken = bytearray()
                async for chunk in response.content.iter_chunked(65536):
                    taken += chunk
                    if len(taken) > LARGEST_ARCHIVE:
                        raise Permanent(f"the report's archive is larger than {LARGEST_ARCHIVE >> 20} MiB")
                return bytes(taken)
        except TimeoutError as error:
            raise Retryable("the report's storage did not answer in time") from error
        except aiohttp.ClientError as error:
            raise Retryable(f"the report's storage could not be reached ({type(error).__name__})") from error


def report_in(archive: bytes) -> tuple[bytes | None, str]:
    """(the first report in a zip, "") or (None, why there is none). Never raises for what is in it."""
    try:
        with zipfile.ZipFile(BytesIO(archive)) as packed:
            names = sorted(info.filename for info in packed.infolist() if info.filename.lower().endswith(_REPORTS))
            if not names:
                return None, "its artifact holds no report (.xml, .json, .txt)"
            with packed.open(names[0]) as file:
                report = file.read(LARGEST_REPORT + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        return None, f"its artifact cannot be unpacked ({type(error).__name__})"
    if len(report) > LARGEST_REPORT:
        return None, f"its report is larger than {LARGEST_REPORT >> 20} MiB"
    return report, ""


def _checked(status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
    body = _json(raw)
    said = str(body.get("message", ""))[:300]
    limited = status == 429 or (
        status == 403 and (headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers)
    )
    if limited:
        pause = headers.get("retry-after", "")
        raise Retryable("GitHub wants fewer calls", retry_after=float(pause) if pause.isdigit() else 60.0)
    if status >= 500:
        raise Retryable(f"GitHub answers {status}")
    if status == 401:
        raise Permanent("GitHub does not accept RELIABILITY_GITHUB__TOKEN: is it expired?")
    if status == 403:
        raise Permanent(f"RELIABILITY_GITHUB__TOKEN may not do this: it needs Actions, read and write ({said})")
    if status >= 400 and status not in {404, 409, 422}:
        raise Permanent(f"GitHub refused ({status}): {said}")
    return Answer(status, body, headers.get("Location", "") if 300 <= status < 400 else "")


def _json(raw: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_safe(location: str, api: str) -> bool:
    """TLS, or a GitHub that is on this computer anyway."""
    return location.startswith("https://") or (
        urlsplit(api).scheme == "http" and urlsplit(location).hostname == urlsplit(api).hostname
    )
