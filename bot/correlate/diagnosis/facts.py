"""What a diagnosis may know besides the log: what Cloud Run and the catalog say about the revision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.model.cloud_run import Revision

DEFAULT_PORT = 8080


@dataclass(frozen=True)
class Facts:
    """What is known about the revision besides its log; everything optional.

    Attributes:
        expected_port: where Cloud Run sends requests. None: unknown.
        condition_messages: messages of the revision's conditions that are not True.
        env_names: names of the variables that are set on the revision; () also when unknown.
        required_env: names that the catalog says the service needs.
        ready: as `Revision.ready`. False: it never served, so nothing can be rolled back.
        commit: short SHA of the deploy, named in the advice.
    """

    expected_port: int | None = None
    condition_messages: tuple[str, ...] = ()
    env_names: tuple[str, ...] = ()
    required_env: tuple[str, ...] = ()
    ready: bool | None = None
    commit: str | None = None

    @classmethod
    def of(cls, revision: Revision, *, required_env: Iterable[str] = (), commit: str | None = None) -> Facts:
        """Facts of a revision as Cloud Run describes it."""
        return cls(
            expected_port=revision.port or DEFAULT_PORT,
            condition_messages=(revision.message,) if revision.message and revision.ready is not True else (),
            env_names=revision.env_names,
            required_env=tuple(required_env),
            ready=revision.ready,
            commit=commit or revision.labels.get("commit-sha"),
        )

    @property
    def revert(self) -> str:
        """The deploy's change, for advice: "revert a1b2c3d"."""
        return f"revert {self.commit[:7]}" if self.commit else "revert the commit"
