"""Messages into Slack, with slack_sdk's own client. One try; the outbox retries.

A message carries its identity in its metadata. After a crash between Slack's "ok" and our own record of it, that
identity is looked for before anything is posted again: one card, not two.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Permanent, ReliabilityError
from bot.notify.config import SlackConfig
from bot.notify.limits import fit
from bot.notify.message import Block, Message
from bot.notify.notifier import ChannelClosed, MessageGone, Outgoing, Picture, Receipt
from bot.notify.plain import flat
from bot.notify.slack_errors import FAILURES, Meaning, code_of, meaning, translated, within
from bot.notify.slack_files import share, shows

log = logging.getLogger(__name__)

EVENT_TYPE = "reliability_card"
"""Of the metadata by which the bot knows its own messages."""

_SLACK_CLOCK = timedelta(minutes=1)  # how far Slack's clock and ours may be apart
_PAGE, _PAGES = 100, 5
_NOT_AS_MENTIONS = {"parse": "none", "link_names": False}


def slack_client(config: SlackConfig) -> AsyncWebClient:
    """The client for everything in Slack. It retries nothing: whoever calls knows better whether that is safe."""
    client = AsyncWebClient(
        token=config.bot_token.get_secret_value() if config.bot_token else None,
        base_url=config.api_url,
        timeout=max(1, round(config.timeout.total_seconds())),
        retry_handlers=[],
    )
    if urlsplit(config.api_url).scheme == "http":
        client.proxy = None  # a Slack on this machine is not behind the proxy that the environment names
    return client


class SlackNotifier:
    """Posts, edits, and falls back: to plain text where a layout is refused, to another channel where one is closed."""

    def __init__(self, client: AsyncWebClient, config: SlackConfig) -> None:
        self._client = client
        self._timeout_s = config.timeout.total_seconds()
        self._fallback = config.fallback_channel

    async def notify(self, outgoing: Outgoing) -> Receipt:
        if outgoing.picture is not None:
            return await self._show(outgoing, outgoing.picture)
        if outgoing.edit_ts is not None:
            return await self._edit(outgoing, outgoing.edit_ts)
        found = await self._earlier(outgoing) if outgoing.search_first else None
        if found is not None:
            return await self._edit(replace(outgoing, channel=found.channel), found.ts, fell_back=found.fell_back)
        try:
            return await self._post(outgoing)
        except _Closed as closed:
            if self._fallback is None or self._fallback == outgoing.channel:
                raise ChannelClosed(str(closed)) from closed
            log.warning("message.fell_back", extra={"message_id": outgoing.card_id, "why": str(closed)})
            receipt = await self._post(_elsewhere(outgoing, self._fallback))
            return replace(receipt, fell_back=str(closed))

    async def _show(self, outgoing: Outgoing, picture: Picture) -> Receipt:
        """Unlike a card, a picture is left out rather than shown twice, and it has no business in another channel."""
        try:
            found = await self._search(outgoing.channel, outgoing, in_thread=True) if outgoing.search_first else None
        except _Closed as closed:
            raise ChannelClosed(str(closed)) from closed
        if found is not None:
            return Receipt(outgoing.channel, found)
        return await share(self._client, outgoing, picture, self._timeout_s)

    async def _post(self, outgoing: Outgoing) -> Receipt:
        arguments = {"channel": outgoing.channel, "unfurl_links": False, "unfurl_media": False}
        if outgoing.thread_ts is not None:
            arguments["thread_ts"] = outgoing.thread_ts
        return await self._say("chat.postMessage", arguments, outgoing)

    async def _edit(self, outgoing: Outgoing, ts: str, *, fell_back: str = "") -> Receipt:
        try:
            receipt = await self._say("chat.update", {"channel": outgoing.channel, "ts": ts}, outgoing)
        except _Closed as closed:
            raise MessageGone(str(closed)) from closed  # posted anew it can go elsewhere
        return replace(receipt, fell_back=receipt.fell_back or fell_back)

    async def _say(self, method: str, arguments: Mapping[str, Any], outgoing: Outgoing) -> Receipt:
        message, fell_back = outgoing.message, ""
        common = {**arguments, **_NOT_AS_MENTIONS, "metadata": _metadata(outgoing)}
        try:
            answer = await self._call(method, {**common, "text": message.text, "blocks": list(message.blocks)})
        except _LayoutRefused as refused:
            log.exception("message.layout_refused", extra={"message_id": outgoing.card_id})
            fell_back = f"{refused}: shown without layout"
            text = flat(message) + "\n_Slack refused the layout of this message, so its buttons are missing._"
            answer = await self._call(method, {**common, "text": text, "blocks": []}, last_resort=True)
        return Receipt(channel=str(answer["channel"]), ts=str(answer["ts"]), fell_back=fell_back)

    async def _earlier(self, outgoing: Outgoing) -> Receipt | None:
        """The message that an earlier try posted without our knowing."""
        for channel in dict.fromkeys((outgoing.channel, self._fallback)):
            if channel is None:
                continue
            is_elsewhere = channel != outgoing.channel
            try:
                ts = await self._search(channel, outgoing, in_thread=not is_elsewhere)
            except (_Closed, Permanent) as unreadable:
                # a second card is better than none
                log.warning("message.not_searched", extra={"message_id": outgoing.card_id, "why": str(unreadable)})
                continue
            if ts is not None:
                return Receipt(channel, ts, "posted to the fallback channel" if is_elsewhere else "")
        return None

    async def _search(self, channel: str, outgoing: Outgoing, *, in_thread: bool) -> str | None:
        arguments: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": _PAGE}
        if outgoing.since is not None:
            arguments["oldest"] = _slack_time(outgoing.since - _SLACK_CLOCK)
        method = "conversations.history"
        if in_thread and outgoing.thread_ts is not None:
            method = "conversations.replies"
            arguments["ts"] = outgoing.thread_ts
        for _ in range(_PAGES):
            page = await self._call(method, arguments)
            for message in page.get("messages") or ():
                if _is_of(message, outgoing):
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
            arguments["cursor"] = cursor
        return None

    async def _call(self, method: str, arguments: Mapping[str, Any], *, last_resort: bool = False) -> Mapping[str, Any]:
        """One call.

        Raises:
            Retryable, Permanent, MessageGone: as the contract says.
            _LayoutRefused, _Closed: what this notifier has an answer to.
        """
        channel = str(arguments["channel"])
        is_read = method.startswith("conversations.")
        call = self._client.api_call(
            method, http_verb="GET" if is_read else "POST", **{"params" if is_read else "json": dict(arguments)}
        )
        try:
            return await within(call, self._timeout_s)
        except FAILURES as error:
            why = translated(error, method, channel)
            what = meaning(error)
            if what is Meaning.LAYOUT and not last_resort:
                raise _LayoutRefused(f"Slack refused the layout ({code_of(error)})") from error
            if what is Meaning.CHANNEL:
                raise _Closed(str(why)) from error
            raise why from error


class _LayoutRefused(ReliabilityError):
    pass


class _Closed(ReliabilityError):
    pass


def _elsewhere(outgoing: Outgoing, channel: str) -> Outgoing:
    """The same, for another channel, and says where it was meant to be."""
    meant = f"Meant for <#{outgoing.channel}>, which does not take it"
    note: Block = {
        "type": "context",
        "block_id": "meant-for",
        "elements": [{"type": "mrkdwn", "verbatim": True, "text": meant}],
    }
    message = outgoing.message
    blocks: Sequence[Block] = (note, *message.blocks) if message.blocks else ()
    return replace(
        outgoing, channel=channel, thread_ts=None, message=fit(Message(f"{meant}: {message.text}", tuple(blocks)))
    )


def _metadata(outgoing: Outgoing) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": {"card_id": outgoing.card_id, "version": outgoing.version}}


def _is_of(message: Mapping[str, Any], outgoing: Outgoing) -> bool:
    if outgoing.picture is not None:
        return shows(message, outgoing.picture)
    return _card_id(message) == outgoing.card_id


def _card_id(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    card_id: str | None = (metadata.get("event_payload") or {}).get("card_id")
    return card_id


def _slack_time(at: datetime) -> str:
    return f"{at.timestamp():.6f}"
