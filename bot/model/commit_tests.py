"""What test suites said of one commit: beside the deploy that was made of it, and on the card of what came of that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Said(StrEnum):
    """What a suite says of a commit, all its runs of that commit taken together."""

    NOT_COLLECTED = "not_collected"  # its tests were not found: nothing was tried
    FAILED = "failed"
    UNREADABLE = "unreadable"  # nobody knows: not green
    NO_RUN = "no_run"  # nobody reported one, so far
    COLLECTED = "collected"  # its tests were found, and not run
    PASSED = "passed"


BAD = frozenset({Said.NOT_COLLECTED, Said.FAILED, Said.UNREADABLE})
"""What a deploy is warned of."""


@dataclass(frozen=True)
class SuiteWord:
    """One suite about one commit.

    Attributes:
        failed: tests that count as failed; total: all that it had. Both 0 where nothing was run.
        tests: node ids of the first of the failed, raw. muted: failing tests that are in quarantine.
        vanished: tests that this run did not have any more.
        reason: why nothing was collected or read, raw; "" otherwise.
        at: when the run that decides this ended; None: there is none.
        is_news: what is wrong began with this commit, as far as is known; False: it was so before.
    """

    suite: str
    said: Said
    failed: int = 0
    total: int = 0
    tests: tuple[str, ...] = ()
    muted: int = 0
    vanished: int = 0
    reason: str = ""
    at: datetime | None = None
    is_news: bool = True


@dataclass(frozen=True)
class CommitTests:
    """What the suites that guard a service said of the commit that one of its revisions was made of.

    Attributes:
        service: its key in the catalog. suites: the worst first.
    """

    service: str
    revision: str
    commit: str
    suites: tuple[SuiteWord, ...]

    @property
    def bad(self) -> tuple[SuiteWord, ...]:
        """The suites that a deploy of this commit is warned of."""
        return tuple(word for word in self.suites if word.said in BAD)
