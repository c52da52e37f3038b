"""What a recogniser is given and gives. Two kinds: one looks at a lost module's error, one at the whole run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.model.test_run import CollectionError, DiscoveryCause, TestReport
from bot.reports.surroundings import Surroundings


@dataclass(frozen=True)
class Evidence:
    """Attributes:
    exit_code: the runner's, None when nobody said. surroundings: None when nobody looked.
    """

    report: TestReport
    exit_code: int | None = None
    surroundings: Surroundings | None = None

    @property
    def text(self) -> str:
        """All that was said: the output, and the messages of what failed."""
        return "\n".join([self.report.said, *(one.text or one.message for one in self.report.failures)])


OfModule = Callable[[CollectionError, Evidence], DiscoveryCause | None]
OfRun = Callable[[Evidence], DiscoveryCause | None]


def line_with(text: str, pattern: re.Pattern[str]) -> str:
    """The line in which `pattern` is first found (begins), without pytest's `E   `; "" when it is not there."""
    match = pattern.search(text)
    if match is None:
        return ""
    start = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.start())
    line = text[start : end if end >= 0 else len(text)]
    return re.sub(r"^E\s+", "", line).strip()[:500]
