"""`reliability catalog check`: is reliability.yaml right? Every mistake with file, line, field and mend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table
    from rich.text import Text

    from bot.catalog import Problem
    from bot.model.catalog import Catalog, RollbackRule

app = typer.Typer(no_args_is_help=True, help="The catalog of services, journeys, money and people.")


@app.callback()
def _catalog() -> None:
    pass  # without it typer would make `catalog` itself the command


@app.command("check")
def check(
    file: Annotated[
        Path, typer.Argument(envvar="RELIABILITY_CATALOG", help="The catalog to check.", show_default=True)
    ] = Path("reliability.yaml"),
) -> None:
    """Check the catalog and show what the bot would watch."""
    from rich.console import Console

    from bot.catalog import check as report_on

    report = report_on(file)
    for problem in report.errors:
        words.say(_line(problem, "error", "bold red"))
    for problem in report.warnings:
        words.say(_line(problem, "warning", "bold yellow"))
    if report.catalog is not None:
        Console(highlight=False).print(_watched(report.catalog))
    words.say(f"{file}: {_count(report.errors, 'error')}, {_count(report.warnings, 'warning')}")
    if report.errors:
        raise typer.Exit(words.MENDABLE)


def _line(problem: Problem, kind: str, style: str) -> Text:
    """`reliability.yaml:17: error: services.auth.tier: must be 1 to 4; …`: editors and CI can follow it."""
    from rich.text import Text

    text = Text.assemble((problem.place, "cyan"), ": ", (kind, style), ": ")
    if problem.path:
        text.append(f"{problem.field}: ", "bold")
    text.append(problem.text)
    if problem.mend:
        text.append(f"; mend: {problem.mend}", "dim")
    return text


def _watched(catalog: Catalog) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("place", "tier", "Cloud Run", "rollback", "journeys", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.overflow = "fold"
    for place in catalog.places:
        deployment = place.deployment
        cells = (
            place.key,
            str(place.service.tier),
            f"{deployment.cloud_run}\n{deployment.project}\n{deployment.region}",
            _rollback(deployment.rollback),
            _list(key for key, _ in catalog.journeys_of(place.service_key)),
        )
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _rollback(rule: RollbackRule) -> str:
    if not rule.policy.approvals_needed:
        return rule.policy
    return f"{rule.policy}\n{_list(rule.approvers) or 'nobody'}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _count(found: tuple[Problem, ...], noun: str) -> str:
    return f"{len(found)} {noun}{'s' * (len(found) != 1)}"
