"""Queries in Cloud Logging's language, as text: for reading (`bot.gcp.logging`) and for links people follow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.model.catalog import Place
from bot.model.evidence import LogKind, Window

_PLATFORM = (LogKind.SYSTEM, LogKind.SYSTEM_EVENT, LogKind.ACTIVITY)
_LEVEL_FIELDS = ("level", "levelname", "loglevel", '"log.level"')
# as words, and as pino and bunyan number them
_ROUTINE_LEVELS = ("trace", "debug", "info", "information", "notice", "10", "20", "30")
_ACCESS_LINE = r'"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) [^"]* HTTP/[0-9.]+" [1-4][0-9][0-9]\b'
_ROUTINE_LINE = (
    r"^[\[(]?[-0-9:,.TZ+/ ]*[\])]? *(\[[0-9]+\] *)?[\[(]?((TRACE|DEBUG|INFO)\b|(trace|trce|debug|dbug|info):)"
    r"|\blevel=(trace|debug|info)\b"
)
_SPEAKS_OF_PORT = (
    r"(?i)\b(listen\w*|running|serving|bound|bind\w*|server|start\w*)\b.{0,60}"
    r"(\bport\b|:(80|[0-9]{4,5})\b|0\.0\.0\.0|127\.0\.0\.1|localhost)"
)


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
            _log(LogKind.REQUESTS),
            *_window_lines(window),
        )
    )


def entries_of(place: Place, revision: str, window: Window, *, platform_texts: bool = False) -> str:
    """What can be evidence about exactly one revision: all that the platform says of it, and the telling lines of its own.

    Requests are left out, and so is routine talk (`_telling`), which would fill the pages of a busy revision.
    The service is not part of the query: the first Ready event of a revision comes with an empty `service_name`,
    and a revision's name is unique within its project and region anyway.

    Args:
        platform_texts: also the failed requests that the platform itself answered ("malformed response or
            connection …"): they are in the request log and carry a text.
    """
    which = f"(NOT {_log(LogKind.REQUESTS)} AND {_any(*map(_log, _PLATFORM), _telling(ports=True))})"
    if platform_texts:
        which = _any(which, f"({_log(LogKind.REQUESTS)} AND httpRequest.status>=500 AND textPayload:*)")
    return "\n".join((*_where(place), _named([revision]), which, *_window_lines(window)))


def errors_of(place: Place, window: Window) -> str:
    """What went wrong in all services of the place's project and region: failed requests, and what may explain them.

    Of the platform's own logs only failures; of the containers' what `_telling` lets through.
    """
    failed = f"({_log(LogKind.REQUESTS)} AND httpRequest.status>=500)"
    platform = _any(*map(_log, _PLATFORM))
    broken = f"({platform} AND (severity>=WARNING OR protoPayload.status.code>0))"
    said = f"(NOT {_log(LogKind.REQUESTS)} AND NOT {platform} AND {_telling(ports=False)})"
    return "\n".join((*_where(place), _any(failed, broken, said), *_window_lines(window)))


def for_people(place: Place, revision: str, since: datetime) -> str:
    """What a person wants to see first in Logs Explorer: everything of the revision since then.

    Args:
        revision: "" where none is known: then of the whole service.
    """
    whose = f"resource.labels.service_name={quoted(place.deployment.cloud_run)}"
    if revision:
        whose = _named([revision])
    return "\n".join((*_where(place), whose, f"timestamp>={instant(since)}"))


def _telling(*, ports: bool) -> str:
    """Lines of a container that may say what is wrong.

    Warnings and worse; and lines without a severity, because a traceback on stderr has none, unless they say of
    themselves that they are routine: an access line that is no 5xx, a line or a JSON object of level INFO or below.

    Args:
        ports: also the line that says which port is listened on, whatever its level: a boot that failed is often
            explained by it.
    """
    levels = _any(*(f"jsonPayload.{name}={_any(*map(quoted, _ROUTINE_LEVELS))}" for name in _LEVEL_FIELDS))
    routine = _any(f"textPayload=~{quoted(_ACCESS_LINE)}", f"textPayload=~{quoted(_ROUTINE_LINE)}", levels)
    telling = ["severity>=WARNING", f"(severity=DEFAULT AND NOT {routine})"]
    if ports:
        where = ("textPayload", "jsonPayload.message", "jsonPayload.msg")
        telling += [f"{name}=~{quoted(_SPEAKS_OF_PORT)}" for name in where]
    return _any(*telling)


def _any(*parts: str) -> str:
    return f"({' OR '.join(parts)})"


def _log(kind: LogKind) -> str:
    return f"log_id({quoted(kind)})"


def _where(place: Place) -> tuple[str, str]:
    return 'resource.type="cloud_run_revision"', f"resource.labels.location={quoted(place.deployment.region)}"


def _named(revisions: Sequence[str]) -> str:
    return _any(*(f"resource.labels.revision_name={quoted(name)}" for name in revisions))


def _window_lines(window: Window) -> tuple[str, str]:
    return f"timestamp>={instant(window.start)}", f"timestamp<{instant(window.end)}"
