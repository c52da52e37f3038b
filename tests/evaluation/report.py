"""Runs episodes on several processes and prints what came out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from tests.bench import table as document

from .baselines import BASELINES
from .scenarios import SCENARIOS
from .score import Answerer, Result, Score, add_up, judge, listen, missed
from .stage import play

ENGINE = "engine"


def answerers(*, engine: bool, baselines: bool) -> dict[str, Callable[[], Answerer]]:
    """Who is asked, by name; the engine first."""
    chosen: dict[str, Callable[[], Answerer]] = {}
    if engine:
        from bot.correlate.attribution import Attributor  # a baseline runs without it

        chosen[ENGINE] = Attributor
    return chosen | (BASELINES if baselines else {})


def run(task: tuple[str, int, tuple[bool, bool]]) -> list[tuple[str, Result]]:
    """Play one episode to everybody: (scenario, seed, (engine, baselines)) → results by answerer."""
    scenario, seed, (engine, baselines) = task
    episode = play(scenario, SCENARIOS[scenario], seed)
    return [
        (name, judge(episode, listen(episode, make())))
        for name, make in answerers(engine=engine, baselines=baselines).items()
    ]


def run_all(
    scenarios: Iterable[str], seeds: range, *, engine: bool, baselines: bool, jobs: int, console: Console
) -> dict[str, list[Result]]:
    """All results by answerer, in the order of scenarios and seeds whatever `jobs` is."""
    from rich.progress import track

    tasks = [(scenario, seed, (engine, baselines)) for scenario in scenarios for seed in seeds]
    results: dict[str, list[Result]] = {}
    with ProcessPoolExecutor(jobs) as pool:
        played = pool.map(run, tasks, chunksize=4)
        for found in track(
            played, "episodes", len(tasks), console=console, transient=True, disable=not console.is_terminal
        ):
            for name, result in found:
                results.setdefault(name, []).append(result)
    return results


def by_scenario(results: Iterable[Result]) -> dict[str, Score]:
    """Scores of each scenario, in the order of the results."""
    groups: dict[str, list[Result]] = {}
    for one in results:
        groups.setdefault(one.scenario, []).append(one)
    return {name: add_up(group) for name, group in groups.items()}


def print_tables(results: dict[str, list[Result]], console: Console) -> None:
    """The first answerer by scenario, precision and recall of the others beside it; then all in full, over everything."""
    first, *others = results
    scores = {name: by_scenario(every) for name, every in results.items()}
    table = Table(title=f"{first}, by scenario", title_justify="left")
    table.add_column("scenario", no_wrap=True)
    for heading in COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    for name in others:
        table.add_column(f"{name}: precision / recall", justify="right", max_width=22)
    for scenario, score in scores[first].items():
        table.add_row(scenario, *_cells(score), *(_pair(scores[name][scenario]) for name in others))
    table.add_section()
    table.add_row(
        "all", *_cells(add_up(results[first])), *(_pair(add_up(results[name])) for name in others), style="bold"
    )
    console.print(table)
    table = Table(title="side by side, all scenarios", title_justify="left")
    table.add_column("")
    for heading in COLUMNS:
        table.add_column(heading, justify="right")
    for name, every in results.items():
        table.add_row(name, *_cells(add_up(every)))
    console.print(table)


def as_table(results: dict[str, list[Result]]) -> document.Table:
    """The engine by scenario and everybody over all of them, for the document of benchmarks."""
    rows = [(name, *_cells(score)) for name, score in by_scenario(results[ENGINE]).items()]
    rows += [(f"**all: {name}**", *_cells(add_up(every))) for name, every in results.items()]
    seeds = {one.seed for one in results[ENGINE]}
    return document.Table(
        "Whose fault it is",
        ("scenario", "episodes", "precision", "recall", "innocent blamed", "p50", "p90", "cause right"),
        tuple(rows),
        (
            f"Seeds {min(seeds)} – {max(seeds)} of `make evaluate`; what is measured is defined in tests/evaluation/__init__.py.",
            "Precision and recall of blaming a revision; innocent revisions blamed per episode.",
            "p50 and p90: from the first guilty error to the blame.",
        ),
    )


COLUMNS = ("episodes", "precision", "recall", "innocent", "p50", "p90", "cause")


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} s"


def _pair(score: Score) -> str:
    return f"{_ratio(score.precision)} / {_ratio(score.recall)}"


def _cells(score: Score) -> list[str]:
    return [
        str(score.episodes),
        _ratio(score.precision),
        _ratio(score.recall),
        _ratio(score.innocent),
        _seconds(score.p50_s),
        _seconds(score.p90_s),
        _ratio(score.known),
    ]


def as_json(results: dict[str, list[Result]]) -> str:
    """Scores of every answerer, the goals the engine missed, and the episodes it got wrong."""
    answer: dict[str, object] = {
        name: {
            "all": asdict(add_up(every)),
            "scenarios": {scenario: asdict(score) for scenario, score in by_scenario(every).items()},
            "wrong": [asdict(one) for one in every if one.innocent or not one.known or (one.guilty and not one.right)],
        }
        for name, every in results.items()
    }
    if ENGINE in results:
        answer["missed"] = misses(results[ENGINE])
    return json.dumps(answer, indent=1)


def misses(results: list[Result]) -> list[str]:
    """The goals that these results miss, in words."""
    return missed(add_up(results), by_scenario(results))
