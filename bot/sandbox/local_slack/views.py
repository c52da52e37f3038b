"""Modals (a stack of up to three for each person) and App Home tabs. No I/O; every change is told.

Not imitated: views shared between several apps (only this app's views exist), and `submit_disabled`.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.sandbox.local_slack.changes import ChangeKind
from bot.sandbox.local_slack.elements import Values, state_of
from bot.sandbox.local_slack.ids import new_id
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import with_ids
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.workspace import Workspace

MOST_STACKED = 3
KEPT = (
    "title",
    "submit",
    "close",
    "private_metadata",
    "callback_id",
    "external_id",
    "clear_on_close",
    "notify_on_close",
)


@dataclass(frozen=True, slots=True)
class View:
    id: str
    user: str
    kind: str  # modal | home
    content: Json
    blocks: tuple[Json, ...]
    hash: str
    root_id: str
    previous_id: str | None = None
    touched: tuple[tuple[str, str, Json], ...] = ()  # (block_id, action_id, entry)

    @property
    def external_id(self) -> str:
        return str(self.content.get("external_id") or "")

    def values(self) -> Values:
        touched: Values = {}
        for block_id, action_id, entry in self.touched:
            touched.setdefault(block_id, {})[action_id] = entry
        return state_of(self.blocks, touched)

    def touch(self, block_id: str, action_id: str, entry: Json) -> "View":
        kept = tuple(each for each in self.touched if each[:2] != (block_id, action_id))
        return replace(self, touched=(*kept, (block_id, action_id, entry)))


class Views:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.homes: dict[str, View] = {}
        self._stacks: dict[str, list[View]] = {}

    def stack(self, user: str) -> list[View]:
        """The modals that this person has open, the one on top last."""
        return list(self._stacks.get(user, ()))

    def get(self, view_id: str) -> View:
        for view in (*self.homes.values(), *(view for stack in self._stacks.values() for view in stack)):
            if view.id == view_id:
                return view
        raise Refused("not_found")

    def by_external_id(self, external_id: str) -> View:
        for stack in self._stacks.values():
            for view in stack:
                if view.external_id == external_id:
                    return view
        raise Refused("not_found")

    def open(self, user: str, content: Json) -> View:
        if self._stacks.get(user):
            self.clear(user)
        return self._put(user, content, previous=None)

    def push(self, user: str, content: Json) -> View:
        stack = self._stacks.get(user, [])
        if not stack:
            raise Refused("not_found")
        if len(stack) >= MOST_STACKED:
            raise Refused("push_limit_reached")
        return self._put(user, content, previous=stack[-1])

    def _put(self, user: str, content: Json, *, previous: View | None) -> View:
        self._refuse_duplicate(content, but=None)
        view_id = new_id("V")
        view = View(
            id=view_id,
            user=user,
            kind="modal",
            content=content,
            blocks=with_ids(content["blocks"]),
            hash=new_hash(self.workspace),
            root_id=previous.root_id if previous else view_id,
            previous_id=previous.id if previous else None,
        )
        self._stacks.setdefault(user, []).append(view)
        self._tell(ChangeKind.VIEW_OPENED, view)
        return view

    def update(self, view: View, content: Json, *, expected_hash: str = "") -> View:
        """Replace a view's content; what was entered stays where block_id and action_id are the same."""
        if expected_hash and expected_hash != view.hash:
            raise Refused("hash_conflict")
        self._refuse_duplicate(content, but=view.id)
        changed = replace(view, content=content, blocks=with_ids(content["blocks"]), hash=new_hash(self.workspace))
        self._replace(changed)
        self._tell(ChangeKind.VIEW_UPDATED, changed)
        return changed

    def publish(self, user: str, content: Json, *, expected_hash: str = "") -> View:
        home = self.homes.get(user)
        if home and expected_hash and expected_hash != home.hash:
            raise Refused("hash_conflict")
        view_id = home.id if home else new_id("V")
        view = View(view_id, user, "home", content, with_ids(content["blocks"]), new_hash(self.workspace), view_id)
        self.homes[user] = view
        self._tell(ChangeKind.HOME_PUBLISHED, view)
        return view

    def touch(self, view: View, block_id: str, action_id: str, entry: Json) -> View:
        touched = view.touch(block_id, action_id, entry)
        self._replace(touched)
        return touched

    def close(self, view: View) -> None:
        """Take one modal off the stack, and those above it."""
        stack = self._stacks.get(view.user, [])
        position = next((index for index, each in enumerate(stack) if each.id == view.id), None)
        if position is None:
            raise Refused("not_found")
        for closed in reversed(stack[position:]):
            self._tell(ChangeKind.VIEW_CLOSED, closed)
        del stack[position:]

    def clear(self, user: str) -> None:
        for closed in reversed(self._stacks.pop(user, [])):
            self._tell(ChangeKind.VIEW_CLOSED, closed)

    def as_json(self, view: View) -> Json:
        app, team = self.workspace.app, self.workspace.team
        shown: Json = {
            "id": view.id,
            "team_id": team.id,
            "type": view.kind,
            "blocks": list(view.blocks),
            "private_metadata": "",
            "callback_id": "",
            "state": {"values": view.values()},
            "hash": view.hash,
            "title": {"type": "plain_text", "text": "View Title", "emoji": True},
            "clear_on_close": False,
            "notify_on_close": False,
            "close": None,
            "submit": None,
            "previous_view_id": view.previous_id,
            "root_view_id": view.root_id,
            "app_id": app.id,
            "external_id": "",
            "app_installed_team_id": team.id,
            "bot_id": app.bot_id,
        }
        return shown | {key: view.content[key] for key in KEPT if key in view.content}

    def _refuse_duplicate(self, content: Json, *, but: str | None) -> None:
        external_id = content.get("external_id")
        taken = [each for stack in self._stacks.values() for each in stack if each.id != but]
        if external_id and any(each.external_id == external_id for each in taken):
            raise Refused("duplicate_external_id")

    def _replace(self, view: View) -> None:
        self._map(view.user, lambda each: view if each.id == view.id else each)

    def _map(self, user: str, change: Callable[[View], View]) -> None:
        self._stacks[user] = [change(each) for each in self._stacks.get(user, [])]
        if user in self.homes:
            self.homes[user] = change(self.homes[user])

    def _tell(self, kind: ChangeKind, view: View) -> None:
        self.workspace.tell(kind, self.as_json(view), user=view.user)


def new_hash(workspace: Workspace) -> str:
    return f"{workspace.now_seconds()}.{secrets.token_hex(4)}"
