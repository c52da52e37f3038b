"""python -m tests.bench [NAME …] [--write docs/benchmarks.md]: measures, prints tables, rewrites the document's section.

A benchmark is a module beside this one with `measure() -> Table`, listed in BENCHMARKS. `--write` replaces what stands
between the benchmark's marks in the document.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

from tests.bench.table import Table, write

BENCHMARKS = ("fingerprints", "reports", "attribution")


def show(console: Console, table: Table) -> None:
    grid = RichTable(title=table.title, title_justify="left")
    for position, column in enumerate(table.columns):
        grid.add_column(column, justify="right" if position else "left")
    for row in table.rows:
        grid.add_row(*row)
    console.print(grid)
    for note in table.notes:
        console.print(f"  {note}", highlight=False, markup=False)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures; see docs/benchmarks.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also rewrite the marked sections of this document")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    console = Console(width=None if sys.stdout.isatty() else 120)
    for name in asked.names or BENCHMARKS:
        table = import_module(f"tests.bench.{name}").measure()
        show(console, table)
        if asked.write:
            write(asked.write, name, table)


if __name__ == "__main__":
    main()
