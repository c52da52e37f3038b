"""Queries in Cloud Logging's language, as text: for reading (`bot.gcp.logging`) and for links people follow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.model.catalog import Place
from bot.model.evidence import LogKind, Window

_REQUESTS = f'log_id("{LogKind.REQUESTS}")'


def quoted(text: str) -> str:
    """A string literal: whatever is in `text` stays inside the quotes (the language knows JSON's escapes)."""
    return json.dumps(text)


def instant(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds, quoted."""
    return quoted(at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"))


def requests_of(place: Place, revisions: Sequence[str], window: Window) -> str:
    """The request log of these revisions."""
    return "\n".join(
        (
            *_where(place),
            _named(revisions),
            f"resource.labels.service_name={quoted(place.deployment.cloud_run)}",
            _REQUESTS,
            *_window_lines(window),
        )
    )


def entries_of(place: Place, revision: str, window: Window, *, platform_texts: bool = False) -> str:
    """Everything of exactly one revision but its requests.

    The service is not part of the query: the first Ready event of a revision comes with an empty `service_name`,
    and a revision's name is unique within its project and region anyway.

    Args:
        platform_texts: also the failed requests that the platform itself answered ("malformed response or
            connection …"): they are in the request log and carry a text.
    """
    which = f"NOT {_REQUESTS}"
    if platform_texts:
        which = f"({which} OR ({_REQUESTS} AND httpRequest.status>=500 AND textPayload:*))"
    return "\n".join((*_where(place), _named([revision]), which, *_window_lines(window)))


def for_people(place: Place, revision: str, since: datetime) -> str:
    """What a person wants to see first in Logs Explorer: everything of the revision since then.

    Args:
        revision: "" where none is known: then of the whole service.
    """
    whose = f"resource.labels.service_name={quoted(place.deployment.cloud_run)}"
    if revision:
        whose = _named([revision])
    return "\n".join((*_where(place), whose, f"timestamp>={instant(since)}"))


def _where(place: Place) -> tuple[str, str]:
    return 'resource.type="cloud_run_revision"', f"resource.labels.location={quoted(place.deployment.region)}"


def _named(revisions: Sequence[str]) -> str:
    return f"({' OR '.join(f'resource.labels.revision_name={quoted(name)}' for name in revisions)})"


def _window_lines(window: Window) -> tuple[str, str]:
    return f"timestamp>={instant(window.start)}", f"timestamp<{instant(window.end)}"
