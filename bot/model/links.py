"""Where a person looks next, and what they would type themselves: links and gcloud lines. Pure text."""

from __future__ import annotations

import re
import shlex
from datetime import datetime
from urllib.parse import quote, urlsplit

from bot.model.catalog import Place, Service
from bot.model.cloud_run import TrafficSplit
from bot.model.log_query import for_people

_CONSOLE = "https://console.cloud.google.com"
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")


def gcloud_line(place: Place, split: TrafficSplit) -> str:
    """The command that writes this split by hand; tags stay as they are, gcloud keeps them."""
    shares = ",".join(f"{revision}={percent}" for revision, percent in split.serving.items())
    return f"{_update_traffic(place)} {shlex.quote(f'--to-revisions={shares}')}"


def release_line(place: Place) -> str:
    """The command that lets traffic follow the latest ready revision again."""
    return f"{_update_traffic(place)} --to-latest"


def logs_explorer_url(place: Place, revision: str, since: datetime) -> str:
    """Logs Explorer with the query filled in; a timestamp inside the query wins over the page's own time range.

    Args:
        since: for a failing revision when it was deployed, so that what it said while it started is seen too.
    """
    query = quote(for_people(place, revision, since), safe="")
    return f"{_CONSOLE}/logs/query;query={query}?project={quote(place.deployment.project, safe='')}"


def revisions_url(place: Place) -> str:
    """The service's revisions and traffic in the Cloud console (a single revision has no page of its own)."""
    deployment = place.deployment
    region, service = quote(deployment.region, safe=""), quote(deployment.cloud_run, safe="")
    return f"{_CONSOLE}/run/detail/{region}/{service}/revisions?project={quote(deployment.project, safe='')}"


def commit_url(service: Service, commit: str | None) -> str | None:
    """The commit in the service's repository; None without a repository or when `commit` is not a SHA.

    The SHA comes from labels that anybody who deploys may set, so nothing else gets into a link.
    """
    if not service.repository or not commit or not _COMMIT.fullmatch(commit):
        return None
    repository = service.repository.rstrip("/").removesuffix(".git")
    host = urlsplit(repository).hostname or ""
    path = "/-/commit/" if "gitlab" in host else "/commits/" if "bitbucket" in host else "/commit/"
    return f"{repository}{path}{commit.lower()}"


def _update_traffic(place: Place) -> str:
    deployment = place.deployment
    return shlex.join(
        (
            *("gcloud", "run", "services", "update-traffic", deployment.cloud_run),
            f"--project={deployment.project}",
            f"--region={deployment.region}",
        )
    )
