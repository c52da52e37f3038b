"""pytest was told to leave tests out, could not run them, or ended before it could: selection, markers, async, exits."""

from __future__ import annotations

import re

from bot.model.test_run import CollectionError, DiscoveryCause
from bot.reports.causes.cause import Evidence, line_with

_MARKER = re.compile(
    r"'(?P<a>[\w.-]+)' not found in `markers` configuration option|Unknown pytest\.mark\.(?P<b>\w+)(?=[^\n]*(?:typo|\n))"
)
_ASYNC = re.compile(
    r"async def functions? (?:are|is) not natively supported|async def function and no async plugin installed"
)
_NEVER_AWAITED = re.compile(r"coroutine '(?P<name>[\w.<>]*test\w*)' was never awaited")
_USAGE = re.compile(
    r"error: (?P<what>(?:unrecognized arguments|argument |the following arguments|ambiguous option)[^\n]*)"
)
_CONFIG = re.compile(
    r"^ERROR: (?P<what>[^\n]*(?:\.(?:ini|toml|cfg)\b|[Uu]nknown config|Missing required plugins|while parsing the following)[^\n]*)$",
    re.MULTILINE,
)
_INTERNAL = re.compile(
    r"^INTERNALERROR> (?P<what>(?:[\w.]+\.)?\w*(?:Error|Exception|Exit|Failed|Warning)\b[^\n]*)$", re.MULTILINE
)
_INTERRUPTED = re.compile(
    r"^!+ (?P<what>(?:KeyboardInterrupt|_?[\w.]*Exit|Interrupted|xdist)[^\n]*?) !+$", re.MULTILINE
)
_BY_ITSELF = re.compile(r"Interrupted: \d+ errors? during collection|stopping after \d+ failures")  # the latter is -x


def unknown_marker(lost: CollectionError, _: Evidence) -> DiscoveryCause | None:
    if not (match := _MARKER.search(lost.text)):
        return None
    name = match["a"] or match["b"]
    return DiscoveryCause(
        "unknown_marker",
        f"marker {name} is not registered, and --strict-markers refuses it",
        line_with(lost.text, _MARKER),
        f"add `{name}: what it means` to markers in pytest's configuration, or correct the spelling",
        {"marker": name},
    )


def async_without_plugin(evidence: Evidence) -> DiscoveryCause | None:
    proof = line_with(evidence.text, _ASYNC)
    never = _NEVER_AWAITED.search(evidence.text)
    if not proof and not never:
        return None
    if never and not proof:
        return DiscoveryCause(
            "async_without_plugin",
            f"{never['name']} is async, but nothing awaits it: it passes without being run",
            line_with(evidence.text, _NEVER_AWAITED),
            "use unittest.IsolatedAsyncioTestCase for async methods of a TestCase, or pytest-asyncio for functions",
            {"test": never["name"]},
        )
    return DiscoveryCause(
        "async_without_plugin",
        "async tests, and no plugin that runs them",
        proof,
        "install pytest-asyncio (asyncio_mode = auto, or mark the tests) or anyio; a TestCase needs IsolatedAsyncioTestCase",
    )


def deselected(evidence: Evidence) -> DiscoveryCause | None:
    report = evidence.report
    if report.collected or not report.deselected:
        return None
    return DiscoveryCause(
        "deselected",
        f"every test ({report.deselected}) was deselected by -k, -m or --deselect",
        line_with(report.said, re.compile(r"\d+ deselected")),
        "correct the expression of -k or -m in the command, in addopts or in PYTEST_ADDOPTS",
        {"deselected": str(report.deselected)},
    )


def usage_error(evidence: Evidence) -> DiscoveryCause | None:
    for pattern in (_USAGE, _CONFIG):
        if match := pattern.search(evidence.report.said):
            what = match["what"].strip()[:300]
            return DiscoveryCause(
                "usage_error",
                f"pytest refused how it was called: {what}",
                line_with(evidence.report.said, pattern),
                "correct the command or pytest's configuration; is the plugin that brings the option installed?",
            )
    return None


def internal_error(evidence: Evidence) -> DiscoveryCause | None:
    if "INTERNALERROR>" not in evidence.report.said:
        return None
    found = list(_INTERNAL.finditer(evidence.report.said))
    what = found[-1]["what"].strip()[:300] if found else "no error was told"
    return DiscoveryCause(
        "internal_error",
        f"pytest or a plugin broke down: {what}",
        found[-1][0] if found else "INTERNALERROR>",
        "look at the last frame before it: a hook in conftest.py or a plugin; pin the plugin that was last updated",
    )


def interrupted(evidence: Evidence) -> DiscoveryCause | None:
    match = _INTERRUPTED.search(evidence.report.said)
    if match is None or _BY_ITSELF.search(match[0]):
        return None
    what = match["what"].strip()
    return DiscoveryCause(
        "interrupted",
        f"the session was aborted: {what}",
        match[0],
        "a signal, a time limit of the CI job or pytest.exit(): look at what the log says just before it",
    )
