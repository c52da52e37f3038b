"""What Google Cloud Run says now, in our words. Read by `bot.gcp.run`, moved by `bot.act`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class TrafficTarget:
    """One line of a traffic split.

    Attributes:
        revision: short name; None means LATEST (follows the latest ready revision), in the wish only.
        percent: 0–100; 0 with a tag is a tag-only entry.
    """

    revision: str | None
    percent: int
    tag: str | None = None


@dataclass(frozen=True)
class TrafficSplit:
    """Percent per revision. `targets` keeps Cloud Run's order, tag-only entries included."""

    targets: tuple[TrafficTarget, ...] = ()

    @property
    def serving(self) -> dict[str, int]:
        """Revision → percent, for named revisions with percent > 0, largest first."""
        shares: dict[str, int] = {}
        for target in self.targets:
            if target.revision is not None and target.percent > 0:
                shares[target.revision] = shares.get(target.revision, 0) + target.percent
        return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))

    @property
    def follows_latest(self) -> bool:
        """True when some traffic goes to LATEST: a new deploy will take it by itself."""
        return any(target.revision is None and target.percent > 0 for target in self.targets)

    @property
    def tags(self) -> tuple[TrafficTarget, ...]:
        return tuple(target for target in self.targets if target.tag)

    def __str__(self) -> str:
        """`auth-service-00281-kzq 100 %`; "nothing" when nothing serves."""
        return ", ".join(f"{name} {percent} %" for name, percent in self.serving.items()) or "nothing"


@dataclass(frozen=True)
class Revision:
    """One immutable revision.

    Attributes:
        ready: True/False as its Ready condition says, None while Cloud Run has not decided.
        reason: enum word of the failing condition ("HEALTH_CHECK_CONTAINER_ERROR"), "" when none.
        message: the condition's message, as Google wrote it; untrusted text.
        image: with digest where known. port: the container port of the template, None = default 8080.
        secrets: short names of the secrets that it uses, as variables or files.
        labels: user labels (`commit-sha`, `managed-by`, `gcb-build-id` …).
    """

    name: str
    created_at: datetime
    ready: bool | None
    reason: str = ""
    message: str = ""
    image: str = ""
    port: int | None = None
    env_names: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    creator: str | None = None
    ready_at: datetime | None = None
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceState:
    """A Cloud Run service and its newest revisions at one moment.

    Attributes:
        wish: `traffic`, what was asked for. fact: `traffic_statuses`, what is served (LATEST is named).
        latest_created, latest_ready: short names, "" when there is none.
        reconciling: Cloud Run is still working: states are transient, wait before judging.
        revisions: newest first; at least those that serve, latest created and latest ready.
    """

    name: str
    uri: str
    etag: str
    wish: TrafficSplit
    fact: TrafficSplit
    latest_created: str
    latest_ready: str
    reconciling: bool
    failed: bool = False
    reason: str = ""
    message: str = ""
    last_modifier: str | None = None
    updated_at: datetime | None = None
    revisions: tuple[Revision, ...] = ()

    def revision(self, name: str) -> Revision | None:
        return next((r for r in self.revisions if r.name == name), None)
