"""What app.py built, handed to commands and workflows. Passed, never global."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.act.health import HealthAnswer
from bot.act.runner import Runner
from bot.act.target import RollbackTarget
from bot.decide.timing import WatchConfig
from bot.model.catalog import Catalog, Place
from bot.model.evidence import LogEntry, RequestCount, RequestPoint, Window
from bot.notify.notifier import Notifier
from bot.store.database import Database

CountRequests = Callable[[Place, Sequence[str], Window], Awaitable[Mapping[str, RequestCount]]]
"""(place, revisions, window) → requests of each revision; raises only Retryable or Permanent."""

ReadEntries = Callable[[Place, str, Window], Awaitable[tuple[list[LogEntry], bool]]]
"""(place, revision, window) → (entries oldest first, True when none was left unread); raises as above."""

ReadErrors = Callable[[Place, Window], Awaitable[tuple[list[LogEntry], bool]]]
"""(place, window) → (what went wrong in every service of the place's project and region, oldest first, and whether that
is all); failed requests included; raises as above."""

ReadTraffic = Callable[[Place, Window], Awaitable[tuple[RequestPoint, ...]]]
"""(place, window) → Cloud Monitoring's request counts of every service of the place's project and region, oldest
first; late by minutes; raises as above."""


@dataclass(frozen=True)
class Deps:
    """Attributes:
    members: Slack user-group id → its users' ids; raises Retryable when Slack does not answer.
    check_health: (uri of the service, path) → how it answers.
    runners: kind of the catalog → where suites of this kind are run again.
    now: aware UTC. wake_outbox: there is something to say.
    """

    db: Database
    catalog: Catalog
    count_requests: CountRequests
    read_entries: ReadEntries
    read_errors: ReadErrors
    read_traffic: ReadTraffic
    target: RollbackTarget
    notifiers: Sequence[Notifier]
    members: Callable[[str], Awaitable[frozenset[str]]]
    check_health: Callable[[str, str], Awaitable[HealthAnswer]]
    now: Callable[[], datetime]
    wake_outbox: Callable[[], None]
    watch: WatchConfig
    dry_run: bool
    runners: Mapping[str, Runner] = field(default_factory=dict)
