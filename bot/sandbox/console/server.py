"""The console's routes. What they do, and how they answer, is in the package's docstring."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib import resources
from typing import Any, Final, Protocol
from urllib.parse import quote

import jinja2
from aiohttp import web

from bot.sandbox import identities
from bot.sandbox.console.asking import Asked, Objection, answering, only_block
from bot.sandbox.console.player import AlreadyPlaying, Player, UnknownScenario
from bot.sandbox.console.snapshot import change_json, slack_state
from bot.sandbox.console.stream import News, Stream
from bot.sandbox.console.typed import encode
from bot.sandbox.local_slack import LocalSlack
from bot.sandbox.local_slack.changes import Change
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.people import all_blocks
from bot.sandbox.local_slack.refusals import Refused

STATIC: Final = "/console/static"
SHEETS: Final = ("base.css", "layout.css", "messages.css", "dialogs.css", "side.css")
PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # SVG can carry scripts


class Bot(Protocol):
    """The bot's process, if it is ours."""

    def restart(self) -> bool: ...


@dataclass
class Console:
    """One console.

    Attributes:
        cloud: the side panel's picture of the local Cloud Run.
        bot: None when the sandbox runs without a bot of its own.
    """

    slack: LocalSlack
    player: Player[Any]
    cloud: Callable[[], Json]
    bot: Bot | None = None
    bot_status: Json = field(default_factory=lambda: {"state": "absent", "detail": "", "address": "", "log": []})
    stream: Stream = field(default_factory=Stream)

    def __post_init__(self) -> None:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(str(resources.files(__package__) / "pages")),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        page = environment.get_template("console.html.j2")
        team = self.slack.workspace.team.name
        self._page = page.render(
            title=f"{team} · sandbox",
            team=team,
            static=STATIC,
            sheets=SHEETS,
            first_scenario=self.player.scenarios[0].title,
            approver=identities.APPROVER.real_name,
        )
        self._stop_listening = self.slack.listen(self._slack_changed)

    def close(self) -> None:
        """End the streams, so that the server can stop."""
        self._stop_listening()
        self.stream.close()

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self.page),
            web.static(STATIC, str(resources.files(__package__) / "static")),
            web.get("/console/state", self.state),
            web.get("/console/stream", self.follow),
            web.get("/console/files/{file}", self.file),
            web.post("/console/click", answering(self.click)),
            web.post("/console/slash", answering(self.slash)),
            web.post("/console/say", answering(self.say)),
            web.post("/console/view/submit", answering(self.submit_view)),
            web.post("/console/view/close", answering(self.close_view)),
            web.get("/console/scenarios", self.scenarios),
            web.post("/console/scenarios/{name}/play", answering(self.play)),
            web.post("/console/bot/restart", answering(self.restart_bot)),
        ]

    # News

    def _slack_changed(self, change: Change) -> None:
        shown = change_json(change, self.slack.workspace)
        if shown is not None:
            self.stream.publish(News.SLACK, shown)

    def cloud_changed(self) -> None:
        self.stream.publish(News.CLOUD, self.cloud())

    def scenarios_changed(self) -> None:
        self.stream.publish(News.SCENARIOS, self.player.snapshot())

    def bot_changed(self, status: Json) -> None:
        self.bot_status = status
        self.stream.publish(News.BOT, self._bot_json())

    def _bot_json(self) -> Json:
        return self.bot_status | {"connected": self.slack.connected}

    # Reading

    async def page(self, _: web.Request) -> web.Response:
        return web.Response(text=self._page, content_type="text/html")

    async def state(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "position": self.stream.position,
                **slack_state(self.slack.workspace, self.slack.state.views),
                "cloud": self.cloud(),
                "scenarios": self.player.snapshot(),
                "bot": self._bot_json(),
            }
        )

    async def scenarios(self, _: web.Request) -> web.Response:
        return web.json_response(self.player.snapshot())

    async def file(self, request: web.Request) -> web.Response:
        """An uploaded file: pictures to look at, everything else to save."""
        file = self.slack.workspace.files.get(request.match_info["file"])
        if file is None:
            return web.json_response({"error": "No such file", "hint": "It may have been deleted"}, status=404)
        shown = file.mimetype in PICTURES
        headers = {"Content-Disposition": "inline" if shown else f"attachment; filename*=UTF-8''{quote(file.name)}"}
        content_type = file.mimetype if shown else "application/octet-stream"
        return web.Response(body=file.content, content_type=content_type, headers=headers)

    async def follow(self, request: web.Request) -> web.StreamResponse:
        position = request.headers.get("Last-Event-ID") or request.query.get("after", "")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionResetError):  # the page was closed; it says where it was when it is back
            await self.stream.serve(position, response.write)
        return response

    # Doing

    async def click(self, asked: Asked) -> Json:
        view_id = asked.optional("view_id")
        action_id = asked.text("action_id")
        if view_id:
            blocks = self.slack.state.views.get(view_id).blocks
            block_id = asked.optional("block_id") or only_block(blocks, action_id)
            await self.slack.click_in_view(
                user=self._person(asked),
                view_id=view_id,
                block_id=block_id,
                action_id=action_id,
                choice=asked.body.get("choice"),
                values=asked.object("values"),
            )
            return {}
        channel, message_ts = asked.text("channel"), asked.text("message_ts")
        block_id = asked.optional("block_id") or only_block(self._blocks_of(channel, message_ts), action_id)
        await self.slack.click(
            user=self._person(asked),
            channel=channel,
            message_ts=message_ts,
            block_id=block_id,
            action_id=action_id,
            choice=asked.body.get("choice"),
        )
        return {}

    def _blocks_of(self, channel_id: str, ts: str) -> list[Json]:
        channel = self.slack.workspace.channel(channel_id)
        message = channel.messages.get(ts) or channel.ephemerals.get(ts)
        if message is None:
            raise Refused("message_not_found")
        return all_blocks(message.draft)

    async def slash(self, asked: Asked) -> Json:
        if asked.optional("thread_ts"):
            raise Objection("Slash commands do not work in threads", hint="Type it in the channel, as in Slack")
        await self.slack.slash(
            user=self._person(asked),
            channel=asked.text("channel"),
            command=asked.text("command"),
            text=asked.optional("text") or "",
        )
        return {}

    async def say(self, asked: Asked) -> Json:
        workspace = self.slack.workspace
        text = encode(
            asked.text("text"),
            people={user.name: user.id for user in workspace.users.values()},
            groups={group.handle: group.id for group in workspace.groups.values()},
            channels={channel.name: channel.id for channel in workspace.channels.values() if channel.name},
        )
        thread_ts = asked.optional("thread_ts")
        ts = await self.slack.say(
            user=self._person(asked), channel=asked.text("channel"), text=text, thread_ts=thread_ts
        )
        return {"ts": ts}

    async def submit_view(self, asked: Asked) -> Json:
        values = asked.object("values")
        answer = await self.slack.submit_view(user=self._person(asked), view_id=asked.text("view_id"), values=values)
        return {"outcome": answer["outcome"], "errors": answer["errors"]}

    async def close_view(self, asked: Asked) -> Json:
        await self.slack.close_view(user=self._person(asked), view_id=asked.text("view_id"))
        return {}

    async def play(self, asked: Asked) -> Json:
        self._person(asked)
        try:
            self.player.play(asked.request.match_info["name"])
        except UnknownScenario as unknown:
            raise Objection(
                str(unknown), hint="GET /console/scenarios lists them", status=HTTPStatus.NOT_FOUND
            ) from None
        except AlreadyPlaying as busy:
            raise Objection(str(busy), hint="Wait until it is over", status=HTTPStatus.CONFLICT) from None
        return {}

    async def restart_bot(self, asked: Asked) -> Json:
        self._person(asked)
        if self.bot is None or not self.bot.restart():
            raise Objection("The bot is not down", hint="Nothing to do", status=HTTPStatus.CONFLICT)
        return {}

    def _person(self, asked: Asked) -> str:
        user = asked.text("user")
        if user not in self.slack.workspace.users:
            raise Objection(f"Nobody here has the id {user!r}", hint="GET /console/state lists the people")
        return user
