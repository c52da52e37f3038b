"""Does a service's health path answer? One small HTTP request, without credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import aiohttp

REFUSED = frozenset({401, 403})


@dataclass(frozen=True)
class HealthAnswer:
    """Attributes:
    well: True: 2xx; False: an answer that is not, or none; None: nobody could tell (not asked, or not allowed to ask).
    told: in words for the card.
    """

    well: bool | None
    told: str


async def check_health(http: aiohttp.ClientSession, uri: str, path: str, deadline: timedelta) -> HealthAnswer:
    """Ask `uri` + `path` once; redirects are answers, not well."""
    url = uri.rstrip("/") + "/" + path.lstrip("/")
    limit = aiohttp.ClientTimeout(total=deadline.total_seconds())
    try:
        async with http.get(url, timeout=limit, allow_redirects=False) as response:
            status = response.status
    except TimeoutError:
        return HealthAnswer(False, f"{path} did not answer within {deadline.total_seconds():g} s")
    except (aiohttp.ClientError, ValueError) as error:
        return HealthAnswer(False, f"{path} did not answer ({type(error).__name__})")
    if status in REFUSED:
        return HealthAnswer(None, f"{path} does not answer strangers ({status})")
    return HealthAnswer(200 <= status < 300, f"{path} answers {status}")
