"""The command: `python -m tests.evaluation --help`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from bot.correlate.attribution.signals import Signal
from tests.bench import table as document

from . import report
from .scenarios import SCENARIOS
from .score import TICK_S
from .stage import Episode, play

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="How well attribution tells causes apart, on simulated fleets.",
)


WIDTH = 160  # where no terminal says how wide it is


@app.callback(invoke_without_command=True)
def evaluate(
    context: typer.Context,
    seeds: Annotated[int, typer.Option(min=1, help="Episodes per scenario.")] = 200,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    scenario: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    baseline: Annotated[bool, typer.Option(help="Also what others do.")] = True,
    engine: Annotated[bool, typer.Option(help="The engine itself.")] = True,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    write: Annotated[Path | None, typer.Option(help="Also rewrite the section of this document.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Scores and wrong episodes as JSON.")] = False,
) -> None:
    """Play every scenario, print the scores; exit code 1 when a goal is missed."""
    if context.invoked_subcommand:
        return
    chosen = scenario or list(SCENARIOS)
    unknown = sorted(set(chosen) - set(SCENARIOS))
    if unknown or not (engine or baseline):
        raise typer.BadParameter(f"no such scenario: {', '.join(unknown)}" if unknown else "nobody is asked")
    console = Console(stderr=json)
    if not console.is_terminal:
        console = Console(stderr=json, width=WIDTH)
    results = report.run_all(
        chosen, range(first, first + seeds), engine=engine, baselines=baseline, jobs=jobs, console=console
    )
    if json:
        typer.echo(report.as_json(results))
    else:
        report.print_tables(results, console)
    if write and engine:
        document.write(write, "attribution-quality", report.as_table(results))
    misses = report.misses(results[report.ENGINE]) if engine else []
    for miss in misses:
        console.print(f"missed – {miss}", style="red")
    if misses:
        raise typer.Exit(1)


@app.command()
def record(scenario: str, seed: int) -> None:
    """One episode as JSON lines in the shape of `reliability judge`; the truth goes to standard error."""
    if scenario not in SCENARIOS:
        raise typer.BadParameter(f"no such scenario: {scenario}")
    episode = play(scenario, SCENARIOS[scenario], seed)
    for line in lines(episode):
        sys.stdout.buffer.write(line + b"\n")
    typer.echo(f"{episode.truth} first error at {episode.onset_s:.3f}", err=True)


def lines(episode: Episode) -> list[bytes]:
    """A reset, the signals in the order of arrival, a tick every ten seconds."""
    encode = msgspec.json.Encoder().encode
    written = [encode({"kind": "reset", "episode": f"{episode.scenario}/{episode.seed}"})]
    tick = episode.start_s + TICK_S
    signals: list[Signal | None] = [*episode.signals, None]
    for signal in signals:
        while tick <= episode.end_s + TICK_S and (signal is None or signal.rt > tick):
            written.append(encode({"kind": "tick", "rt": tick}))
            tick += TICK_S
        if signal is not None:
            written.append(encode(signal))
    return written


if __name__ == "__main__":
    app()
