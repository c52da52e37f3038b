"""Looks around among the files where tests were not found: which modules there are, and which may be tests."""

from __future__ import annotations

import os
from pathlib import Path

from bot.model.rerun import Around

MOST_FILES = 5_000
MOST_SOURCES = 200
LARGEST_SOURCE = 200_000
_NOT_OURS = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist", "venv"})


def look_around(root: Path, directory: Path) -> Around:
    """Args: root: of the project. directory: where the tests ran, inside it. What cannot be read is left out."""
    files: list[str] = []
    sources: dict[str, str] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _NOT_OURS and not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".py") and len(files) < MOST_FILES:
                path = Path(folder) / name
                relative = path.relative_to(root).as_posix()
                files.append(relative)
                if "test" in relative.casefold() and len(sources) < MOST_SOURCES:
                    sources |= _source(path, relative)
        if len(files) >= MOST_FILES:
            break
    where = directory.relative_to(root).as_posix()
    return Around(tuple(files), "" if where == "." else where, sources)


def _source(path: Path, name: str) -> dict[str, str]:
    try:
        if path.stat().st_size > LARGEST_SOURCE:
            return {}
        return {name: path.read_text(encoding="utf-8", errors="replace")}
    except OSError:
        return {}
