"""How the Web API says no, by Slack's own client over loopback; and trouble on purpose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from support.local_slack import ALERTS, QUICK, Desk, Hands, desk, error_of, refusal

from bot.sandbox.local_slack import BOT_SCOPES, Outage


@pytest.fixture
async def slack() -> AsyncIterator[Desk]:
    async with desk() as opened:
        yield opened


@pytest.fixture
def bot(slack: Desk) -> AsyncWebClient:
    return slack.client()


# --- who may call ------------------------------------------------------------------------------------------------


async def test_no_token_and_a_wrong_token_are_told_apart(slack: Desk) -> None:
    assert await error_of(slack.client(token="").auth_test()) == "not_authed"
    assert await error_of(slack.client(token="xoxb-made-up").auth_test()) == "invalid_auth"


async def test_a_token_may_be_an_argument(slack: Desk) -> None:
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{slack.url}/api/auth.test", data={"token": slack.slack.bot_token})

        assert (await answer.json())["ok"] is True


async def test_a_missing_scope_is_named() -> None:
    async with desk(replace(QUICK, bot_scopes=BOT_SCOPES)) as slack:
        answer = await refusal(slack.client().reactions_add(channel=ALERTS, timestamp="1.1", name="eyes"))

    assert (answer["error"], answer["needed"]) == ("missing_scope", "reactions:write")
    assert answer["provided"] == ",".join(sorted(BOT_SCOPES))


async def test_some_methods_are_not_for_every_kind_of_token(slack: Desk, bot: AsyncWebClient) -> None:
    app, person = slack.client(slack.slack.app_token), slack.client(slack.slack.user_tokens["responder"])

    assert await error_of(app.chat_postMessage(channel=ALERTS, text="a")) == "not_allowed_token_type"
    assert await error_of(bot.apps_connections_open(app_token=slack.slack.bot_token)) == "not_allowed_token_type"
    assert await error_of(person.views_publish(user_id="U0RILEY0001", view={"type": "home", "blocks": []})) == (
        "not_allowed_token_type"
    )


# --- what may be called ------------------------------------------------------------------------------------------


async def test_a_method_that_is_not_there_is_named_even_to_strangers(slack: Desk) -> None:
    answer = await refusal(slack.client(token="").api_call("chat.shout"))

    assert (answer["error"], answer["req_method"]) == ("unknown_method", "chat.shout")


async def test_a_missing_and_an_unknown_argument_are_named(bot: AsyncWebClient) -> None:
    missing = await refusal(bot.api_call("conversations.info"))
    unknown = await refusal(bot.api_call("conversations.info", params={"channel": ALERTS, "colour": "red"}))

    assert (missing["error"], unknown["error"]) == ("invalid_arguments", "invalid_arguments")
    assert missing["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]
    assert unknown["response_metadata"]["messages"] == ["[ERROR] unsupported argument: colour"]


async def test_another_team_is_not_found(bot: AsyncWebClient) -> None:
    assert await error_of(bot.conversations_list(team_id="T0OTHERS001")) == "team_not_found"


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"{", "application/json; charset=utf-8", "invalid_json"),
        (b"[]", "application/json; charset=utf-8", "json_not_object"),
        (b"<call/>", "application/xml", "invalid_post_type"),
    ],
)
async def test_a_body_of_another_form_is_refused(slack: Desk, body: bytes, content_type: str, error: str) -> None:
    headers = {"Authorization": f"Bearer {slack.slack.bot_token}", "Content-Type": content_type}
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{slack.url}/api/auth.test", data=body, headers=headers)

        assert (answer.status, (await answer.json())["error"]) == (200, error)


async def test_json_without_a_charset_is_taken_with_a_warning(slack: Desk) -> None:
    headers = {"Authorization": f"Bearer {slack.slack.bot_token}"}
    async with aiohttp.ClientSession() as session:
        answer = await (await session.post(f"{slack.url}/api/auth.test", json={}, headers=headers)).json()

    assert (answer["ok"], answer["warning"]) == (True, "missing_charset")
    assert answer["response_metadata"]["warnings"] == ["missing_charset"]


# --- how often ---------------------------------------------------------------------------------------------------


async def test_too_many_calls_are_answered_429_with_when_to_come_back() -> None:
    clock = Hands()
    async with desk(replace(QUICK, rate_scale=0.1), clock=clock) as slack:
        bot = slack.client()
        await bot.chat_postMessage(channel=ALERTS, text="One")
        await bot.chat_postMessage(channel=ALERTS, text="Two")

        answer = await refusal(bot.chat_postMessage(channel=ALERTS, text="Three"))

        assert (answer.status_code, answer["error"], answer.headers["Retry-After"]) == (429, "ratelimited", "10")
        clock.advance(seconds=10)
        await bot.chat_postMessage(channel=ALERTS, text="Three")
        assert slack.texts() == ["One", "Two", "Three"]


async def test_a_call_that_is_made_to_be_too_many_says_when_to_come_back(slack: Desk, bot: AsyncWebClient) -> None:
    slack.slack.fail_next("chat.postMessage", "ratelimited", retry_after=7)

    answer = await refusal(bot.chat_postMessage(channel=ALERTS, text="It broke"))

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


# --- trouble on purpose ------------------------------------------------------------------------------------------


async def test_a_call_that_is_made_to_fail_takes_no_effect(slack: Desk, bot: AsyncWebClient) -> None:
    slack.slack.fail_next("chat.postMessage", "internal_error", times=2)

    assert await error_of(bot.chat_postMessage(channel=ALERTS, text="One")) == "internal_error"
    assert await error_of(bot.chat_postMessage(channel=ALERTS, text="Two")) == "internal_error"
    await bot.chat_postMessage(channel=ALERTS, text="Three")
    assert slack.texts() == ["Three"]


async def test_only_the_method_that_is_meant_fails(slack: Desk, bot: AsyncWebClient) -> None:
    slack.slack.fail_next("chat.update", "fatal_error", status=500)

    ts = (await bot.chat_postMessage(channel=ALERTS, text="One"))["ts"]

    assert (await refusal(bot.chat_update(channel=ALERTS, ts=ts, text="Two"))).status_code == 500


async def test_a_star_means_whichever_method_is_called_next(slack: Desk, bot: AsyncWebClient) -> None:
    slack.slack.fail_next("*", "service_unavailable")

    assert await error_of(bot.auth_test()) == "service_unavailable"
    assert (await bot.auth_test())["ok"]


async def test_a_call_whose_answer_is_lost_takes_effect(slack: Desk, bot: AsyncWebClient) -> None:
    slack.slack.lose_answer("chat.postMessage")

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bot.chat_postMessage(channel=ALERTS, text="It broke")

    assert slack.texts() == ["It broke"]
    assert (await bot.chat_postMessage(channel=ALERTS, text="It is over"))["ok"]


@pytest.mark.parametrize(
    ("down", "seen"),
    [
        (True, SlackApiError),
        (Outage.UNAVAILABLE, SlackApiError),
        (Outage.DROPPED, aiohttp.ServerDisconnectedError),
    ],
)
async def test_in_an_outage_nothing_takes_effect_and_afterwards_everything(
    slack: Desk, bot: AsyncWebClient, down: Outage | bool, seen: type[Exception]
) -> None:
    slack.slack.down = down
    with pytest.raises(seen):
        await bot.chat_postMessage(channel=ALERTS, text="It broke")

    slack.slack.down = False
    await bot.chat_postMessage(channel=ALERTS, text="It is over")

    assert slack.texts() == ["It is over"]


async def test_an_outage_looks_like_a_proxys_page(slack: Desk) -> None:
    slack.slack.down = Outage.UNAVAILABLE

    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{slack.url}/api/auth.test")

        assert answer.status == 503
        assert "<html>" in await answer.text()


async def test_everything_set_up_to_fail_can_be_called_off(slack: Desk, bot: AsyncWebClient) -> None:
    slack.slack.fail_next("*", "internal_error", times=10)
    slack.slack.lose_answer("auth.test")
    slack.slack.down = Outage.DROPPED

    slack.slack.faults.clear()

    assert (await bot.auth_test())["ok"]
