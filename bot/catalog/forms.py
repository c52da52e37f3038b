"""What is found in a catalog, and the forms that several of its sections share."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.catalog.problem import Path

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
CHANNEL = re.compile(r"[CG][A-Z0-9]{4,20}")
PERSON = re.compile(r"[UWS][A-Z0-9]{4,20}")
PROJECT = re.compile(r"([a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
REGION = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Finding:
    """A mistake (or, not `is_error`, something probably not meant) at one path of the catalog.

    Attributes:
        is_reference: it says that a name means nothing.
    """

    path: Path
    text: str
    mend: str = ""
    is_error: bool = True
    is_reference: bool = False


def key(path: Path, key: str) -> Iterator[Finding]:
    if not KEY.fullmatch(key):
        yield Finding(path, "must be a short name", "letters, digits, - and _ only: it is typed in Slack")


def fraction(path: Path, value: float | None) -> Iterator[Finding]:
    if value is not None and not 0 <= value <= 1:
        yield Finding(path, "must be 0 to 1", f"{value / 100:g}?" if 1 < value <= 100 else "0.95 = 95 %")


def people(path: Path, ids: Iterable[str], *, indexed: bool = True) -> Iterator[Finding]:
    for index, text in enumerate(ids):
        if not PERSON.fullmatch(text):
            mend = "a user's id begins with U or W, a user group's with S"
            yield Finding((*path, index) if indexed else path, "must be the id of a Slack user or user group", mend)


def known(path: Path, name: str, known: Iterable[str] | Mapping[str, object], noun: str) -> Iterator[Finding]:
    names = [str(k) for k in known]
    if name not in names:
        nearest = difflib.get_close_matches(name, names, 1)
        mend = f"{nearest[0]}?" if nearest else (f"one of {', '.join(sorted(names))}" if names else "")
        yield Finding(path, f"there is no {noun} of this name", mend, is_reference=True)
