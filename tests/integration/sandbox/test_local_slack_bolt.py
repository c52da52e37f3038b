"""What people do reaches a real Bolt app, and its answers reach them: the same over HTTP and over Socket Mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

import pytest
from slack_sdk.webhook.async_client import AsyncWebhookClient
from support.bolt_app import Line, over_http, over_socket
from support.local_slack import ALERTS, AVERY, IMPATIENT, RANDOM, RILEY, Desk, desk

from bot.sandbox import identities
from bot.sandbox.local_slack import ChangeKind, NotThere

Reach: TypeAlias = Callable[[Desk], AbstractAsyncContextManager[Line]]

BUTTON = {
    "type": "button",
    "action_id": "rollback",
    "text": {"type": "plain_text", "text": "Roll back"},
    "value": "42",
    "style": "danger",
}
HOURS = [{"text": {"type": "plain_text", "text": f"{hours} h"}, "value": f"PT{hours}H"} for hours in (1, 4)]
MENU = {"type": "static_select", "action_id": "how_long", "options": HOURS, "initial_option": HOURS[0]}
CARD = [{"type": "actions", "block_id": "do", "elements": [BUTTON, MENU]}]
WHY = {"type": "plain_text_input", "action_id": "text"}
FORM = {
    "type": "modal",
    "callback_id": "silence",
    "title": {"type": "plain_text", "text": "Silence"},
    "submit": {"type": "plain_text", "text": "Silence"},
    "private_metadata": "42",
    "notify_on_close": True,
    "blocks": [
        {"type": "input", "block_id": "why", "label": {"type": "plain_text", "text": "Why?"}, "element": WHY},
        {
            "type": "input",
            "block_id": "until",
            "label": {"type": "plain_text", "text": "Until"},
            "optional": True,
            "element": {"type": "datepicker", "action_id": "day"},
        },
    ],
}
PLEASE_WAIT = {**FORM, "title": {"type": "plain_text", "text": "Please wait"}}


@pytest.fixture(params=[over_http, over_socket], ids=["http", "socket"])
def reached(request: pytest.FixtureRequest) -> Reach:
    return request.param


@pytest.fixture
async def line(reached: Reach) -> AsyncIterator[Line]:
    async with desk() as opened, reached(opened) as ready:
        yield ready


@pytest.fixture
async def hasty(reached: Reach) -> AsyncIterator[Line]:
    """With a deadline that a test can wait for."""
    async with desk(IMPATIENT) as opened, reached(opened) as ready:
        yield ready


async def command(line: Line, text: str = "status") -> None:
    await line.desk.slack.slash(user=RILEY, channel=ALERTS, command="/reliability", text=text)


async def card(line: Line, **more: Any) -> str:
    answer = await line.desk.client().chat_postMessage(channel=ALERTS, text="It broke", blocks=CARD, **more)
    return str(answer["ts"])


async def click(line: Line, ts: str, action: str = "rollback", choice: str | None = None) -> None:
    await line.desk.slack.click(
        user=RILEY, channel=ALERTS, message_ts=ts, block_id="do", action_id=action, choice=choice
    )


# --- slash commands ----------------------------------------------------------------------------------------------


async def test_a_command_carries_who_typed_what_where(line: Line) -> None:
    seen: dict[str, Any] = {}

    @line.app.command("/reliability")
    async def run(ack: Any, body: dict[str, Any]) -> None:
        seen.update(body)
        await ack()

    await command(line, "status auth")

    assert (seen["command"], seen["text"]) == ("/reliability", "status auth")
    assert (seen["user_id"], seen["user_name"]) == (RILEY, "riley")
    assert (seen["channel_id"], seen["channel_name"]) == (ALERTS, "auth-alerts")
    assert (seen["team_id"], seen["team_domain"], seen["api_app_id"]) == ("T0ACME00001", "acme", "A0RELIABLE1")
    assert {"token", "response_url", "trigger_id", "is_enterprise_install"} <= set(seen)


async def test_an_answer_on_the_acknowledgement_is_for_the_person_alone(line: Line) -> None:
    @line.app.command("/reliability")
    async def run(ack: Any) -> None:
        await ack("All is well")

    await command(line)

    assert (line.desk.whispers(RILEY), line.desk.whispers(AVERY), line.desk.texts()) == (["All is well"], [], [])


async def test_an_answer_in_the_channel_is_for_everybody(line: Line) -> None:
    @line.app.command("/reliability")
    async def run(ack: Any) -> None:
        await ack(text="All is well", response_type="in_channel", blocks=CARD)

    await command(line)

    assert (line.desk.texts(), line.desk.whispers()) == (["All is well"], [])


async def test_a_command_can_be_answered_where_the_bot_is_not_a_member(line: Line) -> None:
    @line.app.command("/reliability")
    async def run(ack: Any, respond: Any) -> None:
        await ack()
        await respond("All is well")

    await line.desk.slack.slash(user=RILEY, channel=RANDOM, command="/reliability", text="status")

    await line.desk.next(ChangeKind.EPHEMERAL_POSTED)
    assert line.desk.whispers(channel=RANDOM) == ["All is well"]


async def test_a_response_url_is_good_for_five_answers(line: Line) -> None:
    urls: list[str] = []

    @line.app.command("/reliability")
    async def run(ack: Any, body: dict[str, Any]) -> None:
        urls.append(body["response_url"])
        await ack()

    await command(line)
    hook = AsyncWebhookClient(urls[0], retry_handlers=[])
    answers = [await hook.send(text=f"Answer {number}") for number in range(1, 7)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 404]
    assert "used_url" in answers[5].body
    assert line.desk.whispers() == [f"Answer {number}" for number in range(1, 6)]


async def test_what_slack_does_not_show_is_refused_on_the_response_url(line: Line) -> None:
    urls: list[str] = []

    @line.app.command("/reliability")
    async def run(ack: Any, body: dict[str, Any]) -> None:
        urls.append(body["response_url"])
        await ack()

    await command(line)
    hook = AsyncWebhookClient(urls[0], retry_handlers=[])
    nothing = await hook.send(text="")
    broken = await hook.send(text="a", blocks=[{"type": "sectoin"}])
    no_original = await hook.send(text="a", replace_original=True)

    assert [answer.status_code for answer in (nothing, broken, no_original)] == [400, 400, 400]
    assert "no_text" in nothing.body
    assert "invalid_blocks" in broken.body
    assert "message_not_found" in no_original.body


async def test_an_answer_that_slack_does_not_take_fails_the_command_visibly(line: Line) -> None:
    @line.app.command("/reliability")
    async def run(ack: Any) -> None:
        await ack(text="a", blocks=[{"type": "sectoin"}])

    await command(line)

    assert line.desk.whispers() == ['/reliability failed with the error "invalid_blocks"']


async def test_a_command_that_is_not_acknowledged_in_time_says_so_to_the_person(hasty: Line) -> None:
    too_late = asyncio.Event()

    @hasty.app.command("/reliability")
    async def run(ack: Any) -> None:
        await too_late.wait()
        await ack("All is well")

    await command(hasty)
    too_late.set()

    assert hasty.desk.whispers() == ['/reliability failed with the error "operation_timeout"']


async def test_a_command_that_no_app_has_is_not_delivered(line: Line) -> None:
    await line.desk.slack.slash(user=RILEY, channel=ALERTS, command="/relability", text="status")

    assert line.desk.whispers() == ["`/relability` is not a valid command."]


# --- clicks ------------------------------------------------------------------------------------------------------


async def test_a_click_carries_the_message_the_button_and_the_state_of_the_rest(line: Line) -> None:
    seen: dict[str, Any] = {}

    @line.app.action("rollback")
    async def run(ack: Any, body: dict[str, Any]) -> None:
        seen.update(body)
        await ack()

    ts = await card(line, metadata={"event_type": "card", "event_payload": {"incident": 42}})
    await click(line, ts)

    assert seen["type"] == "block_actions"
    assert seen["user"] == {"id": RILEY, "username": "riley", "name": "riley", "team_id": "T0ACME00001"}
    assert seen["channel"] == {"id": ALERTS, "name": "auth-alerts"}
    assert seen["container"] == {"type": "message", "message_ts": ts, "channel_id": ALERTS, "is_ephemeral": False}
    assert (seen["message"]["ts"], seen["message"]["text"]) == (ts, "It broke")
    assert seen["message"]["metadata"]["event_payload"] == {"incident": 42}
    (action,) = seen["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("rollback", "do", "42")
    assert {"action_ts", "text", "type"} <= set(action)
    assert seen["state"]["values"]["do"]["how_long"]["selected_option"]["value"] == "PT1H"
    assert {"response_url", "trigger_id", "team", "api_app_id", "token"} <= set(seen)


async def test_a_choice_is_sent_and_remembered_for_the_next_click(line: Line) -> None:
    chosen: list[str] = []

    @line.app.action("how_long")
    async def menu(ack: Any, action: dict[str, Any]) -> None:
        chosen.append(action["selected_option"]["value"])
        await ack()

    @line.app.action("rollback")
    async def button(ack: Any, body: dict[str, Any]) -> None:
        chosen.append(body["state"]["values"]["do"]["how_long"]["selected_option"]["value"])
        await ack()

    ts = await card(line)
    await click(line, ts, "how_long", "PT4H")
    await click(line, ts)

    assert chosen == ["PT4H", "PT4H"]


async def test_the_message_that_was_clicked_can_be_replaced(line: Line) -> None:
    @line.app.action("rollback")
    async def run(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="Rolling back", replace_original=True)

    await click(line, await card(line))

    await line.desk.next(ChangeKind.MESSAGE_EDITED)
    assert (line.desk.texts(), line.desk.whispers()) == (["Rolling back"], [])


async def test_the_message_that_was_clicked_can_be_deleted(line: Line) -> None:
    @line.app.action("rollback")
    async def run(ack: Any, respond: Any) -> None:
        await ack()
        await respond(delete_original=True)

    await click(line, await card(line))

    await line.desk.next(ChangeKind.MESSAGE_DELETED)
    assert line.desk.texts() == []


async def test_another_answer_to_a_click_is_whispered(line: Line) -> None:
    @line.app.action("rollback")
    async def run(ack: Any, respond: Any) -> None:
        await ack()
        await respond("You may not")

    await click(line, await card(line))

    await line.desk.next(ChangeKind.EPHEMERAL_POSTED)
    assert (line.desk.texts(), line.desk.whispers()) == (["It broke"], ["You may not"])


async def test_an_answer_to_a_click_in_a_thread_stays_in_it(line: Line) -> None:
    @line.app.action("rollback")
    async def run(ack: Any, respond: Any) -> None:
        await ack()
        await respond("You may not")

    parent = await card(line)
    await click(line, await card(line, thread_ts=parent))

    whisper = await line.desk.next(ChangeKind.EPHEMERAL_POSTED)
    assert whisper.body["thread_ts"] == parent


async def test_a_whispered_message_is_clicked_by_its_reader_only_and_can_be_replaced(line: Line) -> None:
    seen: dict[str, Any] = {}

    @line.app.action("rollback")
    async def run(ack: Any, body: dict[str, Any], respond: Any) -> None:
        seen.update(body)
        await ack()
        await respond(text="Sure", replace_original=True)

    answer = await line.desk.client().chat_postEphemeral(channel=ALERTS, user=RILEY, text="Sure?", blocks=CARD)
    ts = answer["message_ts"]
    with pytest.raises(NotThere):
        await line.desk.slack.click(user=AVERY, channel=ALERTS, message_ts=ts, block_id="do", action_id="rollback")
    await click(line, ts)

    await line.desk.next(ChangeKind.EPHEMERAL_EDITED)
    assert (seen["container"]["is_ephemeral"], "message" in seen) == (True, False)
    assert line.desk.whispers() == ["Sure"]


async def test_a_click_that_is_not_acknowledged_in_time_says_so_to_the_person(hasty: Line) -> None:
    too_late = asyncio.Event()

    @hasty.app.action("rollback")
    async def run(ack: Any) -> None:
        await too_late.wait()
        await ack()

    ts = await card(hasty)
    await click(hasty, ts)
    too_late.set()

    (notice,) = hasty.desk.told(ChangeKind.NOTICE)
    assert (notice.user, notice.channel, notice.body["message_ts"]) == (RILEY, ALERTS, ts)
    assert notice.body["error"] == "operation_timeout"


async def test_what_is_gone_cannot_be_clicked(line: Line) -> None:
    ts = await card(line)
    await line.desk.client().chat_update(channel=ALERTS, ts=ts, text="It is over")

    with pytest.raises(NotThere, match="no element"):
        await click(line, ts)
    await line.desk.client().chat_delete(channel=ALERTS, ts=ts)
    with pytest.raises(NotThere, match="no message"):
        await click(line, ts)


# --- modals ------------------------------------------------------------------------------------------------------


async def opened(line: Line, view: dict[str, Any] = FORM) -> str:
    """A modal that the app opens for Riley, at a command."""

    @line.app.command("/reliability")
    async def run(ack: Any, body: dict[str, Any], client: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=view)
        await ack()

    await command(line, "silence")
    return str(line.desk.told(ChangeKind.VIEW_OPENED)[-1].body["id"])


async def submit(line: Line, view: str, why: str = "Deploying") -> dict[str, Any]:
    return await line.desk.slack.submit_view(user=RILEY, view_id=view, values={"why": {"text": why}})


async def test_a_submission_carries_what_was_entered(line: Line) -> None:
    seen: dict[str, Any] = {}

    @line.app.view("silence")
    async def done(ack: Any, body: dict[str, Any]) -> None:
        seen.update(body)
        await ack()

    view = await opened(line)
    outcome = await line.desk.slack.submit_view(
        user=RILEY, view_id=view, values={"why": {"text": "Deploying"}, "until": {"day": "2026-03-02"}}
    )

    assert outcome["outcome"] == "closed"
    assert (seen["type"], seen["user"]["id"], seen["view"]["private_metadata"]) == ("view_submission", RILEY, "42")
    values = seen["view"]["state"]["values"]
    assert values["why"]["text"] == {"type": "plain_text_input", "value": "Deploying"}
    assert values["until"]["day"] == {"type": "datepicker", "selected_date": "2026-03-02"}
    assert line.desk.told(ChangeKind.VIEW_CLOSED)[0].body["id"] == view


async def test_a_submission_that_the_app_refuses_shows_errors_and_stays_open(line: Line) -> None:
    @line.app.view("silence")
    async def done(ack: Any) -> None:
        await ack(response_action="errors", errors={"why": "Say more"})

    view = await opened(line)
    outcome = await submit(line, view)

    assert (outcome["outcome"], outcome["errors"]) == ("errors", {"why": "Say more"})
    assert line.desk.told(ChangeKind.VIEW_ERRORS)[0].body == {"view_id": view, "errors": {"why": "Say more"}}
    assert [each.id for each in line.desk.slack.state.views.stack(RILEY)] == [view]


async def test_a_required_field_left_empty_is_not_even_sent(line: Line) -> None:
    outcome = await submit(line, await opened(line), why="")

    assert outcome["errors"] == {"why": "Please complete this required field."}


async def test_errors_of_fields_that_are_not_there_are_trouble(line: Line) -> None:
    @line.app.view("silence")
    async def done(ack: Any) -> None:
        await ack(response_action="errors", errors={"reason": "Say more"})

    outcome = await submit(line, await opened(line))

    assert (outcome["outcome"], outcome["errors"]) == ("failed", {"": "invalid_response_action"})


@pytest.mark.parametrize(
    ("answer", "outcome", "titles"),
    [
        ({"response_action": "update", "view": PLEASE_WAIT}, "updated", ["Please wait"]),
        ({"response_action": "push", "view": PLEASE_WAIT}, "pushed", ["Silence", "Please wait"]),
        ({"response_action": "clear"}, "cleared", []),
    ],
)
async def test_a_submission_may_lead_on(line: Line, answer: dict[str, Any], outcome: str, titles: list[str]) -> None:
    @line.app.view("silence")
    async def done(ack: Any) -> None:
        await ack(**answer)

    result = await submit(line, await opened(line))

    assert result["outcome"] == outcome
    assert [each.content["title"]["text"] for each in line.desk.slack.state.views.stack(RILEY)] == titles


async def test_a_submission_that_is_not_acknowledged_in_time_is_trouble(hasty: Line) -> None:
    too_late = asyncio.Event()

    @hasty.app.view("silence")
    async def done(ack: Any) -> None:
        await too_late.wait()
        await ack()

    outcome = await submit(hasty, await opened(hasty))
    too_late.set()

    assert outcome["errors"] == {"": "operation_timeout"}
    (notice,) = hasty.desk.told(ChangeKind.NOTICE)
    assert notice.body["text"] == "We had some trouble connecting. Try again?"


async def test_the_app_hears_that_a_modal_was_closed_if_it_asked(line: Line) -> None:
    seen: list[dict[str, Any]] = []

    @line.app.view_closed("silence")
    async def closed(ack: Any, body: dict[str, Any]) -> None:
        seen.append(body)
        await ack()

    view = await opened(line)
    await line.desk.slack.close_view(user=RILEY, view_id=view)
    await line.desk.slack.settle()

    assert [(body["view"]["id"], body["is_cleared"]) for body in seen] == [(view, False)]
    with pytest.raises(NotThere):
        await submit(line, view)


async def test_a_click_in_a_modal_carries_the_view_and_what_was_entered_so_far(line: Line) -> None:
    seen: dict[str, Any] = {}
    more = {"type": "actions", "block_id": "do", "elements": [BUTTON]}

    @line.app.action("rollback")
    async def run(ack: Any, body: dict[str, Any]) -> None:
        seen.update(body)
        await ack()

    view = await opened(line, {**FORM, "blocks": [*FORM["blocks"], more]})
    await line.desk.slack.click_in_view(
        user=RILEY, view_id=view, block_id="do", action_id="rollback", values={"why": {"text": "Dep"}}
    )

    assert seen["container"] == {"type": "view", "view_id": view}
    assert seen["view"]["state"]["values"]["why"]["text"]["value"] == "Dep"
    assert "message" not in seen


async def test_only_the_one_who_has_a_modal_can_submit_it(line: Line) -> None:
    view = await opened(line)

    with pytest.raises(NotThere, match="avery"):
        await line.desk.slack.submit_view(user=AVERY, view_id=view, values={})


async def test_the_home_tab_is_published_when_somebody_looks(line: Line) -> None:
    home = {"type": "home", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "All is well"}}]}

    @line.app.event("app_home_opened")
    async def look(event: dict[str, Any], client: Any) -> None:
        await client.views_publish(user_id=event["user"], view=home)

    await line.desk.slack.open_home(user=RILEY)

    published = await line.desk.next(ChangeKind.HOME_PUBLISHED)
    assert (published.user, published.body["blocks"][0]["text"]["text"]) == (RILEY, "All is well")


# --- events ------------------------------------------------------------------------------------------------------


async def test_a_mention_is_answered_in_its_thread(line: Line) -> None:
    @line.app.event("app_mention")
    async def answer(event: dict[str, Any], say: Any) -> None:
        await say("All is well", thread_ts=event["ts"])

    ts = await line.desk.slack.say(user=RILEY, channel=ALERTS, text=f"<@{identities.APP.bot_user}> status?")

    await line.desk.next(ChangeKind.MESSAGE_POSTED, number=2)
    thread = (await line.desk.client().conversations_replies(channel=ALERTS, ts=ts))["messages"]
    assert [message["text"] for message in thread[1:]] == ["All is well"]


async def test_what_the_app_did_not_subscribe_to_is_not_sent_until_it_does(line: Line) -> None:
    heard: list[str] = []

    @line.app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    await line.desk.slack.say(user=RILEY, channel=ALERTS, text="Before")
    line.desk.slack.subscribe({"message.channels"})
    await line.desk.slack.say(user=RILEY, channel=ALERTS, text="After")
    await line.desk.slack.settle()

    assert heard == ["After"]


async def test_people_speak_only_where_they_are(line: Line) -> None:
    line.desk.slack.workspace.leave(line.desk.slack.workspace.channel(ALERTS), RILEY)

    with pytest.raises(NotThere):
        await line.desk.slack.say(user=RILEY, channel=ALERTS, text="Hello")
    with pytest.raises(NotThere):
        await line.desk.slack.say(user=AVERY, channel=ALERTS, text="Hello", thread_ts="1700000000.000001")
