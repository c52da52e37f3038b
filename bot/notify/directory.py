"""Who is in a Slack user group. Rights depend on it, so it fails closed: no answer is never "not a member"."""

from __future__ import annotations

import time
from collections.abc import Callable

from slack_sdk.web.async_client import AsyncWebClient

from bot.notify.slack_errors import FAILURES, translated, within

_METHOD = "usergroups.users.list"


class Directory:
    """Answers from memory for a minute: a removed approver loses the right within that time.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(
        self, client: AsyncWebClient, *, lifetime_s: float = 60, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._known: dict[str, tuple[float, frozenset[str]]] = {}

    async def members(self, group_id: str) -> frozenset[str]:
        """Ids of the users in this group.

        Raises:
            Retryable: Slack did not answer.
            Permanent: no such group, or the app may not read groups.
        """
        read_at, users = self._known.get(group_id, (float("-inf"), frozenset()))
        if self._clock() - read_at < self._lifetime_s:
            return users
        try:
            call = self._client.usergroups_users_list(usergroup=group_id)
            answer = await within(call, float(self._client.timeout))
        except FAILURES as error:
            raise translated(error, f"{_METHOD} of {group_id}") from error
        users = frozenset(answer.get("users") or ())
        self._known[group_id] = (self._clock(), users)
        return users
