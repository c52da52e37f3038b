"""What somebody told us: the fact inside a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """What happened, as far as the sender knew."""

    DEPLOY = "deploy"  # a service was created, replaced or updated: a revision may follow
    TRAFFIC = "traffic"  # a service was updated in nothing but its traffic: no revision follows
    REVISION_READY = "revision_ready"
    REVISION_FAILED = "revision_failed"  # a revision did not become ready
    CONFIG = "config"  # a setting or a secret that it uses was changed without a deploy; `detail` names it
    REFUSED = "refused"  # Cloud Run refused the change: nothing changed


@dataclass(frozen=True)
class DeployEvent:
    """One fact about one Cloud Run service, normalised from any source.

    Attributes:
        id: deterministic, `<source>:<delivery id>`: the same delivery is the same event, and the workflow's id.
        source: "pubsub" or "webhook"; a new source adds its own word.
        service: as Cloud Run names it; "" for a secret, which any service may use.
        revision: short name (`auth-service-00283-qab`), None where the source cannot know it yet.
        author: e-mail or name of who did it. commit: SHA. Both None when unknown.
        at: when it happened, by the sender's clock. received_at: by ours.
        detail: the sender's message on failure, what was changed for CONFIG, "" otherwise; shown redacted.
        files: paths that the commit changed, as the sender names them; () when unknown.
    """

    id: str
    source: str
    kind: EventKind
    project: str
    region: str | None
    service: str
    revision: str | None
    at: datetime
    received_at: datetime
    commit: str | None = None
    author: str | None = None
    detail: str = ""
    files: tuple[str, ...] = ()
