"""What something that can run a suite again has to offer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.errors import UserError
from bot.model.rerun import RerunMode, RunProgress, RunResult
from bot.model.runner import SuiteRunner

_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/@+-]{0,199}")
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True)
class RunRequest:
    """One run that is asked for.

    Attributes:
        id: letters, digits and dashes; the same id is run once.
        runner: the suite's, from the catalog.
        ref: "" for what the runner takes by itself. tests: node ids, () for all.
        since: when it was requested; a run begun earlier is not this one.
        again: an earlier call with this id may have started it, and nobody knows.
    """

    id: str
    suite: str
    runner: SuiteRunner
    mode: RerunMode
    ref: str
    tests: tuple[str, ...]
    timeout: timedelta
    since: datetime
    again: bool = False

    def filled(self, text: str) -> str:
        """`text` with its placeholders filled in; what is filled in is never read for placeholders again."""
        values = {"id": self.id, "mode": str(self.mode), "ref": self.ref, "tests": " ".join(self.tests)}
        return _PLACEHOLDER.sub(lambda found: values.get(found.group(1), found.group()), text)


class Runner(Protocol):
    """All of them pass tests/contract/test_runners.py."""

    async def start(self, request: RunRequest) -> str:
        """Start it unless it runs already; returns the handle by which it is known from now on, after restarts too.

        Raises:
            Retryable: it could not be asked, or gave no clear answer; whether it runs is found out by the next call.
            Permanent: it will not run until a person has changed something.
        """
        ...

    async def poll(self, handle: str) -> RunProgress | RunResult:
        """How far it is; once it is over always the same result, until `cancel`.

        Raises:
            Retryable, Permanent: it could not be asked. A run that nobody knows any more is a result (LOST).
        """
        ...

    async def cancel(self, handle: str) -> None:
        """End it if it runs, with everything it started, and forget it. Safe to call at any time, and again.

        Raises:
            Retryable, Permanent: it could not be asked.
        """
        ...


def checked_ref(text: str) -> str:
    """A branch, tag or commit that can be passed on without being taken for an option or a path.

    Raises:
        UserError: it is none.
    """
    ref = text.strip().strip("`")
    if not _REF.fullmatch(ref) or ".." in ref or "//" in ref or ref.endswith((".lock", "/", ".")) or "@{" in ref:
        raise UserError(f"`{ref[:60]}` cannot be a branch, tag or commit.")
    return ref
