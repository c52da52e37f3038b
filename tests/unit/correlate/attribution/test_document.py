"""docs/attribution.md tells of every kind of evidence and of every cause."""

from __future__ import annotations

import re
from pathlib import Path

from bot.correlate.attribution.votes import VOTES
from bot.model.attribution import Cause

DOCUMENT = (Path(__file__).parents[4] / "docs" / "attribution.md").read_text(encoding="utf-8")


def _first_cells(heading: str) -> list[str]:
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_each_kind_of_evidence_is_told_in_the_order_of_the_list():
    assert _first_cells("Evidence") == [kind.__module__.rsplit(".", 1)[1] for kind in VOTES]


def test_each_cause_is_told():
    assert _first_cells("Causes") == [str(cause) for cause in Cause]
