"""What a catalog or a repository tells beside the signals. All of it may be absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.model.commit_tests import SuiteWord


@dataclass(frozen=True)
class Known:
    """Facts by service name as in the signals.

    Attributes:
        depends_on: names of what each service needs that nobody here deploys ("postgres").
        calls: the services that each service calls.
        changed_files: files that each revision's commit touched, by revision.
        tested: what the suites that guard its service said of each revision's commit, by revision.
    """

    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    changed_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tested: Mapping[str, tuple[SuiteWord, ...]] = field(default_factory=dict)
