"""python -m tests.bench [NAME …] [--write docs/benchmarks.md]: measures, prints tables, rewrites the document's section.

A benchmark is a module beside this one with `measure() -> Table`, listed in BENCHMARKS. `--write` replaces what stands
between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`; a document without the marks gets them at its end.
"""

from __future__ import annotations

import argparse
import platform
import re
import sys
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

from tests.bench.table import Table

BENCHMARKS = ("fingerprints",)


def show(console: Console, table: Table) -> None:
    grid = RichTable(title=table.title, title_justify="left")
    for position, column in enumerate(table.columns):
        grid.add_column(column, justify="right" if position else "left")
    for row in table.rows:
        grid.add_row(*row)
    console.print(grid)
    for note in table.notes:
        console.print(f"  {note}", highlight=False, markup=False)


def write(document: Path, name: str, table: Table) -> None:
    """Replaces the section of one benchmark; everything else in the document stays."""
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    machine = f"Python {platform.python_version()}, {platform.machine()}."
    section = f"{begin}\n{table.markdown()}- {machine}\n{end}"
    text = document.read_text(encoding="utf-8") if document.exists() else "# Benchmarks\n"
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    new = marked.sub(lambda _: section, text) if marked.search(text) else f"{text.rstrip()}\n\n{section}\n"
    document.write_text(new, encoding="utf-8")


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
