"""How Slack says no: `{"ok": false, "error": <code>}`, sometimes with words, sometimes with an HTTP status."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any


class Refused(Exception):
    """Slack refuses, as in `raise Refused("channel_not_found")`.

    Args:
        error: Slack's own code.
        messages: what goes into `response_metadata.messages`, in Slack's "[ERROR] … [json-pointer:/…]" form.
        status: HTTP status; Slack answers almost every refusal with 200.
        headers: e.g. Retry-After.
        more: further top-level fields, e.g. `needed` and `provided` beside "missing_scope".
    """

    def __init__(
        self,
        error: str,
        *,
        messages: Sequence[str] = (),
        status: int = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.messages = tuple(messages)
        self.status = int(status)
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def body(self) -> dict[str, Any]:
        """The JSON that Slack would answer."""
        answer: dict[str, Any] = {"ok": False, "error": self.error, **self.more}
        if self.messages:
            answer["response_metadata"] = {"messages": list(self.messages)}
        return answer


def invalid_arguments(*messages: str) -> Refused:
    """The refusal of arguments of the wrong form, in words."""
    return Refused("invalid_arguments", messages=[f"[ERROR] {message}" for message in messages])
