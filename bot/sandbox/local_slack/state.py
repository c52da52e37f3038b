"""What a Web API method can reach: the workspace and the short-lived things beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.sandbox.local_slack.ids import Clock
from bot.sandbox.local_slack.tokens import Tokens
from bot.sandbox.local_slack.triggers import Triggers
from bot.sandbox.local_slack.uploads import Uploads
from bot.sandbox.local_slack.views import Views
from bot.sandbox.local_slack.workspace import Workspace


@dataclass(slots=True)
class State:
    """Everything a method may read or change.

    Attributes:
        base_url: where this server is reached, without a slash at the end.
        issue_link: gives out the address of a new Socket Mode connection.
        edit_window: after this, messages cannot be edited any more; None: always editable.
    """

    clock: Clock
    workspace: Workspace
    tokens: Tokens
    triggers: Triggers
    views: Views
    uploads: Uploads
    base_url: str
    issue_link: Callable[[str], str]
    edit_window: timedelta | None = None
