"""What people do in Slack: click, type commands, fill in forms, speak. Each is shown to the app as Slack shows it.

When the app does not answer within 3 seconds, the person is told so by Slack itself, in Slack's words.

Not imitated: the line "riley used /command" that goes before an in_channel answer, shortcuts, menus whose options the
app loads, and inputs' own rules (lengths, ranges); a required input left empty is refused as Slack's client does.
"""

import uuid
from typing import Any, Final

from bot.sandbox.local_slack.answers import Answers
from bot.sandbox.local_slack.app_line import AppLine
from bot.sandbox.local_slack.changes import ChangeKind
from bot.sandbox.local_slack.channels import Channel
from bot.sandbox.local_slack.elements import STATELESS, Choice, NotThere, Values, action, chosen, find, state_of
from bot.sandbox.local_slack.entities import SLACKBOT, User
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import Draft, Message
from bot.sandbox.local_slack.parcels import NotDelivered, Parcel, ParcelKind
from bot.sandbox.local_slack.payloads import Sender
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.response_urls import ResponseUrl, ResponseUrls
from bot.sandbox.local_slack.state import State

CLICK_FAILED: Final = {
    "operation_timeout": "Operation timed out. Apps need to respond within 3 seconds.",
    "dispatch_failed": "This app could not be reached.",
}


class People:
    def __init__(
        self,
        state: State,
        sender: Sender,
        line: AppLine,
        answers: Answers,
        urls: ResponseUrls,
        commands: frozenset[str],
    ) -> None:
        self.state = state
        self.workspace = state.workspace
        self.sender = sender
        self.line = line
        self.answers = answers
        self.urls = urls
        self.commands = commands
        self._touched: dict[tuple[str, str, str], Values] = {}  # in messages, by (channel, ts, user)

    async def click(
        self, *, user: str, channel: str, message_ts: str, block_id: str, action_id: str, choice: Choice = None
    ) -> None:
        """Press a button or choose in a message; raises NotThere if the message or element is gone."""
        person, place = self._person_in(user, channel)
        message = self._seen(place, message_ts, person)
        blocks = all_blocks(message.draft)
        found = find(blocks, block_id, action_id)
        touched = self._touched.setdefault((place.id, message.ts, person.id), {})
        if found.element["type"] not in STATELESS:
            touched.setdefault(block_id, {})[action_id] = chosen(found.element, choice)
        is_ephemeral = message.draft.only_for is not None
        url = self.urls.issue(
            channel=place.id,
            user=person.id,
            message_ts=message.ts,
            is_ephemeral=is_ephemeral,
            thread_ts=message.draft.thread_ts,
        )
        payload = self.sender.click(
            user=person,
            channel=place,
            message=self.workspace.message_json(message, with_metadata=True),
            is_ephemeral=is_ephemeral,
            state=state_of(blocks, touched),
            actions=[action(found, choice, self.workspace.stamps.next())],
            response_url=self.address(url),
            trigger_id=self.state.triggers.issue(person.id),
        )
        try:
            await self.line.deliver(Parcel(ParcelKind.INTERACTIVE, payload))
        except NotDelivered as failed:
            body = {"text": CLICK_FAILED[failed.shown], "error": failed.shown, "message_ts": message.ts}
            self.workspace.tell(ChangeKind.NOTICE, body, channel=place.id, user=person.id)

    async def slash(self, *, user: str, channel: str, command: str, text: str) -> None:
        """Type a command; the answer, or why there is none, is shown to that person."""
        person, place = self._person_in(user, channel)
        if command not in self.commands:
            self._slackbot(person, place, f"`{command}` is not a valid command.")
            return
        url = self.urls.issue(channel=place.id, user=person.id)
        payload = self.sender.command(
            user=person,
            channel=place,
            command=command,
            text=text,
            response_url=self.address(url),
            trigger_id=self.state.triggers.issue(person.id),
        )
        try:
            answer = await self.line.deliver(Parcel(ParcelKind.COMMAND, payload, wants_answer=True))
            if answer:
                self.answers.say(url, answer)
        except NotDelivered as failed:
            self._slackbot(person, place, f'{command} failed with the error "{failed.shown}"')
        except Refused as refused:
            self._slackbot(person, place, f'{command} failed with the error "{refused.error}"')

    def say(self, *, user: str, channel: str, text: str, thread_ts: str | None = None) -> str:
        person, place = self._person_in(user, channel)
        if thread_ts and thread_ts not in place.messages:
            raise NotThere(f"no message {thread_ts} in {place.id}")
        draft = Draft(place.id, text, person.id, thread_ts=thread_ts)
        return self.workspace.post(draft, client_msg_id=str(uuid.uuid4())).ts

    def open_home(self, *, user: str, tab: str = "home") -> None:
        """Look at the app's Home (or Messages) tab."""
        person = self.workspace.user(user)
        direct = self.workspace.direct_with((person.id, self.workspace.app.bot_user))
        home = self.state.views.homes.get(person.id)
        body: Json = {"tab": tab} | ({"view": self.state.views.as_json(home)} if home else {})
        self.workspace.tell(ChangeKind.HOME_OPENED, body, channel=direct.id, user=person.id)

    def address(self, url: ResponseUrl) -> str:
        return f"{self.state.base_url}/response/{url.token}"

    def _person_in(self, user: str, channel: str) -> tuple[User, Channel]:
        person, place = self.workspace.user(user), self.workspace.channel(channel)
        if person.id not in place.members:
            raise NotThere(f"{person.name} is not in {place.name or place.id}")
        return person, place

    def _seen(self, channel: Channel, ts: str, person: User) -> Message:
        ephemeral = channel.ephemerals.get(ts)
        if ephemeral and ephemeral.draft.only_for == person.id:
            return ephemeral
        message = channel.messages.get(ts)
        if message is None or message.is_tombstone:
            raise NotThere(f"no message {ts} in {channel.id}")
        return message

    def _slackbot(self, person: User, channel: Channel, text: str) -> None:
        draft = Draft(channel.id, text, SLACKBOT, username="slackbot", only_for=person.id)
        self.workspace.post_ephemeral(draft)


def all_blocks(draft: Draft) -> list[Json]:
    """The blocks of a message and of its attachments."""
    inner: list[Any] = [block for attachment in draft.attachments for block in attachment.get("blocks", ())]
    return [*draft.blocks, *inner]
