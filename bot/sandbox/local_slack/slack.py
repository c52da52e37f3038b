"""LocalSlack: the whole local Slack behind one door, for the console, the world and tests.

It serves `/api/{method}`, `/link` (Socket Mode), `/response/{token}` and `/files/…`, plays what people do, and tells
every visible change. State is in memory and gone when the process ends.

Not imitated: more than one workspace or app, OAuth, Enterprise Grid, Slack Connect, search, reminders, bookmarks,
pins, stars, calls, canvases, lists, workflows, admin and audit APIs. Their methods answer "unknown_method".
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from aiohttp import web

from bot.sandbox import identities
from bot.sandbox.local_slack.answers import Answers
from bot.sandbox.local_slack.app_line import RETRY_AFTER, AppLine, Connected
from bot.sandbox.local_slack.changes import ChangeKind, Listener
from bot.sandbox.local_slack.elements import Choice
from bot.sandbox.local_slack.events import DEFAULT_SUBSCRIPTIONS, Events
from bot.sandbox.local_slack.faults import Failure, Faults, Outage
from bot.sandbox.local_slack.forms import Forms
from bot.sandbox.local_slack.hooks import Hooks
from bot.sandbox.local_slack.http_delivery import HttpDelivery
from bot.sandbox.local_slack.ids import Clock, utc_now
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.methods import METHODS
from bot.sandbox.local_slack.parcels import Parcel, ParcelKind
from bot.sandbox.local_slack.payloads import Sender
from bot.sandbox.local_slack.people import People
from bot.sandbox.local_slack.rate_limits import RateLimits
from bot.sandbox.local_slack.response_urls import ResponseUrls
from bot.sandbox.local_slack.seed import seeded_workspace
from bot.sandbox.local_slack.socket_mode import SocketMode
from bot.sandbox.local_slack.state import State
from bot.sandbox.local_slack.tokens import BOT_SCOPES, USER_SCOPES, TokenKind, Tokens
from bot.sandbox.local_slack.triggers import Triggers
from bot.sandbox.local_slack.uploads import Uploads
from bot.sandbox.local_slack.views import Views
from bot.sandbox.local_slack.web_api import WebApi


@dataclass(frozen=True, slots=True)
class SlackOptions:
    """What a workspace's or app's settings decide.

    Attributes:
        bot_scopes: what the bot token may do; the least ones by default, ALL_BOT_SCOPES for everything.
        subscriptions: the events the app hears, by their names in an app manifest.
        commands: the slash commands that the app has registered.
        rate_scale: multiplies every rate limit; 0 turns them off.
        ack_deadline: how long the app has to acknowledge.
        retry_after: the pauses before an event is sent again.
        edit_window: after this, messages cannot be edited; None: always editable.
    """

    bot_scopes: frozenset[str] = BOT_SCOPES
    subscriptions: frozenset[str] = DEFAULT_SUBSCRIPTIONS
    commands: frozenset[str] = frozenset({"/reliability"})
    rate_scale: float = 1.0
    ack_deadline: timedelta = timedelta(seconds=3)
    retry_after: tuple[timedelta, ...] = RETRY_AFTER
    edit_window: timedelta | None = None


class LocalSlack:
    def __init__(
        self,
        *,
        request_url: str | None = None,
        base_url: str = "",
        clock: Clock = utc_now,
        options: SlackOptions | None = None,
    ) -> None:
        """Build a seeded workspace.

        Args:
            request_url: where the app takes events, commands and interactivity; None: Socket Mode only.
            base_url: where this server is reached; learned from the first API call if empty.
        """
        options = options or SlackOptions()
        self.workspace = seeded_workspace(clock)
        self.signing_secret = secrets.token_hex(16)
        self.faults = Faults()
        self.limits = RateLimits(clock, scale=options.rate_scale)
        self._tokens = Tokens()
        self.bot_token = self._tokens.issue(TokenKind.BOT, identities.APP.bot_user, options.bot_scopes)
        self.app_token = self._tokens.issue(TokenKind.APP, "", {"connections:write"})
        self.user_tokens = {
            person.role: self._tokens.issue(TokenKind.USER, person.id, USER_SCOPES) for person in identities.PEOPLE
        }
        self.socket = SocketMode(identities.APP.id, deadline=options.ack_deadline, changed=self._connection_changed)
        http = HttpDelivery(self.signing_secret, clock=clock, deadline=options.ack_deadline)
        self.line = AppLine(
            self.socket,
            http,
            request_url=request_url,
            retry_after=options.retry_after,
            changed=self._connection_changed,
        )
        self.state = State(
            clock=clock,
            workspace=self.workspace,
            tokens=self._tokens,
            triggers=Triggers(clock),
            views=Views(self.workspace),
            uploads=Uploads(),
            base_url=base_url.rstrip("/"),
            issue_link=self.socket.issue_link,
            edit_window=options.edit_window,
        )
        urls, answers = ResponseUrls(clock), Answers(self.workspace)
        self._sender = Sender(identities.TEAM, identities.APP, secrets.token_urlsafe(18))
        self._people = People(self.state, self._sender, self.line, answers, urls, options.commands)
        self._forms = Forms(self.state, self._sender, self.line)
        self._api = WebApi(METHODS, self.state, limits=self.limits, faults=self.faults)
        self._hooks = Hooks(self.state, urls, answers, self.faults)
        self.events = Events(self.workspace, self._send_event, subscriptions=options.subscriptions)
        self.workspace.changes.listen(self.events.hear)

    # Serving

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/{method}", self._api.answer),
            web.post("/api/{method}", self._api.answer),
            web.get("/link", self.socket.serve),
            web.post("/response/{token}", self._hooks.respond),
            web.post("/files/upload/{ticket}", self._hooks.upload),
            web.get("/files/{file}/{name}", self._hooks.download),
        ]

    async def close(self) -> None:
        """Give up deliveries, close connections to and from the app."""
        await self.line.close()

    @property
    def base_url(self) -> str:
        return self.state.base_url

    @base_url.setter
    def base_url(self, base_url: str) -> None:
        self.state.base_url = base_url.rstrip("/")

    @property
    def request_url(self) -> str | None:
        return self.line.request_url

    @request_url.setter
    def request_url(self, request_url: str | None) -> None:
        self.line.request_url = request_url

    @property
    def connected(self) -> Connected | None:
        """How the app is reached now, if at all."""
        return self.line.connected

    # People

    async def click(
        self, *, user: str, channel: str, message_ts: str, block_id: str, action_id: str, choice: Choice = None
    ) -> None:
        """Press or choose in a message, also one that only this person sees; raises NotThere if it is gone."""
        await self._people.click(
            user=user, channel=channel, message_ts=message_ts, block_id=block_id, action_id=action_id, choice=choice
        )

    async def click_in_view(
        self,
        *,
        user: str,
        view_id: str,
        block_id: str,
        action_id: str,
        choice: Choice = None,
        values: Json | None = None,
    ) -> None:
        """Press or choose in a modal or App Home."""
        await self._forms.click(
            user=user, view_id=view_id, block_id=block_id, action_id=action_id, choice=choice, values=values
        )

    async def slash(self, *, user: str, channel: str, command: str, text: str) -> None:
        await self._people.slash(user=user, channel=channel, command=command, text=text)

    async def submit_view(self, *, user: str, view_id: str, values: Json) -> Json:
        """See Forms.submit: {"outcome": …, "errors": {…}, "view": …}."""
        return await self._forms.submit(user=user, view_id=view_id, values=values)

    async def close_view(self, *, user: str, view_id: str, everything: bool = False) -> None:
        await self._forms.close(user=user, view_id=view_id, everything=everything)

    async def say(self, *, user: str, channel: str, text: str, thread_ts: str | None = None) -> str:
        return self._people.say(user=user, channel=channel, text=text, thread_ts=thread_ts)

    async def open_home(self, *, user: str, tab: str = "home") -> None:
        self._people.open_home(user=user, tab=tab)

    async def react(self, *, user: str, channel: str, message_ts: str, name: str) -> None:
        self.workspace.react(self.workspace.message(channel, message_ts), name, user)

    # Watching

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Hear of every change; the returned function stops it."""
        return self.workspace.changes.listen(callback)

    async def settle(self) -> None:
        """Wait until every event is delivered or given up."""
        await self.line.settle()

    # Trouble on purpose

    @property
    def down(self) -> Outage | None:
        return self.faults.outage

    @down.setter
    def down(self, outage: Outage | bool | None) -> None:
        """True is Outage.UNAVAILABLE (503); Outage.DROPPED breaks every connection; False or None ends it."""
        self.faults.outage = Outage.UNAVAILABLE if outage is True else outage or None

    def fail_next(
        self,
        method: str,
        error: str = "ratelimited",
        times: int = 1,
        *,
        retry_after: float = 1,
        status: int = HTTPStatus.OK,
    ) -> None:
        """The next calls of this method ("*": of any) are refused; nothing takes effect."""
        self.faults.fail_next(method, Failure(error, status, retry_after), times)

    def lose_answer(self, method: str, times: int = 1) -> None:
        """The next calls of this method take effect, but the connection breaks before the answer."""
        self.faults.lose_answer(method, times)

    async def disconnect_sockets(self, reason: str = "refresh_requested") -> None:
        """Ask every Socket Mode connection to reconnect, as Slack does every few hours."""
        await self.socket.disconnect(reason)

    async def verify_request_url(self) -> bool:
        """url_verification: whether the app answers its request URL with the challenge."""
        if not self.request_url:
            return False
        return await self.line.http.verify_url(self.request_url, secrets.token_urlsafe(24), self._sender.token)

    def subscribe(self, events: Iterable[str]) -> None:
        self.events.subscriptions = set(events)

    def _send_event(self, event: Json) -> None:
        payload = self._sender.event(event, at=self.workspace.now_seconds())
        self.line.send_event(Parcel(ParcelKind.EVENT, payload))

    def _connection_changed(self) -> None:
        body = {"connected": self.connected, "connections": self.socket.connections}
        self.workspace.tell(ChangeKind.CONNECTION, body)
