"""What people do in views: touch an element, submit, close; and what the app's answer does to the view.

Not imitated: `response_url_enabled`, and checks of what was entered beyond "required".
"""

from typing import Any

from bot.sandbox.local_slack.app_line import AppLine
from bot.sandbox.local_slack.changes import ChangeKind
from bot.sandbox.local_slack.elements import STATELESS, Choice, NotThere, action, chosen, find, interactive, is_empty
from bot.sandbox.local_slack.entities import User
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.parcels import NotDelivered, Parcel, ParcelKind
from bot.sandbox.local_slack.payloads import Sender
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.state import State
from bot.sandbox.local_slack.view_check import checked_view
from bot.sandbox.local_slack.views import View

TROUBLE = "We had some trouble connecting. Try again?"
REQUIRED = "Please complete this required field."


class Forms:
    def __init__(self, state: State, sender: Sender, line: AppLine) -> None:
        self.state = state
        self.workspace = state.workspace
        self.views = state.views
        self.sender = sender
        self.line = line

    async def click(
        self,
        *,
        user: str,
        view_id: str,
        block_id: str,
        action_id: str,
        choice: Choice = None,
        values: Json | None = None,
    ) -> None:
        """Press or choose in a modal or App Home; `values` is what was entered meanwhile, as for submit."""
        person, view = self._seen(user, view_id)
        view = self._enter(view, values or {})
        found = find(view.blocks, block_id, action_id)
        if found.element["type"] not in STATELESS:
            view = self.views.touch(view, block_id, action_id, chosen(found.element, choice))
        payload = self.sender.click_in_view(
            user=person,
            view=self.views.as_json(view),
            actions=[action(found, choice, self.workspace.stamps.next())],
            trigger_id=self.state.triggers.issue(person.id),
        )
        try:
            await self.line.deliver(Parcel(ParcelKind.INTERACTIVE, payload))
        except NotDelivered as failed:
            self._trouble(view, failed.shown)

    async def submit(self, *, user: str, view_id: str, values: Json) -> Json:
        """Submit a modal.

        Args:
            values: {block_id: {action_id: what was entered}}; a text, an option's value, a list of them.

        Returns:
            {"outcome": "closed" | "errors" | "updated" | "pushed" | "cleared" | "failed", "errors": {…}, "view": …}
        """
        person, view = self._seen(user, view_id)
        view = self._enter(view, values)
        missing = self._missing(view)
        if missing:
            return self._refused(view, missing)
        payload = self.sender.view_submission(
            user=person, view=self.views.as_json(view), trigger_id=self.state.triggers.issue(person.id)
        )
        try:
            answer = await self.line.deliver(Parcel(ParcelKind.INTERACTIVE, payload, wants_answer=True))
            return self._obey(view, answer or {})
        except NotDelivered as failed:
            return self._trouble(view, failed.shown)
        except Refused as refused:
            return self._trouble(view, refused.error, refused.messages)

    async def close(self, *, user: str, view_id: str, everything: bool = False) -> None:
        """Close a modal: this one, or the whole stack; the app is told if the view asked for it."""
        person, view = self._seen(user, view_id)
        everything = everything or bool(view.content.get("clear_on_close"))
        closed = self.views.stack(person.id) if everything else [view]
        if everything:
            self.views.clear(person.id)
        else:
            self.views.close(view)
        for each in reversed(closed):
            if each.content.get("notify_on_close"):
                shown = self.views.as_json(each)
                payload = self.sender.view_closed(user=person, view=shown, is_cleared=everything)
                self.line.send_once(Parcel(ParcelKind.INTERACTIVE, payload))

    def _seen(self, user: str, view_id: str) -> tuple[User, View]:
        person = self.workspace.user(user)
        home = self.views.homes.get(person.id)
        for view in (*self.views.stack(person.id), *((home,) if home else ())):
            if view.id == view_id:
                return person, view
        raise NotThere(f"{person.name} has no view {view_id}")

    def _enter(self, view: View, values: Json) -> View:
        for block_id, entries in values.items():
            for action_id, choice in entries.items():
                found = find(view.blocks, block_id, action_id)
                view = self.views.touch(view, block_id, action_id, chosen(found.element, choice))
        return view

    def _missing(self, view: View) -> dict[str, str]:
        values = view.values()
        return {
            found.block["block_id"]: REQUIRED
            for found in interactive(view.blocks)
            if found.is_required and is_empty(values[found.block["block_id"]][found.element["action_id"]])
        }

    def _obey(self, view: View, answer: Json) -> Json:
        match answer.get("response_action"):
            case None:
                self.views.close(view)
                return outcome("closed")
            case "errors":
                return self._refused(view, dict(answer.get("errors") or {}))
            case "update":
                changed = self.views.update(view, checked_view(answer.get("view"), kinds=("modal",)))
                return outcome("updated", view=self.views.as_json(changed))
            case "push":
                pushed = self.views.push(view.user, checked_view(answer.get("view"), kinds=("modal",)))
                return outcome("pushed", view=self.views.as_json(pushed))
            case "clear":
                self.views.clear(view.user)
                return outcome("cleared")
            case unknown:
                raise Refused("invalid_response_action", messages=[f"[ERROR] {unknown!r}"])

    def _refused(self, view: View, errors: dict[str, Any]) -> Json:
        known = {block["block_id"] for block in view.blocks if block.get("type") == "input"}
        if not errors or not set(errors) <= known:
            raise Refused("invalid_response_action", messages=["[ERROR] errors must name input blocks of the view"])
        self.workspace.tell(ChangeKind.VIEW_ERRORS, {"view_id": view.id, "errors": errors}, user=view.user)
        return outcome("errors", errors=errors)

    def _trouble(self, view: View, error: str, messages: tuple[str, ...] = ()) -> Json:
        body = {"text": TROUBLE, "error": error, "messages": list(messages), "view_id": view.id}
        self.workspace.tell(ChangeKind.NOTICE, body, user=view.user)
        return outcome("failed", errors={"": error})


def outcome(word: str, *, errors: dict[str, Any] | None = None, view: Json | None = None) -> Json:
    return {"outcome": word, "errors": errors or {}, "view": view}
