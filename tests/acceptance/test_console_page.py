"""The console's page in a real browser: what people see and press, and what hostile text cannot do.

The local Slack is the real one; a few lines of HTTP stand in for the bot.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Locator, Page, async_playwright, expect
from slack_sdk.web.async_client import AsyncWebClient
from support.chromium import FLAGS, find_chromium

from bot.sandbox import identities
from bot.sandbox.console import Console
from bot.sandbox.console.guard import add_headers, guard
from bot.sandbox.console.player import Player
from bot.sandbox.local_slack import LocalSlack

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all

CHANNEL = identities.AUTH_ALERTS.id
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@dataclass
class Desk:
    """A console in a browser, and the app behind it."""

    url: str
    slack: LocalSlack
    client: AsyncWebClient
    page: Page
    pressed: list[dict[str, Any]] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Callable[[dict[str, Any]], Awaitable[Any]] | None = None

    async def post(self, text: str, **more: Any) -> str:
        answer = await self.client.chat_postMessage(channel=CHANNEL, text=text, **more)
        return str(answer["ts"])

    async def take(self, request: web.Request) -> web.Response:
        """What the app does with a delivery: remembers it, answers as the test says."""
        form = await request.post()
        if "payload" in form:
            said = json.loads(str(form["payload"]))
        elif form:
            said = dict(form)
        else:
            return web.Response()  # an event
        self.pressed.append(said)
        self.reached.set()
        reply = await self.answer(said) if self.answer else None
        return web.json_response(reply) if reply else web.Response()

    def says(self, text: str) -> Locator:
        """This text in the channel; screen readers are told it a second time, elsewhere on the page."""
        return self.page.locator("#messages").get_by_text(text)

    async def settled(self) -> None:
        """The app was reached, and the page knows it."""
        async with asyncio.timeout(5):
            await self.reached.wait()
        await expect(self.page.locator("[aria-busy=true]")).to_have_count(0)

    async def become(self, name: str) -> None:
        await self.page.get_by_role("radio", name=name).check(force=True)


@dataclass(frozen=True)
class Script:
    """A scenario that only tells."""

    name: str
    title: str
    story: str
    lines: tuple[str, ...]

    async def play(self, tell: Callable[[str], None]) -> None:
        for line in self.lines:
            tell(line)
            await asyncio.sleep(0)


SCRIPT = Script("drill", "A fire drill", "Nothing burns.", ("The bell rings", "Everybody leaves"))


def cloud() -> dict[str, Any]:
    revision = {"name": "auth-service-00281-kzq", "state": "ready", "message": "", "tags": [], "percent": 100}
    service = {
        "name": "auth-service",
        "state": "ready",
        "message": "",
        "latest_ready": "auth-service-00281-kzq",
        "latest_created": "auth-service-00281-kzq",
        "pinned": False,
        "traffic": [{"revision": "auth-service-00281-kzq", "percent": 100, "tag": ""}],
        "live": {"per_second": 4.2, "failing_ratio": 0.0},
        "revisions": [revision | {"live": {"per_second": 4.2, "failing_ratio": 0.0}}],
    }
    return {"project": "acme-staging", "region": "us-central1", "services": [service]}


@asynccontextmanager
async def served(routes: list[web.AbstractRouteDef], **options: Any) -> AsyncIterator[str]:
    app = web.Application(**options)
    app.add_routes(routes)
    app.on_response_prepare.append(add_headers)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Any]:
    async with async_playwright() as playwright:
        executable = find_chromium(playwright.chromium.executable_path)
        launched = await playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield launched
        await launched.close()


@pytest_asyncio.fixture(params=[DESKTOP], ids=[""], loop_scope="module")
async def desk(request: pytest.FixtureRequest, browser: Any) -> AsyncIterator[Desk]:
    slack = LocalSlack()
    player = Player([SCRIPT], lambda tell: tell)
    console = Console(slack, player, cloud)
    player.changed = console.scenarios_changed
    context = await browser.new_context(viewport=request.param, timezone_id="Europe/Berlin", locale="en-US")
    page = await context.new_page()
    page.set_default_timeout(10_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    async with served([*slack.routes(), *console.routes()], middlewares=[guard]) as url:
        slack.base_url = url
        client = AsyncWebClient(token=slack.bot_token, base_url=f"{url}/api/")
        it = Desk(url, slack, client, page)
        async with served([web.post("/slack/events", it.take)]) as app_url:
            slack.request_url = f"{app_url}/slack/events"
            playing = asyncio.create_task(player.run())
            await page.goto(url)
            yield it
            await context.close()
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            console.close()
            await slack.close()
    assert not troubles


BUTTONS: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Roll back* `auth-service`?"}},
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "approve",
                "style": "primary",
                "text": {"type": "plain_text", "text": "Approve"},
                "confirm": {
                    "title": {"type": "plain_text", "text": "Move the traffic?"},
                    "text": {"type": "mrkdwn", "text": "100 % to `00281`"},
                    "confirm": {"type": "plain_text", "text": "Move it"},
                    "deny": {"type": "plain_text", "text": "Not yet"},
                },
            },
            {
                "type": "overflow",
                "action_id": "more",
                "options": [
                    {"text": {"type": "plain_text", "text": "Why?"}, "value": "why"},
                    {"text": {"type": "plain_text", "text": "Silence"}, "value": "silence"},
                ],
            },
        ],
    },
]

HOSTILE = """<script>document.title = "owned"</script>
<img src=x onerror="document.title='owned'">
<javascript:document.title='owned'|press me> <https://a.example/?q="onmouseover="document.title='owned'|link>
&lt;b&gt;not bold&lt;/b&gt; *bold* `<i>code</i>`
```<svg onload="document.title='owned'">```"""


async def test_hostile_text_is_shown_as_text_wherever_it_stands(desk: Desk) -> None:
    field_ = {"type": "mrkdwn", "text": HOSTILE[:1900]}
    await desk.post(HOSTILE)
    await desk.post(
        "blocks",
        blocks=[
            {"type": "header", "text": {"type": "plain_text", "text": "<script>document.title = 'owned'</script>"}},
            {"type": "section", "text": field_, "fields": [field_]},
            {"type": "context", "elements": [field_]},
        ],
    )

    messages = desk.page.locator("#messages")
    await expect(messages).to_contain_text('<script>document.title = "owned"</script>')
    await expect(messages.locator("strong", has_text="bold").first).to_be_visible()
    assert await messages.locator("script, img, svg[onload], i, b:has-text('not bold'), [onmouseover]").count() == 0
    assert await messages.locator("a[href^='javascript']").count() == 0
    assert "owned" not in await desk.page.title()


async def test_a_button_asks_first_and_then_reaches_the_app_as_who_pressed_it(desk: Desk) -> None:
    ts = await desk.post("roll back?", blocks=BUTTONS)
    await desk.become("Avery")

    await desk.page.get_by_role("button", name="Approve").click()
    await expect(desk.page.get_by_role("heading", name="Move the traffic?")).to_be_visible()
    assert desk.pressed == []
    await desk.page.get_by_role("button", name="Move it").click()
    await desk.settled()

    (press,) = desk.pressed
    assert press["user"]["id"] == identities.APPROVER.id
    assert press["actions"][0]["action_id"] == "approve"
    assert press["message"]["ts"] == ts


async def test_a_button_that_is_not_confirmed_does_nothing(desk: Desk) -> None:
    await desk.post("roll back?", blocks=BUTTONS)

    await desk.page.get_by_role("button", name="Approve").click()
    await desk.page.get_by_role("button", name="Not yet").click()
    await desk.page.get_by_role("button", name="More actions").click()
    await desk.page.get_by_role("menuitem", name="Silence").click()
    await desk.settled()

    assert [press["actions"][0].get("selected_option", {}).get("value") for press in desk.pressed] == ["silence"]


async def test_a_press_shows_that_it_is_on_its_way(desk: Desk) -> None:
    answered = asyncio.Event()

    async def slowly(_: dict[str, Any]) -> None:
        await answered.wait()

    desk.answer = slowly
    await desk.post("roll back?", blocks=BUTTONS)
    await desk.page.get_by_role("button", name="Approve").click()
    await desk.page.get_by_role("button", name="Move it").click()

    approve = desk.page.get_by_role("button", name="Approve")
    await expect(approve).to_have_attribute("aria-busy", "true")
    await expect(approve).to_be_disabled()
    answered.set()
    await expect(approve).to_be_enabled()


async def test_a_bot_that_refuses_to_answer_is_said_beside_the_button(desk: Desk) -> None:
    desk.slack.request_url = f"{desk.url}/nobody-listens-here"
    await desk.post("roll back?", blocks=BUTTONS)

    await desk.page.get_by_role("button", name="More actions").click()
    await desk.page.get_by_role("menuitem", name="Why?").click()

    await expect(desk.page.locator(".message .notice")).to_be_visible()


async def test_an_edit_is_seen_without_reloading_and_keeps_the_place(desk: Desk) -> None:
    ts = await desk.post("P0 · open", blocks=BUTTONS)
    await expect(desk.says("Roll back")).to_be_visible()

    resolved = {"type": "section", "text": {"type": "mrkdwn", "text": "Resolved in 3.1 s"}}
    await desk.client.chat_update(channel=CHANNEL, ts=ts, text="resolved", blocks=[resolved])

    await expect(desk.says("Resolved in 3.1 s")).to_be_visible()
    await expect(desk.page.get_by_role("button", name="Approve")).to_have_count(0)
    await expect(desk.page.locator("#messages article")).to_have_count(1)


def tall(headline: str) -> list[dict[str, Any]]:
    rows = [{"type": "section", "text": {"type": "mrkdwn", "text": "\n".join("evidence" * 3 for _ in range(9))}}] * 9
    return [{"type": "header", "text": {"type": "plain_text", "text": headline}}, *rows]


async def test_a_card_taller_than_the_screen_is_shown_from_its_headline(desk: Desk) -> None:
    ts = await desk.post("P0", blocks=tall("P0 · golden path blocked"))
    headline = desk.page.get_by_role("heading", name="P0 · golden path blocked")
    await expect(headline).to_be_in_viewport()

    await desk.client.chat_update(channel=CHANNEL, ts=ts, text="P0", blocks=tall("P0 · mitigated"))
    await expect(desk.page.get_by_role("heading", name="P0 · mitigated")).to_be_in_viewport()
    await desk.post("the next message")
    await expect(desk.says("the next message")).to_be_in_viewport()


async def test_a_reader_who_scrolled_back_is_left_alone_and_offered_the_news(desk: Desk) -> None:
    await desk.post("first", blocks=tall("The first card"))
    await desk.post("second", blocks=tall("The second card"))
    await expect(desk.page.get_by_role("heading", name="The second card")).to_be_in_viewport()
    await desk.page.locator("#scroller").hover()
    await desk.page.mouse.wheel(0, -5000)
    await expect(desk.page.get_by_role("heading", name="The first card")).to_be_in_viewport()

    await desk.post("news")
    await expect(desk.says("news")).not_to_be_in_viewport()
    await desk.page.get_by_role("button", name="Newest messages").click()
    await expect(desk.says("news")).to_be_in_viewport()


async def test_only_the_addressed_person_sees_an_ephemeral_message(desk: Desk) -> None:
    await desk.client.chat_postEphemeral(channel=CHANNEL, user=identities.OUTSIDER.id, text="You may not approve this")
    ephemeral = desk.says("You may not approve this")

    await desk.become("Oscar")
    await expect(ephemeral).to_be_visible()
    await expect(desk.page.get_by_text("Only visible to you")).to_be_visible()
    await desk.become("Riley")
    await expect(ephemeral).to_have_count(0)


async def test_a_slash_command_is_completed_and_its_answer_shown(desk: Desk) -> None:
    async def status(_: dict[str, Any]) -> dict[str, str]:
        return {"response_type": "ephemeral", "text": "3 deployments, all healthy"}

    desk.answer = status
    box = desk.page.get_by_role("combobox", name="Message #auth-alerts")
    await box.press_sequentially("/rel")
    await expect(desk.page.get_by_role("option").first).to_contain_text("/reliability status")
    await box.press("Tab")
    await box.press_sequentially("auth")
    await box.press("Enter")

    await expect(desk.says("3 deployments, all healthy")).to_be_visible()
    assert (desk.pressed[0]["command"], desk.pressed[0]["text"]) == ("/reliability", "status auth")


async def test_what_is_typed_is_posted_as_text(desk: Desk) -> None:
    box = desk.page.get_by_role("combobox", name="Message #auth-alerts")
    await box.fill("<b>a & b</b> @avery")
    await box.press("Enter")

    await expect(desk.page.locator("#messages article").last).to_contain_text("<b>a & b</b> @avery")
    await expect(box).to_have_value("")


MODAL = {
    "type": "modal",
    "callback_id": "silence",
    "title": {"type": "plain_text", "text": "Silence auth"},
    "submit": {"type": "plain_text", "text": "Silence it"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Why?"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
        {
            "type": "input",
            "block_id": "hours",
            "label": {"type": "plain_text", "text": "For how long?"},
            "element": {
                "type": "static_select",
                "action_id": "hours",
                "options": [{"text": {"type": "plain_text", "text": f"{hours} h"}, "value": hours} for hours in "14"],
            },
        },
    ],
}


async def test_a_modal_is_filled_in_refused_mended_and_submitted(desk: Desk) -> None:
    async def app(said: dict[str, Any]) -> dict[str, Any] | None:
        if said["type"] == "block_actions":
            await desk.client.views_open(trigger_id=said["trigger_id"], view=MODAL)
            return None
        reason = said["view"]["state"]["values"]["reason"]["text"]["value"]
        return {"response_action": "errors", "errors": {"reason": "Say more"}} if len(reason) < 5 else None

    desk.answer = app
    await desk.post("silence?", blocks=BUTTONS)
    await desk.page.get_by_role("button", name="More actions").click()
    await desk.page.get_by_role("menuitem", name="Silence").click()
    dialog = desk.page.get_by_role("dialog")

    await dialog.get_by_label("Why?").fill("no")
    await dialog.get_by_label("For how long?").select_option("4 h")
    await dialog.get_by_role("button", name="Silence it").click()
    await expect(dialog.get_by_text("Say more")).to_be_visible()
    await dialog.get_by_label("Why?").fill("maintenance")
    await dialog.get_by_role("button", name="Silence it").click()
    await expect(dialog).to_have_count(0)

    values = desk.pressed[-1]["view"]["state"]["values"]
    assert values["reason"]["text"]["value"] == "maintenance"
    assert values["hours"]["hours"]["selected_option"]["value"] == "4"


async def test_a_thread_opens_beside_the_channel_and_takes_replies(desk: Desk) -> None:
    ts = await desk.post("P0 · auth-service")
    await desk.post("14:03:20 first error", thread_ts=ts)

    await desk.page.get_by_role("button", name="1 reply").click()
    thread = desk.page.get_by_role("complementary", name="Thread")
    await expect(thread.get_by_text("14:03:20 first error")).to_be_visible()
    await thread.get_by_role("combobox").fill("looking")
    await thread.get_by_role("combobox").press("Enter")

    await expect(thread.get_by_text("looking")).to_be_visible()
    await expect(desk.page.get_by_role("button", name="2 replies")).to_be_visible()


async def test_a_channel_with_news_is_marked_until_it_is_looked_at(desk: Desk) -> None:
    await desk.client.chat_postMessage(channel=identities.BACKEND_ALERTS.id, text="backend is slow")
    row = desk.page.get_by_role("link", name="backend-alerts")

    await expect(row).to_have_accessible_name("backend-alerts, unread")
    await row.click()
    await expect(desk.says("backend is slow")).to_be_visible()
    await desk.page.get_by_role("link", name="auth-alerts").click()
    await expect(row).to_have_accessible_name("backend-alerts")


async def test_a_date_is_shown_in_the_readers_zone(desk: Desk) -> None:
    await desk.post("since <!date^1763388180^{date_num} {time}|2025-11-17 14:03 UTC>")

    await expect(desk.says("since 2025-11-17 3:03 PM")).to_be_visible()


async def test_a_scenario_is_played_and_told(desk: Desk) -> None:
    await desk.page.get_by_role("button", name="Play: A fire drill").click()

    await expect(desk.page.get_by_text("Everybody leaves")).to_be_visible()
    await expect(desk.page.get_by_role("button", name="Play again: A fire drill")).to_be_enabled()


async def test_a_scenario_shows_the_name_that_readme_and_command_line_use(desk: Desk) -> None:
    await expect(desk.page.get_by_role("article", name="A fire drill").get_by_text("drill", exact=True)).to_be_visible()


async def test_the_page_catches_up_after_the_connection_was_lost(desk: Desk) -> None:
    await desk.post("before")
    await expect(desk.says("before")).to_be_visible()

    await desk.page.context.set_offline(True)
    await desk.post("meanwhile")
    await desk.page.context.set_offline(False)

    await expect(desk.says("meanwhile")).to_be_visible()


@pytest.mark.parametrize("desk", [PHONE], indirect=True)
async def test_on_a_phone_the_channel_comes_first_and_nothing_is_cut_off(desk: Desk) -> None:
    await desk.post("P0", blocks=[*BUTTONS, {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 400}}])
    await expect(desk.page.get_by_role("button", name="Approve")).to_be_in_viewport()
    assert await desk.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert await desk.page.evaluate("document.querySelector('#scroller').scrollWidth") <= PHONE["width"]

    await desk.page.get_by_role("button", name="Sandbox").click()
    await expect(desk.page.get_by_role("article", name="auth-service")).to_be_in_viewport()
    await desk.page.get_by_role("button", name="Channels").click()
    await desk.page.get_by_role("link", name="general").click()
    await expect(desk.page.get_by_role("heading", name="general")).to_be_in_viewport()


MRKDWN = [
    ("*bold* _italic_ ~gone~ `code`", "<strong>bold</strong> <em>italic</em> <s>gone</s> <code>code</code>"),
    ("*bold _and italic_*", "<strong>bold <em>and italic</em></strong>"),
    ("3 * 4 * 5", "3 * 4 * 5"),
    ("snake_case_name and a*b*c", "snake_case_name and a*b*c"),
    ("*not closed", "*not closed"),
    ("* spaced *", "* spaced *"),
    ("`a *b* <c>`", "<code>a *b* <span>&lt;c&gt;</span></code>"),
    ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 &lt; 2 &amp;&amp; 3 &gt; 2"),
    ("&amp;lt;", "&amp;lt;"),
    ("&gt; said\n&gt; twice\nnot", "<blockquote>said<br>twice</blockquote>not"),
    ("&gt;&gt;&gt; all\nof it", "<blockquote>all<br>of it</blockquote>"),
    ("a\n```\nx = *1*\n```\nb", "a<pre>x = *1*</pre>b"),
    ("``` not closed", "``` not closed"),
    ("<https://a.example/x?a=1&amp;b=2|see *it*>", '<a href="https://a.example/x?a=1&amp;b=2"%>see *it*</a>'),
    ("<https://a.example>", '<a href="https://a.example/"%>https://a.example</a>'),
    ("at https://a.example/x, now", 'at <a href="https://a.example/x"%>https://a.example/x</a>, now'),
    ("<mailto:a@b.example|a@b.example>", '<a href="mailto:a@b.example"%>a@b.example</a>'),
    ("<javascript:alert(1)|x>", "<span>x</span>"),
    ("<JaVaScRiPt:alert(1)>", "<span>&lt;JaVaScRiPt:alert(1)&gt;</span>"),
    ("<data:text/html,x|x>", "<span>x</span>"),
    ("<@U0AVERY0001>", '<span class="mention">@avery</span>'),
    ("<@U0RILEY0001>", '<span class="mention mention-me">@riley</span>'),
    ("<@U0NOBODY000>", '<span class="mention">@U0NOBODY000</span>'),
    ("<#C0RANDOM001>", '<a class="mention" href="#C0RANDOM001">#random</a>'),
    ("<!subteam^S0APPROVERS>", '<span class="mention">@rollback-approvers</span>'),
    ("<!here>", '<span class="mention mention-me">@here</span>'),
    ("<!date^not-a-number^{time}|fallback>", "<span>fallback</span>"),
    ("<!date^1763388180^{unheard_of}|fallback>", "<span>fallback</span>"),
    (":rocket: :no_such_thing:", '<span class="emoji" title=":rocket:">🚀</span> :no_such_thing:'),
    ("10:30:45", "10:30:45"),
    ("<>", "&lt;&gt;"),
    ("<a <b>", "&lt;a <span>&lt;b&gt;</span>"),
    ("", ""),
]


async def test_mrkdwn_is_drawn_as_slack_draws_it(desk: Desk) -> None:
    drawn = await desk.page.evaluate(
        """async (texts) => {
            const { mrkdwn } = await import("/console/static/mrkdwn.js");
            const named = (list) => (id) => list[id];
            const directory = {
                user: named({ U0AVERY0001: { name: "avery" }, U0RILEY0001: { name: "riley" } }),
                channel: named({ C0RANDOM001: { name: "random" } }),
                group: named({ S0APPROVERS: { handle: "rollback-approvers", users: ["U0AVERY0001"] } }),
                me: () => "U0RILEY0001",
            };
            return texts.map((text) => {
                const holder = document.createElement("div");
                holder.append(mrkdwn(text, directory));
                return holder.innerHTML;
            });
        }""",
        [text for text, _ in MRKDWN],
    )

    expected = [html.replace("%", ' target="_blank" rel="noopener noreferrer"') for _, html in MRKDWN]
    assert dict(zip([text for text, _ in MRKDWN], drawn, strict=True)) == {
        text: html for (text, _), html in zip(MRKDWN, expected, strict=True)
    }
