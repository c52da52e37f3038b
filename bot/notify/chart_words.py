"""What a chart says in words: names, spans, and the whole of it in a sentence. Pure text."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.model.series import ErrorSeries, Mark, MarkKind
from bot.notify.words import count, short
from bot.redact import redact

LONGEST_ALT_TEXT = 1_000  # Slack's limit of alt_txt

_LONGEST_NAME = 24
_UNKNOWN = "revision unknown"
_DESCRIBED = 5
_MISSING = re.compile(r"[^ -~\u00a0-\u024f–—…·×≥]")
"""What the chart's font may not have, and what could turn the direction of writing."""


def shown(text: str, limit: int) -> str:
    """Untrusted text on one line, in characters that every font has, without secrets, cut in the middle."""
    said = _MISSING.sub("?", " ".join(redact(text).split()))
    return said if len(said) <= limit else f"{said[: limit // 2 - 1]}…{said[-(limit - limit // 2) :]}"


def name(revision: str, service: str) -> str:
    """`…-00281-kzq` of auth-service-00281-kzq."""
    return shown(short(revision, service), _LONGEST_NAME) if revision else _UNKNOWN


def happened(mark: Mark, service: str) -> str:
    """`14:01 deploy …-00283-qab`, `14:10 rollback to …-00281-kzq`."""
    verb = "rollback to" if mark.kind is MarkKind.ROLLBACK else "deploy"
    return f"{mark.at:%H:%M} {verb} {name(mark.revision, service)}"


def per(series: ErrorSeries) -> str:
    """`per minute`, `per 5 min`, `per 2 h`: the width of a bar."""
    minutes = round(series.step.total_seconds() / 60)
    if minutes == 1:
        return "per minute"
    return f"per {minutes // 60} h" if minutes % 60 == 0 else f"per {minutes} min"


def span(series: ErrorSeries) -> str:
    """`2 Mar 2026, 13:45–14:15 UTC`; with both days where they differ."""
    start, end = series.window.start, series.window.end
    same = start.date() == (end - timedelta(microseconds=1)).date()
    until = f"–{end:%H:%M}" if same else f" – {end.day} {end:%b, %H:%M}"
    return f"{start.day} {start:%b %Y, %H:%M}{until} UTC"


def total(series: ErrorSeries) -> str:
    """`779 errors`, `no errors`, `at least 779 errors` where not all could be read."""
    if not series.total:
        return "no errors" if series.complete else "no errors among those that could be read"
    return f"{'' if series.complete else 'at least '}{count(series.total, 'error')}"


def summary(series: ErrorSeries, service: str) -> str:
    """`779 errors, 2 Mar 2026, 13:45–14:15 UTC: …-00283-qab 709, …-00281-kzq 70`: the words above a chart."""
    shares = [f"{name(each.revision, service)} {each.total:,}" for each in series.revisions[:_DESCRIBED]]
    if (more := len(series.revisions) - _DESCRIBED) > 0:
        shares.append(count(more, "other revision"))
    return f"{total(series)}, {span(series)}{': ' if shares else ''}{', '.join(shares)}"


def alt_text(series: ErrorSeries, *, title: str, service: str) -> str:
    """The chart for those who cannot see it: what is counted, when and where, in at most 1,000 characters."""
    parts = [f"{shown(title, 80)}, {span(series)}: {total(series)}"]
    for each in series.revisions[:_DESCRIBED]:
        peak = max(range(len(each.counts)), key=lambda bar: each.counts[bar])
        most = f"most at {series.at(peak):%H:%M} ({each.counts[peak]:,} {per(series)})"
        parts.append(f"{name(each.revision, service)} {each.total:,}, {most}")
    if (more := len(series.revisions) - _DESCRIBED) > 0:
        parts.append(count(more, "other revision"))
    parts += [happened(mark, service) for mark in series.marks[-_DESCRIBED:]]
    return shown(". ".join(parts), LONGEST_ALT_TEXT - 1) + "."
