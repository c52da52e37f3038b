"""`reliability catalog check`: everything that is wrong in reliability.yaml, or a summary of what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import catalog
from bot.catalog import Problem
from bot.model.catalog import Catalog, Place, RollbackPolicy

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def _catalog() -> None:
    """Check reliability.yaml."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The catalog.", envvar="RELIABILITY_CATALOG")] = Path("reliability.yaml"),
) -> None:
    """Report every mistake with line, field and mend; exit code 2 when there is one."""
    report = catalog.check(file)
    out = Console(soft_wrap=True, highlight=False)
    complaints = Console(stderr=True, soft_wrap=True, highlight=False)
    for problem in report.errors:
        complaints.print(_line(problem, "error", "red"))
    for problem in report.warnings:
        complaints.print(_line(problem, "warning", "yellow"))
    if report.catalog is None:
        complaints.print(f"{file}: {_counted(report.errors, 'error')}, {_counted(report.warnings, 'warning')}")
        raise typer.Exit(2)
    out.print(_table(report.catalog))
    out.print(f"{file} is right: {_sum_up(report.catalog)}; {_counted(report.warnings, 'warning')}")


def _line(problem: Problem, word: str, style: str) -> Text:
    line = Text.assemble((problem.place, "bold"), " ", (word, style))
    if problem.path:
        line.append(f" {problem.field}", "bold")
    line.append(f": {problem.text}")
    if problem.mend:
        line.append(f"; mend: {problem.mend}", "green")
    return line


def _table(found: Catalog) -> Table:
    table = Table("deployment", "tier", "Cloud Run service", "channel", "rollback")
    for place in found.places:
        deployment = place.deployment
        service = f"{deployment.cloud_run} ({deployment.project}, {deployment.region})"
        table.add_row(place.key, str(place.service.tier), service, place.service.channel, _approval(place))
    return table


def _approval(place: Place) -> str:
    rule = place.deployment.rollback
    if rule.policy is RollbackPolicy.NEVER:
        return "never"
    return f"{rule.policy}: {', '.join(rule.approvers) or 'nobody'}"


def _sum_up(found: Catalog) -> str:
    deployments = _counted(found.places, "deployment")
    return f"{_counted(found.services, 'service')}, {deployments}, {_counted(found.journeys, 'journey')}"


def _counted(things: Sequence[object] | object, noun: str) -> str:
    number = len(things)  # type: ignore[arg-type]
    return f"{number} {noun}{'' if number == 1 else 's'}"
