"""`reliability send tests`: a pipeline hands in its test reports, or asks what the bot would make of them.

A pipeline that could not tell the bot is not a broken build: without --strict the exit code is 0 whatever happens.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from bot.cli import words

NOT_GREEN = 1
_MAX_REASON = 600
_ONE_TRY_S = 60.0  # a report of many megabytes over a slow line

_Suite = Annotated[str | None, typer.Option(help="Name of the suite in the catalog.")]
_Commit = Annotated[
    str | None,
    typer.Option(
        envvar=["GITHUB_SHA", "CI_COMMIT_SHA", "COMMIT_SHA", "CIRCLE_SHA1", "BITBUCKET_COMMIT", "GIT_COMMIT"],
        help="SHA that was tested.",
    ),
]

_Branch = Annotated[
    str | None,
    typer.Option(
        envvar=["GITHUB_REF_NAME", "CI_COMMIT_BRANCH", "BRANCH_NAME", "CIRCLE_BRANCH", "BITBUCKET_BRANCH"],
        help="Git branch; main if nobody says.",
    ),
]
_RunUrl = Annotated[
    str | None,
    typer.Option(envvar=["CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL"], help="Where a person sees the run."),
]


@dataclass(frozen=True)
class Reading:
    """One file as the bot reads it; the fields and their order are those of a line of `--json`.

    A file that cannot be read has no tests (0 everywhere) and the verdict "unreadable".
    """

    file: str
    format: str
    tests: int
    passed: int
    failed: int
    errors: int
    skipped: int
    collected: int
    verdict: str
    reason: str

    def __str__(self) -> str:
        counts = f"tests {self.tests}: {self.passed} passed, {self.failed} failed, {self.errors} errors, {self.skipped} skipped"
        return f"{self.file}: {self.verdict} ({self.format}, {counts}, {self.collected} collected)\n  {self.reason}"


def read_reports(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE…", help="Reports; the format is found.")] = None,
    junit: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="A report too, whatever its format.")] = None,
    suite: _Suite = None,
    commit: _Commit = None,
    exit_code: Annotated[int | None, typer.Option(help="Of the test runner; pytest's 2 to 5 mean no tests.")] = None,
    url: Annotated[str | None, typer.Option(metavar="https://…", help="The bot's address.")] = None,
    branch: _Branch = None,
    run_url: _RunUrl = None,
    scope: Annotated[
        str, typer.Option(help="all; collect: tests were only collected; failed: only those red before.")
    ] = "all",
    retry_for: Annotated[str, typer.Option(metavar="DURATION", help="Try again for so long, such as 2m.")] = "60s",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing; say what the bot would make of it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line and file.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 unless every report is sent, or green in a dry run.")
    ] = False,
) -> None:
    """Hand in test reports: JUnit XML, pytest-json-report, CTRF, or the output of pytest --collect-only -q.

    Signed with RELIABILITY_WEBHOOK_SECRET. Never breaks the build, unless --strict.
    """
    reports = [*(files or ()), *(junit or ())]
    if not reports:
        raise typer.BadParameter("name at least one report", param_hint="FILE…")
    if not dry_run:
        if not url or not suite:
            raise typer.BadParameter("needed to send; --dry-run sends nothing", param_hint="--url and --suite")
        run = {"suite": suite, "commit": commit, "branch": branch, "url": run_url, "scope": scope}
        told = run | {"exit_code": None if exit_code is None else str(exit_code)}
        sent = [
            _send(report, url, {name: value for name, value in told.items() if value}, retry_for) for report in reports
        ]
        if strict and not all(sent):
            raise typer.Exit(NOT_GREEN)
        return
    if suite and not as_json:
        words.say(f"suite {suite}{f' at {commit}' if commit else ''}")
    green = True
    for report in reports:
        reading = read_file(report, exit_code)
        green = green and reading.verdict == "passed"
        if as_json:
            print(json.dumps(vars(reading), ensure_ascii=False).encode(errors="replace").decode(), flush=True)
        else:
            words.say(str(reading))
    if strict and not green:
        raise typer.Exit(NOT_GREEN)


def _send(path: Path, url: str, told: dict[str, str], retry_for: str) -> bool:
    """Hand in one report. False: it was not taken, and why was said."""
    from bot.cli.send import Letter, address, patience_of, post
    from bot.errors import ReliabilityError
    from bot.ingest.test_run import PATH
    from bot.settings import first_webhook_secret

    patience = patience_of(retry_for)
    try:
        body = gzip.compress(path.read_bytes(), mtime=0)
        letter = Letter(
            url=f"{address(url, PATH)}?{urlencode(told)}",
            id=f"tests_{uuid.uuid4().hex}",
            body=body,
            secret=first_webhook_secret(),
            content_type="application/octet-stream",
            try_s=_ONE_TRY_S,
        )
        refusal = asyncio.run(post(letter, patience))
    except OSError as error:
        refusal = f"cannot be opened: {error.strerror}"
    except ReliabilityError as error:
        refusal = str(error)
    if refusal:
        words.complain(f"{path}: {refusal}")
        return False
    words.say(f"delivered: {path} of {told['suite']} ({letter.id})")
    return True


def read_file(path: Path, exit_code: int | None = None) -> Reading:
    """What the bot makes of one file; a file that is not there is unreadable too. Secrets are taken out of the reason."""
    from bot import reports
    from bot.model.test_run import RunVerdict
    from bot.redact import redact, shorten

    try:
        with path.open("rb") as stream:
            report = reports.read(stream)
    except OSError as error:
        return _nothing(path, "unknown", RunVerdict.UNREADABLE, f"cannot be opened: {error.strerror}")
    except reports.Unreadable as error:
        form = _format(path)
        silence = reports.judge_silence(exit_code) if exit_code is not None and _is_silent(path) else None
        if silence:
            return _nothing(path, "pytest-collect-only", silence.verdict, silence.reason)
        return _nothing(path, form, RunVerdict.UNREADABLE, shorten(redact(str(error)), _MAX_REASON))
    judged = reports.judge(report, exit_code)
    totals = report.totals
    return Reading(
        file=str(path),
        format=report.format,
        tests=totals.tests,
        passed=totals.passed,
        failed=totals.failed,
        errors=totals.errors,
        skipped=totals.skipped,
        collected=report.collected,
        verdict=judged.verdict.value,
        reason=shorten(redact(judged.reason), _MAX_REASON),
    )


def _nothing(path: Path, form: str, verdict: str, reason: str) -> Reading:
    return Reading(str(path), form, 0, 0, 0, 0, 0, 0, str(verdict), reason)


def _is_silent(path: Path) -> bool:
    with path.open("rb") as stream:
        return not stream.read(64).strip()


def _format(path: Path) -> str:
    from bot import reports

    with path.open("rb") as stream:
        return reports.format_of(stream) or "unknown"
