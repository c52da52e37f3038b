"""What is wrong in a catalog, and where."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One mistake, or one thing that is probably not meant.

    Attributes:
        file: as the person named it. line: from 1; 0 = the file as a whole.
        path: of the field, () = the file as a whole.
        text: what is wrong. mend: what to write instead, "" when the text says it.
    """

    file: str
    line: int
    path: Path
    text: str
    mend: str = ""

    @property
    def place(self) -> str:
        """`reliability.yaml:17`"""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def field(self) -> str:
        """`services.auth.tier`, `severity[2].when.kind`"""
        return dotted(self.path)

    def __str__(self) -> str:
        """`reliability.yaml:17 services.auth.tier: must be 1 to 4; mend: 1 = most important`"""
        about = f" {self.field}" if self.path else ""
        return f"{self.place}{about}: {self.text}" + (f"; mend: {self.mend}" if self.mend else "")


def dotted(path: Path) -> str:
    """A path as people write it."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
