"""pytest's last line: `3 failed, 2 passed, 1 warning in 0.52s`, `1/3 tests collected (2 deselected), 1 error in 0.1s`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(
    r"^=*\s*(?P<told>(?:no tests (?:ran|collected)|\d+(?:/\d+)? \w+)[^=\n]{0,300}?) in (?P<seconds>\d+(?:\.\d+)?) ?s(?:econds)?"
    r"(?: \([\d:]+(?:, [^)]*)?\)| \(\d[^)]*\))?\s*=*$"
)
_COLLECTED = re.compile(r"(?:no tests|(?P<kept>\d+)(?:/(?P<all>\d+))? tests?) collected")
_PART = re.compile(r"(\d+) (failed|passed|skipped|xfailed|xpassed|errors?|error|deselected|warnings?|rerun)\b")


@dataclass(frozen=True)
class Summary:
    """Attributes:
    collected: tests that `--collect-only` named, those deselected not included; None after a run.
    deselected: None when the line does not speak of it. skipped: with those expected to fail. seconds: None if unknown.
    """

    collected: int | None = None
    deselected: int | None = None
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    seconds: float | None = None

    @property
    def ran(self) -> int:
        """How many results a run gave; errors alone may all be modules that were not collected."""
        return self.passed + self.failed + self.skipped

    @property
    def ran_tests(self) -> int:
        return self.ran + self.errors


def read_summary(line: str) -> Summary | None:
    """The totals of a line that ends a session; None for every other line."""
    match = _LINE.match(line) if " in " in line else None  # most lines are done with here
    if match is None:
        return None
    told = match["told"]
    collected = _COLLECTED.search(told)
    counts: dict[str, int] = {}
    for number, word in _PART.findall(told):
        counts[word.rstrip("s")] = counts.get(word.rstrip("s"), 0) + int(number)
    if collected is None and not counts and "no tests ran" not in told:
        return None
    return Summary(
        collected=int(collected["kept"] or 0) if collected else None,
        deselected=counts.get("deselected"),
        passed=counts.get("passed", 0) + counts.get("xpassed", 0),
        failed=counts.get("failed", 0),
        errors=counts.get("error", 0),
        skipped=counts.get("skipped", 0) + counts.get("xfailed", 0),
        seconds=float(match["seconds"]),
    )
