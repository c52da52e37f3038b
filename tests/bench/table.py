"""What a benchmark hands back, and how it gets into a document."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """One benchmark's result. Each row has as many cells as there are columns; `notes` say how it was measured."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        lines = [f"### {self.title}", "", f"| {' | '.join(self.columns)} |", f"|{' --- |' * len(self.columns)}"]
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes)]).rstrip() + "\n"


def write(document: Path, name: str, table: Table) -> None:
    """Replaces what stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`; a document without these marks gets
    them at its end. Everything else in it stays.
    """
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    machine = f"Python {platform.python_version()}, {platform.machine()}."
    section = f"{begin}\n{table.markdown()}- {machine}\n{end}"
    text = document.read_text(encoding="utf-8") if document.exists() else "# Benchmarks\n"
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    new = marked.sub(lambda _: section, text) if marked.search(text) else f"{text.rstrip()}\n\n{section}\n"
    document.write_text(new, encoding="utf-8")
