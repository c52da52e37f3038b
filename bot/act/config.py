"""How suites are run again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr


class RerunConfig(BaseModel, frozen=True, extra="forbid"):
    """Reruns on this machine."""

    directory: Path | None = Field(
        default=None,
        description="Where running tests keep what they print, a folder for each run; unset = below the system's "
        "directory for temporary files. Keep it through restarts, and a run goes on over them.",
        examples=["/var/lib/reliability/runs"],
    )


class GitHubConfig(BaseModel, frozen=True, extra="forbid"):
    """Reruns by GitHub Actions."""

    token: SecretStr | None = Field(
        default=None,
        description="Token that may start workflows: fine-grained, with Actions read and write on the repositories of "
        "the catalog's runners.",
        examples=["github_pat_…"],
    )
    api_url: str = Field(
        default="https://api.github.com",
        pattern=r"^(https://[^\s/]+|http://(127\.0\.0\.1|localhost|\[::1\]))(:[0-9]{1,5})?(/\S*)?$",
        description="Address of GitHub's REST API; another one for GitHub Enterprise.",
        examples=["https://github.acme.example/api/v3"],
    )
    timeout: timedelta = Field(
        default=timedelta(seconds=10), description="Give up one call to GitHub after this.", examples=["PT10S"]
    )
