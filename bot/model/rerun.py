"""A rerun: somebody has a suite run again, and wants to know what is different now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class RerunMode(StrEnum):
    """What is run."""

    COLLECT = "collect"  # the tests are found and named, none is run
    FAILED = "failed"  # those that failed last
    ALL = "all"


class RerunState(StrEnum):
    """Requested → started → one of the others. What has not ended is under way."""

    REQUESTED = "requested"
    STARTED = "started"  # a runner has it
    FINISHED = "finished"  # it ended by itself, well or not
    TIMED_OUT = "timed_out"  # ended by us, because of time or too much output, or never heard of again
    LOST = "lost"  # its runner does not know it any more
    FAILED = "failed"  # it could not be started or followed

    @property
    def is_over(self) -> bool:
        return self not in {RerunState.REQUESTED, RerunState.STARTED}


class Ending(StrEnum):
    """How a run ended, as its runner says."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    TOO_MUCH_OUTPUT = "too_much_output"
    CANCELLED = "cancelled"
    LOST = "lost"


@dataclass(frozen=True)
class Ran:
    """What was run, and where: the place to look for the cause of a collection that finds nothing.

    Attributes:
        command: as one would type it. directory: absolute. pythonpath: "" when it is not set.
        rootdir, configfile, python, pytest: as pytest itself tells them; "" when it was not asked or did not say.
        ref: branch or tag. url: page of the run, where there is one.
    """

    command: str = ""
    directory: str = ""
    rootdir: str = ""
    configfile: str = ""
    python: str = ""
    pytest: str = ""
    pythonpath: str = ""
    ref: str = ""
    url: str = ""


@dataclass(frozen=True)
class RunProgress:
    """A run that goes on. fraction: 0–1, None: unknown. said: one short line, raw, "" for none."""

    fraction: float | None = None
    said: str = ""
    ran: Ran | None = None


@dataclass(frozen=True)
class Around:
    """What the files look like among which something ran, for causes that its output does not show.

    Attributes:
        files: Python files below the project's root, relative to it; the first some thousands.
        directory: where it ran, relative to the same root; "" is the root. sources: text of those that may be tests.
    """

    files: tuple[str, ...] = ()
    directory: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunResult:
    """A run that is over.

    Attributes:
        exit_code: of the command; None where the runner does not know it.
        succeeded: what the runner itself says; None where it says nothing but the exit code.
        report: a report file as it is, None where there is none. output: what was printed, raw, bounded.
        why: one line about an ending that is not EXITED, or why there is no report; "" for none.
        around: where the runner can look; only of a run that found no tests.
    """

    ending: Ending
    exit_code: int | None = None
    succeeded: bool | None = None
    report: bytes | None = None
    output: bytes = b""
    ran: Ran | None = None
    why: str = ""
    around: Around | None = None


@dataclass(frozen=True)
class NodeIds:
    """Some tests of many: the first of them, and how many there are."""

    total: int = 0
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What a rerun changed.

    Attributes:
        before, now: tests collected; `before` None: nobody knows.
        found: collected now and not before. missing: of the last good run, not collected now.
        failing: fail now and did not before. fixed: failed before and pass now. still: failed before and now.
    """

    before: int | None
    now: int
    found: NodeIds = NodeIds()
    missing: NodeIds = NodeIds()
    failing: NodeIds = NodeIds()
    fixed: NodeIds = NodeIds()
    still: NodeIds = NodeIds()


@dataclass(frozen=True)
class Rerun:
    """One rerun of a suite.

    Attributes:
        by: Slack user id, or "bot" where it tries again by itself. alarm: id of the alarm whose thread tells it; "".
        ref: branch or tag; "" for what is there. tests: node ids of the failed tests, () for all.
        handle: how its runner knows it, "" before it has it.
        verdict, why: of the result, "" before; `why` is raw. cause: title and mend of the likeliest cause, raw.
    """

    id: str
    suite: str
    mode: RerunMode
    by: str
    channel: str
    requested_at: datetime
    ref: str = ""
    alarm: str = ""
    state: RerunState = RerunState.REQUESTED
    tests: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    handle: str = ""
    tries: int = 0
    fraction: float | None = None
    said: str = ""
    ran: Ran | None = None
    exit_code: int | None = None
    verdict: str = ""
    why: str = ""
    cause: str = ""
    fix: str = ""
    difference: Difference | None = None
